"""What the validator looks at: the files that leave, and in staging the rows they came from, by position."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from anon_platform.anonymize import Treat
from anon_platform.policy import Policy
from anon_platform.table import Table


@dataclass(frozen=True)
class Evidence:
    """Everything a measure may use.

    data: the folder of the files that leave.
    kept: ROW and PERSON of every released row, in the order of the Parquet files.
    suppressed: ROW of every suppressed record.
    source: the snapshot the release was made from.
    treat: for every released column the function from original to released value; of perturbed columns without the
        draws, so that the original is compared at released detail.
    population: by model (k_map, delta_presence) the frequency table of its population over the released
        quasi-identifiers, at the released levels; a model whose population is not here is missed.
    as_left: the snapshot with perturbed columns as they leave; left out, nothing is perturbed and it is the source.
    perturbed: columns whose values depend on secret draws of the rows (PRAM, rank swapping).
    """

    policy: Policy
    data: Path
    kept: pl.DataFrame
    suppressed: pl.Series
    source: Table
    treat: Mapping[str, Treat]
    population: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    as_left: Table | None = None
    perturbed: frozenset[str] = frozenset()

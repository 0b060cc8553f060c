"""What the validator looks at: the files that leave, and in staging the rows they came from, by position."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    treat: for every released column the function from original to released value.
    """

    policy: Policy
    data: Path
    kept: pl.DataFrame
    suppressed: pl.Series
    source: Table
    treat: Mapping[str, Treat]

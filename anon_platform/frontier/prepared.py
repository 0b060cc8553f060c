"""Rows made ready once for all settings: what the search counts, columns as small numbers, and the rows a model learns from."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from anon_platform.anonymize import OfRecords
from anon_platform.anonymize.hierarchy import LevelLabels
from anon_platform.pipeline.treatments import as_left, hierarchies_for, steps_before_search
from anon_platform.policy import Policy
from anon_platform.table import PERSON, ROW, Table
from anon_platform.validate.utility.fidelity import BINS, MANY

SEED = 7

ROWS, MODEL, REST = "rows.parquet", "model.parquet", "rest.pickle"

CODE = "__code of "
ORIGINAL = "__original of "


@dataclass(frozen=True)
class Prepared:
    """What every setting is tried on.

    rows: quasi-identifiers treated up to the search, sensitive values as they leave, PERSON, and `__code of <column>` for
    every column whose distribution is compared, quasi-identifiers aside. model: rows of some people with features as they
    leave, quasi-identifiers up to the search, target and PERSON, and originals as `__original of <column>`; None without
    one. hierarchies: as they stand for all rows.
    """

    policy: Policy
    rows: pl.DataFrame
    hierarchies: Mapping[str, LevelLabels]
    model: pl.DataFrame | None

    def write(self, folder: Path) -> None:
        """For other processes; identified values are in it, so the folder is in staging."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.rows.write_parquet(folder / ROWS)
        if self.model is not None:
            self.model.write_parquet(folder / MODEL)
        (folder / REST).write_bytes(pickle.dumps((self.policy, self.hierarchies)))

    @classmethod
    def read(cls, folder: Path) -> "Prepared":
        """As it was written, by this very run."""
        policy, hierarchies = pickle.loads((folder / REST).read_bytes())  # noqa: S301 - our own file, in staging
        model = pl.read_parquet(folder / MODEL, glob=False) if (folder / MODEL).exists() else None
        return cls(policy, pl.read_parquet(folder / ROWS, glob=False), hierarchies, model)


def prepared(policy: Policy, table: Table, sample: int | None, model_people: int | None) -> Prepared:
    """Rows for all settings.

    sample: people that everything is about, drawn at random; None: all. model_people: those that a model is trained on and
    tested with; None: no model.
    """
    left = as_left(policy, table)
    before = steps_before_search(policy, table)
    rng = np.random.default_rng(SEED)
    people = np.sort(left.counts([PERSON])[PERSON].to_numpy())
    chosen = people if sample is None else np.sort(rng.permutation(people)[:sample])
    names, sensitive = policy.quasi_identifiers, policy.sensitive
    compared = [name for name in policy.released if name not in names and not _is_text(policy, name)]
    wanted = list(dict.fromkeys([*names, *sensitive, *compared]))
    rows = _of_people(left, [PERSON, *wanted], chosen)
    codes = [_coded(before[name](rows[name])).alias(CODE + name) for name in compared]
    kept = rows.select(PERSON, *[before[name](rows[name]).alias(name) for name in (*names, *sensitive)])
    rows = kept.with_columns(codes)
    counts = rows.group_by(*names, *sensitive, PERSON).agg(n=pl.len())
    model = None
    if policy.model is not None and model_people is not None:
        # a class leaves or not by all quasi-identifiers, also those that are no features
        features = list(dict.fromkeys([*policy.model.features, policy.model.target.column, *names]))
        some = np.sort(rng.permutation(chosen)[:model_people])
        originals = _of_people(left, [PERSON, *features], some)
        model = originals.select(
            PERSON,
            *[originals[name].alias(ORIGINAL + name) for name in features],
            *[before[name](originals[name]).alias(name) for name in features],
        )
    return Prepared(policy, rows, hierarchies_for(policy, counts), model)


def _is_text(policy: Policy, name: str) -> bool:
    return any(isinstance(step, OfRecords) for step in policy.columns[name].treat)


def _of_people(table: Table, columns: Sequence[str], people: np.ndarray) -> pl.DataFrame:
    wanted = pl.DataFrame({PERSON: pl.Series(people, dtype=pl.UInt32)})
    parts = (batch.select(columns) for batch in table.batches([ROW, *columns]))
    return pl.concat(part.join(wanted, on=PERSON, how="semi", maintain_order="left") for part in parts)


def _coded(values: pl.Series) -> pl.Series:
    """Small numbers for the values, equal ones alike; many numbers in cells of equal size, as distances have them."""
    if values.dtype.is_numeric() and values.n_unique() > MANY:
        known = values.cast(pl.Float64).fill_nan(None)
        edges = np.unique(np.nanquantile(known.drop_nulls().to_numpy(), np.arange(1, BINS) / BINS))
        cells = np.searchsorted(edges, known.fill_null(np.inf).to_numpy()).astype(np.int64)
        return pl.Series(np.where(known.is_null().to_numpy(), len(edges) + 1, cells)).cast(pl.UInt8)
    codes = values.rank("dense").fill_null(0).cast(pl.UInt32)
    return codes.cast(pl.UInt16) if (codes.max() or 0) < 2**16 else codes  # type: ignore[operator]

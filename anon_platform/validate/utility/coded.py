"""Columns as small numbers, row by row, for everything that looks at several of them together.

A column has cells at its original detail: numbers and dates between bounds that hold equal shares of the original, other
values one each while there are few, the rarest together; a missing value has a cell of its own. A released label has a
row of shares over these cells, by what it covers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.table import PERSON
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import alike, read_released
from anon_platform.validate.utility.columns import edges_of
from anon_platform.validate.utility.compared import LABEL, VALUE, Compared, in_numbers
from anon_platform.validate.utility.distances import Floats, Mass

NUMBERS = 20
"""Cells of numbers and dates, as NIST's scores have about."""

VALUES = 38
"""Cells of single values; the others share one."""

LABELS = 200
"""Labels of a column that are kept apart; of more each record's label is put into one cell, drawn by its shares."""

Codes = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Coded:
    """One column. before: the cell of each row of the source; after: the label's code of each released row.

    spread: codes × cells, rows adding up to 1. At 0 stands the missing value, as a cell. number, mean, square: of a
    numeric column the value of each row of the source (NaN where missing), and by label the mean of what it covers and of
    its square; at: the label of each released row. None for others.
    """

    name: str
    before: Codes
    after: Codes
    spread: Floats
    number: Floats | None = None
    mean: Floats | None = None
    square: Floats | None = None
    at: Codes | None = None

    @property
    def cells(self) -> int:
        """Cells, the missing value's included."""
        return int(self.spread.shape[1])


@dataclass(frozen=True)
class People:
    """The person of each row of the source, and of each released row."""

    before: Codes
    after: Codes

    @classmethod
    def of(cls, evidence: Evidence) -> "People":
        """As staging has them."""
        rows = [batch[PERSON] for batch in evidence.source.batches([PERSON])]
        none = pl.Series(PERSON, [], dtype=pl.UInt32)
        return cls(pl.concat([none, *rows]).to_numpy(), evidence.kept[PERSON].to_numpy())

    def drawn(self, rows: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
        """Positions of the rows of people drawn at random, before and after: all, or so many that about `rows` are there."""
        if len(self.before) <= rows:
            return np.arange(len(self.before)), np.arange(len(self.after))
        people = int(self.before.max()) + 1
        chosen = np.zeros(people, dtype=bool)
        chosen[rng.permutation(people)[: max(1, round(people * rows / len(self.before)))]] = True
        return np.flatnonzero(chosen[self.before]), np.flatnonzero(chosen[self.after])


def coded(evidence: Evidence, column: Compared, rng: np.random.Generator) -> Coded:
    """The column of all rows. rng: for labels that are put into cells."""
    original, labels = original_values(evidence, column.name), released_labels(evidence, column)
    if column.numeric and column.original_mass() is not None:
        return _numbers(column, original, labels, rng)
    return _values(column, original, labels, rng)


def original_values(evidence: Evidence, name: str) -> pl.Series:
    """The column of the source, row by row, as `Compared.before` has it."""
    none = pl.Series(name, [], dtype=evidence.source.schema[name])
    return in_numbers(pl.concat([none, *(batch[name] for batch in evidence.source.batches([name]))]))


def released_labels(evidence: Evidence, column: Compared) -> pl.Series:
    """The released column, row by row, as `Compared.after` has it."""
    return _like(column, read_released(evidence.data, [column.name])[column.name])


def _like(column: Compared, released: pl.Series) -> pl.Series:
    """Released values as `column.after` has them."""
    found = in_numbers(released)
    return found if found.dtype == column.after.schema[LABEL] else alike(column.after[LABEL], found)[1]


def _numbers(column: Compared, original: pl.Series, labels: pl.Series, rng: np.random.Generator) -> Coded:
    mass, released = column.original_mass(), column.released_mass()
    assert mass is not None
    edges = edges_of(mass, NUMBERS)
    number = original.cast(pl.Float64).fill_null(np.nan).to_numpy()
    known = column.spread_labels().sort(LABEL, nulls_last=False)
    low, high = (known[side].fill_null(np.nan).to_numpy() for side in ("low", "high"))
    unit = released.unit if released is not None else 0.0
    middle = (low + high) / 2
    square = middle**2 + np.maximum((high - low + unit) ** 2 - unit, 0) / 12
    at = _places(labels, known[LABEL])
    if known.height > LABELS and labels.dtype.is_numeric():
        after, spread = _in_cells(middle, edges)[at], np.eye(len(edges) + 1)
    else:
        after, spread = _drawn(at, _over_cells(low, high, edges, unit), rng)
    return Coded(column.name, _in_cells(number, edges), after, spread, number, middle, square, at)


def _in_cells(number: Floats, edges: Floats) -> Codes:
    """0 for a missing number, else 1 + its cell."""
    found = np.searchsorted(edges, number) + 1
    return np.where(np.isfinite(number), np.minimum(found, len(edges)), 0).astype(np.uint8)


def _over_cells(low: Floats, high: Floats, edges: Floats, unit: float) -> Floats:
    """Labels × cells: how much of each span lies in each cell; all in the first for a label without span."""
    shares = np.zeros((len(low), len(edges) + 1))
    missing = np.isnan(low)
    shares[missing, 0] = 1.0
    for place in np.flatnonzero(~missing):
        one = Mass(low[place : place + 1], high[place : place + 1], np.ones(1), unit)
        shares[place, 1:] = np.maximum(np.diff(one.below(edges), prepend=0.0), 0.0)
    return shares


def _values(column: Compared, original: pl.Series, labels: pl.Series, rng: np.random.Generator) -> Coded:
    counts = column.before.drop_nulls(VALUE).group_by(VALUE, maintain_order=True).agg(pl.col("n").sum())
    often = counts.sort(pl.col("n"), pl.col(VALUE).cast(pl.String), descending=[True, False])
    cell = often.select(VALUE, cell=(pl.int_range(pl.len()) + 1).clip(upper_bound=VALUES + 1).cast(pl.Int64))
    before = _joined(original, cell, VALUE, "cell").fill_null(0).to_numpy().astype(np.uint8)
    cells = int(cell["cell"].max() or 0) + 1  # type: ignore[arg-type]
    known = column.after.select(LABEL).sort(LABEL, nulls_last=False)
    covers = column.covers.join(cell, on=VALUE, how="left", nulls_equal=True, maintain_order="left")
    covers = covers.with_columns(pl.col("cell").fill_null(0), part=1 / pl.len().over(LABEL))
    codes = known.with_row_index("code").join(
        covers, on=LABEL, how="left", nulls_equal=True, maintain_order="left"
    )
    shares = np.zeros((known.height, cells))
    # what no value of the source became may be any of them
    everywhere = np.bincount(before, minlength=cells) / max(len(before), 1)
    shares[codes.filter(pl.col("cell").is_null())["code"].to_numpy()] = everywhere
    there = codes.drop_nulls("cell")
    np.add.at(shares, (there["code"].to_numpy(), there["cell"].to_numpy()), there["part"].to_numpy())
    after, spread = _drawn(_places(labels, known[LABEL]), shares, rng)
    return Coded(column.name, before, after, spread)


def _places(labels: pl.Series, known: pl.Series) -> Codes:
    """For each label its place among the known ones."""
    table = pl.DataFrame({LABEL: known, "code": np.arange(len(known), dtype=np.int32)})
    return _joined(labels, table, LABEL, "code").to_numpy()


def _drawn(at: Codes, shares: Floats, rng: np.random.Generator) -> tuple[Codes, Floats]:
    """The code of each label and the shares of each code; with many labels these are cells, drawn."""
    if len(shares) <= LABELS:
        return at.astype(np.uint8), shares
    reached = np.cumsum(shares, axis=1)
    luck = rng.random(len(at))
    drawn = np.empty(len(at), dtype=np.uint8)
    for first in range(0, len(at), 100_000):
        part = slice(first, first + 100_000)
        drawn[part] = (reached[at[part]] < luck[part, None] - 1e-12).sum(axis=1)
    return np.minimum(drawn, shares.shape[1] - 1), np.eye(shares.shape[1])


def _joined(values: pl.Series, table: pl.DataFrame, on: str, what: str) -> pl.Series:
    frame = pl.DataFrame({on: values})
    return frame.join(table, on=on, how="left", nulls_equal=True, maintain_order="left")[what]


def tally(columns: Sequence[Codes], sizes: Sequence[int]) -> Floats:
    """How many rows have each combination of codes, as an array of the columns' sizes."""
    place = np.zeros(len(columns[0]), dtype=np.int32)
    for codes, size in zip(columns, sizes, strict=True):
        place = place * np.int32(size) + codes
    return np.bincount(place, minlength=int(np.prod(sizes))).reshape(sizes).astype(np.float64)


def together(columns: Mapping[str, Coded], names: Sequence[str]) -> tuple[Floats, Floats]:
    """Records in every combination of cells of some columns: of the source, and released ones spread over their cells."""
    found = [columns[name] for name in names]
    before = tally([column.before for column in found], [column.cells for column in found])
    after = tally([column.after for column in found], [len(column.spread) for column in found])
    for column in found:
        # the first axis is taken off and comes back as cells at the end, so that all take their turn
        after = np.tensordot(after, column.spread, axes=(0, 0))
    return before, after

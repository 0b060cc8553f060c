"""Every column before and after, at released detail and at original detail."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.validate.evidence import Evidence
from anon_platform.validate.utility.compared import LABEL, VALUE, Compared, compared
from anon_platform.validate.utility.distances import (
    Floats,
    Mass,
    hellinger,
    jensen_shannon,
    kolmogorov_smirnov,
    quantiles,
    total_variation_of,
    wasserstein,
)
from anon_platform.validate.utility.fidelity import ColumnFidelity

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

CELLS = 50
"""Cells in which numbers are compared at original detail, of equal shares of the original."""

DRAWN = 12
"""Cells of the small picture of a column."""


@dataclass(frozen=True)
class Distances:
    """Between the same cells before and after, 0 to 1."""

    total_variation: float
    jensen_shannon: float
    hellinger: float

    @classmethod
    def of(cls, p: Floats, q: Floats) -> "Distances":
        """All of them; p, q: shares of the same cells. 1 where one side is empty."""
        if not p.sum() or not q.sum():
            return cls(1.0, 1.0, 1.0)
        return cls(total_variation_of(p, q), jensen_shannon(p, q), hellinger(p, q))


@dataclass(frozen=True)
class Numbers:
    """A column of numbers or dates before and after, without a value of it.

    wasserstein, mean_shift and quantile_shift (by share) in standard deviations of the original; variance_ratio: after
    over before. Without spread in the original they are None.
    """

    kolmogorov_smirnov: float
    wasserstein: float | None
    mean_shift: float | None
    variance_ratio: float | None
    quantile_shift: dict[str, float] | None


@dataclass(frozen=True)
class Picture:
    """Shares of cells before and after for a small drawing, without saying which they are.

    Numbers go from low to high, other values from the most frequent on. few: records in the cells that hold too few
    records on either side to be shown alone; their shares are in the last two numbers.
    """

    ordered: bool
    before: list[float]
    after: list[float]
    few: tuple[float, float]


@dataclass(frozen=True)
class ColumnUtility:
    """released: at released detail, what suppression did; original: at original detail, what coarser labels did as well.

    missing: share of missing values before and after.
    """

    name: str
    released: Distances
    original: Distances | None
    numbers: Numbers | None
    missing: tuple[float, float]
    picture: Picture | None


def measure_column(column: Compared, least: int) -> ColumnUtility:
    """Everything about one column. least: records that a cell needs on both sides to be drawn.

    Of a column whose values moved person by person there is nothing at original detail.
    """
    at_labels = _shares(column.expected, column.after, LABEL)
    released = Distances.of(*_binned(column.expected, column.after, LABEL, at_labels))
    missing = _missing(column.before, VALUE), _missing(column.after, LABEL)
    if not column.whole or not column.after.height:
        return ColumnUtility(column.name, released, None, None, missing, None)
    if column.numeric:
        return _of_numbers(column, released, missing, least)
    before, after = at_values(column)
    original = Distances.of(before, after)
    picture = _picture(before, after, column, least)
    return ColumnUtility(column.name, released, original, None, missing, picture)


def measure_fidelity(evidence: Evidence) -> list[ColumnFidelity]:
    """The distance of each released column at released detail, in the policy's order."""
    return [column.fidelity for column in compared(evidence)]


def _of_numbers(
    column: Compared, released: Distances, missing: tuple[float, float], least: int
) -> ColumnUtility:
    left, right = column.original_mass(), column.released_mass()
    if left is None or right is None:
        return ColumnUtility(column.name, released, None, None, missing, None)
    if not right.unit:
        left = Mass(left.low, left.high, left.weight, 0.0)
    edges = edges_of(left, CELLS)
    original = Distances.of(in_cells(left, edges, missing[0]), in_cells(right, edges, missing[1]))
    drawn = edges_of(left, DRAWN)
    picture = _picture(in_cells(left, drawn), in_cells(right, drawn), column, least)
    return ColumnUtility(column.name, released, original, _numbers(left, right), missing, picture)


def _numbers(left: Mass, right: Mass) -> Numbers:
    ks = kolmogorov_smirnov(left, right)
    spread = left.variance**0.5
    if not spread:
        return Numbers(ks, None, None, None, None)
    shift = (quantiles(right, np.array(QUANTILES)) - quantiles(left, np.array(QUANTILES))) / spread
    return Numbers(
        ks,
        wasserstein(left, right) / spread,
        (right.mean - left.mean) / spread,
        right.variance / left.variance,
        {f"{share:g}": float(one) for share, one in zip(QUANTILES, shift, strict=True)},
    )


def at_values(column: Compared) -> tuple[Floats, Floats]:
    """Shares of the original values before, and after with the mass of each label in equal shares over what it covers.

    The mass of labels that no value of the source became stands in a cell of its own.
    """
    covers = column.covers.with_columns(part=1 / pl.len().over(LABEL))
    spread = column.after.join(covers, on=LABEL, how="left", nulls_equal=True, maintain_order="left")
    lost = float(spread.filter(pl.col("part").is_null())["n"].sum())
    known = spread.drop_nulls("part").select(VALUE, n=pl.col("n") * pl.col("part"))
    after = known.group_by(VALUE, maintain_order=True).agg(pl.col("n").sum())
    before = column.before.group_by(VALUE, maintain_order=True).agg(pl.col("n").sum())
    joined = before.join(after, on=VALUE, how="full", nulls_equal=True, maintain_order="left_right").sort(
        "n", descending=True, maintain_order=True
    )
    p, q = (joined[side].fill_null(0).cast(pl.Float64).to_numpy() for side in ("n", "n_right"))
    return _as_shares(np.append(p, 0.0)), _as_shares(np.append(q, lost))


def edges_of(mass: Mass, cells: int) -> Floats:
    """Upper bounds of cells that hold equal shares of the mass, ascending, the last one infinity."""
    order = np.argsort(mass.high, kind="stable")
    reached = np.cumsum(mass.weight[order])
    places = np.searchsorted(reached, np.arange(1, cells) / cells - 1e-12)
    return np.append(np.unique(mass.high[order][np.minimum(places, len(order) - 1)]), np.inf)


def in_cells(mass: Mass, edges: Floats, missing: float | None = None) -> Floats:
    """The share of the mass in each cell; with `missing` one more cell of that share, and the others less."""
    reached = mass.below(edges)
    found = np.maximum(np.diff(reached, prepend=0.0), 0.0)
    return found if missing is None else np.append(found * (1 - missing), missing)


def _binned(
    left: pl.DataFrame, right: pl.DataFrame, on: str, shares: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Released numbers with many values are compared in cells, as their total variation is."""
    if not left.schema[on].is_numeric() or left.height <= 4 * CELLS:
        return shares
    masses = []
    for side in (left, right):
        known = side.drop_nulls(on)
        at = known[on].cast(pl.Float64).to_numpy()
        if not len(at):
            return shares
        masses.append(Mass.of(at, at, known["n"].to_numpy(), whole=False))
    edges = edges_of(masses[0], CELLS)
    p, q = (
        in_cells(mass, edges, _missing(side, on)) for mass, side in zip(masses, (left, right), strict=True)
    )
    return p, q


def _shares(left: pl.DataFrame, right: pl.DataFrame, on: str) -> tuple[Floats, Floats]:
    joined = left.join(right, on=on, how="full", nulls_equal=True, maintain_order="left_right")
    p, q = (joined[side].fill_null(0).cast(pl.Float64).to_numpy() for side in ("n", "n_right"))
    return _as_shares(p), _as_shares(q)


def _as_shares(counts: Floats) -> Floats:
    total = counts.sum()
    return counts / total if total else counts


def _missing(counts: pl.DataFrame, on: str) -> float:
    total = int(counts["n"].sum())
    return float(counts.filter(pl.col(on).is_null())["n"].sum()) / total if total else 0.0


def _picture(p: Floats, q: Floats, column: Compared, least: int) -> Picture:
    rows = np.array([[float(column.before["n"].sum())], [float(column.after["n"].sum())]])
    both = np.stack([p, q])
    shown = np.zeros(both.shape[1], dtype=bool)
    shown[:DRAWN] = ((both * rows)[:, :DRAWN] >= least).all(axis=0)
    # shares add up to 1: what is not shown must not be a few records either
    while shown.any() and _tells(both, rows, least, ~shown):
        shown[np.flatnonzero(shown)[int(both[:, shown].min(axis=0).argmin())]] = False
    few = both[:, ~shown].sum(axis=1)
    before, after = (_rounded(side[shown]) for side in both)
    return Picture(column.numeric, before, after, (round(float(few[0]), 4), round(float(few[1]), 4)))


def _tells(both: Floats, rows: Floats, least: int, hidden: npt.NDArray[np.bool_]) -> bool:
    """Whether the sum of the hidden cells is about a few records, on either side."""
    sums = (both[:, hidden].sum(axis=1, keepdims=True) * rows).round(6)
    return bool(((sums > 0) & (sums < least)).any())


def _rounded(shares: Sequence[float] | Floats) -> list[float]:
    return [round(float(share), 4) for share in shares]

"""Exact bounded aggregates in one pass over the rows. Nothing here is private: only noise may look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import polars as pl
from numpy.typing import NDArray

from anon_platform.dp.bounding import Bounded
from anon_platform.dp.statistics.axes import plain
from anon_platform.dp.statistics.conditions import holds, is_category
from anon_platform.dp.statistics.plan import Plan, Planned
from anon_platform.dp.statistics.settings import Statistic

Counts = NDArray[np.int64]
_CELL = "__cell__"


@dataclass(frozen=True)
class Groups:
    """The groups of one statistic: a cell number for every row, null for rows outside all of them."""

    key: tuple[str, ...]
    """Groups of equal keys are the same."""
    cell: pl.Expr
    cells: int


def groups_of(planned: Planned) -> Groups:
    """All combinations of the public labels, the last column fastest."""
    found = pl.lit(0, pl.Int32)
    for axis in planned.axes:
        found = found * axis.size + axis.code()
    return Groups(planned.statistic.groups, found.cast(pl.Int32), prod(axis.size for axis in planned.axes))


def exact(plan: Plan, groups: Sequence[Groups], bounded: Bounded) -> list[list[Counts]]:
    """For each statistic its exact vectors: one number a cell, in whole steps; of quantiles one row a cell.

    Statistics with the same groups are counted together, and all of them in one pass.
    """
    frames = []
    rows = bounded.rows.lazy()
    for cell, members in _alike(groups):
        wanted: list[pl.Expr] = []
        for at in members:
            planned = plan.statistics[at]
            if planned.statistic.measure == "quantiles":
                frames.append(_leaves(plan, planned, groups[at], rows))
            else:
                wanted += [
                    one.alias(f"{at}.{n}") for n, one in enumerate(_sums(plan, planned, bounded.person))
                ]
        if wanted:
            counted = rows.with_columns(cell.alias(_CELL)).drop_nulls(_CELL).group_by(_CELL).agg(wanted)
            frames.append(counted)
    found: dict[str, Counts] = {}
    for frame in pl.collect_all(frames):
        places = frame[_CELL].to_numpy()
        for name in frame.columns[1:]:
            at = int(name.split(".")[0])
            found[name] = np.zeros(groups[at].cells * _width(plan.statistics[at]), np.int64)
            found[name][places] = frame[name].fill_null(0).cast(pl.Int64).to_numpy()
    return [
        [found[name].reshape(-1, _width(planned)) for name in sorted(found) if name.split(".")[0] == str(at)]
        for at, planned in enumerate(plan.statistics)
    ]


def kept_rows(plan: Plan, statistic: Statistic) -> pl.Expr:
    """Whether a row counts: its conditions hold, and what is measured is not missing (but in histograms)."""
    mask = holds(statistic.where, plan.domains)
    if statistic.of is not None and statistic.measure != "histogram":
        mask &= plain(statistic.of, plan.domains[statistic.of]).is_not_null()
    return mask


def number(plan: Plan, planned: Planned) -> pl.Expr:
    """The column that is measured as a number between the statistic's bounds; true is 1; missing is null."""
    column, steps = planned.statistic.of, planned.steps
    assert column is not None
    assert steps is not None
    domain, category = plan.domains[column], planned.statistic.category
    known = plain(column, domain) if category is None else is_category(column, category, domain)
    value = known.cast(pl.Float64)
    return value.clip(steps.low, steps.high)


def _sums(plan: Plan, planned: Planned, person: str) -> list[pl.Expr]:
    statistic, steps = planned.statistic, planned.steps
    mask = kept_rows(plan, statistic)
    # a condition that always holds is one truth value, not one a row
    every = not statistic.where and (statistic.of is None or statistic.measure == "histogram")
    rows = pl.len().cast(pl.Int64) if every else mask.sum().cast(pl.Int64)
    if statistic.measure == "people":
        who = pl.col(person) if every else pl.col(person).filter(mask)
        return [who.n_unique().cast(pl.Int64)]
    if statistic.measure in ("count", "histogram"):
        return [rows]
    assert steps is not None
    value = pl.when(mask).then(number(plan, planned))
    if statistic.measure == "sum":
        return [steps.in_all(value).sum()]
    centred = steps.centred(value).sum()
    return [rows, centred, steps.squared(value).sum()] if statistic.measure == "variance" else [rows, centred]


def _leaves(plan: Plan, planned: Planned, groups: Groups, rows: pl.LazyFrame) -> pl.LazyFrame:
    at, steps = plan.statistics.index(planned), planned.steps
    assert steps is not None
    kept = rows.filter(kept_rows(plan, planned.statistic))
    place = groups.cell.cast(pl.Int64) * steps.leaves + steps.leaf(number(plan, planned))
    return kept.select(place.alias(_CELL)).drop_nulls(_CELL).group_by(_CELL).agg(pl.len().alias(f"{at}.0"))


def _width(planned: Planned) -> int:
    quantiles = planned.statistic.measure == "quantiles"
    return planned.steps.leaves if quantiles and planned.steps else 1


def _alike(groups: Sequence[Groups]) -> list[tuple[pl.Expr, list[int]]]:
    """Statistics of the same groups, by their places."""
    found: dict[tuple[str, ...], tuple[pl.Expr, list[int]]] = {}
    for at, one in enumerate(groups):
        found.setdefault(one.key, (one.cell, []))[1].append(at)
    return list(found.values())

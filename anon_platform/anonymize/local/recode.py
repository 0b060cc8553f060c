"""Local recoding: each class of records is generalized just as far as it needs, the same value here more, there less."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

import numpy as np
import polars as pl

from anon_platform.anonymize.hierarchy.levels import LevelLabels
from anon_platform.anonymize.k_anonymity.demand import Demand
from anon_platform.anonymize.k_anonymity.grouped import classes_of
from anon_platform.anonymize.k_anonymity.price import caps_of, prices, weights_of
from anon_platform.anonymize.k_anonymity.problem import Asked, Problem, leaf_codes, posed
from anon_platform.anonymize.local.blocks import blocks
from anon_platform.anonymize.local.full_domain import full_domain, is_small
from anon_platform.anonymize.local.grouping import Grouping
from anon_platform.anonymize.local.improve import improved
from anon_platform.anonymize.local.insert import inserted
from anon_platform.anonymize.local.labels import Column, Output, column
from anon_platform.anonymize.local.members import grown
from anon_platform.anonymize.local.mondrian import Split, divided
from anon_platform.anonymize.local.peel import peel
from anon_platform.anonymize.local.recoded import KEPT, Recoded, recoded
from anon_platform.anonymize.local.repair import repaired
from anon_platform.anonymize.local.shapes import Floats, Ints
from anon_platform.anonymize.local.units import Units
from anon_platform.errors import PolicyError
from anon_platform.frequency import ColumnModel

Effort = Literal["fast", "best"]
"""The groups that are found first; or these improved as long as it gains something, in several times the time."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Mondrian:
    """How to divide from the top down; see `divided`."""

    split: Split
    strict: bool


SLACK: dict[Effort, float] = {"fast": 0.1, "best": 0.02}

LOOKS = 40_000
"""Nodes of the lattice looked at, at most …"""

UNIT_LOOKS = 6_000_000_000
"""… and nodes × units."""

AGAIN = 60_000
"""Up to so many units are peeled twice."""

PAIRS = 400_000_000
"""Up to so many pairs of units and groups the grouping is improved."""

GROWN = 40_000
"""Up to so many units are grouped one by one, for intervals and sets, and where much of a large lattice was missed."""

MISSED = 0.2
"""Share of the records left by the peel from which on it missed much."""

BLOCK = 20_000
"""Units in a block, where there are too many for a large lattice."""

DUE = 0.3
"""Share of what a unit lost before that is taken off its loss in the second peel."""

NEAREST: dict[Output, int] = {"hierarchy": 10, "intervals": 30}


def recode(
    counts: pl.DataFrame,
    hierarchies: Mapping[str, LevelLabels],
    *,
    person: str | None,
    sensitive: Mapping[str, Sequence[ColumnModel]],
    k: int,
    suppressed_share: float,
    attackers: Sequence[tuple[Sequence[str], int]] = (),
    mean_risk: float | None = None,
    unique_records: float | None = None,
    weights: Mapping[str, float] | None = None,
    caps: Mapping[str, str] | None = None,
    output: Output = "hierarchy",
    effort: Effort = "best",
    mondrian: Mondrian | None = None,
    progress: Progress | None = None,
) -> Recoded:
    """Classes of k people or more that meet all models, of little loss; see `solve` for what the arguments mean.

    output: labels of the hierarchies, or intervals and sets. mondrian: divide from the top down as it says, and leave it
    at that, instead of looking for the best. caps: the coarsest level allowed of a quasi-identifier.
    No record is suppressed unless that loses less, or no class takes it. Demands that cannot be met raise `PolicyError`.
    """
    asked = Asked(person, sensitive, k, suppressed_share, attackers, mean_risk, unique_records)
    problem = posed(counts, hierarchies, asked)
    names = list(hierarchies)
    if KEPT in names:
        raise PolicyError(f"column {KEPT}: the name is needed for what is kept; rename the column")
    priced = prices(problem.steps, weights_of(names, weights), caps_of(problem.ladders, caps))
    columns = [
        column(name, hierarchies[name], built, price, output)
        for name, built, price in zip(names, problem.steps, priced, strict=True)
    ]
    units = Units(
        problem.bottom, tuple(c.tree for c in columns), tuple(c.shape for c in columns), problem.demand
    )
    combinations = _combinations(counts, problem)
    found = None
    for demand in _ever_stricter(problem.demand, problem.people):
        asked_of = replace(units, demand=demand)
        if mondrian is None:
            of = _groups(asked_of, output, effort, progress)
        else:
            of = _divided(asked_of, columns, mondrian, progress)
        found = recoded(combinations, columns, units, of)
        if found is not None:
            break
    if mondrian is None and (found is None or (is_small(problem) and not problem.demand.people_only)):
        others = _of_full_domain(combinations, columns, units, full_domain(problem, priced))
        found = min([*([found] if found else []), *others], key=lambda one: one.loss, default=None)
    if found is not None:
        return found
    raise PolicyError(
        "no classes reach k and all models with so few records suppressed; lower them, or allow more suppression"
        " (thresholds.suppressed_records)"
    )


def _of_full_domain(
    combinations: tuple[pl.DataFrame, Ints],
    columns: Sequence[Column],
    units: Units,
    best: tuple[Ints, Sequence[int]] | None,
) -> list[Recoded]:
    """The classes of full-domain generalization as narrow as they can be, if these may leave; and as they are."""
    if best is None:
        return []
    of, node = best
    trees = [replace(column, shape=column.tree, measure=column.plain) for column in columns]
    found = [
        recoded(combinations, columns, units, of),
        recoded(combinations, trees, replace(units, shapes=units.trees), of, levels=node),
    ]
    return [one for one in found if one is not None]


def _ever_stricter(demand: Demand, people: int) -> list[Demand]:
    """The demand, and others that make sure of what only all classes together show: attackers, risk of the whole.

    As many people in a class as the strictest of these wants are enough for each of them.
    """
    least = [known.people for known in demand.attackers]
    if demand.mean_risk:
        least.append(int(np.ceil(1 / demand.mean_risk - 1e-9)))
    if demand.unique_records is not None:
        least.append(2)
    enough = max(least, default=0)
    stricter = [replace(demand, k=enough)] if demand.k < enough <= people else []
    return [demand, *stricter, replace(demand, k=people)]


def _divided(
    units: Units, columns: Sequence[Column], mondrian: "Mondrian", progress: Progress | None
) -> Ints:
    return divided(
        units,
        split=mondrian.split,
        strict=mondrian.strict,
        order=[column.order for column in columns],
        progress=_named(progress, "dividing"),
    )


def _groups(units: Units, output: Output, effort: Effort, progress: Progress | None) -> Ints:
    """The group of each unit, −1 where suppressed."""
    count = len(units.records)
    if not units.trees:
        return repaired(units, np.zeros(count, np.int64))
    # more nodes than are looked at: the units of a block need fewer of them
    parts = blocks(units, BLOCK) if count > GROWN and _many_nodes(units) else [np.arange(count)]
    of = np.full(count, -1, np.int64)
    allowed, done = units.demand.suppressed, 0
    for part in parts:
        within = units if len(parts) == 1 else units.part(part).allowing(allowed)
        hear = progress if len(parts) == 1 else _upto(progress, done, count)
        # a second peel gains little beside what the improvement of many blocks takes
        found = _of_block(within, output, effort, hear, again=len(parts) == 1)
        allowed -= int(within.records[found < 0].sum())
        of[part] = np.where(found < 0, -1, found + of.max(initial=-1) + 1)
        done += len(part)
    return of


def _of_block(
    units: Units, output: Output, effort: Effort, progress: Progress | None, *, again: bool
) -> Ints:
    grouping, kept = _start(units, output, effort, progress, again=again and effort == "best")
    losing = np.flatnonzero(grouping.lost[grouping.of] > 0)
    if effort == "best" and len(losing) * grouping.count <= PAIRS:
        grouping = improved(grouping, nearest=NEAREST[output], progress=_named(progress, "improving classes"))
    of = np.full(len(units.records), -1, np.int64)
    of[kept] = grouping.of
    return of


def _many_nodes(units: Units) -> bool:
    return prod(len(tree.up) for tree in units.trees) > LOOKS


def _start(
    units: Units, output: Output, effort: Effort, progress: Progress | None, *, again: bool
) -> tuple[Grouping, Ints]:
    """Groups to begin with, and the units in them. again: whether to peel twice where that helps."""
    count = len(units.records)
    by_hierarchy = replace(units, shapes=units.trees)
    peeled = _peeled(by_hierarchy, None, effort, progress)
    grouping, kept = _made(by_hierarchy, peeled)
    due = np.ones(count)
    due[kept] = grouping.lost[grouping.of]
    starts = [(grouping, kept) if output == "hierarchy" else _made(units, peeled)]
    # where many boxes were never seen, other ways find better groups
    missed = _many_nodes(units) and units.records[peeled < 0].sum() > MISSED * units.records.sum()
    if count <= GROWN and (output == "intervals" or missed):
        starts.append(_made(units, grown(units, due, _named(progress, "growing classes"))))
    elif again and output == "hierarchy" and count <= AGAIN and units.counts_only:
        starts.append(_made(units, _peeled(units, DUE * due, effort, progress)))
    return min(starts, key=lambda start: start[0].total + _records_left_out(units, start[1]))


def _upto(progress: Progress | None, done: int, count: int) -> Progress | None:
    """Blocks are told as one: what is done of all units."""
    if progress is None:
        return None
    return lambda _what, _done, _total: progress("finding classes", done, count)


def _made(units: Units, of: Ints) -> tuple[Grouping, Ints]:
    """Groups that may leave, and the units in them."""
    of = repaired(units, inserted(units, of))
    kept = np.flatnonzero(of >= 0)
    return Grouping.made(units if len(kept) == len(of) else units.part(kept), of[kept]), kept


def _records_left_out(units: Units, kept: Ints) -> float:
    return float(units.records.sum() - units.records[kept].sum())


def _peeled(units: Units, due: Floats | None, effort: Effort, progress: Progress | None) -> Ints:
    looks = min(LOOKS, max(UNIT_LOOKS // max(len(units.records), 1), 1000))
    # of boxes that are held against all records few are met: it is dear to ask for them one by one
    slack = 1.0 if units.demand.beside_all else SLACK[effort]
    return peel(units, slack=slack, looks=looks, due=due, progress=_named(progress, "finding classes"))


def _named(progress: Progress | None, what: str) -> "Callable[[int, int], None] | None":
    return None if progress is None else lambda done, total: progress(what, done, total)


def _combinations(counts: pl.DataFrame, problem: Problem) -> tuple[pl.DataFrame, Ints]:
    """The distinct combinations of original values, and the unit of each."""
    names = list(problem.ladders)
    distinct = counts.select(names).unique(maintain_order=True)
    codes = [leaf_codes(distinct[name], step) for name, step in zip(names, problem.steps, strict=True)]
    stacked = np.stack(codes) if codes else np.zeros((0, distinct.height), np.int32)
    return distinct, classes_of(stacked)[1]

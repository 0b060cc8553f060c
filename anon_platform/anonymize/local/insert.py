"""Units that are in no group go into groups that may leave with them, where they add least."""

import numpy as np

from anon_platform.anonymize.local.grouping import Grouping, Merging
from anon_platform.anonymize.local.shapes import Floats, Ints
from anon_platform.anonymize.local.units import Units

ROUNDS = 30

PAIRS = 100_000_000
"""Pairs of units and groups looked at a round, at most: the first units wait no longer than others."""


def inserted(units: Units, of: Ints) -> Ints:
    """`of` with −1 replaced where a group takes the unit: the one to which it adds least, if that adds less than its records.

    In a round each group is offered the units that add least to it of all groups, cheapest first, and takes as many as
    it can with all before them; those that it cannot take are not offered to it again.
    """
    of = of.copy()
    groups = int(of.max(initial=-1)) + 1
    loose = np.flatnonzero(of < 0)
    if not groups or not len(loose) or len(loose) * groups > PAIRS:
        return of
    refused = np.zeros((len(of), groups), np.bool_) if len(of) * groups <= PAIRS else None
    for _ in range(ROUNDS):
        loose = np.flatnonzero(of < 0)
        if not len(loose):
            break
        kept = np.flatnonzero(of >= 0)
        grouping = Grouping.made(units.part(kept), of[kept])
        to, added = _cheapest(units, grouping, loose, None if refused is None else refused[loose])
        fine = np.flatnonzero(added < units.records[loose])
        if not len(fine):
            break
        line = fine[np.lexsort((added[fine], to[fine]))]
        taken = _taken(grouping, units, kept, loose[line], to[line])
        of[loose[line[taken]]] = to[line[taken]]
        if refused is None:
            if not taken.any():
                break
            continue
        refused[loose[line[~taken]], to[line[~taken]]] = True
    return of


def _cheapest(
    units: Units, grouping: Grouping, loose: Ints, refused: "np.ndarray | None"
) -> tuple[Ints, Floats]:
    """For each loose unit the group to which it adds least, and what it adds, its own records included."""
    leaves = tuple(shape.leaf(row[loose]) for shape, row in zip(units.shapes, units.leaves, strict=True))
    merging = Merging(units.shapes, leaves, grouping.hulls)
    to, added = np.zeros(len(loose), np.int64), np.zeros(len(loose))
    records, now = grouping.records[None, :], grouping.totals[None, :]
    for part, joined in merging.blocks(len(loose)):
        total = joined * (records + units.records[loose[part]][:, None]) - now
        if refused is not None:
            total[refused[part]] = np.inf
        to[part] = total.argmin(axis=1)
        added[part] = total.min(axis=1)
    return to, added


def _taken(grouping: Grouping, units: Units, kept: Ints, offered: Ints, to: Ints) -> "np.ndarray":
    """For units in the order in which they are offered, group by group, whether they are among the first that it takes.

    By halving: what a group cannot take as a whole it is offered by half, until the half is one unit.
    """
    starts = np.flatnonzero(np.diff(to, prepend=-1))
    target = to[starts]
    most = np.diff(np.append(starts, len(to)))
    rank = np.arange(len(to)) - np.repeat(starts, most)
    number = np.full(grouping.count, -1)
    number[target] = np.arange(len(target))
    inside = np.flatnonzero(number[grouping.of] >= 0)
    base, of_base = kept[inside], number[grouping.of[inside]]
    place = np.repeat(np.arange(len(target)), most)
    want, found = most.copy(), np.zeros(len(target), np.int64)
    while (want > found).any():
        chosen = rank < want[place]
        good = units.met(
            np.concatenate([base, offered[chosen]]),
            np.concatenate([of_base, place[chosen]]),
            len(target),
        )
        found = np.where(good & (want > found), want, found)
        want = np.where(good, found, want // 2)
    return np.asarray(rank < found[place])

"""Groups grown one unit at a time: from the units that are hardest to place, by the unit that makes a group lose least.

Source: Byun, Kamra, Bertino, Li 2007, Efficient k-anonymization using clustering techniques (greedy k-member), but
the seed is not the unit farthest from the last group: it is the one expected to lose most wherever it is. Units that
may leave alone do.
"""

from collections.abc import Callable

import numpy as np

from anon_platform.anonymize.local.shapes import Floats, Hull, Ints, Leaves, Singles
from anon_platform.anonymize.local.units import Units

GONE = 0.2
"""Share of units taken after which the others are copied together."""

TAKEN = np.float32(1e9)


def grown(units: Units, due: Floats, progress: Callable[[int, int], None] | None = None) -> Ints:
    """The group of each unit, −1 for those at the end that do not meet the demand together.

    due: what a record of each unit is expected to lose.
    """
    count = len(units.records)
    of_group = np.full(count, -1, np.int64)
    alone = units.met(np.arange(count), np.arange(count), count)
    of_group[alone] = np.arange(int(alone.sum()))
    groups = int(alone.sum())
    rest = np.flatnonzero(~alone)
    pool = _Pool(units, rest, due[rest])
    for seed in np.argsort(-pool.due, kind="stable").tolist():
        if pool.taken[seed]:
            continue
        members = pool.group(seed)
        if members is None:
            break
        of_group[rest[members]] = groups
        groups += 1
        if progress is not None and groups % 64 == 0:
            progress(int(pool.taken.sum()), len(rest))
    return of_group


class _Pool:
    """Units that are in no group yet; near: those of them that are looked at, copied together now and then."""

    def __init__(self, units: Units, members: Ints, due: Floats) -> None:
        self.units, self.members, self.due = units, members, due
        self.taken = np.zeros(len(members), np.bool_)
        self.records = units.records[members]
        self.leaves = [row[members] for row in units.leaves]
        self._all = [
            shape.leaf(np.arange(int(row.max(initial=0)) + 1, dtype=np.int32))
            for shape, row in zip(units.shapes, units.leaves, strict=True)
        ]
        self._copy()

    def _copy(self) -> None:
        self._near = np.flatnonzero(~self.taken)
        self._place = np.full(len(self.members), -1)
        self._place[self._near] = np.arange(len(self._near))
        self._leaves: list[Leaves] = [row[self._near] for row in self.leaves]
        self._penalty: Singles = np.zeros(len(self._near), np.float32)
        self._left = len(self._near)

    def _take(self, unit: int) -> None:
        self.taken[unit] = True
        self._penalty[self._place[unit]] = TAKEN
        self._left -= 1

    def group(self, seed: int) -> list[int] | None:
        """The group that grows from a unit; None when all that is left is not enough."""
        if self._left < (1 - GONE) * len(self._near):
            self._copy()
        hulls = self._leaf(seed)
        members, records = [seed], int(self.records[seed])
        self._take(seed)
        while not self._enough(members, records):
            if self._left == 0:
                return None
            unit = int(self._near[self._joining(hulls).argmin()])
            self._take(unit)
            hulls = [
                shape.merged(hull, leaf)
                for shape, hull, leaf in zip(self.units.shapes, hulls, self._leaf(unit), strict=True)
            ]
            members.append(unit)
            records += int(self.records[unit])
        return members

    def _leaf(self, unit: int) -> list[Hull]:
        return [
            shape.leaf(row[unit : unit + 1])
            for shape, row in zip(self.units.shapes, self.leaves, strict=True)
        ]

    def _joining(self, hulls: list[Hull]) -> Singles:
        """What a record would lose in the group with each of the near units, by leaf tables of each column."""
        found = self._penalty.copy()
        for shape, hull, leaf, row in zip(self.units.shapes, hulls, self._all, self._leaves, strict=True):
            found += shape.loss(shape.merged(hull, leaf)).astype(np.float32)[row]
        return found

    def _enough(self, members: list[int], records: int) -> bool:
        if records < self.units.demand.k:
            return False
        if self.units.counts_only:
            return True
        return bool(self.units.met(self.members[members], np.zeros(len(members), np.int64), 1)[0])

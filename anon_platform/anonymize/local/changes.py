"""Changes to a grouping that were found apart from each other, and which of them are made."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from anon_platform.anonymize.local.grouping import Grouping
from anon_platform.anonymize.local.shapes import Floats, Ints

HAIR = 1e-6
"""A change that gains less, in whole records lost, is none: sums in another order differ in their last digits."""


@dataclass(frozen=True)
class Changes:
    """Changes one after the other: units, the groups they go to, how many units each change moves, what it may gain.

    gain: an estimate; what a change gains is measured before it stays.
    """

    units: Ints
    to: Ints
    sizes: Ints
    gain: Floats

    @classmethod
    def none(cls) -> Self:
        """No change at all."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, nothing, np.zeros(0))

    @classmethod
    def joined(cls, parts: "list[Self]") -> Self:
        """All changes of the parts."""
        parts = parts or [cls.none()]
        return cls(
            np.concatenate([part.units for part in parts]),
            np.concatenate([part.to for part in parts]),
            np.concatenate([part.sizes for part in parts]),
            np.concatenate([part.gain for part in parts]),
        )

    def taken(self, chosen: Ints) -> Self:
        """Some of the changes."""
        first = np.cumsum(self.sizes) - self.sizes
        sizes = self.sizes[chosen]
        inside = np.repeat(first[chosen] - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
        return type(self)(self.units[inside], self.to[inside], sizes, self.gain[chosen])


@dataclass(frozen=True)
class Changed:
    """The grouping after changes. now: for each group before its number, −1 when it is gone; touched: by new number."""

    grouping: Grouping
    now: Ints
    touched: Ints


def make(grouping: Grouping, found: Changes) -> Changed:
    """The grouping after those changes that gain most, of which no two touch the same group.

    A change stays when its groups lose less together than before, and may all leave.
    """
    chosen = found.taken(_apart(grouping, found))
    change = np.repeat(np.arange(len(chosen.sizes)), chosen.sizes)
    touched = np.full(grouping.count, -1)
    touched[grouping.of[chosen.units]] = change
    touched[chosen.to] = change
    of = grouping.of.copy()
    of[chosen.units] = chosen.to
    after = Grouping.made(grouping.units, of)
    bad = _bad(grouping, after, np.unique(of), touched, len(chosen.sizes))
    if bad.any():
        back = chosen.units[bad[change]]
        of[back] = grouping.of[back]
        after = Grouping.made(grouping.units, of)
        touched[np.isin(touched, np.flatnonzero(bad))] = -1
    now = np.full(grouping.count, -1)
    left = np.unique(of)
    now[left] = np.arange(len(left))
    moved = now[touched >= 0]
    return Changed(after, now, moved[moved >= 0])


def _apart(grouping: Grouping, found: Changes) -> Ints:
    """The changes to try: by gain, each group in one at most."""
    order = np.lexsort((np.arange(len(found.gain)), -found.gain))
    ends = np.cumsum(found.sizes)
    sources, targets = grouping.of[found.units].tolist(), found.to.tolist()
    used: set[int] = set()
    chosen = []
    for at in order.tolist():
        part = slice(int(ends[at] - found.sizes[at]), int(ends[at]))
        groups = {*sources[part], *targets[part]}
        if used.isdisjoint(groups):
            used |= groups
            chosen.append(at)
    return np.array(chosen, np.int64)


def _bad(before: Grouping, after: Grouping, left: Ints, touched: Ints, changes: int) -> "np.ndarray":
    """The changes that gain nothing, or leave a group that may not leave. left: by new number the old one."""
    inside = touched >= 0
    lost = np.bincount(touched[inside], weights=before.totals[inside], minlength=changes)
    new = np.flatnonzero(touched[left] >= 0)
    of_change = touched[left[new]]
    lost -= np.bincount(of_change, weights=after.totals[new], minlength=changes)
    members, sizes = after.members(new)
    met = before.units.met(members, np.repeat(np.arange(len(new)), sizes), len(new))
    bad = lost <= HAIR
    bad[of_change[~met]] = True
    return bad

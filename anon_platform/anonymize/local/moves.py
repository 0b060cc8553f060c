"""Single units go to other groups: those that their group can spare, and all of a group that is given up.

A unit may leave when the others still may; a group is given up when its units lose less elsewhere. What a unit adds
to a group is known from tables of all pairs of hulls; what it takes away, from its group without it.
"""

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.local.changes import Changed, Changes
from anon_platform.anonymize.local.grouping import Grouping, Merging
from anon_platform.anonymize.local.shapes import Floats, Ints, Singles

WIDEST = 64
"""Groups of more units spare none."""

HAIR = 1e-4
"""Estimated gains of less, in records, are none: single precision."""


class Places:
    """For each unit the other group to which it adds least, kept up to date while groups change.

    to: the group; added: what that group's records and the unit's lose then, less what the group's lose now.
    """

    def __init__(self, grouping: Grouping) -> None:
        self.to = np.zeros(len(grouping.of), np.int64)
        self.added = np.full(len(grouping.of), np.inf)
        self._look(grouping, np.flatnonzero(_losing(grouping)), np.arange(grouping.count))

    def follow(self, change: Changed) -> None:
        """The same after a change."""
        grouping = change.grouping
        self.to = change.now[self.to]
        stale = np.isin(grouping.of, change.touched) | (self.to < 0) | np.isin(self.to, change.touched)
        stale |= ~np.isfinite(self.added)
        losing = _losing(grouping)
        self.added[stale] = np.inf
        self._look(grouping, np.flatnonzero(losing & stale), np.arange(grouping.count))
        self._look(grouping, np.flatnonzero(losing & ~stale), change.touched)
        self.to = np.maximum(self.to, 0)

    def _look(self, grouping: Grouping, units: Ints, groups: Ints) -> None:
        """Takes the best of `groups` where it is better than what is known."""
        if not len(units) or not len(groups):
            return
        all_units = grouping.units
        leaves = tuple(
            shape.leaf(row[units]) for shape, row in zip(all_units.shapes, all_units.leaves, strict=True)
        )
        merging = Merging(all_units.shapes, leaves, grouping.hulls_of(groups))
        records = grouping.records[groups].astype(np.float32)
        now = records * grouping.lost[groups].astype(np.float32)
        weight = all_units.records[units].astype(np.float32)
        place = np.full(grouping.count, -1)
        place[groups] = np.arange(len(groups))
        own = place[grouping.of[units]]
        for part, table in merging.blocks(len(units)):
            more = table
            more *= records[None, :] + weight[part, None]
            more -= now[None, :]
            inside = np.flatnonzero(own[part] >= 0)
            more[inside, own[part][inside]] = np.inf
            best = more.argmin(axis=1)
            added = more[np.arange(len(best)), best]
            at = units[part]
            better = added < self.added[at]
            self.to[at[better]] = groups[best[better]]
            self.added[at[better]] = added[better]


def _losing(grouping: Grouping) -> npt.NDArray[np.bool_]:
    """The units whose records lose anything."""
    return np.asarray(grouping.lost[grouping.of] > 0)


def moves(grouping: Grouping, places: Places) -> Changes:
    """Units that gain elsewhere, and groups whose units do."""
    of, weight = grouping.of, grouping.units.records
    spared = grouping.records[of] - weight
    able = np.flatnonzero((spared >= grouping.units.demand.k) & np.isfinite(places.added))
    able = able[grouping.sizes[of[able]] <= WIDEST]
    saved = grouping.totals[of[able]] - spared[able] * without(grouping, able)
    gain = saved - places.added[able]
    single = able[gain > HAIR]
    added = np.bincount(of, weights=places.added, minlength=grouping.count)
    given_up = grouping.totals - added
    whole = np.flatnonzero(given_up > HAIR)
    members, sizes = grouping.members(whole)
    return Changes(
        np.concatenate([single, members]),
        places.to[np.concatenate([single, members])],
        np.concatenate([np.ones(len(single), np.int64), sizes]),
        np.concatenate([gain[gain > HAIR], given_up[whole]]),
    )


def without(grouping: Grouping, units: Ints) -> Floats:
    """What one record of its group would lose without the unit, for each of `units`; none of them is alone."""
    found = np.zeros(len(units))
    size_of = grouping.sizes[grouping.of[units]]
    rank = np.empty(len(grouping.of), np.int64)
    rank[grouping.order] = np.arange(len(grouping.of))
    for size in np.unique(size_of).tolist():
        at = np.flatnonzero(size_of == size)
        start = grouping.starts[grouping.of[units[at]]]
        places = np.arange(size - 1)[None, :]
        skip = (rank[units[at]] - start)[:, None]
        others = grouping.order[start[:, None] + places + (places >= skip)]
        lost: Singles = np.zeros(len(at), np.float32)
        for shape, leaves in zip(grouping.units.shapes, grouping.units.leaves, strict=True):
            lost += shape.running(leaves[others])[:, -1]
        found[at] = lost
    return found

"""Many units in blocks that are worked on one after the other: groups are local, so that little is lost by it.

All units are one block, which is cut in two along the hierarchy of a column, the one whose cut leaves the narrowest
halves, until no block has too many. A block may leave as a group, so that each can be grouped by itself.
"""

import numpy as np

from anon_platform.anonymize.local.grouping import loss_of
from anon_platform.anonymize.local.shapes import Ints
from anon_platform.anonymize.local.units import Units

SMALLEST = 0.1
"""Share of a block that a half of it has at least."""


def blocks(units: Units, most: int) -> list[Ints]:
    """The units of each block, `most` each where they can be cut so."""
    done, waiting = [], [np.arange(len(units.records))]
    while waiting:
        members = waiting.pop()
        second = _half(units, members) if len(members) > most else None
        if second is None:
            done.append(members)
        else:
            waiting += [members[second], members[~second]]
    return done


def _half(units: Units, members: Ints) -> "np.ndarray | None":
    """Who is in the second half; None when no column cuts the block so that both may leave."""
    best, least = None, np.inf
    for column in range(len(units.trees)):
        second = _cut(units, members, column)
        if second is None:
            continue
        share = float(second.mean())
        if min(share, 1 - share) < SMALLEST or not units.met(members, second.astype(np.int64), 2).all():
            continue
        lost = _lost(units, members, second)
        if lost < least:
            best, least = second, lost
    return best


def _cut(units: Units, members: Ints, column: int) -> "np.ndarray | None":
    """The children of the common ancestor in their order, cut where the records are nearest to half; None: all are equal."""
    leaves = units.leaves[column][members]
    for codes in units.trees[column].up[::-1]:
        found = codes[leaves]
        if (found != found[0]).any():
            records = np.bincount(found, weights=units.records[members])
            upto = np.cumsum(records)
            # behind the last code with records nobody is left
            last = int(np.abs(2 * upto - upto[-1])[: int(found.max())].argmin())
            return np.asarray(found > last)
    return None


def _lost(units: Units, members: Ints, second: "np.ndarray") -> float:
    """What all records would lose in two groups."""
    line = np.argsort(second, kind="stable")
    starts = np.array([0, int((~second).sum())])
    hulls = tuple(
        tree.hull(row[members[line]], starts) for tree, row in zip(units.trees, units.leaves, strict=True)
    )
    records = np.bincount(second, weights=units.records[members])
    return float(records @ loss_of(units.trees, hulls, 2))

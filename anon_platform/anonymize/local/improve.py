"""Local search: units move, groups are given up, near groups are cut anew, as long as that gains something."""

from collections.abc import Callable

import numpy as np

from anon_platform.anonymize.local.changes import Changes, make
from anon_platform.anonymize.local.grouping import Grouping
from anon_platform.anonymize.local.moves import Places, moves
from anon_platform.anonymize.local.resplit import cuts, near_pairs

ROUNDS = 40

ENOUGH = 2e-4
"""The search ends when a round gains less than this share."""


def improved(
    grouping: Grouping, *, nearest: int, progress: Callable[[int, int], None] | None = None
) -> Grouping:
    """A grouping that loses no more. nearest: groups beside which each is cut anew."""
    if grouping.count <= 1 or grouping.total == 0:
        return grouping
    places, touched = Places(grouping), np.arange(grouping.count)
    for done in range(ROUNDS):
        if progress is not None:
            progress(done, ROUNDS)
        found = Changes.joined(
            [moves(grouping, places), cuts(grouping, near_pairs(grouping, touched, nearest))]
        )
        change = make(grouping, found)
        gained = grouping.total - change.grouping.total
        grouping, touched = change.grouping, change.touched
        if gained <= ENOUGH * grouping.total:
            break
        places.follow(change)
    return grouping

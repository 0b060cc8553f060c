"""Two near groups become two better ones: their units in line between two of them, cut where least is lost.

The units of both groups are ordered by how much nearer they are to one of two seed units than to the other, and cut
where both parts may leave and lose least. Tried are the pairs of units that are farthest apart. All pairs of groups
with as many units together are worked on at once.
"""

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.local.changes import Changes
from anon_platform.anonymize.local.grouping import Grouping, Merging
from anon_platform.anonymize.local.shapes import Floats, Ints, Singles
from anon_platform.anonymize.local.units import Units

MOST_UNITS = 40
"""Groups with more units together are left as they are."""

SEEDS = 10
"""Pairs of seeds tried."""

NUMBERS = 4_000_000
"""Numbers worked on at a time."""

HAIR = 1e-4
"""Estimated gains of less, in records, are none: single precision."""


def near_pairs(grouping: Grouping, of: Ints, nearest: int) -> npt.NDArray[np.int64]:
    """Pairs of groups (2 × p), each with one of `of`: the groups whose union with it costs least, `nearest` of them."""
    small = np.flatnonzero(grouping.sizes < MOST_UNITS)
    of = of[(grouping.lost[of] > 0) & (grouping.sizes[of] < MOST_UNITS)]
    if len(of) == 0 or len(small) <= 1:
        return np.zeros((2, 0), np.int64)
    nearest = min(nearest, len(small) - 1)
    merging = Merging(
        grouping.units.shapes,
        grouping.hulls_of(of),
        grouping.hulls_of(small),
    )
    records, lost = grouping.records.astype(np.float32), grouping.lost.astype(np.float32)
    theirs = (records * lost)[small]
    place = np.full(grouping.count, -1)
    place[small] = np.arange(len(small))
    found = []
    for part, table in merging.blocks(len(of)):
        mine = of[part]
        added = table
        added *= records[mine][:, None] + records[small][None, :]
        added -= theirs[None, :]
        added[np.arange(len(mine)), place[mine]] = np.inf
        near = small[np.argpartition(added, nearest - 1, axis=1)[:, :nearest]]
        found.append(np.stack([np.repeat(mine, nearest), near.ravel()]))
    pairs = np.sort(np.concatenate(found, axis=1), axis=0)
    return np.unique(pairs, axis=1)


def cuts(grouping: Grouping, pairs: npt.NDArray[np.int64]) -> Changes:
    """For pairs of groups (2 × p) their best cuts, where these gain something."""
    sizes = grouping.sizes[pairs[0]] + grouping.sizes[pairs[1]]
    found: list[Changes] = []
    for size in range(3, MOST_UNITS + 1):
        chosen = pairs[:, sizes == size]
        step = max(NUMBERS // (size * size * SEEDS), 1)
        starts = range(0, chosen.shape[1], step)
        found.extend(_cuts(grouping, chosen[:, first : first + step], size) for first in starts)
    return Changes.joined(found)


def _cuts(grouping: Grouping, pairs: npt.NDArray[np.int64], size: int) -> Changes:
    units, _ = grouping.members(pairs.T.ravel())
    units = units.reshape(-1, size)
    gain, second = cut(grouping.units, units, grouping.totals[pairs].sum(axis=0))
    good = np.flatnonzero(gain > HAIR)
    to = np.where(second[good], pairs[1, good][:, None], pairs[0, good][:, None])
    return Changes(units[good].ravel(), to.ravel(), np.full(len(good), size), gain[good])


def cut(units: Units, members: Ints, now: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The best cut of each line of `members` (b × m units) in two: what it gains against `now`, and who is in part two."""
    least = units.demand.k
    leaves = units.leaves[:, members]
    apart = _apart(units, leaves)
    left, right = _seeds(apart)
    rows = np.arange(len(members))[:, None]
    order = np.argsort(apart[rows, left] - apart[rows, right], axis=-1, kind="stable")
    records = units.records[members].astype(np.float32)
    weight = np.take_along_axis(records[:, None, :], order, axis=-1)
    head, tail = np.zeros(order.shape, np.float32), np.zeros(order.shape, np.float32)
    for shape, row in zip(units.shapes, leaves, strict=True):
        line = np.take_along_axis(row[:, None, :], order, axis=-1)
        head += shape.running(line)
        tail += shape.running(line[..., ::-1])[..., ::-1]
    upto = np.cumsum(weight, axis=-1)
    rest = upto[..., -1:] - upto
    lost = upto[..., :-1] * head[..., :-1] + rest[..., :-1] * tail[..., 1:]
    lost[(upto[..., :-1] < least) | (rest[..., :-1] < least)] = np.inf
    flat = lost.reshape(len(members), -1)
    best = flat.argmin(axis=1)
    seed, place = np.divmod(best, lost.shape[-1])
    gain = now - flat[np.arange(len(members)), best]
    chosen = order[np.arange(len(members)), seed]
    second = np.zeros(members.shape, np.bool_)
    np.put_along_axis(second, chosen, np.arange(members.shape[1])[None, :] > place[:, None], axis=1)
    return gain, second


def _apart(units: Units, leaves: "npt.NDArray[np.int32]") -> Singles:
    """What a record loses in the hull of two units: b × m × m."""
    found = np.zeros((leaves.shape[1], leaves.shape[2], leaves.shape[2]), np.float32)
    for shape, row in zip(units.shapes, leaves, strict=True):
        left = shape.leaf(row)
        found += shape.loss(shape.merged(left[:, :, :, None], left[:, :, None, :])).astype(np.float32)
    return found


def _seeds(apart: Singles) -> tuple[Ints, Ints]:
    """The pairs of units that are farthest apart: two arrays b × s."""
    size = apart.shape[1]
    left, right = np.triu_indices(size, 1)
    far = apart[:, left, right]
    if far.shape[1] > SEEDS:
        top = np.argpartition(-far, SEEDS - 1, axis=1)[:, :SEEDS]
        return left[top], right[top]
    return np.broadcast_to(left, far.shape), np.broadcast_to(right, far.shape)

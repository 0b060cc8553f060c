"""What a group of values of one quasi-identifier looks like, and what it loses: an ancestor, an interval, or a set.

A shape knows the leaves of one column by code. It keeps the hull of many groups at once, as an integer array with
one column a group, so that groups are compared without a loop over them. Losses are the prices of the column
(its weighted share of the record's loss).
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.hierarchy import Ladder

Ints = npt.NDArray[np.int64]
Hull = npt.NDArray[np.int64]
"""State of the groups of one column: a few integers (rows) a group (column)."""
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Leaves = npt.NDArray[np.int32]

SMALL = 2048
"""Up to this many leaves all pairs of them are kept in a table (5 bytes each)."""


BARRED = 1000.0
"""What a record loses above a cap: so much more than by suppression that no search keeps it, and none divides by it."""


class Shape(Protocol):
    """One column."""

    def hull(self, leaves: Leaves, starts: Ints) -> Hull:
        """The hulls of consecutive groups; starts: where each begins, 0 first."""
        ...

    def loss(self, hull: Hull) -> Floats:
        """What a record of each group loses."""
        ...

    def merged(self, left: Hull, right: Hull) -> Hull:
        """The hull of both groups, column by column (broadcast)."""
        ...

    def leaf(self, leaves: Leaves) -> Hull:
        """Each leaf as a group of its own."""
        ...

    def running(self, leaves: Leaves) -> Singles:
        """Loss of the hull of all leaves up to each, along the last axis."""
        ...


class Tree:
    """Groups look like their lowest common ancestor. Hull: a leaf of the group, and the level of the ancestor."""

    def __init__(self, ladder: Ladder, prices: Sequence[Floats]) -> None:
        width = len(ladder.share[0])
        first = np.zeros(width, np.int64)
        first[ladder.codes[0]] = np.arange(ladder.codes.shape[1])
        self.up = ladder.codes[:, first]
        """levels × leaves: the code of each leaf's ancestor."""
        self.price = np.minimum([prices[level][codes] for level, codes in enumerate(self.up)], BARRED)
        """levels × leaves: what a record loses that looks like this ancestor; `BARRED` above a cap."""
        self.price32 = self.price.astype(np.float32)
        self._levels = self._pairs() if width <= SMALL else None

    def _pairs(self) -> npt.NDArray[np.int8]:
        """Leaves × leaves: the level at which two meet."""
        width = self.up.shape[1]
        found = np.zeros((width, width), np.int8)
        for codes in self.up[:-1]:
            found += codes[:, None] != codes[None, :]
        return found

    def meet(self, left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> npt.NDArray[np.int8]:
        """The level at which two leaves have the same ancestor, element by element."""
        if self._levels is not None:
            return np.asarray(self._levels[left, right])
        found = np.zeros(np.broadcast_shapes(left.shape, right.shape), np.int8)
        for codes in self.up[:-1]:
            found += codes[left] != codes[right]
        return found

    def hull(self, leaves: Leaves, starts: Ints) -> Hull:
        """Any member stands for all; the highest level at which one meets it is the ancestor's."""
        first = leaves[starts]
        sizes = np.diff(np.append(starts, len(leaves)))
        levels = np.maximum.reduceat(self.meet(np.repeat(first, sizes), leaves), starts)
        return np.stack([first.astype(np.int64), levels.astype(np.int64)])

    def loss(self, hull: Hull) -> Floats:
        """The price of the ancestor."""
        return np.asarray(self.price[hull[1], hull[0]])

    def merged(self, left: Hull, right: Hull) -> Hull:
        """The ancestor of both."""
        level = np.maximum(np.maximum(left[1], right[1]), self.meet(left[0], right[0]))
        first, level = np.broadcast_arrays(left[0], level)
        return np.stack([first, level])

    def leaf(self, leaves: Leaves) -> Hull:
        """At level 0."""
        return np.stack([leaves.astype(np.int64), np.zeros(leaves.shape, np.int64)])

    def running(self, leaves: Leaves) -> Singles:
        """The level at which a leaf meets the first, as a running maximum."""
        first = leaves[..., :1]
        levels = np.maximum.accumulate(self.meet(first, leaves), axis=-1)
        return np.asarray(self.price32[levels, first])


class Span:
    """Groups look like an interval. Hull: the least and the greatest place of a leaf in the column's order.

    place: by leaf its rank among all leaves of the hierarchy; texts: these in order; leaves: how many there are. A
    null lies so far off that an interval with it is all of the column.
    """

    def __init__(self, place: Ints, texts: Sequence[str], leaves: int, weight: float) -> None:
        self.place, self.texts, self.leaves = place, texts, leaves
        self.step = weight / max(leaves - 1, 1)
        self.most = weight

    def hull(self, leaves: Leaves, starts: Ints) -> Hull:
        """Least and greatest."""
        at = self.place[leaves]
        return np.stack([np.minimum.reduceat(at, starts), np.maximum.reduceat(at, starts)])

    def loss(self, hull: Hull) -> Floats:
        """Share of the other leaves between both ends."""
        return np.asarray(np.minimum((hull[1] - hull[0]) * self.step, self.most))

    def merged(self, left: Hull, right: Hull) -> Hull:
        """From the lesser to the greater end."""
        return np.stack([np.minimum(left[0], right[0]), np.maximum(left[1], right[1])])

    def leaf(self, leaves: Leaves) -> Hull:
        """A point."""
        return np.stack([self.place[leaves], self.place[leaves]])

    def running(self, leaves: Leaves) -> Singles:
        """Running ends."""
        at = self.place[leaves]
        width = np.maximum.accumulate(at, axis=-1) - np.minimum.accumulate(at, axis=-1)
        return np.minimum(width * self.step, self.most).astype(np.float32)

    def whole(self, state: Ints) -> bool:
        """Whether one group's interval is all of the column, a null included where there is one."""
        return int(state[1] - state[0]) >= self.leaves - 1 > 0

    def text(self, place: int) -> str | None:
        """The leaf at a place; None for the null's."""
        return self.texts[place] if place >= 0 else None


class Subset:
    """Groups look like the set of their values. Hull: the set as bits, 63 leaves an integer.

    leaves: how many the hierarchy has; width: how many of them the data has.
    """

    def __init__(self, width: int, leaves: int, weight: float) -> None:
        self.step = weight / max(leaves - 1, 1)
        self.leaves = leaves
        code = np.arange(width)
        self.bits = np.zeros((-(-width // 63), width), np.int64)
        self.bits[code // 63, code] = np.int64(1) << (code % 63)

    def hull(self, leaves: Leaves, starts: Ints) -> Hull:
        """Union."""
        return np.stack([np.bitwise_or.reduceat(word[leaves], starts) for word in self.bits])

    def loss(self, hull: Hull) -> Floats:
        """Share of the other leaves that are in the set."""
        return np.asarray((self._size(hull) - 1.0) * self.step)

    def _size(self, hull: Hull) -> npt.NDArray[np.int16]:
        return np.asarray(np.bitwise_count(hull).sum(axis=0, dtype=np.int16))

    def merged(self, left: Hull, right: Hull) -> Hull:
        """Union."""
        return left | right

    def leaf(self, leaves: Leaves) -> Hull:
        """One bit."""
        return self.bits[:, leaves]

    def running(self, leaves: Leaves) -> Singles:
        """Running union."""
        size = np.zeros(leaves.shape, np.int16)
        for word in self.bits:
            size += np.bitwise_count(np.bitwise_or.accumulate(word[leaves], axis=-1))
        return (size.astype(np.float32) - 1) * np.float32(self.step)

    def leaves_of(self, state: Ints) -> list[int]:
        """The leaves in one group's set."""
        return [leaf for leaf in range(self.bits.shape[1]) if (self.bits[:, leaf] & state).any()]

    def whole(self, state: Ints) -> bool:
        """Whether one group's set is all that the hierarchy knows."""
        return int(np.bitwise_count(state).sum()) >= self.leaves

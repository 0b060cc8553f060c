"""A grouping of the units while it is improved: members, hulls, records and losses of its groups."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.local.shapes import Floats, Hull, Ints, Shape, Singles
from anon_platform.anonymize.local.units import Units

PAIR = 2
"""A hull of two small numbers is one large number, and quicker to sort."""

BLOCK = 2_000_000
"""Numbers of a table of pairs made at a time: it stays in the cache."""

TABLE = 40_000_000
"""Numbers of the hulls in a table of one column that is kept whole, 8 bytes each while it is made."""


@dataclass
class Grouping:
    """of: the group of each unit; order, starts: the units group by group; hulls: one array a quasi-identifier.

    records: of each group; lost: what one record of each group loses. No group is empty.
    """

    units: Units
    of: Ints
    order: Ints
    starts: Ints
    hulls: tuple[Hull, ...]
    records: Floats
    lost: Floats

    @classmethod
    def made(cls, units: Units, of: Ints) -> "Grouping":
        """The grouping, its groups numbered anew in the order of their numbers, 0 first."""
        _, of = np.unique(of, return_inverse=True)
        order = np.argsort(of, kind="stable")
        starts = np.flatnonzero(np.diff(of[order], prepend=-1))
        hulls = tuple(
            shape.hull(leaves[order], starts)
            for shape, leaves in zip(units.shapes, units.leaves, strict=True)
        )
        records = np.add.reduceat(units.records[order], starts).astype(np.float64)
        return cls(units, of, order, starts, hulls, records, loss_of(units.shapes, hulls, len(starts)))

    @property
    def count(self) -> int:
        """Groups."""
        return len(self.starts)

    @property
    def sizes(self) -> Ints:
        """Units in each group."""
        return np.diff(np.append(self.starts, len(self.order)))

    @property
    def totals(self) -> Floats:
        """What all records of each group lose together."""
        return self.records * self.lost

    @property
    def total(self) -> float:
        """What all records lose together."""
        return float(self.totals.sum())

    def members(self, groups: Ints) -> tuple[Ints, Ints]:
        """The units of some groups, one group after the other, and how many each has."""
        sizes = self.sizes[groups]
        first = np.repeat(self.starts[groups] - np.cumsum(sizes) + sizes, sizes)
        return self.order[first + np.arange(int(sizes.sum()))], sizes

    def hulls_of(self, groups: Ints) -> tuple[Hull, ...]:
        """The hulls of some groups."""
        return tuple(hull[:, groups] for hull in self.hulls)


def loss_of(shapes: tuple[Shape, ...], hulls: tuple[Hull, ...], count: int) -> Floats:
    """What one record of each of `count` groups loses."""
    lost = np.zeros(count)
    for shape, hull in zip(shapes, hulls, strict=True):
        lost += shape.loss(hull)
    return lost


class Merging:
    """What a record would lose in the union of a group on the left and one on the right, for all pairs.

    Groups have few different hulls in one column, so that the losses of all pairs of these fit in a table; a row for
    a group is the sum of one table row a column. Where they do not fit, the table is made for some rows at a time.
    """

    def __init__(self, shapes: tuple[Shape, ...], left: tuple[Hull, ...], right: tuple[Hull, ...]) -> None:
        self.width = right[0].shape[1]
        self._columns = [_Column.of(*one) for one in zip(shapes, left, right, strict=True)]

    def blocks(self, count: int) -> Iterator[tuple[slice, Singles]]:
        """Rows of the table of all pairs, some of the `count` left groups at a time."""
        step = max(BLOCK // max(self.width, 1), 1)
        for first in range(0, count, step):
            part = slice(first, min(first + step, count))
            found = np.zeros((part.stop - first, self.width), np.float32)
            for column in self._columns:
                table, rows = column.table(part)
                for place, at in enumerate(rows.tolist()):
                    found[place] += table[at]
            yield part, found


@dataclass(frozen=True)
class _Column:
    """One column of a `Merging`. left: distinct hulls, and the place of each group's; right: the same."""

    shape: Shape
    left: tuple[Hull, Ints]
    right: tuple[Hull, Ints]
    whole: Singles | None = None

    @classmethod
    def of(cls, shape: Shape, left: Hull, right: Hull) -> "_Column":
        column = cls(shape, _distinct(left), _distinct(right))
        fits = column.left[0].size * right.shape[1] <= TABLE
        return replace(column, whole=column._lost(column.left[0])) if fits else column

    def table(self, part: slice) -> tuple[Singles, Ints]:
        """Distinct hulls × right groups, at least those of some left groups; and the row of each of these."""
        hulls, rows = self.left
        if self.whole is not None:
            return self.whole, rows[part]
        seen, place = np.unique(rows[part], return_inverse=True)
        return self._lost(hulls[:, seen]), place

    def _lost(self, hulls: Hull) -> Singles:
        distinct, place = self.right
        both = self.shape.merged(hulls[:, :, None], distinct[:, None, :])
        return self.shape.loss(both).astype(np.float32)[:, place]


def _distinct(hull: Hull) -> tuple[Hull, npt.NDArray[np.int64]]:
    """The distinct columns, and for each column its place among them."""
    if len(hull) == PAIR and hull.size and hull.min() >= -(2**30) and hull.max() < 2**30:
        key = hull[0] * np.int64(2**32) + hull[1]
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        return hull[:, first], place
    found, place = np.unique(hull, axis=1, return_inverse=True)
    return found, place.ravel()

"""Groups from the top down: all units are one group, which is divided as long as every part may leave.

A column divides a group by the children of the group's common ancestor, or, where its leaves have an order, into two
halves. Children that may not leave stay together with as many others as it takes. Source: LeFevre, DeWitt,
Ramakrishnan 2006, Mondrian multidimensional k-anonymity (strict: equal values stay together; relaxed: those at the
median may be divided; median split of the widest column), and LeFevre et al. 2006, Workload-aware anonymization, for
splits chosen by what they gain.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from anon_platform.anonymize.local.grouping import loss_of
from anon_platform.anonymize.local.shapes import Ints
from anon_platform.anonymize.local.units import Units

Split = Literal["median", "best_loss"]


@dataclass(frozen=True)
class _Division:
    """A group in parts. of: the part of each member; lost: what all records lose in these parts."""

    of: Ints
    parts: int
    lost: float


@dataclass(frozen=True)
class _How:
    """order: for each column the place of each leaf; None: it has none. strict: equal values are not divided."""

    order: Sequence[Ints | None]
    strict: bool


def divided(
    units: Units,
    *,
    split: Split,
    strict: bool,
    order: Sequence[Ints | None],
    progress: Callable[[int, int], None] | None = None,
) -> Ints:
    """The group of each unit; every group meets the demand, unless all units together do not.

    split: the widest column, at its median; or the column and the cut that lose least. order: for each column the place
    of each leaf; None: it has none. strict: equal values of a column are not divided.
    """
    count = len(units.records)
    of = np.zeros(count, np.int64)
    groups, done = 1, 0
    waiting = [np.arange(count)]
    how = _How(order, strict)
    divide = _best if split == "best_loss" else _widest
    while waiting:
        members = waiting.pop()
        found = divide(units, members, how)
        if found is None:
            done += len(members)
            if progress is not None:
                progress(done, count)
            continue
        for part in range(found.parts):
            chosen = members[found.of == part]
            if part:
                of[chosen] = groups
                groups += 1
            waiting.append(chosen)
    return of


def _best(units: Units, members: Ints, how: _How) -> _Division | None:
    """The division that loses least, if it loses less than none."""
    best, least = None, _lost(units, members, np.zeros(len(members), np.int64), 1) - 1e-9
    if least <= 0:
        return None
    for column in range(len(units.trees)):
        for of in _parts(units, members, column, how):
            found = _allowed(units, members, of)
            if found is not None and found.lost < least:
                best, least = found, found.lost
    return best


def _widest(units: Units, members: Ints, how: _How) -> _Division | None:
    """The first division that is allowed, of the columns by what they lose in the group, widest first."""
    start = np.zeros(1, np.int64)
    width = [
        float(shape.loss(shape.hull(row[members], start))[0])
        for shape, row in zip(units.shapes, units.leaves, strict=True)
    ]
    for column in np.argsort(-np.array(width), kind="stable").tolist():
        if width[column] <= 0:
            return None
        for of in _parts(units, members, column, how):
            found = _allowed(units, members, of)
            if found is not None:
                return found
    return None


def _parts(units: Units, members: Ints, column: int, how: _How) -> Iterator[Ints]:
    """Ways to divide by a column: in halves where it has an order, else by children."""
    leaves = units.leaves[column][members]
    order = how.order[column]
    if order is not None:
        places, records = order[leaves], units.records[members]
        halves = _strict_halves(places, records) if how.strict else _relaxed_halves(places, records)
        if halves is not None:
            yield halves
        return
    up = units.trees[column].up
    for level in range(len(up) - 1, -1, -1):
        codes = up[level][leaves]
        if (codes != codes[0]).any():
            yield np.unique(codes, return_inverse=True)[1]
            return


def _strict_halves(places: Ints, records: Ints) -> Ints | None:
    """Below the median or not, as near to it as equal values allow; None when all are equal."""
    line = np.argsort(places, kind="stable")
    upto = np.cumsum(records[line])
    ends = np.flatnonzero(np.diff(places[line]))
    if not len(ends):
        return None
    last = ends[np.abs(2 * upto[ends] - upto[-1]).argmin()]
    return np.asarray(places > places[line[last]], np.int64)


def _relaxed_halves(places: Ints, records: Ints) -> Ints | None:
    """The first half of the records in order and the others; None when there is one unit, or all are equal."""
    line = np.argsort(places, kind="stable")
    if places[line[0]] == places[line[-1]]:
        return None
    upto = np.cumsum(records[line])
    last = np.abs(2 * upto[:-1] - upto[-1]).argmin()
    of = np.zeros(len(places), np.int64)
    of[line[last + 1 :]] = 1
    return of


def _allowed(units: Units, members: Ints, of: Ints) -> _Division | None:
    """The division with parts that may not leave joined, first among themselves, then with the smallest others."""
    parts = int(of.max()) + 1
    good = units.met(members, of, parts)
    if not good.all():
        records = np.bincount(of, weights=units.records[members], minlength=parts)
        order = np.lexsort((records, good))
        for joined in range(max(int((~good).sum()), 1), parts):
            number = np.empty(parts, np.int64)
            number[order] = np.maximum(np.arange(parts) - joined + 1, 0)
            if units.met(members[number[of] == 0], np.zeros(int((number[of] == 0).sum()), np.int64), 1)[0]:
                of, parts = number[of], parts - joined + 1
                break
        else:
            return None
    return _Division(of, parts, _lost(units, members, of, parts)) if parts > 1 else None


def _lost(units: Units, members: Ints, of: Ints, parts: int) -> float:
    """What all records lose in these parts, each as narrow as it can be."""
    line = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[line], np.arange(parts))
    hulls = tuple(
        shape.hull(row[members[line]], starts) for shape, row in zip(units.shapes, units.leaves, strict=True)
    )
    records = np.bincount(of, weights=units.records[members], minlength=parts)
    return float(records @ loss_of(units.shapes, hulls, parts))

"""Which records a node of the lattice suppresses: by class sizes alone, or by classes with people and values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.hierarchy import Ladder
from anon_platform.anonymize.k_anonymity.demand import Demand, Sensitive
from anon_platform.anonymize.k_anonymity.grouped import Codes, Floats, Grouped, Ints, classes_of
from anon_platform.anonymize.k_anonymity.linked import LinkedGroups
from anon_platform.frequency import DistinctL

Node = tuple[int, ...]

CACHED_CLASSES = 6_000_000
"""Classes kept in memory over all visited nodes, to roll up from; about 80 bytes each."""

CACHED_NUMBERS = 25_000_000
"""Numbers of half combinations kept in memory; 8 bytes each."""

DENSE_PER_ROW = 16
"""Up to this many possible classes a row are counted in a table of all; more are numbered first."""


@dataclass(frozen=True)
class Gone:
    """Records that leave no class.

    records: their number. by_leaf: for each quasi-identifier, by code at the finest level, how many of them have it;
    empty when there are more than may be suppressed.
    """

    records: int
    by_leaf: tuple[Floats, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What a look at a node shows. gone: suppressed there; sure: suppressed at every finer node as well, where known."""

    gone: Gone
    sure: Gone | None


class Look(Protocol):
    """A way to look at nodes."""

    def at(self, node: Node) -> Seen:
        """What `node` suppresses."""
        ...


def look(bottom: Grouped, ladders: Sequence[Ladder], demand: Demand) -> Look:
    """The quickest way to look at the nodes above the classes `bottom` for this demand."""
    additive = type(bottom) is Grouped and not len(bottom.pairs[0])
    if additive and demand.people_only:
        return _Sizes(bottom, ladders, demand)
    return _Classes(bottom, ladders, demand)


class _Sizes:
    """Class sizes where people add up and nothing else counts: quasi-identifiers are numbered in two halves.

    The number of a record's class is that of its left half times the right halves there are, plus its right half;
    what a half is numbered at given levels is worked out once, on its distinct combinations.
    """

    def __init__(self, bottom: Grouped, ladders: Sequence[Ladder], demand: Demand) -> None:
        self._codes = bottom.codes
        self._records = bottom.records.astype(np.float64)
        self._people = (bottom.records if bottom.alone is bottom.records else bottom.alone).astype(np.float64)
        self._same = bool((bottom.alone == bottom.records).all())
        self._demand = demand
        self._widths = [len(ladder.share[0]) for ladder in ladders]
        cut = _cut(self._widths)
        self._left = _Half(bottom.codes[:cut], ladders[:cut])
        self._right = _Half(bottom.codes[cut:], ladders[cut:])
        self._split = cut

    def at(self, node: Node) -> Seen:
        """What `node` suppresses: the records of classes with fewer than k people."""
        left, lefts = self._left.numbered(node[: self._split])
        right, rights = self._right.numbered(node[self._split :])
        number = (left * rights)[self._left.of_row] + right[self._right.of_row]
        if lefts * rights > DENSE_PER_ROW * len(number):
            number = classes_of(number[None, :])[1]
        sizes = np.bincount(number, weights=self._people)
        small = sizes < self._demand.k
        if self._same and (records := int(sizes[small].sum())) > self._demand.suppressed:
            return _all_sure(Gone(records))
        bad = np.flatnonzero(small[number])
        weights = self._records[bad]
        records = int(weights.sum())
        if records > self._demand.suppressed:
            return _all_sure(Gone(records))
        return _all_sure(Gone(records, _by_leaf(self._codes, bad, weights, self._widths)))


class _Half:
    """Some of the quasi-identifiers. of_row: for each row its combination of them at the finest levels."""

    def __init__(self, codes: Codes, ladders: Sequence[Ladder]) -> None:
        first, self.of_row = classes_of(codes)
        self._codes = codes[:, first]
        self._ladders = ladders
        self._known: dict[Node, tuple[Ints, int]] = {}

    def numbered(self, levels: Node) -> tuple[Ints, int]:
        """For each combination its number at `levels`, and how many numbers there are."""
        found = self._known.get(levels)
        if found is None:
            pairs = zip(self._ladders, levels, self._codes, strict=True)
            codes = [upward(ladder, 0, level)[row] for ladder, level, row in pairs]
            first, number = classes_of(np.array(codes, np.int32).reshape(self._codes.shape))
            if len(self._known) * len(number) > CACHED_NUMBERS:
                self._known.clear()
            found = self._known[levels] = (number, len(first))
        return found


def _cut(widths: Sequence[int]) -> int:
    """Where to cut the quasi-identifiers in two, so that both halves have about as many combinations."""
    logs = np.cumsum(np.log(np.maximum(widths, 1)))
    return int(np.argmin(np.abs(2 * logs - logs[-1]))) + 1 if len(logs) else 0


class _Classes:
    """Classes with people and values, rolled up from the smallest finer node at hand."""

    def __init__(self, bottom: Grouped, ladders: Sequence[Ladder], demand: Demand) -> None:
        self._ladders = ladders
        self._demand = demand
        self._sure = _closed_part(demand, int(bottom.records.sum()))
        self._bottom = bottom
        self._widths = [len(ladder.share[0]) for ladder in ladders]
        same = np.arange(bottom.groups if isinstance(bottom, LinkedGroups) else bottom.height)
        self._known: dict[Node, tuple[Grouped, Ints]] = {(0,) * len(ladders): (bottom, same)}

    def at(self, node: Node) -> Seen:
        """What `node` suppresses."""
        classes, of_bottom = self._classes(node)
        good = self._demand.kept(classes)
        gone = self._gone(classes, of_bottom, good)
        if self._demand.closed:
            return _all_sure(gone)
        return Seen(
            gone, None if self._sure is None else self._gone(classes, of_bottom, self._sure.kept(classes))
        )

    def _gone(self, classes: Grouped, of_bottom: Ints, good: npt.NDArray[np.bool_]) -> Gone:
        records = int(classes.records[~good].sum())
        if records > self._demand.suppressed:
            return Gone(records)
        if isinstance(classes, LinkedGroups) and isinstance(self._bottom, LinkedGroups):
            bad = ~classes.of_groups(good)[of_bottom][self._bottom.group]
        else:
            bad = ~good[of_bottom]
        at = np.flatnonzero(bad)
        weights = self._bottom.records[at].astype(np.float64)
        return Gone(records, _by_leaf(self._bottom.codes, at, weights, self._widths))

    def _classes(self, node: Node) -> tuple[Grouped, Ints]:
        """The classes of a node, and for each of the finest classes (of linked rows: groups) the one that it is in."""
        if node in self._known:
            return self._known[node]
        finer = [at for at in self._known if all(a <= b for a, b in zip(at, node, strict=True))]
        start = min(finer, key=lambda at: self._known[at][0].height)
        maps = [
            None if low == high else upward(ladder, low, high)
            for ladder, low, high in zip(self._ladders, start, node, strict=True)
        ]
        classes, of_bottom = self._known[start]
        rolled, merged = classes.rolled(maps)
        self._keep(node, (rolled, merged[of_bottom]))
        return self._known[node]

    def _keep(self, node: Node, found: tuple[Grouped, Ints]) -> None:
        self._known[node] = found
        row = 0.1  # a number a finest class, beside some ten a class
        while sum(classes.height + row * len(of) for classes, of in self._known.values()) > CACHED_CLASSES:
            others = [at for at in self._known if any(at) and at != node]
            if not others:
                return
            del self._known[max(others, key=lambda at: self._known[at][0].height)]


def _closed_part(demand: Demand, records: int) -> Demand | None:
    """The part of a demand by which what is suppressed never grows towards coarser levels; None without such a part.

    What it suppresses the whole demand suppresses too: what leaves under all models leaves under some of them.
    """
    part = replace(
        demand,
        suppressed=records,
        sensitive=tuple(
            Sensitive(tuple(model for model in of.models if isinstance(model, DistinctL)), of.overall)
            for of in demand.sensitive
        ),
        mean_risk=None,
        unique_records=None,
        crowds=tuple(replace(crowd, presence=None) for crowd in demand.crowds),
    )
    return part if part.closed else None


def _all_sure(gone: Gone) -> Seen:
    return Seen(gone, gone)


def _by_leaf(codes: Codes, at: Ints, weights: Floats, widths: Sequence[int]) -> tuple[Floats, ...]:
    """For each quasi-identifier the weights of the classes `at` by code; weights: as long as `at`."""
    return tuple(
        np.bincount(row[at], weights, width).astype(np.float64, copy=False)
        for row, width in zip(codes, widths, strict=True)
    )


def upward(ladder: Ladder, low: int, high: int) -> Codes:
    """For each code at level `low` its code at level `high`."""
    to = np.zeros(len(ladder.share[low]), np.int32)
    to[ladder.codes[low]] = ladder.codes[high]
    return to

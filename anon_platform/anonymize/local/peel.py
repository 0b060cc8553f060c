"""Groups to begin with: boxes of the lattice's nodes that are large enough, those that lose least first.

A node of the lattice (a level for each quasi-identifier) cuts the units into boxes. Nodes wait in a heap, each by
a lower bound of what its cheapest box loses. The first gives up the boxes that lose no more than the next node's
bound allows and meet the demand, and waits again by its cheapest remaining box. So boxes leave in the order of
their own loss, not of their node's mean. Two facts make a node cheap to look at: the keys of a node are those of
two halves of its columns, which are kept and combined; and most units are ruled out by counting hashed keys, since
a group is never larger than what shares its hash. Where groups are held against all records (closeness), a box is
taken only if the rest could leave as one group too: else what is left at the end fits nowhere.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from anon_platform.anonymize.local.shapes import BARRED, Floats, Ints
from anon_platform.anonymize.local.units import Units

Levels = tuple[int, ...]

GONE = 0.3
"""Share of units taken after which the others are copied together."""

KEPT_NUMBERS = 40_000_000
"""Numbers kept of halves, 8 bytes each; then the halves are made again."""

AGAIN = 0.1
"""A node whose boxes would unbalance the rest waits for so much of its bound more."""

HAIR = 0.002
"""Slack of boxes that lose nothing, as a share of a record."""


@dataclass(frozen=True)
class _Level:
    """Of each unit the key (0 to span − 1), its hash and what a record loses in some columns; least: the least of that."""

    key: Ints
    span: int
    hashed: Ints
    lost: Floats
    least: float


@dataclass
class _Half:
    """What is known of the remaining units for the levels of some columns. due: what is taken off their losses."""

    units: Units
    columns: range
    due: Floats | None
    rest: Ints = field(init=False)
    mask: int = field(init=False)
    known: "dict[Levels, _Level]" = field(init=False)

    def restart(self, rest: Ints, mask: int) -> None:
        self.rest, self.mask, self.known = rest, mask, {}

    def at(self, levels: Levels) -> "_Level":
        found = self.known.get(levels)
        if found is None:
            found = self.known[levels] = self._at(levels)
        return found

    def _at(self, levels: Levels) -> "_Level":
        key = np.zeros(len(self.rest), np.int64)
        lost = np.zeros(len(self.rest)) if self.due is None else -self.due[self.rest]
        span = 1
        for column, level in zip(self.columns, levels, strict=True):
            tree, leaves = self.units.trees[column], self.units.leaves[column][self.rest]
            width = int(tree.up[level].max()) + 1
            if span * width > 2**31:
                seen, key = np.unique(key, return_inverse=True)
                span = len(seen)
            key = key * width + tree.up[level][leaves]
            span *= width
            lost += tree.price[level][leaves]
        if span > 2**31:
            seen, key = np.unique(key, return_inverse=True)
            span = len(seen)
        hashed = (_mixed(key, self.columns.start) & np.uint64(self.mask)).astype(np.int64)
        return _Level(key, span, hashed, lost, float(lost.min(initial=np.inf)))


def _mixed(key: Ints, salt: int) -> "np.ndarray":
    """Numbers whose bits depend on all bits of the key (the finalizer of SplitMix64, Steele et al. 2014)."""
    z = key.astype(np.uint64) + np.uint64((salt + 1) * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@dataclass
class _Rest:
    """The units that are in no group yet."""

    units: Units
    halves: tuple[_Half, _Half]
    at: Ints
    weight: Floats
    taken: int = 0

    def restart(self) -> None:
        """Copies what is left together."""
        left = self.weight > 0
        self.at, self.weight, self.taken = self.at[left], self.weight[left], 0
        mask = (1 << max(int(2 * len(self.at)).bit_length(), 10)) - 1
        for half in self.halves:
            half.restart(self.at, mask)

    def take(self, places: Ints) -> None:
        self.weight[places] = 0.0
        self.taken += len(places)

    @property
    def stale(self) -> bool:
        numbers = 3 * len(self.at) * sum(len(half.known) for half in self.halves)
        return self.taken > GONE * len(self.at) or numbers > KEPT_NUMBERS


def peel(
    units: Units,
    *,
    slack: float,
    looks: int,
    due: Floats | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ints:
    """The group of each unit, −1 for those left over; every group meets the demand.

    slack: a box may lose so much more than the cheapest that is known, as a share of it; looks: nodes looked at, at
    most. due: what a record of each unit is expected to lose wherever it is; boxes are compared by what they lose
    beyond that, so that units that are hard to place are placed first (Lagrangian heuristic, as for set covering in
    Caprara, Fischetti, Toth 1999).
    """
    count = len(units.records)
    of_group = np.full(count, -1, np.int64)
    cut = len(units.trees) // 2
    halves = (_Half(units, range(cut), due), _Half(units, range(cut, len(units.trees)), None))
    rest = _Rest(units, halves, np.arange(count), units.records.astype(np.float64))
    rest.restart()
    groups = 0
    waiting = _Waiting(units, 0.0 if due is None else float(due.max(initial=0.0)))
    for bound, node in waiting:
        if looks == 0 or rest.taken == len(rest.at):
            break
        if rest.stale:
            rest.restart()
        if progress is not None and looks % 256 == 0:
            progress(count - len(rest.at) + rest.taken, count)
        left, right = halves[0].at(node[:cut]), halves[1].at(node[cut:])
        least = left.least + right.least
        if least > bound and least > waiting.next + _margin(waiting.next, slack):
            waiting.again(least)
            continue
        looks -= 1
        boxes = _boxes(units, rest, left, right)
        if boxes is None:
            continue
        cheap = boxes.lost <= max(waiting.next, bound) + _margin(bound, slack)
        fit = _meeting(units, rest, boxes, cheap)
        take = fit & cheap
        later = boxes.lost[fit & ~cheap]
        if units.demand.beside_all and take.any():
            take = _balanced(units, rest, boxes, take)
            # what unbalances the rest now may suit it later; nothing loses more than all
            wait = max(bound, least) + _margin(max(bound, least), AGAIN) + HAIR
            later = later if take.any() or wait > 1 else np.append(later, wait)
        if len(later):
            waiting.again(float(later.min()))
        if take.any():
            sizes = np.diff(np.append(boxes.starts, len(boxes.at)))
            chosen = boxes.at[np.repeat(take, sizes)]
            of_group[rest.at[chosen]] = groups + np.repeat(np.arange(int(take.sum())), sizes[take])
            groups += int(take.sum())
            rest.take(chosen)
    return of_group


def _balanced(units: Units, rest: _Rest, boxes: "_Boxes", take: "np.ndarray") -> "np.ndarray":
    """Of the boxes as many, cheapest first, as leave a rest that could go as one group; by halving."""
    sizes = np.diff(np.append(boxes.starts, len(boxes.at)))
    order = np.flatnonzero(take)[np.argsort(boxes.lost[take], kind="stable")]
    count = len(order)
    while count:
        want = np.zeros_like(take)
        want[order[:count]] = True
        left = rest.weight > 0
        left[boxes.at[np.repeat(want, sizes)]] = False
        members = rest.at[left]
        if not len(members) or units.met(members, np.zeros(len(members), np.int64), 1)[0]:
            return want
        count //= 2
    return np.zeros_like(take)


def _margin(bound: float, slack: float) -> float:
    return slack * (abs(bound) + HAIR)


@dataclass(frozen=True)
class _Boxes:
    """Places of units box by box, where boxes begin, what a record of each loses beyond its due, and which are large enough."""

    at: Ints
    starts: Ints
    lost: Floats
    fit: "np.ndarray"


def _boxes(units: Units, rest: _Rest, left: _Level, right: _Level) -> _Boxes | None:
    """The boxes of a node that may be large enough."""
    hashed = left.hashed ^ right.hashed
    enough = np.bincount(hashed, weights=rest.weight, minlength=1) >= units.demand.k
    at = np.flatnonzero(enough[hashed])
    if rest.taken:
        at = at[rest.weight[at] > 0]
    if not len(at):
        return None
    key = left.key[at] * right.span + right.key[at]
    order = np.argsort(key, kind="stable")
    key, at = key[order], at[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    weight = rest.weight[at]
    records = np.add.reduceat(weight, starts)
    lost = right.lost[at[starts]]
    if rest.halves[0].due is None:
        lost = lost + left.lost[at[starts]]
    else:
        lost = lost + np.add.reduceat(weight * left.lost[at], starts) / records
    return _Boxes(at, starts, lost, records >= units.demand.k)


def _meeting(units: Units, rest: _Rest, boxes: _Boxes, cheap: "np.ndarray") -> "np.ndarray":
    """Which boxes are large enough, without the cheap ones that do not meet the whole demand."""
    asked = boxes.fit & cheap
    if units.counts_only or not asked.any():
        return boxes.fit
    sizes = np.diff(np.append(boxes.starts, len(boxes.at)))
    chosen = rest.at[boxes.at[np.repeat(asked, sizes)]]
    count = int(asked.sum())
    met = units.met(chosen, np.repeat(np.arange(count), sizes[asked]), count)
    found = boxes.fit.copy()
    found[np.flatnonzero(asked)[~met]] = False
    return found


class _Waiting:
    """Nodes by what their cheapest box loses at least; a node's coarser neighbours follow when it is first looked at."""

    def __init__(self, units: Units, due: float) -> None:
        self._due = due
        self._levels = [_distinct_levels(tree.up) for tree in units.trees]
        self._least = [
            [float(tree.price[level].min()) for level in levels]
            for tree, levels in zip(units.trees, self._levels, strict=True)
        ]
        # (bound, node as places in _levels, first column that may still be raised; −1: came back)
        start = (0,) * len(self._levels)
        self._heap: list[tuple[float, Levels, int]] = [(self._bound(start), start, 0)]
        self._now: Levels = start

    def _bound(self, places: Levels) -> float:
        return sum(least[place] for least, place in zip(self._least, places, strict=True)) - self._due

    def __iter__(self) -> Iterator[tuple[float, Levels]]:
        while self._heap:
            bound, places, first = heapq.heappop(self._heap)
            if first >= 0:
                self._raise(places, first)
            self._now = places
            yield bound, tuple(levels[place] for levels, place in zip(self._levels, places, strict=True))

    def _raise(self, places: Levels, first: int) -> None:
        for column in range(first, len(places)):
            if places[column] + 1 < len(self._levels[column]):
                coarser = (*places[:column], places[column] + 1, *places[column + 1 :])
                bound = self._bound(coarser)
                if self._least[column][places[column] + 1] < BARRED:
                    heapq.heappush(self._heap, (bound, coarser, column))

    @property
    def next(self) -> float:
        """The bound of the node that comes next."""
        return self._heap[0][0] if self._heap else np.inf

    def again(self, bound: float) -> None:
        """The present node comes back, with another bound."""
        heapq.heappush(self._heap, (bound, self._now, -1))


def _distinct_levels(up: "np.ndarray") -> list[int]:
    """Levels that say something else than the level below."""
    sizes = [int((np.bincount(codes) > 0).sum()) for codes in up]
    return [level for level in range(len(up)) if level == 0 or sizes[level] < sizes[level - 1]]

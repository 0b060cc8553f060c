"""Optimal full-domain search: which level for each quasi-identifier meets the demand at the least loss.

Nodes of the lattice are tuples of levels. Two facts carry the search:

- Where `Demand.closed` holds, the records to suppress never grow towards coarser levels: a node that needs too
  much suppression condemns every finer node (predictive tagging). Else it condemns itself only.
- The loss of a node without suppression is a lower bound of its loss with suppression, and known without
  looking at the classes: a node whose bound is not below the best loss found needs no look.

What is left is tried by bisection of a chain from fine to coarse, until no node is left: the result is
optimal. Sources: El Emam et al. 2009 (OLA); Kohlmayer et al. 2012 (Flash); the bound as in ARX.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.hierarchy import Ladder
from anon_platform.anonymize.k_anonymity.demand import Demand
from anon_platform.anonymize.k_anonymity.grouped import Codes, Floats, Grouped

Node = tuple[int, ...]

CACHED_CLASSES = 6_000_000
"""Classes kept in memory over all visited nodes, to roll up from; about 80 bytes each."""

HAIR = 1e-12
"""Losses that differ by less are equal: their sums were made in two orders."""


@dataclass(frozen=True)
class Solution:
    """The chosen node. loss: 0 (nothing lost) to 1; evaluated: nodes whose classes were looked at."""

    node: Node
    loss: float
    suppressed: int
    evaluated: int
    nodes: int


@dataclass
class _Lattice:
    """What is known of every node, as flat arrays in C order over the levels."""

    ladders: Sequence[Ladder]
    levels: npt.NDArray[np.int64] = field(init=False)
    bound: Floats = field(init=False)
    open: npt.NDArray[np.bool_] = field(init=False)

    def measure(self, bottom: Grouped) -> None:
        """Lower bounds: the mean loss of all records at each node, nothing suppressed."""
        heights = [ladder.height for ladder in self.ladders]
        self.levels = np.indices(heights).reshape(len(heights), -1) if heights else np.zeros((0, 1), np.int64)
        total = max(int(bottom.records.sum()), 1)
        bound = np.zeros(self.levels.shape[1])
        for i, ladder in enumerate(self.ladders):
            weights = np.bincount(
                bottom.codes[i], weights=bottom.records.astype(np.float64), minlength=len(ladder.share[0])
            )
            means = [_mean_loss(ladder, level, weights) / total for level in range(ladder.height)]
            bound += np.array(means)[self.levels[i]]
        self.bound = bound / max(len(heights), 1)
        self.open = np.ones(self.levels.shape[1], np.bool_)

    def node(self, index: int) -> Node:
        return tuple(int(level) for level in self.levels[:, index])

    def condemn(self, node: Node) -> None:
        """Closes `node` and every finer one."""
        self.open &= ~(self.levels <= np.array(node)[:, None]).all(axis=0)

    def chain(self, candidates: npt.NDArray[np.bool_]) -> list[int]:
        """Indices of a chain of candidates from fine to coarse, begun at the one with the lowest bound."""
        shape = [ladder.height for ladder in self.ladders]
        strides = np.array([int(np.prod(shape[i + 1 :])) for i in range(len(shape))])
        at = int(np.argmin(np.where(candidates, self.bound, np.inf)))
        chain = [at]
        while True:
            up = [at + int(strides[i]) for i in range(len(shape)) if self.levels[i, at] + 1 < shape[i]]
            up = [index for index in up if candidates[index]]
            if not up:
                return chain
            at = min(up, key=lambda index: (self.bound[index], index))
            chain.append(at)


def search(
    bottom: Grouped,
    ladders: Sequence[Ladder],
    demand: Demand,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Solution | None:
    """The node of least loss that meets the demand, or None when even the coarsest does not.

    bottom: classes at the finest levels. progress: hears (nodes decided, all nodes).
    Equal losses: the node that comes first in level order wins, so the result does not depend on chance.
    """
    lattice = _Lattice(ladders)
    lattice.measure(bottom)
    visited = _Visited(bottom, ladders)
    best: Solution | None = None
    evaluated = 0
    while True:
        limit = np.inf if best is None else best.loss
        candidates = lattice.open & (lattice.bound <= limit + HAIR)
        if progress is not None:
            progress(int((~candidates).sum()), candidates.size)
        if not candidates.any():
            return None if best is None else _counted(best, evaluated, candidates.size)
        chain = lattice.chain(candidates)
        low, high = 0, len(chain)
        while low < high:
            middle = (low + high) // 2
            node = lattice.node(chain[middle])
            lattice.open[chain[middle]] = False
            loss, suppressed = _weigh(visited.classes(node), ladders, node, demand)
            evaluated += 1
            if suppressed > demand.suppressed:
                if demand.closed:
                    lattice.condemn(node)
                low = middle + 1
                continue
            high = middle
            if best is None or _precedes(loss, node, best):
                best = Solution(node, loss, suppressed, 0, 0)


def _precedes(loss: float, node: Node, best: Solution) -> bool:
    """Whether the node loses less than the best one, or as much and comes first in level order."""
    if abs(loss - best.loss) <= HAIR:
        return node < best.node
    return loss < best.loss


def _counted(best: Solution, evaluated: int, nodes: int) -> Solution:
    return Solution(best.node, best.loss, best.suppressed, evaluated, nodes)


class _Visited:
    """Classes of visited nodes, to roll up coarser ones from the smallest finer one at hand."""

    def __init__(self, bottom: Grouped, ladders: Sequence[Ladder]) -> None:
        self._ladders = ladders
        self._bottom: Node = (0,) * len(ladders)
        self._known: dict[Node, Grouped] = {self._bottom: bottom}

    def classes(self, node: Node) -> Grouped:
        if node in self._known:
            return self._known[node]
        finer = [at for at in self._known if all(a <= b for a, b in zip(at, node, strict=True))]
        start = min(finer, key=lambda at: self._known[at].height)
        maps = [
            None if low == high else upward(ladder, low, high)
            for ladder, low, high in zip(self._ladders, start, node, strict=True)
        ]
        found = self._known[start].roll_up(maps)
        self._keep(node, found)
        return found

    def _keep(self, node: Node, found: Grouped) -> None:
        self._known[node] = found
        while sum(classes.height for classes in self._known.values()) > CACHED_CLASSES:
            others = [at for at in self._known if at not in (self._bottom, node)]
            if not others:
                return
            del self._known[max(others, key=lambda at: self._known[at].height)]


def upward(ladder: Ladder, low: int, high: int) -> Codes:
    """For each code at level `low` its code at level `high`."""
    to = np.zeros(len(ladder.share[low]), np.int32)
    to[ladder.codes[low]] = ladder.codes[high]
    return to


def _mean_loss(ladder: Ladder, level: int, weights: npt.NDArray[Any]) -> float:
    """Sum over records of the loss at `level`; weights: records by code at the finest level."""
    at_level = np.bincount(upward(ladder, 0, level), weights=weights, minlength=len(ladder.share[level]))
    return float(at_level @ ladder.loss(level))


def _weigh(classes: Grouped, ladders: Sequence[Ladder], node: Node, demand: Demand) -> tuple[float, int]:
    """Loss (a suppressed record loses all) and records suppressed at `node`."""
    good = demand.kept(classes)
    kept = classes.records * good
    total = max(int(classes.records.sum()), 1)
    suppressed = int(classes.records.sum() - kept.sum())
    lost = sum(
        float(kept @ ladder.loss(level)[codes])
        for ladder, level, codes in zip(ladders, node, classes.codes, strict=True)
    )
    return (lost / max(len(ladders), 1) + suppressed) / total, suppressed

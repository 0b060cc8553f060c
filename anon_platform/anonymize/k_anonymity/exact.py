"""Optimal search in a lattice that fits in memory, as one array a thing known of every node.

Three facts close nodes without a look:

- A node that suppresses nothing loses least, and what it would lose then is known from the levels alone.
- Records that a node surely suppresses (`Seen.sure`) are suppressed at every finer node: each of these loses at least
  what the other records lose at its levels, and all of what these lose. Both are sums over the quasi-identifiers, so
  one look raises the bounds of all finer nodes at once.
- When more records than allowed are surely suppressed, no finer node meets the demand (predictive tagging).

A node whose bound is not below the best loss found needs no look; when none is left, the best is optimal. Looked at
first are nodes with many open ones below them. Sources: El Emam et al. 2009 (OLA); Kohlmayer et al. 2012 (Flash); the
bound from the levels as in ARX; that from surely suppressed records is ours.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.k_anonymity.descent import descend
from anon_platform.anonymize.k_anonymity.grouped import Floats
from anon_platform.anonymize.k_anonymity.look import Node, Seen
from anon_platform.anonymize.k_anonymity.price import Costs
from anon_platform.anonymize.k_anonymity.trials import HAIR, Trials

NODES_PER_LOOK = 4_096
"""An order of the open nodes costs as much as a look a few thousand nodes; it serves as many looks."""

WORTH_A_DESCENT = 50_000
"""In a lattice with more nodes the best node is looked for by descent first, as in one too large to keep."""

Progress = Callable[[int, int], None]


def exact(trials: Trials, progress: Progress | None = None) -> float:
    """Looks until the best node is proven, or time is over; a lower bound of the loss of every node that meets the demand.

    progress: hears (nodes decided, all nodes).
    """
    lattice = _Lattice(trials.costs, trials.allowed)
    trials.learn = lattice.learn
    if lattice.open.size > WORTH_A_DESCENT:
        descend(trials)
    else:
        trials.at(lattice.coarsest)
        _bisect(trials, lattice)
    while True:
        candidates = lattice.candidates(trials)
        if progress is not None:
            progress(int(candidates.size - candidates.sum()), candidates.size)
        if not candidates.any() or trials.late:
            bound = float(np.min(lattice.bound, where=candidates, initial=trials.limit))
            return min(bound, trials.limit)
        for node in lattice.first(candidates):
            if trials.late:
                break
            if lattice.is_candidate(node, trials):
                trials.at(node)


def _bisect(trials: Trials, lattice: "_Lattice") -> None:
    """A first good node: the finest that meets the demand of a chain that leads up from the least loss."""
    candidates = lattice.candidates(trials)
    if not candidates.any():
        return
    chain = lattice.chain(candidates)
    low, high = 0, len(chain)
    while low < high and not trials.late:
        middle = (low + high) // 2
        if trials.at(chain[middle])[0] is not None:
            high = middle
        else:
            low = middle + 1


class _Lattice:
    """What is known of every node, as arrays with one axis a quasi-identifier."""

    def __init__(self, costs: Costs, allowed: int) -> None:
        self._costs = costs
        self._allowed = allowed
        self.bound: Floats = _outer(costs.mean)
        self.open: npt.NDArray[np.bool_] = np.ones(costs.shape, np.bool_)
        self.coarsest: Node = tuple(levels - 1 for levels in costs.shape)

    def candidates(self, trials: Trials) -> npt.NDArray[np.bool_]:
        """The nodes that may be better than the best one: lose less, or as much and come first in level order."""
        candidates = self.open & (self.bound <= trials.limit + HAIR)
        if trials.best is not None and candidates.size:
            at = int(np.ravel_multi_index(trials.best.node, self.open.shape)) if trials.best.node else 0
            candidates.reshape(-1)[at:] &= self.bound.reshape(-1)[at:] < trials.best.loss - HAIR
        return candidates

    def is_candidate(self, node: Node, trials: Trials) -> bool:
        """The same for one node."""
        if trials.best is None or not self.open[node]:
            return bool(self.open[node])
        hair = HAIR if node < trials.best.node else -HAIR
        return bool(self.bound[node] <= trials.best.loss + hair)

    def learn(self, node: Node, seen: Seen) -> None:
        """Closes a node that was looked at, and the finer ones or raises their bounds by what it surely suppresses."""
        self.open[node] = False
        sure, finer = seen.sure, _finer(node)
        if sure is None or not sure.records:
            return
        if sure.records > self._allowed:
            self.open[finer] = False
            return
        kept = [levels[: level + 1] for levels, level in zip(self._costs.kept(sure), node, strict=True)]
        self.bound[finer] = np.maximum(self.bound[finer], _outer(kept) + self._costs.lost(sure))

    def first(self, candidates: npt.NDArray[np.bool_]) -> Iterator[Node]:
        """The candidates with most candidates below them."""
        below = candidates.astype(np.int32)
        for axis in range(below.ndim):
            np.cumsum(below, axis=axis, out=below)
        at = np.flatnonzero(candidates)
        most = max(1, candidates.size // NODES_PER_LOOK)
        for index in at[np.argsort(-below.reshape(-1)[at], kind="stable")[:most]]:
            yield tuple(int(level) for level in np.unravel_index(index, candidates.shape))

    def chain(self, candidates: npt.NDArray[np.bool_]) -> list[Node]:
        """A chain of candidates from fine to coarse, begun at the one with the lowest bound."""
        at = int(np.argmin(np.where(candidates, self.bound, np.inf)))
        chain: list[Node] = [tuple(int(level) for level in np.unravel_index(at, candidates.shape))]
        while True:
            up = [coarser for coarser in _next(chain[-1], candidates.shape) if candidates[coarser]]
            if not up:
                return chain
            chain.append(min(up, key=lambda node: (self.bound[node], node)))


def _finer(node: Node) -> tuple[slice, ...]:
    return tuple(slice(level + 1) for level in node)


def _next(node: Node, shape: tuple[int, ...]) -> list[Node]:
    """The nodes one level above."""
    return [
        (*node[:i], level + 1, *node[i + 1 :])
        for i, (level, levels) in enumerate(zip(node, shape, strict=True))
        if level + 1 < levels
    ]


def _outer(by_level: list[Floats] | tuple[Floats, ...]) -> Floats:
    """By node the sum of its levels' numbers."""
    total = np.zeros(())
    for levels in by_level:
        total = total[..., None] + levels
    return total

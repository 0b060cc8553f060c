"""Search of a lattice too large to keep: down from its coarsest node, several nodes abreast, then around the best.

The result meets the demand and is a good one, not the optimum; the lower bound says how far from it at most. It is the
same each time: nothing depends on chance, or on a clock unless there is a time limit.
"""

from collections.abc import Callable, Iterator
from itertools import product

from anon_platform.anonymize.k_anonymity.look import Node, Seen
from anon_platform.anonymize.k_anonymity.trials import HAIR, Trials

ABREAST = 8
"""Nodes that are gone on from at each depth."""


def descend(trials: Trials, progress: Callable[[int, int], None] | None = None) -> float:
    """Looks until no neighbour of the best node is better, or time is over; a lower bound of the loss of every good node.

    progress: hears (depth reached, depth of the lattice).
    """
    tried = _Tried(trials)
    depth = sum(tried.coarsest)
    row = [tried.coarsest]
    tried.rank(tried.coarsest)
    for reached in range(depth):
        if progress is not None:
            progress(reached, depth)
        finer = {below for node in row for below in _finer(node)}
        ranked = sorted((*tried.rank(node), node) for node in sorted(finer) if not tried.hopeless(node))
        if trials.late or not ranked or (trials.best is not None and ranked[0][0] > 0):
            break
        row = [node for _, _, node in ranked[:ABREAST]]
    tried.improve()
    if progress is not None:
        progress(depth, depth)
    return min(tried.bound, trials.limit)


class _Tried:
    """Nodes that were looked at. bound: a lower bound of the loss of every node that meets the demand."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._costs = trials.costs
        self._known: dict[Node, tuple[int, float]] = {}
        self._condemned: list[Node] = []
        self.coarsest: Node = tuple(levels - 1 for levels in trials.costs.shape)
        self.bound = float(sum(levels.min() for levels in trials.costs.mean))

    def rank(self, node: Node) -> tuple[int, float]:
        """Records suppressed beyond those allowed, and the loss; of a node that is not good the loss without suppression."""
        if node not in self._known:
            found, seen = self._trials.at(node)
            loss = self._mean(node) if found is None else found.loss
            self._known[node] = (max(seen.gone.records - self._trials.allowed, 0), loss)
            self._learn(node, seen)
        return self._known[node]

    def hopeless(self, node: Node) -> bool:
        """Whether a look would find too many records suppressed, for sure."""
        return any(all(a <= b for a, b in zip(node, at, strict=True)) for at in self._condemned)

    def improve(self) -> None:
        """Goes to a better neighbour of the best node, as long as there is one."""
        while self._trials.best is not None:
            node, loss = self._trials.best.node, self._trials.best.loss
            for near in sorted(_near(node, self._costs.shape), key=lambda at: (self._mean(at), at)):
                if self._trials.late:
                    return
                if near not in self._known and self._mean(near) < loss - HAIR and not self.hopeless(near):
                    self.rank(near)
            if self._trials.best.node == node:
                return

    def _mean(self, node: Node) -> float:
        return sum(float(levels[level]) for levels, level in zip(self._costs.mean, node, strict=True))

    def _learn(self, node: Node, seen: Seen) -> None:
        """A node is finer than `node`, and suppresses what that surely does; or it is coarser in some quasi-identifier."""
        if seen.sure is None:
            return
        if condemned := seen.sure.records > self._trials.allowed:
            self._condemned.append(node)
        mean = self._costs.mean
        least = sum(float(levels.min()) for levels in mean)
        beyond = [
            float(levels[level + 1 :].min() - levels.min())
            for levels, level in zip(mean, node, strict=True)
            if level + 1 < len(levels)
        ]
        bounds = [least + min(beyond)] if beyond else []
        if not condemned:
            kept = zip(self._costs.kept(seen.sure), node, strict=True)
            bounds.append(
                self._costs.lost(seen.sure) + sum(float(levels[: at + 1].min()) for levels, at in kept)
            )
        if bounds:
            self.bound = max(self.bound, min(bounds))


def _finer(node: Node) -> Iterator[Node]:
    """The nodes one level below."""
    for i, level in enumerate(node):
        if level:
            yield (*node[:i], level - 1, *node[i + 1 :])


def _near(node: Node, shape: tuple[int, ...]) -> set[Node]:
    """Nodes with one quasi-identifier a level up or down, or two of them."""
    moved = [
        (i, level + step)
        for i, (level, levels) in enumerate(zip(node, shape, strict=True))
        for step in (-1, 1)
        if 0 <= level + step < levels
    ]
    return {
        tuple({**dict(enumerate(node)), one[0]: one[1], other[0]: other[1]}.values())
        for one, other in product(moved, moved)
    }

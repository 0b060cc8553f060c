"""Junction trees: the marginals of a distribution that is a product of small tables, exactly.

Source: Lauritzen and Spiegelhalter 1988, Local computations with probabilities on graphical structures; Koller and
Friedman 2009, Probabilistic Graphical Models, chapters 9 and 10.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from anon_platform.errors import PolicyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FLOOR = 1e-87
"""Shares of a clique below it count as this, so that no product of a few is 0 that should not be."""

LEAST = -1e300
"""Less than any logarithm of what can be."""

Scope = tuple[int, ...]
"""Numbers of columns, ascending: the axes of a table."""


def cells_of(scope: Scope, sizes: Sequence[int]) -> int:
    """Number of cells of a table.

    >>> cells_of((0, 2), [3, 4, 5])
    15
    """
    return math.prod(sizes[column] for column in scope)


def _eliminated(scopes: Iterable[Scope], sizes: Sequence[int]) -> list[int]:
    """Cliques, as bits, of the triangulated graph in which every scope is within one clique.

    The column whose clique has the fewest cells goes first (minimal weight, Koller and Friedman, section 9.4.3.2).
    """
    neighbours = [1 << column for column in range(len(sizes))]
    for scope in scopes:
        bits = sum(1 << column for column in scope)
        for column in scope:
            neighbours[column] |= bits
    logs = [math.log(size) for size in sizes]
    left = set(range(len(sizes)))

    def weight(column: int) -> float:
        return sum(logs[other] for other in _columns(neighbours[column]))

    weights = {column: weight(column) for column in left}
    cliques: list[int] = []
    while left:
        first = min(left, key=lambda column: (weights[column], column))
        clique = neighbours[first]
        if not any(clique & other == clique for other in cliques):
            cliques.append(clique)
        left.remove(first)
        rest = clique & ~(1 << first)
        for column in _columns(rest):
            neighbours[column] = (neighbours[column] | rest) & ~(1 << first)
        for column in _columns(rest):
            weights[column] = weight(column)
    return cliques


def _columns(bits: int) -> Iterable[int]:
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def tree_cells(scopes: Iterable[Scope], sizes: Sequence[int]) -> int:
    """Cells of all cliques that exact inference over these scopes needs."""
    return sum(
        math.prod(sizes[column] for column in _columns(clique)) for clique in _eliminated(scopes, sizes)
    )


@dataclass(frozen=True)
class JunctionTree:
    """Cliques in an order in which each comes after its parent; what it shares with those before is its separator.

    sizes: codes of each column. parents: position of the parent; the first has none, written as -1. A separator may be
    empty: then the clique is independent of those before.
    """

    sizes: tuple[int, ...]
    cliques: tuple[Scope, ...]
    parents: tuple[int, ...]

    @cached_property
    def separators(self) -> tuple[Scope, ...]:
        """What each clique shares with its parent."""
        return tuple(
            tuple(column for column in clique if parent >= 0 and column in self.cliques[parent])
            for clique, parent in zip(self.cliques, self.parents, strict=True)
        )

    @cached_property
    def away(self) -> tuple[tuple[int, ...], ...]:
        """Axes of each clique that its separator has not."""
        return tuple(
            tuple(axis for axis, column in enumerate(clique) if column not in separator)
            for clique, separator in zip(self.cliques, self.separators, strict=True)
        )

    @cached_property
    def away_from_parent(self) -> tuple[tuple[int, ...], ...]:
        """Axes of each clique's parent that its separator has not."""
        return tuple(
            tuple(axis for axis, column in enumerate(self.cliques[parent]) if column not in separator)
            for parent, separator in zip(self.parents, self.separators, strict=True)
        )

    @cached_property
    def on_child(self) -> tuple[tuple[int, ...], ...]:
        """The shape in which a separator's table multiplies the clique's."""
        pairs = zip(self.separators, self.cliques, strict=True)
        return tuple(self.shape(separator, clique) for separator, clique in pairs)

    @cached_property
    def on_parent(self) -> tuple[tuple[int, ...], ...]:
        """The shape in which a separator's table multiplies that of the clique's parent."""
        pairs = zip(self.separators, self.parents, strict=True)
        return tuple(self.shape(separator, self.cliques[parent]) for separator, parent in pairs)

    def shape(self, scope: Scope, within: Scope | None = None) -> tuple[int, ...]:
        """The shape of a table; within a larger scope, axes of length 1 stand for what is not in it."""
        return tuple(
            self.sizes[column] if column in scope else 1 for column in (scope if within is None else within)
        )

    def home(self, scope: Scope) -> int:
        """The smallest clique that holds a scope."""
        holding = [at for at, clique in enumerate(self.cliques) if set(scope) <= set(clique)]
        return min(holding, key=lambda at: cells_of(self.cliques[at], self.sizes))


def junction_tree(scopes: Iterable[Scope], sizes: Sequence[int]) -> JunctionTree:
    """A junction tree over all columns in which every scope is within one clique.

    The separators are as large as can be: a tree of greatest weight has the running intersection property (Koller and
    Friedman, section 10.4.2).
    """
    cliques = [tuple(_columns(bits)) for bits in _eliminated(scopes, sizes)]
    order, parents = [0], [-1]
    shared = {at: (len(set(cliques[at]) & set(cliques[0])), 0) for at in range(1, len(cliques))}
    while shared:
        at = max(shared, key=lambda at: (shared[at][0], -at))
        _, parent = shared.pop(at)
        parents.append(order.index(parent))
        order.append(at)
        for other, (most, _) in shared.items():
            common = len(set(cliques[other]) & set(cliques[at]))
            if common > most:
                shared[other] = (common, at)
    return JunctionTree(tuple(sizes), tuple(cliques[at] for at in order), tuple(parents))


def _scaled(table: "Floats") -> "tuple[Floats, float]":
    """The table with 1 as its greatest cell, and the logarithm of what it was divided by."""
    most = float(table.max())
    if most == 0:
        raise PolicyError("constraints: no row can fulfil all of them; remove one")
    return table / most, math.log(most)


def beliefs(tree: JunctionTree, logs: "Sequence[Floats]") -> "tuple[list[Floats], float]":
    """The marginal distribution of every clique, and the logarithm of the sum over all cells of the product.

    logs: the logarithm of each clique's factor; -inf for what cannot be. `PolicyError` where nothing can be.
    """
    import numpy as np

    collected, messages, log_sum = [], [np.ones(())] * len(tree.cliques), 0.0
    for log in logs:
        factor, most = _scaled(np.exp(log - max(log.max(), LEAST)))
        collected.append(
            np.where((factor < FLOOR) & (log > -np.inf), FLOOR, factor) if factor.min() < FLOOR else factor
        )
        log_sum += float(max(log.max(), LEAST)) + most
    for at in range(len(tree.cliques) - 1, 0, -1):
        parent = tree.parents[at]
        message, most = _scaled(collected[at].sum(axis=tree.away[at]))
        message = np.where((message < FLOOR) & (message > 0), FLOOR, message)
        messages[at] = message
        collected[parent], more = _scaled(collected[parent] * message.reshape(tree.on_parent[at]))
        log_sum += most + more
    total = float(collected[0].sum())
    collected[0] /= total
    for at in range(1, len(tree.cliques)):
        parent = tree.parents[at]
        share = collected[parent].sum(axis=tree.away_from_parent[at])
        share = np.divide(share, messages[at], out=np.zeros_like(share), where=messages[at] > 0)
        collected[at] *= share.reshape(tree.on_child[at])
        # a message is the sum that was scaled to a maximum of 1; so is what it is divided by
        collected[at] /= collected[at].sum()
    return collected, log_sum + math.log(total)

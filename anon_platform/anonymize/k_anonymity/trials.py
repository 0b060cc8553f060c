"""Nodes of a lattice that a search looked at, and the best of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from anon_platform.anonymize.k_anonymity.look import Gone, Look, Node, Seen
from anon_platform.anonymize.k_anonymity.price import Costs

HAIR = 1e-12
"""Losses that differ by less are equal: their sums were made in two orders."""


@dataclass(frozen=True)
class Best:
    """A node that meets the demand."""

    node: Node
    loss: float
    gone: Gone


@dataclass
class Trials:
    """A search under way.

    allowed: records that may be suppressed. seconds: to stop after, as soon as there is a result; None: never. learn:
    hears every node that is looked at, and what the look shows.
    """

    look: Look
    costs: Costs
    allowed: int
    seconds: float | None = None
    learn: Callable[[Node, Seen], None] | None = None
    best: Best | None = None
    evaluated: int = 0
    _begun: float = field(default_factory=monotonic)

    @property
    def late(self) -> bool:
        """Whether to stop now."""
        return self.best is not None and self.seconds is not None and monotonic() - self._begun > self.seconds

    @property
    def limit(self) -> float:
        """The loss to be below, ∞ as long as there is no result."""
        return float("inf") if self.best is None else self.best.loss

    def at(self, node: Node) -> tuple[Best | None, Seen]:
        """A look at `node`: what it is worth, None when it suppresses too much; and what the look shows.

        Equal losses: the node that comes first in level order is the best one, so the result does not depend on chance.
        """
        seen = self.look.at(node)
        self.evaluated += 1
        if self.learn is not None:
            self.learn(node, seen)
        if seen.gone.records > self.allowed:
            return None, seen
        found = Best(node, self.costs.loss(node, seen.gone), seen.gone)
        if self.best is None or _precedes(found, self.best):
            self.best = found
        return found, seen


def _precedes(found: Best, best: Best) -> bool:
    """Whether a node loses less than the best one, or as much and comes first in level order."""
    if abs(found.loss - best.loss) <= HAIR:
        return found.node < best.node
    return found.loss < best.loss

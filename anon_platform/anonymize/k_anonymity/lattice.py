"""Full-domain search: which level for each quasi-identifier meets the demand at the least loss.

Nodes of the lattice are tuples of levels. A lattice that fits in memory is searched until the best node is proven, or
time is over; a larger one by descent from its coarsest node.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from anon_platform.anonymize.hierarchy import Ladder
from anon_platform.anonymize.k_anonymity.demand import Demand
from anon_platform.anonymize.k_anonymity.descent import descend
from anon_platform.anonymize.k_anonymity.exact import exact
from anon_platform.anonymize.k_anonymity.grouped import Grouped
from anon_platform.anonymize.k_anonymity.look import Node, look, upward
from anon_platform.anonymize.k_anonymity.price import Costs, Prices, prices
from anon_platform.anonymize.k_anonymity.trials import HAIR, Trials

__all__ = ["ENUMERATED", "Node", "Solution", "search", "upward"]

ENUMERATED = 2_000_000
"""Nodes of a lattice that is kept whole: some 20 bytes each."""


@dataclass(frozen=True)
class Solution:
    """The chosen node.

    loss: by the prices of the search, 0 (nothing lost) to 1. information_loss: the same with all weights equal.
    lower_bound: no node that meets the demand loses less. evaluated: nodes that were looked at, of all `nodes`.
    """

    node: Node
    loss: float
    suppressed: int
    evaluated: int
    nodes: int
    lower_bound: float
    information_loss: float

    @property
    def proven(self) -> bool:
        """Whether no other node loses less."""
        return self.lower_bound >= self.loss - HAIR


def search(
    bottom: Grouped,
    ladders: Sequence[Ladder],
    demand: Demand,
    *,
    at: Prices | None = None,
    seconds: float | None = None,
    enumerated: int = ENUMERATED,
    stay: Node | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Solution | None:
    """The node of least loss that meets the demand; None when none was found that does.

    bottom: classes at the finest levels. at: what labels cost; None: all quasi-identifiers weigh the same. seconds: to
    stop after; the best node so far is the result then, or the first to be found. enumerated: nodes of a lattice that
    is searched whole. stay: a node that is the result if it meets the demand, whatever it loses. progress: hears (nodes decided, all nodes).
    Equal losses: the node that comes first in level order wins, so the result does not depend on chance.
    """
    plain = prices(ladders)
    costs = Costs.of(bottom, ladders, plain if at is None else at)
    trials = Trials(look(bottom, ladders, demand), costs, demand.suppressed, seconds)
    nodes = prod(costs.shape)
    if stay is None or trials.at(stay)[0] is None:
        bound = exact(trials, progress) if nodes <= enumerated else descend(trials, progress)
    else:
        bound = 0.0
    best = trials.best
    if best is None:
        return None
    unweighted = best.loss if at is None else Costs.of(bottom, ladders, plain).loss(best.node, best.gone)
    return Solution(best.node, best.loss, best.gone.records, trials.evaluated, nodes, bound, unweighted)

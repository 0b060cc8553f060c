"""What the light method will measure, known before any data is seen."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from anon_platform.dp.loss import Loss
from anon_platform.dp.synthetic.junction import Scope, tree_cells

FIRST = 0.45
"""Share of the loss for the first marginals: of each column with the target, or of each column."""

CHOOSING = 0.1
"""Share of a round's loss for the choice of its marginals."""


@dataclass(frozen=True)
class Effort:
    """How much is measured and computed.

    rounds: marginals chosen, per column. batch: chosen at once. cells: of the model, unless the first marginals alone need
    more. sampled: rows to compare the source with. steps: of a fit, at most.
    """

    rounds: float
    batch: int
    cells: int
    sampled: int
    steps: int


EFFORTS = {
    "fast": Effort(rounds=1.5, batch=4, cells=1 << 17, sampled=100_000, steps=100),
    "best": Effort(rounds=2, batch=4, cells=1 << 19, sampled=200_000, steps=150),
}


@dataclass(frozen=True)
class Layout:
    """What is measured, before any data is seen. first: scopes of the first marginals; later: candidates for the rest."""

    sizes: tuple[int, ...]
    first: tuple[Scope, ...]
    later: tuple[Scope, ...]
    rounds: int
    cells: int
    first_loss: Loss
    choice_loss: Loss
    later_loss: Loss


def layout(
    sizes: Sequence[int], target: int | None, zeros: Sequence[Scope], loss: Loss, effort: Effort
) -> Layout:
    """The plan of a run: each of the losses is that of one marginal or one choice."""
    every = range(len(sizes))
    first: list[Scope] = [(at,) for at in every]
    if target is not None and len(sizes) > 1:
        first = [scope_of(at, target) for at in every if at != target]
    # what a constraint ties together belongs to the model from the start
    first += [scope for scope in zeros if scope not in first]
    pairs: list[Scope] = [pair for pair in itertools.combinations(every, 2) if pair not in first]
    later = [*pairs]
    if target is not None:
        later += [scope_of(*pair, target) for pair in pairs if target not in pair]
    cells = max(effort.cells, 2 * tree_cells(first, sizes))
    later = [scope for scope in later if tree_cells([*first, scope], sizes) <= cells]
    rounds = min(len(later), math.ceil(effort.rounds * len(sizes))) if len(sizes) > 1 else 0
    shares = [FIRST if rounds else 1.0, *([1 - FIRST] if rounds else [])]
    parts = loss.parts(shares)
    each = parts[0].parts([1.0] * len(first))[0]
    nothing = Loss(loss.measure, 0)
    if not rounds:
        return Layout(tuple(sizes), tuple(first), (), 0, cells, each, nothing, nothing)
    choice, measure = parts[1].parts([1.0] * rounds)[0].parts([CHOOSING, 1 - CHOOSING])
    return Layout(tuple(sizes), tuple(first), tuple(later), rounds, cells, each, choice, measure)


def scope_of(*columns: int) -> Scope:
    """The scope of some columns, each once.

    >>> scope_of(3, 1, 3)
    (1, 3)
    """
    return tuple(sorted(set(columns)))

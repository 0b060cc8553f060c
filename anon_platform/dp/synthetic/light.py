"""The light method: measure what the target needs, then again and again what the model gets most wrong.

Source: McKenna, Mullins, Sheldon and Miklau 2022, AIM: an adaptive and iterative mechanism for differentially private
synthetic data; here the target decides the first marginals, several marginals are chosen per round, and the model is
fitted with an entropy term (fit.py), so that marginals of many cells with little in them do no harm.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from anon_platform.dp.loss import Loss
from anon_platform.dp.noise import Noise, noise_for
from anon_platform.dp.synthetic.choose import choice_for
from anon_platform.dp.synthetic.draw import drawn
from anon_platform.dp.synthetic.fit import Marginal, Model, fitted
from anon_platform.dp.synthetic.junction import Scope, cells_of, junction_tree, tree_cells

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anon_platform.dp.synthetic.coded import Codes

    Counts = NDArray[np.int64]

FIRST = 0.35
"""Share of the loss for the first marginals: of each column with the target, or of each column."""

CHOOSING = 0.1
"""Share of a round's loss for the choice of its marginals."""

PENALTY = 0.25
"""How much of the expected noise of a marginal counts against it in the choice: fits shrink noise, so not all of it."""

ONES, FIRSTS, LATER = 1e4, 300.0, 30.0
"""Spread (fit.py) of the columns, of the first marginals and of those chosen later."""

GRID = 256
"""Scores are whole numbers of 1/256 of a row."""

Progress = Callable[[str, float], None]
"""Told what is done and which part of all it is, both known without the data."""


@dataclass(frozen=True)
class Effort:
    """rounds: marginals chosen, per column. batch: chosen at once. cells: of the model, unless the
    first marginals alone need more. sampled: rows to compare with."""

    rounds: float
    batch: int
    cells: int
    sampled: int
    steps: int


EFFORTS = {
    "fast": Effort(rounds=1.5, batch=4, cells=1 << 16, sampled=100_000, steps=60),
    "best": Effort(rounds=3, batch=2, cells=1 << 19, sampled=200_000, steps=150),
}


@dataclass(frozen=True)
class Taken:
    """A noisy marginal. counts: of the axes of `scope`."""

    scope: Scope
    counts: "Counts"
    noise: Noise


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
        first = [_scope(at, target) for at in every if at != target]
    # what a constraint ties together belongs to the model from the start
    first += [scope for scope in zeros if scope not in first]
    pairs: list[Scope] = [pair for pair in itertools.combinations(every, 2) if pair not in first]
    later = [*pairs]
    if target is not None:
        later += [_scope(*pair, target) for pair in pairs if target not in pair]
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


def _scope(*columns: int) -> Scope:
    return tuple(sorted(columns))


def counted(codes: "Codes", scope: Scope, sizes: Sequence[int]) -> "Counts":
    """The exact marginal. codes: one row a column."""
    import numpy as np

    cells = codes[scope[0]].astype(np.int64)
    for at in scope[1:]:
        cells *= sizes[at]
        cells += codes[at]
    return np.bincount(cells, minlength=cells_of(scope, sizes)).reshape([sizes[at] for at in scope])


@dataclass(frozen=True)
class Learned:
    """The model over merged codes (rare.py), the noisy marginals it was fitted to, and what they and their choice lost.

    rows: noisy number of rows of the source.
    """

    model: Model
    merging: Merging
    first: tuple[Taken, ...]
    later: tuple[Taken, ...]
    spent: Loss
    target: int | None

    @property
    def rows(self) -> float:
        """Noisy number of rows of the source."""
        return self.model.rows

    def drawn(self, rows: int, rng: "np.random.Generator") -> "Codes":
        """Codes of as many rows; one line a column."""
        shares = []
        for column in range(len(self.merging.sizes)):
            scope = _scope(column) if self.target is None else _scope(*{column, self.target})
            table = next((one.counts for one in self.first if one.scope == scope), None)
            if table is None:
                table = _columns(self.first, len(self.merging.places[column]), column)[0]
            lines = table if self.target is None or column < self.target else table.T
            shares.append(
                lines.reshape(-1, len(self.merging.places[column]))
                if False
                else _by_target(table, scope, column)
            )
        return self.merging.parted(drawn(self.model, rows, rng), self.target, shares, rng)


def _apart(scope: Scope, chosen: Sequence[Scope]) -> bool:
    """Whether a scope says nothing of those that were chosen from the same scores."""
    return not any(set(scope) <= set(other) or set(other) <= set(scope) for other in chosen)


def _scores(
    model: Model,
    candidates: "Mapping[Scope, Counts]",
    deviation: float,
    effort: Effort,
    rng: "np.random.Generator",
) -> dict[Scope, int]:
    """How wrong the model is on each candidate: the sum of the differences of its cells, less a part of the noise.

    A row that comes or goes changes one cell by 1, the model's cells not at all: so a score moves by at most GRID a row.
    """
    import numpy as np

    drawn_codes = drawn(model, effort.sampled, rng)
    scores = {}
    for scope, exact in candidates.items():
        expected = counted(drawn_codes, scope, model.tree.sizes) * (GRID * model.rows / effort.sampled)
        wrong = int(np.abs(exact * GRID - np.rint(expected).astype(np.int64)).sum())
        scores[scope] = wrong - round(GRID * PENALTY * deviation * math.sqrt(2 / math.pi) * exact.size)
    return scores


def _fitted(
    plan: Layout,
    taken: Sequence[Taken],
    zeros: "Mapping[Scope, NDArray[np.bool_]]",
    effort: Effort,
    before: Model | None,
) -> Model:
    import numpy as np

    tree = junction_tree([*(one.scope for one in taken), *zeros], plan.sizes)
    weights = np.array([1 / (one.noise.deviation**2 * one.counts.size) for one in taken])
    rows = max(1.0, float(weights @ [one.counts.sum() for one in taken] / weights.sum()))
    marginals = [*_columns(plan.sizes, taken)]
    for at, one in enumerate(taken):
        if len(one.scope) > 1:
            spread = FIRSTS if at < len(plan.first) else LATER
            counts = one.counts.astype(float)
            if one.scope in zeros:
                counts[zeros[one.scope]] = 0
            marginals.append(Marginal(one.scope, counts, one.noise.deviation, spread))
    return fitted(tree, marginals, zeros, rows, before.potentials if before else None, effort.steps)


def _columns(sizes: Sequence[int], taken: Sequence[Taken]) -> list[Marginal]:
    """The counts of each column: the mean of what all noisy marginals say of it, weighted by their variances."""
    import numpy as np

    found = []
    for column in range(len(sizes)):
        sums, weights = np.zeros(sizes[column]), 0.0
        for one in taken:
            if column in one.scope:
                axes = tuple(axis for axis, other in enumerate(one.scope) if other != column)
                weight = sizes[column] / (one.noise.deviation**2 * one.counts.size)
                sums += weight * one.counts.sum(axis=axes)
                weights += weight
        found.append(Marginal((column,), sums / weights, weights**-0.5, ONES))
    return found

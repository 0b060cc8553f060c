"""The light method: measure what the target needs, then again and again what the model gets most wrong.

Source: McKenna, Mullins, Sheldon and Miklau 2022, AIM: an adaptive and iterative mechanism for differentially private
synthetic data; here the target decides the first marginals, several marginals are chosen per round, and the model is
fitted with an entropy term (fit.py), so that marginals of many cells with little in them do no harm.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from anon_platform.dp.loss import Loss
from anon_platform.dp.noise import Noise, noise_for
from anon_platform.dp.synthetic.choose import Choice, choice_for
from anon_platform.dp.synthetic.draw import drawn
from anon_platform.dp.synthetic.fit import Marginal, Model, fitted
from anon_platform.dp.synthetic.junction import Scope, cells_of, junction_tree, tree_cells
from anon_platform.dp.synthetic.layout import Effort, Layout, scope_of
from anon_platform.dp.synthetic.rare import Merging, merging

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anon_platform.dp.synthetic.coded import Codes

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Zeros = Mapping[Scope, NDArray[np.bool_]]

PENALTY = 0.25
"""How much of the expected noise of a marginal counts against it in the choice: fits shrink noise, so not all of it."""

ONES, FIRSTS, LATER = 1e4, 300.0, 30.0
"""Spread (fit.py) of the columns, of the first marginals and of those chosen later."""

RARE = 1.0
"""Codes with fewer rows than so many deviations of the later noise are rare."""

GRID = 256
"""Scores are whole numbers of 1/256 of a row."""

Progress = Callable[[str, float], None]
"""Told what is done and which part of all it is, both known without the data."""


@dataclass(frozen=True)
class Taken:
    """A noisy marginal. counts: of the axes of `scope`; of the later ones over merged codes."""

    scope: Scope
    counts: "Counts"
    noise: Noise


@dataclass(frozen=True)
class Learned:
    """The model over merged codes (rare.py), the noisy marginals it was fitted to, and what they and their choice lost."""

    model: Model
    merging: Merging
    target: int | None
    first: tuple[Taken, ...]
    later: tuple[Taken, ...]
    spent: Loss

    def drawn(self, rows: int, rng: "np.random.Generator") -> "Codes":
        """Codes of as many rows; one line a column."""
        shares = [self._shares(column) for column in range(len(self.merging.sizes))]
        return self.merging.parted(drawn(self.model, rows, rng), self.target, shares, rng)

    def _shares(self, column: int) -> "Floats":
        """Noisy counts of a column's codes, one line a code of the target."""
        scope = scope_of(column, column if self.target is None else self.target)
        counts = next((one.counts for one in self.first if one.scope == scope), self.first[0].counts)
        if self.target is None or column == self.target:
            return counts.reshape(1, -1).astype(float)
        return (counts.T if column < self.target else counts).astype(float)


@dataclass(frozen=True)
class Table:
    """A noisy marginal over merged codes, with the variance of each cell."""

    scope: Scope
    counts: "Floats"
    variances: "Floats"
    spread: float


def counted(codes: "Codes", scope: Scope, sizes: Sequence[int]) -> "Counts":
    """The exact marginal. codes: one line a column."""
    import numpy as np

    cells = codes[scope[0]].astype(np.int64)
    for at in scope[1:]:
        cells *= sizes[at]
        cells += codes[at]
    return np.bincount(cells, minlength=cells_of(scope, sizes)).reshape([sizes[at] for at in scope])


def learned(
    codes: "Codes", plan: Layout, target: int | None, zeros: "Zeros", contribution: int,
    effort: Effort, rng: "np.random.Generator", progress: Progress,
) -> Learned:  # fmt: skip
    """What noisy marginals say of the codes: one line a column, one place a row, in no order.

    contribution: most rows of a person. rng: of the rows drawn to compare with, which is no part of the privacy.
    """
    noise = cache(lambda loss: noise_for(loss, contribution))
    first: list[Taken] = []
    for at, scope in enumerate(plan.first):
        progress("first marginals", at / len(plan.first) * 0.2)
        first.append(_measured(codes, scope, plan.sizes, noise(plan.first_loss)))
    spent = sum((one.noise.loss for one in first[1:]), start=first[0].noise.loss)
    merged = _merging(plan, first, target, zeros, noise(plan.later_loss) if plan.rounds else None)
    tables = [_table(one, merged, zeros) for one in first]
    model = _fitted(merged.sizes, tables, zeros, effort, None)
    if not plan.rounds:
        return Learned(model, merged, target, tuple(first), (), spent)
    codes, later_noise = merged.merged(codes), noise(plan.later_loss)
    choice = choice_for(plan.choice_loss, GRID * contribution)
    candidates = {scope: counted(codes, scope, merged.sizes) for scope in plan.later}
    later: list[Taken] = []
    while len(later) < plan.rounds:
        progress("further marginals", 0.2 + 0.8 * len(later) / plan.rounds)
        scores = _scores(model, candidates, later_noise.deviation, effort, rng)
        scopes = [table.scope for table in tables]
        most = min(effort.batch, plan.rounds - len(later))
        chosen = _chosen(scores, choice, scopes, merged.sizes, plan.cells, most)
        if not chosen:
            break
        new = [_measured(codes, scope, merged.sizes, later_noise) for scope in chosen]
        later += new
        spent = sum((choice.loss + one.noise.loss for one in new), start=spent)
        tables += [_plain(one, LATER) for one in new]
        candidates = {scope: counts for scope, counts in candidates.items() if scope not in chosen}
        model = _fitted(merged.sizes, tables, zeros, effort, model)
    return Learned(model, merged, target, tuple(first), tuple(later), spent)


def _measured(codes: "Codes", scope: Scope, sizes: Sequence[int], noise: Noise) -> Taken:
    return Taken(scope, noise.added_to(counted(codes, scope, sizes)), noise)


def _plain(one: Taken, spread: float) -> Table:
    """A noisy marginal as it is."""
    import numpy as np

    return Table(
        one.scope, one.counts.astype(float), np.full(one.counts.shape, one.noise.deviation**2), spread
    )


def _chosen(
    scores: Mapping[Scope, int],
    choice: Choice,
    scopes: Sequence[Scope],
    sizes: Sequence[int],
    cells: int,
    most: int,
) -> list[Scope]:
    """Scopes of high score, each of which leaves the model small enough; none says anything of another."""
    import numpy as np

    chosen: list[Scope] = []
    while len(chosen) < most:
        fitting = [
            scope
            for scope in scores
            if _apart(scope, chosen) and tree_cells([*scopes, *chosen, scope], sizes) <= cells
        ]
        if not fitting:
            break
        chosen.append(fitting[choice.among(np.array([scores[scope] for scope in fitting]))])
    return chosen


def _apart(scope: Scope, chosen: Sequence[Scope]) -> bool:
    """Whether a scope says nothing of those that were chosen from the same scores."""
    return not any(set(scope) <= set(other) or set(other) <= set(scope) for other in chosen)


def _merging(
    plan: Layout, first: Sequence[Taken], target: int | None, zeros: "Zeros", later: Noise | None
) -> Merging:
    """Rare codes share one, but in columns of constraints and in the target; nothing is rare if nothing more is measured."""
    import numpy as np

    columns = range(len(plan.sizes))
    ones = _columns([_plain(one, FIRSTS) for one in first], len(plan.sizes))
    kept = {column for scope in zeros for column in scope} | ({target} if target is not None else set())
    if later is None:
        kept = set(columns)
    least = [
        max(RARE * (later.deviation if later else 0), 3 * float(np.sqrt(one.variances.max()))) for one in ones
    ]
    return merging(plan.sizes, [one.counts for one in ones], least, kept)


def _table(one: Taken, merged: Merging, zeros: "Zeros") -> Table:
    """A first marginal over merged codes."""
    import numpy as np

    counts = one.counts.astype(float)
    if one.scope in zeros:
        # rows of the source that break a constraint count as if they did not
        counts[zeros[one.scope]] = 0
    variances = np.full(counts.shape, one.noise.deviation**2)
    return Table(one.scope, merged.table(counts, one.scope), merged.table(variances, one.scope), FIRSTS)


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

    sample = drawn(model, effort.sampled, rng)
    scores = {}
    for scope, exact in candidates.items():
        expected = counted(sample, scope, model.tree.sizes) * (GRID * model.rows / effort.sampled)
        wrong = int(np.abs(exact * GRID - np.rint(expected).astype(np.int64)).sum())
        scores[scope] = wrong - round(GRID * PENALTY * deviation * math.sqrt(2 / math.pi) * exact.size)
    return scores


def _fitted(
    sizes: Sequence[int], tables: Sequence[Table], zeros: "Zeros", effort: Effort, before: Model | None
) -> Model:
    import numpy as np

    tree = junction_tree([*(table.scope for table in tables), *zeros], sizes)
    weights = np.array([1 / table.variances.sum() for table in tables])
    rows = max(1.0, float(weights @ [table.counts.sum() for table in tables] / weights.sum()))
    marginals = [
        Marginal(table.scope, table.counts, np.sqrt(table.variances), table.spread)
        for table in [*_columns(tables, len(sizes)), *(table for table in tables if len(table.scope) > 1)]
    ]
    return fitted(tree, marginals, zeros, rows, before.potentials if before else None, effort.steps)


def _columns(tables: Sequence[Table], columns: int) -> list[Table]:
    """The counts of each column: the mean of what all noisy marginals say of it, weighted by their variances."""
    import numpy as np

    found = []
    for column in range(columns):
        of_column = [table for table in tables if column in table.scope]
        away = [
            tuple(axis for axis, other in enumerate(table.scope) if other != column) for table in of_column
        ]
        weights = np.array(
            [1 / one.variances.sum(axis=axes) for one, axes in zip(of_column, away, strict=True)]
        )
        sums = np.array([one.counts.sum(axis=axes) for one, axes in zip(of_column, away, strict=True)])
        counts = (weights * sums).sum(axis=0) / weights.sum(axis=0)
        found.append(Table((column,), counts, 1 / weights.sum(axis=0), ONES))
    return found

"""The distribution that agrees with noisy marginals, as far as their noise lets them be believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.dp.synthetic.junction import JunctionTree, Scope, beliefs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Marginal:
    """A noisy table of counts. counts: one axis a column, in the order of `scope`. deviations: of the noise, per cell.

    spread: how far cells may be from the rest of the model before noise is the better explanation, as variance per
    expected row; infinite belief in the counts makes the model repeat their noise.
    """

    scope: Scope
    counts: "Floats"
    deviations: "Floats"
    spread: float


@dataclass(frozen=True)
class Model:
    """A distribution over all columns: a product of tables on the cliques of a junction tree, times `rows`.

    potentials: logarithm of one factor per scope. zeros: per scope, True where cells cannot be.
    """

    tree: JunctionTree
    potentials: "Mapping[Scope, Floats]"
    zeros: "Mapping[Scope, NDArray[np.bool_]]"
    rows: float

    def cliques(self) -> "list[Floats]":
        """The marginal distribution of each clique."""
        return beliefs(self.tree, _logs(self.tree, self.potentials, self.zeros))[0]


def _logs(
    tree: JunctionTree, potentials: "Mapping[Scope, Floats]", zeros: "Mapping[Scope, NDArray[np.bool_]]"
) -> "list[Floats]":
    import numpy as np

    logs = [np.zeros(tree.shape(clique)) for clique in tree.cliques]
    for scope, potential in potentials.items():
        at = tree.home(scope)
        logs[at] += potential.reshape(tree.shape(scope, tree.cliques[at]))
    for scope, impossible in zeros.items():
        at = tree.home(scope)
        logs[at][
            np.broadcast_to(impossible.reshape(tree.shape(scope, tree.cliques[at])), logs[at].shape)
        ] = -np.inf
    return logs


def fitted(
    tree: JunctionTree,
    marginals: "Sequence[Marginal]",
    zeros: "Mapping[Scope, NDArray[np.bool_]]",
    rows: float,
    start: "Mapping[Scope, Floats] | None" = None,
    steps: int = 100,
) -> Model:
    """The distribution of greatest entropy whose marginals are near the noisy ones, the nearer the less noise they have.

    It is the smallest point of N log Z(φ) − Σ φ·y + Σ (σ²/2s) |φ|² over the potentials φ, where y are the noisy counts,
    σ their noise, s the spread: the dual of least squares with an entropy term. marginals: one a scope.
    Source: Dudík, Phillips and Schapire 2007, Maximum entropy density estimation with generalized regularization,
    section 4; McKenna, Sheldon and Miklau 2019, Graphical-model based estimation, for inference on noisy marginals.
    """
    import numpy as np
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    sizes = [one.counts.size for one in marginals]
    ends = np.cumsum([0, *sizes])
    y = np.concatenate([one.counts.ravel() for one in marginals])
    ridge = np.concatenate([one.deviations.ravel() ** 2 / one.spread for one in marginals])
    homes = [tree.home(one.scope) for one in marginals]
    shapes = [tree.shape(one.scope, tree.cliques[home]) for one, home in zip(marginals, homes, strict=True)]
    axes = [
        tuple(axis for axis, column in enumerate(tree.cliques[home]) if column not in one.scope)
        for one, home in zip(marginals, homes, strict=True)
    ]
    fixed = _logs(tree, {}, zeros)
    # coordinates in which the curvature is about 1
    scale = 1 / np.sqrt(np.maximum(y, 1) + ridge)

    def tables(potentials: "Floats") -> "list[Floats]":
        logs = [log.copy() for log in fixed]
        for at, (home, shape) in enumerate(zip(homes, shapes, strict=True)):
            logs[home] += potentials[ends[at] : ends[at + 1]].reshape(shape)
        return logs

    def value(scaled: "Floats") -> "tuple[float, Floats]":
        potentials = scaled * scale
        found, log_sum = beliefs(tree, tables(potentials))
        mu = np.concatenate(
            [found[home].sum(axis=away).ravel() for home, away in zip(homes, axes, strict=True)]
        )
        pulled = ridge * potentials
        loss = rows * log_sum - potentials @ y + potentials @ pulled / 2
        return loss / rows, (rows * mu - y + pulled) * scale / rows

    first = np.zeros(len(y))
    if start:
        for at, one in enumerate(marginals):
            if one.scope in start:
                first[ends[at] : ends[at + 1]] = start[one.scope].ravel()
    options = {"maxiter": steps, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-7}
    with threadpool_limits(1):  # vectors this short are not worth waking other cores
        done = minimize(value, first / scale, jac=True, method="L-BFGS-B", options=options)
    best = done.x * scale
    potentials = {
        one.scope: best[ends[at] : ends[at + 1]].reshape(one.counts.shape) for at, one in enumerate(marginals)
    }
    return Model(tree, potentials, zeros, rows)

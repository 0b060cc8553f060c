"""Scores from noisy gradients.

Nori, Caruana, Bu, Shen and Kulkarni 2021, Accuracy, Interpretability, and Differential Privacy via Explainable Boosting:
sums of residuals per bin, with Gaussian noise, move the scores of the bins. Here all features move at once, by a step of
Newton's method as the noisy counts of the bins say, so that few rounds suffice. Whatever depends on a row is counted in whole
numbers: the probability of a row comes from a table of all scores, and is the same wherever the row stands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.dp.loss import Loss, Measure
from anon_platform.dp.models.design import ONE, Feature
from anon_platform.dp.models.people import UNIT, People, averaged
from anon_platform.dp.noise import Noise, moved, noise_for, total

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Floats = NDArray[np.float64]

GRID = 1 << 10
"""Scores are whole numbers of 1/1024."""

FAR = 16
"""Beyond this score a probability does not change; e⁻¹⁶ is one in nine million."""

COUNTING = 0.1
"""Share of the loss for counts of the bins."""

STEP = 0.25
"""Part of Newton's step, which knows nothing of other features."""


@dataclass(frozen=True)
class Sums:
    """What is measured, before any data is seen: counts of bins once, gradients in every round.

    Sensitivities: with `people` whose rows differ, each of F features and one total move by a person's weight at most.
    """

    counts: Noise
    gradients: Noise
    rounds: int
    limit: int
    """Units that a person moves the gradient of a feature by."""

    @property
    def spent(self) -> Loss:
        """What OpenDP proves that all of it loses."""
        return total([self.counts, *[self.gradients] * self.rounds])


def planned_sums(loss: Loss, features: int, rounds: int, clip: float, people: int) -> Sums:
    """The noise on everything, within the loss. people: 1 where neighbours have one person more, 2 where one is changed."""
    counting, rest = Loss(loss.measure, loss.units).parts([COUNTING, 1 - COUNTING])
    limit = max(1, int(clip * UNIT))
    each = rest.parts([1.0] * rounds)[0]
    return Sums(
        noise_for(counting, _moved(loss.measure, features, UNIT * people)),
        noise_for(each, _moved(loss.measure, features, limit * ONE * people)),
        rounds,
        limit,
    )


def _moved(measure: Measure, features: int, by: int) -> float:
    return moved(measure, features + 1, by)


@dataclass(frozen=True)
class Scores:
    """A fitted model in whole numbers of 1/`GRID`: `intercept`, and per feature the score of each code.

    counts: noisy people by code of each feature, at least 1.
    """

    intercept: int
    scores: "tuple[Whole, ...]"
    counts: "tuple[Floats, ...]"

    def of(self, codes: "NDArray[np.int32]") -> "Whole":
        """The score of each row."""
        import numpy as np

        found = np.full(codes.shape[1], self.intercept, np.int64)
        for each, line in zip(self.scores, codes, strict=True):
            found += each[line]
        return found


def counted(people: People, features: Sequence[Feature]) -> "Whole":
    """Parts of people by code, feature after feature, then how many are positive."""
    import numpy as np

    weights = people.weights() if people.rows else np.zeros(0, np.int64)
    sums = [
        np.bincount(line, weights, minlength=len(feature.place)).astype(np.int64)
        for feature, line in zip(features, people.codes, strict=True)
    ]
    return np.concatenate([*sums, [int((weights * people.positive).sum())]]).astype(np.int64)


def gradient(people: People, features: Sequence[Feature], model: Scores, limit: int) -> "Whole":
    """Per coefficient the sum of its rows' residuals, averaged by person, times the values; then the sum of all times `ONE`."""
    import numpy as np

    at = np.clip(model.of(people.codes), -FAR * GRID, FAR * GRID) + FAR * GRID
    residuals = averaged(people, people.positive * UNIT - _probabilities()[at], limit)
    sums = [
        feature.summed(np.bincount(line, residuals, minlength=len(feature.place)).astype(np.int64))
        for feature, line in zip(features, people.codes, strict=True)
    ]
    return np.concatenate([*sums, [int(residuals.sum()) * ONE]]).astype(np.int64)


def _probabilities() -> "Whole":
    """Of each score on the grid the probability, in units."""
    import numpy as np

    scores = np.arange(-FAR * GRID, FAR * GRID + 1) / GRID
    return np.rint(UNIT / (1 + np.exp(-scores))).astype(np.int64)


def descended(
    people: People, features: Sequence[Feature], sums: Sums, progress: Callable[[float], None]
) -> Scores:
    """The model after all rounds. From the noisy sums on everything is post-processing, and may be of floats."""
    import numpy as np

    noisy = sums.counts.added_to(counted(people, features)) / UNIT
    counts = [np.maximum(each, 1.0) for each in _split(noisy[:-1], [len(each.place) for each in features])]
    everybody = max(2.0, float(np.mean([each.sum() for each in counts])))
    share = float(np.clip(noisy[-1] / everybody, 1 / everybody, 1 - 1 / everybody))
    pace = Pace(share * (1 - share), sums.counts.deviation / UNIT, sums.gradients.deviation / (UNIT * ONE))
    intercept = float(np.log(share / (1 - share)))
    coefficients = [np.zeros(each.size) for each in features]
    model = _on_grid(features, coefficients, intercept, counts)
    for done in range(sums.rounds):
        progress(done / sums.rounds)
        drawn = sums.gradients.added_to(gradient(people, features, model, sums.limit)) / (UNIT * ONE)
        overall = float(drawn[-1])
        sizes = [feature.size for feature in features]
        for at, (feature, each) in enumerate(zip(features, _split(drawn[:-1], sizes), strict=True)):
            coefficients[at] = coefficients[at] + pace.step(each, overall, feature, counts[at])
        intercept += float(pace.of(np.asarray(overall), np.asarray(everybody)))
        model = _on_grid(features, coefficients, intercept, counts)
    return model


@dataclass(frozen=True)
class Pace:
    """How far a noisy gradient moves scores. curvature: of a person's loss; deviations of the noise, in people."""

    curvature: float
    of_counts: float
    of_gradients: float

    def of(self, gradient: "Floats", mass: "Floats") -> "Floats":
        """Newton's step c·n in the direction of the gradient, held back as Wiener's filter does by σ²/c·n.

        So a bin that noise hides hardly moves at all; as such counts also bins of fewer people than the noise on them.
        """
        import numpy as np

        known = self.curvature * np.maximum(mass - self.of_counts, 1.0)
        moved: Floats = STEP * gradient / (self.curvature * mass + self.of_gradients**2 / known)
        return moved

    def step(self, gradient: "Floats", overall: float, feature: Feature, counts: "Floats") -> "Floats":
        """The step of a feature's coefficients: what all rows share is the intercept's, and taken off the gradient."""
        import numpy as np

        value, everybody = feature.value / ONE, float(counts.sum())
        mass = np.bincount(feature.place, value * counts, minlength=feature.size)
        square = np.bincount(feature.place, value**2 * counts, minlength=feature.size).astype(float)
        if feature.straight:
            square = np.maximum(square - mass**2 / everybody, 1.0)
        return self.of(gradient - mass * overall / everybody, square)


def _on_grid(
    features: Sequence[Feature],
    coefficients: "Sequence[Floats]",
    intercept: float,
    counts: "Sequence[Floats]",
) -> Scores:
    """The model in whole numbers. The mean of each feature's scores is taken off: the intercept alone says how many are positive."""
    import numpy as np

    scores = []
    for feature, each, count in zip(features, coefficients, counts, strict=True):
        raw = feature.scores(each)
        mean = float(raw @ count / count.sum())
        scores.append(np.rint(np.clip((raw - mean) * GRID, -FAR * GRID, FAR * GRID)).astype(np.int64))
    limited = int(np.clip(round(intercept * GRID), -FAR * GRID, FAR * GRID))
    return Scores(limited, tuple(scores), tuple(counts))


def _split(values: "Floats", sizes: Sequence[int]) -> "list[Floats]":
    import numpy as np

    return np.split(values, np.cumsum(sizes)[:-1])

"""How good a model is on people who were held out, from noisy counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anon_platform.dp.loss import Loss
from anon_platform.dp.models.descent import GRID, Scores
from anon_platform.dp.models.people import UNIT, People
from anon_platform.dp.noise import Noise, moved, noise_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CELLS = 24
"""Ranges of scores that people are counted in."""

WIDER = 1.25
"""Features that go together spread scores further than their own spreads say."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Evaluation:
    """Noisy counts of people by range of scores, and what they say. auc: with its interval, None where noise is all there is.

    edges: scores between the ranges; negative, positive: people in each range, with noise, a person's rows shared out.
    """

    auc: tuple[float, float, float] | None
    edges: tuple[float, ...]
    negative: tuple[float, ...]
    positive: tuple[float, ...]
    deviation: float
    """Standard deviation of the noise on each count."""

    def as_json(self) -> dict[str, Any]:
        """As the model's file and card tell it."""
        auc, low, high = self.auc or (None, None, None)
        return {
            "auc": auc,
            "low": low,
            "high": high,
            "confidence": CONFIDENCE,
            "noise_deviation": round(self.deviation, 2),
            "edges": list(self.edges),
            "negative": list(self.negative),
            "positive": list(self.positive),
        }


def planned_counts(loss: Loss, people: int) -> Noise:
    """The noise on each count. people: 1 where neighbours have one person more, 2 where one is changed."""
    return noise_for(Loss(loss.measure, loss.units), moved(loss.measure, 1, UNIT * people))


def evaluated(people: People, model: Scores, noise: Noise) -> Evaluation:
    """The evaluation of a model that was trained on others: `people` have no part in it but in these counts."""
    import numpy as np

    edges = edges_of(model)
    noisy = noise.added_to(counted_by_score(people, model, edges)) / UNIT
    negative, positive = noisy[:CELLS], noisy[CELLS:]
    deviation = noise.deviation / UNIT
    return Evaluation(
        area(negative, positive, deviation),
        tuple(float(edge) for edge in edges / GRID),
        tuple(np.round(negative, 2).tolist()),
        tuple(np.round(positive, 2).tolist()),
        deviation,
    )


def edges_of(model: Scores) -> "NDArray[np.int64]":
    """Scores between ranges that hold about as many people each, as far as the model and its noisy counts tell."""
    import numpy as np
    from scipy.stats import norm

    spread = sum(
        float(counts @ (scores - scores @ counts / counts.sum()) ** 2 / counts.sum())
        for scores, counts in zip(model.scores, model.counts, strict=True)
    )
    places = norm.ppf(np.arange(1, CELLS) / CELLS)
    edges: NDArray[np.int64] = np.rint(model.intercept + WIDER * max(1.0, spread**0.5) * places).astype(
        np.int64
    )
    return edges


def counted_by_score(people: People, model: Scores, edges: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Parts of people in each range, first of those whose target is not positive."""
    import numpy as np

    if not people.rows:
        return np.zeros(2 * CELLS, np.int64)
    at = np.searchsorted(edges, model.of(people.codes), side="right") + CELLS * people.positive
    return np.bincount(at, people.weights(), minlength=2 * CELLS).astype(np.int64)


def area(negative: "Floats", positive: "Floats", deviation: float) -> tuple[float, float, float] | None:
    """The area under the curve with its 95 % interval, from noisy counts by range, the lowest scores first; ties half.

    The variance is that of the people drawn (DeLong, DeLong and Clarke-Pearson 1988) and that of the noise (by its
    derivative). None where a class is not clearly larger than the noise on it.

    >>> import numpy as np
    >>> found = area(np.array([60.0, 30, 10]), np.array([10.0, 30, 60]), 0.1)
    >>> [round(each, 3) for each in found]
    [0.825, 0.77, 0.879]
    """
    import numpy as np
    from scipy.stats import norm

    both = float(negative.sum()), float(positive.sum())
    if min(both) <= 3 * deviation * len(negative) ** 0.5 or min(both) <= 2:  # noqa: PLR2004 - three deviations, and people
        return None
    below = (np.cumsum(negative) - negative / 2) / both[0]
    above = (positive.sum() - np.cumsum(positive) + positive / 2) / both[1]
    auc = float(positive @ below) / both[1]
    drawn = _variance(positive, below) / both[1] + _variance(negative, above) / both[0]
    slopes = np.concatenate([(below - auc) / both[1], (above - auc) / both[0]])
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * (drawn + deviation**2 * float(slopes @ slopes)) ** 0.5
    if not 0 <= auc <= 1:
        return None
    return round(auc, 4), round(max(0.0, auc - half), 4), round(min(1.0, auc + half), 4)


def _variance(counts: "Floats", placements: "Floats") -> float:
    weights: Sequence[float] | Floats = counts.clip(min=0)
    mean = float(placements @ weights) / float(sum(weights))
    return float(weights @ (placements - mean) ** 2) / float(sum(weights))

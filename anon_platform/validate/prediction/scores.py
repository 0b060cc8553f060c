"""How good scores are, weighted: areas under curves, Brier score, accuracy, for one weighting of the rows or many."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CHANCE = 0.5
"""The area under the curve of a coin."""

CUT = 0.5
"""Scores from it on say that the event will be; for accuracy."""


def lost_lift(before: float, after: float) -> float:
    """(before − after) / (before − 0.5), of two areas under the curve; 0 when the first is no better than chance.

    >>> lost_lift(0.7, 0.68)
    0.1
    """
    return round((before - after) / (before - 0.5), 12) if before > CHANCE else 0.0


def area_under_curve(truth: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Probability that a positive scores above a negative, ties half; weighted by `weights`.

    Source: Hanley, McNeil 1982. NaN when a class is missing.

    >>> area_under_curve(np.array([True, False, True]), np.array([0.9, 0.4, 0.4]))
    0.75
    """
    return float(Ranked.of(truth, scores).area_under_curve(_one(weights, len(scores)))[0])


def average_precision(truth: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Area under the precision-recall curve as a sum over its steps: Σ (recall gained) × precision. NaN without positives.

    Source: Davis, Goadrich 2006; without interpolation, as scikit-learn has it.

    >>> round(average_precision(np.array([True, False, True]), np.array([0.9, 0.5, 0.4])), 6)
    0.833333
    """
    return float(Ranked.of(truth, scores).average_precision(_one(weights, len(scores)))[0])


def brier_score(truth: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Mean of (score − truth)², 0 to 1. Source: Brier 1950.

    >>> round(brier_score(np.array([True, False]), np.array([0.8, 0.4])), 6)
    0.1
    """
    return float(np.average((scores - truth) ** 2, weights=weights))


def accuracy(truth: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Share of rows whose score is on the right side of 0.5."""
    return float(np.average((scores >= CUT) == truth, weights=weights))


def _one(weights: Floats | None, count: int) -> Floats:
    return np.ones((1, count)) if weights is None else np.asarray(weights, np.float64)[None, :]


@dataclass(frozen=True)
class Ranked:
    """Scores in order, so that they need not be sorted for every weighting. groups: where equal scores begin."""

    order: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    truth: Bools

    @classmethod
    def of(cls, truth: Bools, scores: Floats) -> "Ranked":
        """Lowest score first."""
        order = np.argsort(scores, kind="stable")
        ordered = scores[order]
        groups = (
            np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(scores) else np.zeros(0, np.int64)
        )
        return cls(order, groups, truth[order])

    def _sums(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weightings × groups of equal scores: the weight of positives, and of negatives."""
        if not len(self.order):
            return np.zeros((len(weights), 0)), np.zeros((len(weights), 0))
        ordered = weights[:, self.order]
        positive = np.add.reduceat(ordered * self.truth, self.groups, axis=1)
        return positive, np.add.reduceat(ordered, self.groups, axis=1) - positive

    def area_under_curve(self, weights: Floats) -> Floats:
        """As the function of that name. weights: weightings × rows."""
        positive, negative = self._sums(weights)
        below = np.cumsum(negative, axis=1) - negative / 2
        total = positive.sum(axis=1) * negative.sum(axis=1)
        return _over((positive * below).sum(axis=1), total)

    def average_precision(self, weights: Floats) -> Floats:
        """As the function of that name. weights: weightings × rows."""
        positive, negative = (side[:, ::-1] for side in self._sums(weights))
        found = np.cumsum(positive, axis=1)
        flagged = found + np.cumsum(negative, axis=1)
        precision = np.divide(found, flagged, out=np.zeros_like(found), where=flagged > 0)
        return _over((positive * precision).sum(axis=1), positive.sum(axis=1))


def _over(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.full(len(part), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


@dataclass(frozen=True)
class Curve:
    """A ROC curve at 101 false-positive rates, and the area under it."""

    auc: float
    true_positive_rate: list[float]

    @classmethod
    def of(cls, truth: Bools, scores: Floats) -> "Curve":
        """From all scores."""
        from sklearn.metrics import roc_curve

        false_rate, true_rate, _ = roc_curve(truth, scores)
        grid: Any = np.interp(np.linspace(0, 1, 101), false_rate, true_rate)
        return cls(area_under_curve(truth, scores), [round(float(rate), 4) for rate in grid])

"""Whether a chance of 20 % is one: scores beside how often the event came."""

from dataclasses import dataclass

import numpy as np

from anon_platform.validate.prediction.scores import Bools, Floats

BINS = 10

EDGE = 1e-6
"""Scores nearer to 0 or 1 than that have no usable logarithm of the odds."""


@dataclass(frozen=True)
class Calibration:
    """error: expected calibration error, 0 to 1. slope, intercept: of Cox's recalibration; 1 and 0 are perfect.

    curve: for bins of equal size the mean score and the share of events; a bin of too few people is left out.
    """

    error: float
    slope: float | None
    intercept: float | None
    curve: list[tuple[float, float]]


def measure_calibration(truth: Bools, scores: Floats, person: np.ndarray, least: int) -> Calibration:
    """least: people that a bin of the curve needs."""
    bins = np.array_split(np.argsort(scores, kind="stable"), BINS)
    curve = [
        (round(float(scores[part].mean()), 4), round(float(truth[part].mean()), 4))
        for part in bins
        if len(part) and len(np.unique(person[part])) >= least
    ]
    slope, intercept = recalibration(truth, scores)
    return Calibration(calibration_error(truth, scores), slope, intercept, curve)


def calibration_error(truth: Bools, scores: Floats) -> float:
    """Σ bin size / rows × |mean score − share of events| over ten bins of equal size in order of score, 0 to 1.

    Source: Naeini, Cooper, Hauskrecht 2015, section 3, with bins of equal size.

    >>> round(calibration_error(np.array([True, False]), np.array([0.75, 0.25])), 6)
    0.25
    """
    bins = np.array_split(np.argsort(scores, kind="stable"), BINS)
    apart = [abs(float(scores[part].sum() - truth[part].sum())) for part in bins if len(part)]
    return sum(apart) / len(scores) if len(scores) else 0.0


def recalibration(truth: Bools, scores: Floats) -> tuple[float | None, float | None]:
    """Slope and intercept of a logistic regression of the truth on the log odds of the scores; None where all are alike.

    Source: Cox 1958; Steyerberg 2019, section 15.2. Newton's method.
    """
    clipped = np.clip(scores, EDGE, 1 - EDGE)
    odds = np.log(clipped / (1 - clipped))
    if not len(scores) or np.ptp(odds) < EDGE or truth.all() or not truth.any():
        return None, None
    design = np.column_stack([odds, np.ones(len(odds))])
    found = np.array([1.0, 0.0])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -500, 500)))
        gradient = design.T @ (truth - chance)
        weight = np.maximum(chance * (1 - chance), 1e-12)
        step = np.linalg.solve((design * weight[:, None]).T @ design, gradient)
        found = found + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004 - nothing changes
            break
    return float(found[0]), float(found[1])

"""Values and 95 % intervals from noisy vectors, whose noise is known: post-processing, which no longer costs anything."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anon_platform.dp.noise import Noise

Floats = NDArray[np.float64]
Leaves = NDArray[np.int64]
CONFIDENCE = 0.95
MANY = 20
"""Rows are many where they are so many deviations of their noise: then their error is within 15 % at 3 deviations."""


@dataclass(frozen=True)
class Answers:
    """One value a cell with its interval, and the noisy number of rows behind it where that is known."""

    value: Floats
    noise: Floats
    """Standard deviation of the noise in the value; of ratios and quantiles the interval's half over its quantile."""
    low: Floats
    high: Floats
    rows: Floats | None = None


def plain_answers(values: Floats, noise: Noise, worth: float, *, counts: bool) -> Answers:
    """Values with noise added to them. worth: of one whole step. counts: whether the values are numbers of rows."""
    half = noise.half_width(CONFIDENCE)
    return Answers(
        values * worth,
        np.full(len(values), noise.deviation * worth),
        (values - half) * worth,
        (values + half) * worth,
        values if counts else None,
    )


def ratios(
    above: Floats, below: Floats, noises: tuple[Noise, Noise], bound: float, confidence: float
) -> tuple[Floats, Floats]:
    """Lowest and highest above/below that the noise leaves possible, between −bound and bound.

    The set of m for which above − m · below is within the noise of this difference. Source: Fieller 1954, Some Problems in
    Interval Estimation. Where the rows below may be none, everything is possible.
    """
    z = quantile_of(noises, confidence)
    first, second = ((z * noise.deviation) ** 2 for noise in noises)
    a, b, c = below**2 - second, above * below, above**2 - first
    known = (a > 0) & (below > 0)
    root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
    safe = np.where(known, a, 1.0)
    low = np.where(known, (b - root) / safe, -bound)
    high = np.where(known, (b + root) / safe, bound)
    # beyond the bounds no value is possible: the noise was larger than the interval thinks
    beyond = (low > bound) | (high < -bound)
    low, high = np.where(beyond, -bound, low), np.where(beyond, bound, high)
    return np.clip(low, -bound, bound), np.clip(high, -bound, bound)


def means(rows: Floats, sums: Floats, noises: tuple[Noise, Noise], bound: float) -> Answers:
    """Means from noisy numbers of rows and sums, in half steps from the middle; 0 where there seem to be no rows.

    bound: largest absolute value of one row.
    """
    value = np.clip(sums / np.maximum(rows, 1.0), -bound, bound)
    low, high = ratios(sums, rows, (noises[1], noises[0]), bound, CONFIDENCE)
    return _with_noise(value, low, high, rows)


def variances(
    rows: Floats,
    sums: Floats,
    squares: Floats,
    noises: tuple[Noise, Noise, Noise],
    furthest: float,
    square: float,
) -> Answers:
    """Variances (divided by the number of rows), in squared half steps.

    furthest: largest absolute value of one row in `sums`. square: squared half steps that one step of `squares` is worth. The
    interval joins two of 97.5 %, of the mean and of the mean square (Bonferroni): it holds the variance at 95 % or more; of
    many rows that of the delta method is taken, which is about half as long.
    """
    largest = furthest**2 / square
    count = np.maximum(rows, 1.0)
    most = furthest**2  # of values at both bounds, half each
    mean = np.clip(sums / count, -furthest, furthest)
    value = np.clip(squares * square / count - mean**2, 0.0, most)
    half = (1 + CONFIDENCE) / 2
    m1_low, m1_high = ratios(sums, rows, (noises[1], noises[0]), furthest, half)
    m2_low, m2_high = ratios(squares, rows, (noises[2], noises[0]), largest, half)
    nearest = np.where((m1_low <= 0) & (m1_high >= 0), 0.0, np.minimum(m1_low**2, m1_high**2))
    # where rows are many the linear part of the error is nearly all of it, and half as long
    many, half_linear = _linear(rows, sums, squares * square, noises, square)
    low = np.clip(np.maximum(m2_low, 0.0) * square - np.maximum(m1_low**2, m1_high**2), 0.0, most)
    high = np.clip(m2_high * square - nearest, 0.0, most)
    low = np.where(many, np.maximum(value - half_linear, 0.0), low)
    high = np.where(many, np.minimum(value + half_linear, most), high)
    return _with_noise(value, low, high, rows)


def _linear(
    rows: Floats, sums: Floats, squares: Floats, noises: tuple[Noise, Noise, Noise], square: float
) -> tuple[NDArray[np.bool_], Floats]:
    """Where rows are many beside their noise, and there half the interval of squares/rows − (sums/rows)², by its gradient.

    squares: in squared half steps. The squared mean is too large by the variance of the mean's error, which is added.
    """
    z = quantile_of(noises, CONFIDENCE)
    many = rows >= MANY * noises[0].deviation
    count = np.where(many, rows, 1.0)
    mean, mean_square = sums / count, squares / count
    by_rows = (2 * mean**2 - mean_square) * noises[0].deviation
    by_sums = 2 * mean * noises[1].deviation
    by_squares = square * noises[2].deviation
    off = (noises[1].deviation ** 2 + mean**2 * noises[0].deviation ** 2) / count**2
    half = z * np.sqrt(by_rows**2 + by_sums**2 + by_squares**2) / count + off
    return many, np.asarray(half)


def quantile_of(noises: tuple[Noise, ...], confidence: float) -> float:
    """Deviations that hold a sum of noises with this confidence; of Laplace noise never less than one alone needs."""
    return max(noise.half_width(confidence) / noise.deviation for noise in noises)


def leaves_of(first: Floats, share: float, deviations: Floats, z: float) -> tuple[Leaves, Leaves, Leaves]:
    """The leaf of a quantile, and the first and last leaf that may be it; one a row.

    first: estimated counts of the first 1, 2, … leaves, one row a group. deviations: of count − share · count of all.
    A leaf may be the quantile's unless the count up to it is too small, or that before it too large, by more than noise.
    """
    short = first - share * first[:, -1:]
    upward = np.maximum.accumulate(first, axis=1)
    downward = np.minimum.accumulate(first[:, ::-1], axis=1)[:, ::-1]
    between = (upward + downward) / 2 - share * first[:, -1:]
    # a little slack: least squares is exact but for rounding
    slack = 1e-9 * (1 + np.abs(first[:, -1:]))
    leaf = np.argmax(between >= -slack, axis=1)
    leaf = np.where((between >= -slack).any(axis=1), leaf, first.shape[1] - 1)
    enough = short >= -z * deviations - slack
    before = np.concatenate([np.full((len(first), 1), -math.inf), (short - z * deviations)[:, :-1]], axis=1)
    possible = enough & (before <= slack)
    none = ~possible.any(axis=1)
    low = np.where(none, 0, np.argmax(possible, axis=1))
    high = np.where(none, first.shape[1] - 1, first.shape[1] - 1 - np.argmax(possible[:, ::-1], axis=1))
    return leaf, np.minimum(low, leaf), np.maximum(high, leaf)


def _with_noise(value: Floats, low: Floats, high: Floats, rows: Floats) -> Answers:
    from scipy.stats import norm

    low, high = np.minimum(low, value), np.maximum(high, value)
    return Answers(value, (high - low) / 2 / float(norm.ppf((1 + CONFIDENCE) / 2)), low, high, rows)

"""Counts of ranges at several widths, from which all quantiles are read with their intervals.

Noisy counts of every range of 1, 2, 4, … neighbouring leaves (under pure differential privacy, where levels cost more, of
1 and one greater width): a count of the first j leaves then needs few noisy ones.
What the levels say twice is made to agree by least squares: Hay, Rastogi, Miklau and Suciu 2010, Boosting the Accuracy of
Differentially Private Histograms Through Consistency, section 4. Of the trees that are tried the one with the least error is
taken, which the public number of leaves decides.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from anon_platform.dp.loss import Measure

Floats = NDArray[np.float64]
WIDTHS = (4, 8, 16, 32)


@dataclass(frozen=True)
class Tree:
    """Widths of the ranges of every level, finest first, and what the estimates are worth; knows no data."""

    leaves: int
    widths: tuple[int, ...]

    @property
    def nodes(self) -> tuple[int, ...]:
        """Ranges of each level."""
        return tuple(-(-self.leaves // width) for width in self.widths)

    def levels(self, leaves: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Exact counts of every level. leaves: counts, one row a group."""
        return [np.add.reduceat(leaves, np.arange(0, self.leaves, width), axis=1) for width in self.widths]

    def estimated(self, noisy: list[NDArray[np.int64]]) -> Floats:
        """Least-squares counts of the first 1, 2, … leaves, one row a group. noisy: of every level, of equal noise."""
        estimator = _estimator(self.leaves, self.widths)
        return np.asarray(np.concatenate(noisy, axis=1).astype(np.float64) @ estimator.T)

    def deviations(self, share: float) -> Floats:
        """Standard deviations of (count of the first j leaves) − share · (count of all), for noise of deviation 1."""
        covariance = _covariance(self.leaves, self.widths)
        last = covariance[:, -1]
        variance = np.diag(covariance) - 2 * share * last + share**2 * last[-1]
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


@cache
def tree_over(leaves: int, measure: Measure) -> Tree:
    """The tree whose counts of the first leaves have the least mean variance, for one loss that its levels share."""

    def error(tree: Tree) -> float:
        levels = len(tree.widths)
        # a level's part of the loss is 1/levels: its variance grows by levels under zCDP, by the square under pure loss
        return float(np.mean(tree.deviations(0.5) ** 2)) * levels ** (1 if measure == "zcdp" else 2)

    return min((Tree(leaves, widths) for widths in _candidates(leaves, measure)), key=error)


def _candidates(leaves: int, measure: Measure) -> list[tuple[int, ...]]:
    """No level above the leaves; many levels by two under zCDP, where they are cheap; else one level above."""
    if measure == "zcdp":
        widths = [1]
        while widths[-1] * 2 < leaves:
            widths.append(widths[-1] * 2)
        return list(dict.fromkeys([(1,), tuple(widths)]))
    return [(1,), *((1, width) for width in WIDTHS if width < leaves)]


@cache
def _inverse(leaves: int, widths: tuple[int, ...]) -> Floats:
    """Covariance of the least-squares counts of the leaves, for noise of deviation 1: (AᵀA)⁻¹ with a row of A a range."""
    at = np.arange(leaves)
    normal = sum((_alike(at // width) for width in widths), np.zeros((leaves, leaves)))
    return np.asarray(np.linalg.inv(normal))


def _alike(groups: NDArray[np.int64]) -> Floats:
    return np.asarray(groups[:, None] == groups[None, :], dtype=np.float64)


@cache
def _covariance(leaves: int, widths: tuple[int, ...]) -> Floats:
    """Of the counts of the first 1, 2, … leaves."""
    return np.asarray(_inverse(leaves, widths).cumsum(axis=0).cumsum(axis=1))


@cache
def _estimator(leaves: int, widths: tuple[int, ...]) -> Floats:
    """From the noisy counts of all levels, one after the other, to the counts of the first leaves: P (AᵀA)⁻¹ Aᵀ."""
    first = _inverse(leaves, widths).cumsum(axis=0)
    return np.concatenate(
        [np.add.reduceat(first, np.arange(0, leaves, width), axis=1) for width in widths], axis=1
    )

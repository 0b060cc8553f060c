"""Counts of ranges at several widths, from which all quantiles are read with their intervals.

A noisy count of every range of 1, b, b², … neighbouring leaves: a count of the first j leaves then needs few noisy ones.
What the levels say twice is made to agree by weighted least squares: Hay, Rastogi, Miklau and Suciu 2010, Boosting the
Accuracy of Differentially Private Histograms Through Consistency, section 4; the branching is chosen beforehand as the one
with the least error (Qardaji, Yang and Li 2013 found 8 to 16 better than 2).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from anon_platform.dp.loss import Measure

Floats = NDArray[np.float64]
BRANCHINGS = (2, 4, 16, 32)


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
        estimator, _ = _solved(self.leaves, self.widths)
        return np.asarray(np.concatenate(noisy, axis=1).astype(np.float64) @ estimator.T)

    def deviations(self, share: float) -> Floats:
        """Standard deviations of (count of the first j leaves) − share · (count of all), for noise of deviation 1."""
        _, covariance = _solved(self.leaves, self.widths)
        last = covariance[:, -1]
        variance = np.diag(covariance) - 2 * share * last + share**2 * last[-1]
        return np.sqrt(np.maximum(variance, 0.0))


@cache
def tree_over(leaves: int, measure: Measure) -> Tree:
    """The tree whose counts of the first leaves have the least mean variance, for one loss that its levels share."""

    def error(tree: Tree) -> float:
        levels = len(tree.widths)
        # a level's part of the loss is 1/levels: its variance grows by levels under zCDP, by the square under pure loss
        return float(np.mean(tree.deviations(0.5) ** 2)) * levels ** (1 if measure == "zcdp" else 2)

    return min((Tree(leaves, widths) for widths in _candidates(leaves)), key=error)


def _candidates(leaves: int) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [(1,)]
    for branching in BRANCHINGS:
        widths = [1]
        while widths[-1] * branching < leaves:
            widths.append(widths[-1] * branching)
        found += [tuple(widths), (*widths, leaves)]
    return list(dict.fromkeys(found))


@cache
def _solved(leaves: int, widths: tuple[int, ...]) -> tuple[Floats, Floats]:
    """The matrix from noisy levels to prefix counts, and the covariance of these for noise of deviation 1."""
    sums = np.concatenate([_level(leaves, width) for width in widths])
    inverse = np.linalg.inv(sums.T @ sums)
    prefix = np.tri(leaves)
    return prefix @ inverse @ sums.T, prefix @ inverse @ prefix.T


def _level(leaves: int, width: int) -> Floats:
    """One row a range: 1 where the leaf is in it."""
    at = np.arange(leaves) // width
    return np.asarray(at == np.arange(-(-leaves // width))[:, None], dtype=np.float64)

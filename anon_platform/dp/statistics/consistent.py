"""Totals that agree with their parts: what several levels say about the same rows, made one by weighted least squares.

Source: Hay, Rastogi, Miklau and Suciu 2010, Boosting the Accuracy of Differentially Private Histograms Through Consistency.
The least-squares estimate is the best linear unbiased one, so that no cell varies more than its own noisy value does.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg

Floats = NDArray[np.float64]
EXACT = 1e-12
MOST_ROUNDS = 2000


def consistent(
    of: Sequence[NDArray[np.int64]], noisy: Sequence[NDArray[np.int64]], deviations: Sequence[float]
) -> Floats:
    """The values of the finest cells that explain the noisy values of all levels best; totals are their sums.

    of: for each level the number of each finest cell's cell; the first level is the finest cells themselves. noisy: the
    values of each level's cells. deviations: of the noise of each level.

    >>> parts, whole = np.array([0, 1]), np.array([0, 0])
    >>> consistent([parts, whole], [np.array([4, 6]), np.array([13])], [1.0, 1.0]).round(6).tolist()
    [5.0, 7.0]
    """
    weights = [(min(deviations) / deviation) ** 2 for deviation in deviations]
    size = len(of[0])

    def normal(values: Floats) -> Floats:
        flat = np.ravel(values)
        return sum(
            (weight * np.bincount(at, flat)[at] for at, weight in zip(of, weights, strict=True)), np.zeros(size)
        )

    right = sum(
        (weight * level.astype(np.float64)[at] for at, level, weight in zip(of, noisy, weights, strict=True)),
        np.zeros(size),
    )
    operator = LinearOperator((size, size), matvec=normal, dtype=np.float64)
    found, _ = cg(operator, right, x0=noisy[0].astype(np.float64), rtol=EXACT, maxiter=MOST_ROUNDS)
    return np.asarray(found)

"""Inference: a secret guessed from the released records that are nearest in what is known of a person."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.validate.attacks.intervals import Share, wilson
from anon_platform.validate.attacks.sides import Near, Sides, coded


def guessed(
    known: Sequence[Sides],
    secret: pl.Series,
    released: pl.Series,
    tolerance: float,
    confidence: float,
) -> Share:
    """The share of people whose secret is guessed right.

    The guess is the commonest value among the released rows that are nearest in the known columns, the first in order
    where several are. known: their `people` are the attacked, one row each, in the order of `secret`; released: the
    secret of every released row. A number is right when it is off by `tolerance` of the true one at most, other values
    when they are equal; a missing value is a value.
    Source: Giomi et al. 2023 (see `intervals.residual`), the attribute inference attack; there one nearest row is taken.
    """
    from scipy.sparse import csr_array

    if not len(released) or not len(secret):
        return wilson(0, len(secret), confidence)
    near = Near(known)
    distinct, codes = coded(released)
    ones = np.ones(len(codes), np.int64)
    table = csr_array((ones, (near.of, codes)), shape=(len(near.first) - 1, len(distinct)))
    guesses = np.empty(len(secret), np.int64)
    for row in range(len(secret)):
        guesses[row] = int(np.asarray(table[near.nearest(row)].sum(axis=0)).argmax())
    right = right_guesses(secret, distinct.gather(guesses.astype(np.uint32)), tolerance)
    return wilson(int(right.sum()), len(secret), confidence)


def guessed_blindly(secret: pl.Series, released: pl.Series, tolerance: float, confidence: float) -> Share:
    """The same of an attacker who knows nothing of the people and always guesses the commonest released value."""
    if not len(released) or not len(secret):
        return wilson(0, len(secret), confidence)
    distinct, codes = coded(released)
    commonest = int(np.bincount(codes, minlength=len(distinct)).argmax())
    always = distinct.gather([commonest] * len(secret))
    return wilson(int(right_guesses(secret, always, tolerance).sum()), len(secret), confidence)


def right_guesses(truth: pl.Series, guess: pl.Series, tolerance: float) -> npt.NDArray[np.bool_]:
    """Which guesses are right.

    >>> right_guesses(pl.Series([100.0, 100.0, None]), pl.Series([104.0, 106.0, None]), 0.05).tolist()
    [True, False, True]
    """
    if truth.dtype.is_numeric() and guess.dtype.is_numeric():
        first, second = truth.cast(pl.Float64).fill_nan(None), guess.cast(pl.Float64).fill_nan(None)
        near = ((first - second).abs() <= first.abs() * tolerance + 1e-12).fill_null(value=False)
        return np.asarray((near | (first.is_null() & second.is_null())).to_numpy())
    return truth.cast(pl.String).eq_missing(guess.cast(pl.String)).to_numpy()

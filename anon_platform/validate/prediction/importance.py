"""Which features a model leans on, and whether the model of the released rows leans on the same."""

from dataclasses import dataclass

import numpy as np

from anon_platform.validate.prediction.learners import Encoded, Fitted
from anon_platform.validate.prediction.scores import Bools, Floats, area_under_curve

ROWS = 20_000
"""Held-out rows whose features are exchanged, drawn at random."""

TOP = 5


@dataclass(frozen=True)
class Importance:
    """features: by importance before: name, importance before and after, in area under the curve.

    spearman: rank correlation of both over all features; None where one does not vary. top: shared among the first `of`.
    rows: held-out rows that were looked at.
    """

    features: list[tuple[str, float, float]]
    spearman: float | None
    top: int
    of: int
    rows: int


def measure_importance(
    before: tuple[Encoded, Fitted], after: tuple[Encoded, Fitted], truth: Bools, seed: int
) -> Importance:
    """Permutation importance of both models, each on the detail that it was trained on.

    It is what the area under the curve loses when a feature is exchanged among held-out rows. Source: Breiman 2001,
    section 10.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(truth))[:ROWS])
    shuffled = rng.permutation(len(rows))
    names = before[0].names
    found = [permutation_importance(*side, truth, rows, shuffled) for side in (before, after)]
    left, right = found[0], np.array([found[1][after[0].names.index(name)] for name in names])
    order = np.argsort(-left, kind="stable")
    of = min(TOP, len(names))
    top = {*order[:of]} & {*np.argsort(-right, kind="stable")[:of]}
    ranked = [(names[i], round(float(left[i]), 5), round(float(right[i]), 5)) for i in order]
    return Importance(ranked, rank_correlation(left, right), len(top), of, len(rows))


def permutation_importance(
    encoded: Encoded, fitted: Fitted, truth: Bools, rows: np.ndarray, shuffled: np.ndarray
) -> Floats:
    """The loss of each feature, in the encoding's order. shuffled: an order of `rows`."""
    x, known = encoded.test[rows].copy(), truth[rows]
    whole = area_under_curve(known, fitted.scores(x))
    lost = np.zeros(x.shape[1])
    for place in range(x.shape[1]):
        column = x[:, place].copy()
        x[:, place] = column[shuffled]
        lost[place] = whole - area_under_curve(known, fitted.scores(x))
        x[:, place] = column
    return np.nan_to_num(lost)


def rank_correlation(left: Floats, right: Floats) -> float | None:
    """Spearman's rank correlation with mean ranks for ties, -1 to 1; None where one side does not vary.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]))
    0.5
    """
    from scipy.stats import rankdata

    a, b = rankdata(left), rankdata(right)
    if len(a) < 2 or not np.ptp(a) or not np.ptp(b):  # noqa: PLR2004 - one feature has no order
        return None
    return round(float(np.corrcoef(a, b)[0, 1]), 12)

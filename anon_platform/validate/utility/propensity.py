"""Whether a released record can be told from an original one: pMSE beside what chance alone would give."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from anon_platform.validate.utility.coded import Coded, Codes, People
from anon_platform.validate.utility.distances import Floats

PEOPLE = 40_000
"""People who are looked at, half of them by their original record and half by their released one."""

GROUPS = 6
"""Cells of a column that are told apart."""


@dataclass(frozen=True)
class Propensity:
    """pmse: mean of (p − c)², p the chance that a record is a released one as a logistic regression sees it, c their share.

    expected: its mean where both come from one population; ratio: pmse over it. Near 1 nothing is told apart; parameters:
    of the regression, the constant included.
    """

    pmse: float
    expected: float
    ratio: float
    original: int
    released: int
    parameters: int


def measure_propensity(
    columns: Mapping[str, Coded], people: People, rng: np.random.Generator
) -> Propensity | None:
    """Of different people before and after, one record each at original detail; None where nothing can be told.

    Labels are put into cells at random by what they cover. Since nobody is on both sides and nobody twice, records are
    independent of each other, and the expectation holds.
    Source: Woo, Reiter, Oganian, Karr 2009, section 2; Snoke, Raab, Nowok, Dibben, Slavkovic 2018, section 3.
    """
    first, second = one_record_each(people, rng)
    if min(len(first), len(second)) < 2 or not columns:  # noqa: PLR2004 - records to tell apart
        return None
    parts = [_indicators(column, first, second, rng) for column in columns.values()]
    features = np.concatenate(parts, axis=1)
    truth = np.repeat([0.0, 1.0], [len(first), len(second)])
    features = independent(features)
    scores = propensities(features, truth)
    share = len(second) / len(truth)
    pmse, parameters = float(((scores - share) ** 2).mean()), features.shape[1] + 1
    expected = expected_pmse(parameters, len(first), len(second))
    # without a feature nothing can be told, and chance would tell nothing either
    ratio = pmse / expected if expected else 1.0
    return Propensity(pmse, expected, ratio, len(first), len(second), parameters)


def expected_pmse(parameters: int, original: int, released: int) -> float:
    """(k − 1) c (1 − c) / N: the mean pMSE of two independent samples of one population.

    k: parameters of the logistic regression, the constant included; c: released / N; N: all records. The scores' sum of
    squares is c (1 − c) times a χ² with k − 1 degrees of freedom. Snoke et al. 2018, equation 1, have another (1 − c),
    since their synthetic records are drawn from a model of the very originals they are compared with.

    >>> expected_pmse(11, 500, 500)
    0.0025
    """
    total = original + released
    share = released / total
    return (parameters - 1) * share * (1 - share) / total


def one_record_each(people: People, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Positions of one record of each of some people before, and of one of each of some others after, drawn at random."""
    everybody = int(people.before.max()) + 1 if len(people.before) else 0
    drawn = rng.permutation(everybody)[:PEOPLE]
    half = len(drawn) // 2
    found = []
    for rows, chosen in ((people.before, drawn[:half]), (people.after, drawn[half:])):
        wanted = np.zeros(everybody, dtype=bool)
        wanted[chosen] = True
        theirs = rng.permutation(np.flatnonzero(wanted[rows]))
        _, first = np.unique(rows[theirs], return_index=True)
        found.append(np.sort(theirs[first]))
    return found[0], found[1]


def _indicators(column: Coded, first: Codes, second: Codes, rng: np.random.Generator) -> Floats:
    """Records × cells: whether a record is in a cell, for all cells but the first; cells of like size are joined."""
    reached = np.cumsum(column.spread, axis=1)
    luck = rng.random(len(second))
    drawn = (reached[column.after[second]] < luck[:, None] - 1e-12).sum(axis=1)
    cells = np.concatenate([column.before[first], np.minimum(drawn, column.cells - 1)])
    counts = np.bincount(cells, minlength=column.cells)
    group = _joined(counts, ordered=column.number is not None)[cells]
    indicators: Floats = np.eye(int(group.max()) + 1)[group][:, 1:]
    return indicators


def _joined(counts: Codes, *, ordered: bool) -> Codes:
    """The group of each cell: neighbours of numbers with about as many records, of other values the most frequent alone."""
    if ordered:
        known = np.cumsum(np.concatenate([[0], counts[1:]]))
        place = np.minimum((known - counts / 2) * (GROUPS - 1) / max(known[-1], 1), GROUPS - 2).astype(int)
        found = np.where(np.arange(len(counts)) == 0, 0, 1 + np.maximum(place, 0))
    else:
        rank = np.empty(len(counts), int)
        rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        found = np.minimum(rank, GROUPS - 1)
    _, numbered = np.unique(found, return_inverse=True)
    return np.asarray(numbered)


def independent(features: Floats) -> Floats:
    """The features without those that others give: the regression has as many parameters as it can tell apart."""
    from scipy.linalg import qr

    if not features.shape[1]:
        return features
    centred = features - features.mean(axis=0)
    triangle, order = qr(centred.T @ centred, mode="r", pivoting=True)
    size = np.abs(np.diag(triangle))
    rank = int((size > 1e-8 * max(size.max(), 1e-300)).sum()) if len(size) else 0
    kept: Floats = np.take(features, np.sort(order[:rank]), axis=1)
    return kept


def propensities(features: Floats, truth: Floats) -> Floats:
    """The chances of a logistic regression by maximum likelihood, without penalty."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if not features.shape[1]:
        return np.full(len(truth), truth.mean())
    regression = LogisticRegression(C=np.inf, solver="newton-cholesky", max_iter=100, tol=1e-10)
    # several threads wait in busy loops where others need the processors
    with threadpool_limits(limits=1):
        return np.asarray(regression.fit(features, truth).predict_proba(features)[:, 1])

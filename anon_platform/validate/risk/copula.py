"""Population uniqueness by a generative model of the quasi-identifiers: a Gaussian copula with empirical margins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.validate.risk.sample import Floats, Ints

BINS = 20
"""Groups of values, at most, on which the association of two columns is matched."""

POINTS = 512
"""Points of the integration, a power of two."""

RECORDS = 2_000
"""Records drawn for the averages."""

NODES = 24
"""Nodes of the integration within a bin."""

TINY = 1e-300


@dataclass(frozen=True)
class CopulaUniqueness:
    """Averages over records, 0 to 1, of a population of N. unique: chance to be the only one with one's combination.

    correct: chance that somebody who picks one of the people with the combination picks rightly. interval: 95 %, of
    `unique`, for the draw of the records. records: how many.
    """

    unique: float
    correct: float
    interval: tuple[float, float]
    records: int


def copula_uniqueness(
    counts: pl.DataFrame, names: Sequence[str], population: int, *, seed: int
) -> CopulaUniqueness | None:
    """The chance that a record is unique in a population of so many people; None for an empty table or without columns.

    counts: frequency table over `names` with `n` people each; nulls are a value of their own. With p the model's chance
    of a record's combination, ξ = (1 − p)^(N − 1) is the chance to be unique, κ = (1 − (1 − p)^N) / (N p) to be picked
    rightly. The margins are those of the sample; correlations are such that the mutual information of every pair of
    columns, in at most 20 groups of values, is that of the sample, with the sign of the rank correlation.
    Source: Rocher, Hendrickx, de Montjoye 2019, Estimating the success of re-identifications in incomplete datasets
    using generative models, Nature Communications 10:3069, Methods.
    """
    total = int(counts["n"].sum())
    if not names or not total:
        return None
    weights = counts["n"].to_numpy().astype(np.float64)
    codes = [_ranks(counts[name]) for name in names]
    edges = [np.concatenate([[0.0], np.cumsum(np.bincount(code, weights)) / total]) for code in codes]
    correlation = fitted_correlation(codes, weights)
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(weights), size=min(RECORDS, total), p=weights / total)
    low = np.column_stack([edge[code[drawn]] for edge, code in zip(edges, codes, strict=True)])
    high = np.column_stack([edge[code[drawn] + 1] for edge, code in zip(edges, codes, strict=True)])
    p = np.clip(rectangle_probability(low, high, correlation, seed=seed), TINY, 1.0)
    unique = np.exp((population - 1) * np.log1p(-np.minimum(p, 1 - 1e-16)))
    correct = -np.expm1(population * np.log1p(-np.minimum(p, 1 - 1e-16))) / (population * p)
    error = 1.96 * unique.std(ddof=1) / np.sqrt(len(p)) if len(p) > 1 else 1.0
    mean = float(unique.mean())
    return CopulaUniqueness(
        mean,
        float(np.minimum(correct, 1).mean()),
        (float(max(0.0, mean - error)), float(min(1.0, mean + error))),
        len(p),
    )


def fitted_correlation(codes: Sequence[Ints], weights: Floats) -> Floats:
    """The correlations of the copula, d × d, positive definite. codes: by column the rank of each row's value."""
    d = len(codes)
    grouped = [_grouped(code, weights) for code in codes]
    found = np.eye(d)
    for i in range(d):
        for j in range(i):
            found[i, j] = found[j, i] = _pair(grouped[i], grouped[j], weights)
    values, vectors = np.linalg.eigh(found)
    if values.min() < 1e-6:  # noqa: PLR2004 - pairs fitted one by one need not fit together
        found = vectors @ np.diag(np.maximum(values, 1e-6)) @ vectors.T
        scale = np.sqrt(np.diag(found))
        found = found / np.outer(scale, scale)
    return found


def mutual_information(joint: Floats) -> float:
    """Of a table of probabilities that sum to 1, in nats.

    >>> round(mutual_information(np.array([[0.5, 0.0], [0.0, 0.5]])), 6)
    0.693147
    """
    apart = np.outer(joint.sum(1), joint.sum(0))
    some = joint > 0
    return float((joint[some] * np.log(joint[some] / apart[some])).sum())


def bivariate_cells(left: Floats, right: Floats, rho: float) -> Floats:
    """The probabilities of the cells of a bivariate normal with correlation ρ. left, right: edges as margins, 0 to 1."""
    from scipy.special import ndtr, ndtri

    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    # integrated over the left margin's own scale, where the density is even
    width = np.diff(left)
    u = left[:-1, None] + width[:, None] * (nodes + 1) / 2
    at = ndtri(right)[None, None, :]
    below = ndtr((at - rho * ndtri(u)[:, :, None]) / np.sqrt(1 - rho * rho))
    inner = np.diff(below, axis=2)
    return np.asarray((inner * weights[None, :, None]).sum(1) * width[:, None] / 2)


def rectangle_probability(low: Floats, high: Floats, correlation: Floats, *, seed: int) -> Floats:
    """The chance of each rectangle under a normal with this correlation; low, high: rows × d, as margins, 0 to 1.

    One dimension after the other, each given those before, on points of a scrambled Sobol sequence, the narrowest column
    first. Source: Genz 1992, Numerical computation of multivariate normal probabilities, Journal of Computational and
    Graphical Statistics 1(2).
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import qmc

    order = np.argsort((high - low).mean(0), kind="stable")
    factor = np.linalg.cholesky(correlation[np.ix_(order, order)])
    a, b = ndtri(low[:, order]), ndtri(high[:, order])
    d = len(order)
    points = qmc.Sobol(d, scramble=True, rng=np.random.default_rng(seed)).random(POINTS)
    chance = np.ones((len(a), POINTS))
    drawn = np.zeros((d, len(a), POINTS))
    for i in range(d):
        shift = np.tensordot(factor[i, :i], drawn[:i], axes=1) if i else np.zeros((len(a), POINTS))
        from_, to = ((edge[:, i, None] - shift) / factor[i, i] for edge in (a, b))
        # in the upper tail both ends are near 1: mirrored, their difference keeps its digits
        flip = from_ > 0
        lower = np.where(flip, ndtr(-to), ndtr(from_))
        width = np.maximum(np.where(flip, ndtr(-from_), ndtr(to)) - lower, 0)
        chance *= width
        at = ndtri(np.clip(lower + points[:, i] * width, TINY, 1 - 1e-16))
        drawn[i] = np.where(flip, -at, at)
    return np.asarray(chance.mean(1))


def _ranks(values: pl.Series) -> Ints:
    """Of each row the place of its value: numbers and dates in their order, text by the alphabet, nulls first."""
    ranks = values.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    return np.asarray(ranks - ranks.min())


def _grouped(code: Ints, weights: Floats) -> Ints:
    """Neighbouring values together, in at most 20 groups of about equal weight."""
    if code.max() < BINS:
        return code
    share = np.cumsum(np.bincount(code, weights)) / weights.sum()
    groups = np.minimum((share * BINS).astype(np.int64), BINS - 1)
    return np.unique(groups, return_inverse=True)[1][code]


def _pair(left: Ints, right: Ints, weights: Floats) -> float:
    """The correlation at which the normal's cells have the mutual information of the sample."""
    from scipy.optimize import brentq

    joint = np.zeros((left.max() + 1, right.max() + 1))
    np.add.at(joint, (left, right), weights)
    total = joint.sum()
    joint = joint / total
    rows, columns = joint.sum(1), joint.sum(0)
    # independent columns have some by chance (Miller, Madow 1955)
    wanted = mutual_information(joint) - (np.count_nonzero(rows) - 1) * (np.count_nonzero(columns) - 1) / (
        2 * total
    )
    if wanted <= 1e-6:  # noqa: PLR2004 - nats; a correlation of 0.0014
        return 0.0
    left_edges, right_edges = _edges(rows), _edges(columns)

    def lacking(rho: float) -> float:
        return float(mutual_information(bivariate_cells(left_edges, right_edges, rho)) - wanted)

    most = 0.99
    size = most if lacking(most) <= 0 else brentq(lacking, 0.0, most, xtol=1e-6)
    middle = [(edge[:-1] + edge[1:]) / 2 - 0.5 for edge in (left_edges, right_edges)]
    sign = np.sign((joint * np.outer(*middle)).sum()) or 1.0
    return float(size * sign)


def _edges(margin: Floats) -> Floats:
    edges = np.concatenate([[0.0], np.cumsum(margin)]).clip(0, 1)
    edges[-1] = 1.0
    return np.asarray(edges)

"""The Gaussian copula of Rocher et al.: probabilities of rectangles, correlations and uniqueness."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal, norm

from anon_platform.validate.risk.copula import (
    bivariate_cells,
    copula_uniqueness,
    fitted_correlation,
    mutual_information,
    rectangle_probability,
)

CORRELATION = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]])


def test_rectangles_have_the_probability_that_scipy_integrates() -> None:
    """SciPy's own integration of the same normal, at a far finer tolerance."""
    rng = np.random.default_rng(0)
    low = rng.random((6, 3)) * 0.5
    high = low + rng.random((6, 3)) * 0.4 + 0.01
    normal = multivariate_normal([0, 0, 0], CORRELATION, maxpts=10**6, abseps=1e-10, releps=1e-10)
    expected = [normal.cdf(norm.ppf(h), lower_limit=norm.ppf(l)) for l, h in zip(low, high, strict=True)]
    assert rectangle_probability(low, high, CORRELATION, seed=1) == pytest.approx(expected, rel=1e-3)


def test_independent_columns_multiply_even_far_out_in_the_tails() -> None:
    """A chance of 10⁻¹⁵ decides whether one of 300 million is unique: it must not drown in 1 − 1."""
    low = np.array([[0.0, 1 - 1e-5, 0.2], [0.0, 0.0, 1 - 1e-8]])
    high = np.array([[1e-5, 1.0, 0.7], [1.0, 1e-7, 1.0]])
    expected = np.prod(high - low, axis=1)
    assert rectangle_probability(low, high, np.eye(3), seed=1) == pytest.approx(expected, rel=1e-6)


def test_cells_of_a_bivariate_normal_sum_to_its_margins() -> None:
    """To four digits, enough for a correlation. And each is the difference of four values of the distribution function."""
    left, right = np.array([0, 0.2, 0.7, 1.0]), np.array([0, 0.5, 0.9, 1.0])
    cells = bivariate_cells(left, right, 0.6)
    assert cells.sum(0) == pytest.approx(np.diff(right), abs=5e-5)
    assert cells.sum(1) == pytest.approx(np.diff(left), abs=5e-5)
    normal = multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]])
    inner = normal.cdf([norm.ppf(0.7), norm.ppf(0.9)]) - normal.cdf([norm.ppf(0.2), norm.ppf(0.9)])
    inner -= normal.cdf([norm.ppf(0.7), norm.ppf(0.5)]) - normal.cdf([norm.ppf(0.2), norm.ppf(0.5)])
    assert cells[1, 1] == pytest.approx(inner, abs=1e-5)


@pytest.mark.parametrize("rho", [-0.8, -0.3, 0.0, 0.5, 0.9])
def test_the_correlation_that_made_two_columns_is_found(rho: float) -> None:
    """40,000 pairs in 12 and 40 values; the mutual information of independent columns is chance, not association."""
    rng = np.random.default_rng(2)
    x = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=40_000)
    codes = [np.floor(norm.cdf(x[:, 0]) * 12).astype(int), np.floor(norm.cdf(x[:, 1]) * 40).astype(int)]
    found = fitted_correlation(codes, np.ones(40_000))
    assert found[0, 1] == pytest.approx(rho, abs=0.04)
    assert np.linalg.eigvalsh(found).min() > 0


def test_pairs_that_do_not_fit_together_still_make_a_correlation_matrix() -> None:
    """A column, its copy and its reverse: fitted one by one these need not be positive definite."""
    rng = np.random.default_rng(3)
    code = rng.integers(0, 9, 2000)
    found = fitted_correlation([code, code, 8 - code], np.ones(2000))
    assert np.linalg.eigvalsh(found).min() > 0
    assert np.diag(found) == pytest.approx([1, 1, 1])


def test_mutual_information_is_the_sum_that_defines_it() -> None:
    """Cell by cell."""
    joint = np.array([[0.1, 0.3], [0.4, 0.2]])
    rows, columns = joint.sum(1), joint.sum(0)
    expected = sum(
        joint[i, j] * np.log(joint[i, j] / rows[i] / columns[j]) for i in range(2) for j in range(2)
    )
    assert mutual_information(joint) == pytest.approx(expected, rel=1e-12)


def test_uniqueness_estimated_from_a_tenth_is_near_that_of_the_whole() -> None:
    """30,000 people of a copula; the uniques of all are counted, and estimated from 3,000 of them."""
    rng = np.random.default_rng(5)
    x = norm.cdf(rng.multivariate_normal([0, 0, 0], CORRELATION, size=30_000))
    people = pl.DataFrame({name: np.floor(x[:, i] ** 1.5 * 60).astype(int) for i, name in enumerate("abc")})
    names = ["a", "b", "c"]
    truth = people.group_by(names).len().filter(pl.col("len") == 1).height / people.height
    counts = people.head(3_000).group_by(names).agg(n=pl.len())
    found = copula_uniqueness(counts, names, people.height, seed=1)
    assert found is not None
    assert found.unique == pytest.approx(truth, abs=0.04)
    assert found.unique < found.correct < 1


def test_a_population_of_one_is_unique_and_nothing_known_is_no_estimate() -> None:
    """The ends of the scale."""
    counts = pl.DataFrame({"a": [1, 2, None], "n": [5, 3, 2]})
    alone = copula_uniqueness(counts, ["a"], 1, seed=1)
    assert alone is not None
    assert (alone.unique, alone.correct) == (1.0, pytest.approx(1.0))
    assert copula_uniqueness(counts, [], 10, seed=1) is None
    assert copula_uniqueness(counts.clear(), ["a"], 10, seed=1) is None

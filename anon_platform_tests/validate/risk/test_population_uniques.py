"""Population uniques: every estimator against an exact or simulated answer."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.validate.risk import pitman as of_pitman
from anon_platform.validate.risk import slide_negative_binomial as of_snb
from anon_platform.validate.risk.pitman import pitman
from anon_platform.validate.risk.sample import SizesOfClasses
from anon_platform.validate.risk.uniques import decided, population_uniques
from anon_platform.validate.risk.zayatz import zayatz

samples = st.dictionaries(st.integers(1, 12), st.integers(1, 9), min_size=1, max_size=5)


def sample_of(by_size: dict[int, int], fraction: float) -> SizesOfClasses:
    sizes = sorted(by_size)
    return SizesOfClasses(np.array(sizes), np.array([by_size[size] for size in sizes]), fraction)


def drawn(population: np.ndarray, fraction: float, seed: int) -> SizesOfClasses:
    """A simple random sample of people, by the class that each is in."""
    rng = np.random.default_rng(seed)
    people = rng.choice(population, round(len(population) * fraction), replace=False)
    sizes, counts = np.unique(np.unique(people, return_counts=True)[1], return_counts=True)
    return SizesOfClasses(sizes.astype(np.int64), counts.astype(np.int64), fraction)


@settings(max_examples=60, deadline=None)
@given(samples, st.sampled_from([2, 3, 10]))
def test_zayatz_is_bayes_rule_with_exact_binomials(by_size: dict[int, int], times: int) -> None:
    """Recounted with fractions: P(f = 1 | F = j) = j C(N − j, n − 1) / C(N, n)."""
    n = sum(size * count for size, count in by_size.items())
    total = n * times
    once = {
        j: Fraction(j * math.comb(total - j, n - 1), math.comb(total, n)) * count
        for j, count in by_size.items()
    }
    expected = by_size.get(1, 0) * once.get(1, Fraction(0)) / sum(once.values()) * times
    assert zayatz(sample_of(by_size, 1 / times)) == pytest.approx(float(expected), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(samples, st.floats(0.05, 0.95), st.floats(0.1, 40))
def test_pitmans_likelihood_is_that_of_the_product(
    by_size: dict[int, int], alpha: float, theta: float
) -> None:
    """Factor by factor, as the formula is written."""
    sample = sample_of(by_size, 1.0)
    expected = sum(math.log(theta + i * alpha) for i in range(1, sample.classes))
    expected -= sum(math.log(theta + i) for i in range(1, sample.people))
    expected += sum(
        count * sum(math.log(i - alpha) for i in range(1, size)) for size, count in by_size.items()
    )
    assert of_pitman.log_likelihood(theta, alpha, sample) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0, 0.9), st.floats(0.1, 50), st.integers(1, 200))
def test_pitmans_uniques_are_those_of_the_sequential_construction(
    alpha: float, theta: float, people: int
) -> None:
    """Whoever comes i-th sits apart from a given first one with chance (θ + α + i − 1) / (θ + i); all N are alike."""
    alone = math.prod((theta + alpha + i - 1) / (theta + i) for i in range(1, people))
    assert of_pitman.expected_uniques(theta, alpha, people) == pytest.approx(people * alone, rel=1e-9)


def test_pitman_finds_the_parameters_that_made_a_population() -> None:
    """20,000 people seated one by one with θ = 300 and α = 0.4."""
    rng = np.random.default_rng(4)
    theta, alpha, seats = 300.0, 0.4, [1]
    table_of = [0]
    for n in range(1, 20_000):
        if rng.random() < (theta + alpha * len(seats)) / (theta + n):
            table_of.append(len(seats))
            seats.append(1)
            continue
        while True:  # a person's table, given up with chance α / size
            table = table_of[rng.integers(0, n)]
            if rng.random() > alpha / seats[table]:
                break
        table_of.append(table)
        seats[table] += 1
    found = of_pitman.fit(drawn(np.array(table_of), 1.0, 1))
    assert found is not None
    assert found[0] == pytest.approx(theta, rel=0.15)
    assert found[1] == pytest.approx(alpha, abs=0.05)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.2, 5), st.floats(0.05, 0.8), st.floats(0.05, 0.9))
def test_the_slide_negative_binomial_is_found_from_what_it_expects(
    r: float, p: float, fraction: float
) -> None:
    """Classes and uniques of the sample summed term by term over class sizes; then solved back."""
    from scipy.stats import nbinom

    sizes = np.arange(1, 4000)
    chance = nbinom.pmf(sizes - 1, r, p)
    seen = float((chance * (1 - (1 - fraction) ** sizes)).sum())
    once = float((chance * sizes * fraction * (1 - fraction) ** (sizes - 1)).sum())
    found = of_snb.fit(1000 * seen, 1000 * once, 1000.0, fraction)
    assert found is not None
    assert found.r == pytest.approx(r, rel=1e-4)
    assert found.p == pytest.approx(p, rel=1e-4)


@pytest.mark.parametrize(("fraction", "by"), [(0.05, "Pitman"), (0.3, ("slide negative binomial", "Zayatz"))])
@pytest.mark.parametrize("skew", [1.2, 1.6])
def test_the_decision_rule_comes_near_the_truth(
    skew: float, fraction: float, by: str | tuple[str, ...]
) -> None:
    """A population of 50,000 with Zipf classes, whose uniques are known; within a third of the truth, as in the paper's figures."""
    rng = np.random.default_rng(11)
    weights = 1 / np.arange(1, 400_001) ** skew
    population = rng.choice(400_000, 50_000, p=weights / weights.sum())
    truth = int((np.unique(population, return_counts=True)[1] == 1).sum()) / len(population)
    found = population_uniques(drawn(population, fraction, 3), seed=5)
    assert found.by in by
    assert found.share == pytest.approx(truth, rel=0.34)
    assert found.interval[0] < truth < found.interval[1] * 1.2
    assert found.interval[0] <= found.share <= found.interval[1]
    assert set(found.estimates) == {"Zayatz", "Pitman", "slide negative binomial"}


def test_a_whole_population_is_counted_not_estimated() -> None:
    """The data of a register: three alone of seven."""
    found = population_uniques(sample_of({1: 3, 4: 1}, 1.0), seed=1)
    assert (found.share, found.by, found.interval) == (3 / 7, "count", (3 / 7, 3 / 7))


@pytest.mark.parametrize("fraction", [0.01, 0.5])
def test_nobody_alone_in_the_sample_makes_nobody_alone_in_the_population(fraction: float) -> None:
    """All estimators scale the sample's uniques."""
    assert decided(sample_of({3: 4, 5: 1}, fraction))[0] == 0
    assert pitman(sample_of({3: 4}, fraction)) == 0


@pytest.mark.parametrize("fraction", [0.01, 0.5])
def test_everybody_alone_in_the_sample_is_estimated_still(fraction: float) -> None:
    """Neither Pitman nor the slide negative binomial fits; the rule falls back on Zayatz, which keeps everybody unique."""
    found = population_uniques(sample_of({1: 500}, fraction), seed=1)
    assert found.by == "Zayatz"
    assert found.share == pytest.approx(1.0)


def test_an_empty_release_has_no_estimate() -> None:
    """No number is better than a wrong one: its metric must not pass a threshold."""
    found = population_uniques(SizesOfClasses(np.array([], np.int64), np.array([], np.int64), 0.1), seed=1)
    assert math.isnan(found.share)
    assert math.isnan(found.interval[1])

"""Lower bounds on privacy loss against sums that a reader can follow, and how often they say too much: exactly."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.dp.audit import (
    Event,
    Seen,
    audited,
    clopper_pearson,
    epsilon_lower_bound,
    event_for,
    mu_lower_bound,
    one_run_lower_bound,
    one_run_p_value,
    rho_lower_bound,
)

RUNS = 24


def chance(hits: int, runs: int, p: Fraction) -> Fraction:
    """Of exactly so many hits."""
    return math.comb(runs, hits) * p**hits * (1 - p) ** (runs - hits)


def coin(epsilon: float) -> Fraction:
    """Probability of the truth in randomized response."""
    return Fraction(1 / (1 + math.exp(-epsilon)))


@given(st.integers(1, 40).flatmap(lambda runs: st.tuples(st.integers(0, runs), st.just(runs))))
def test_clopper_pearson_ends_where_the_counts_become_unlikely(counts: tuple[int, int]) -> None:
    """At the lower bound so many hits or more have chance 2.5 %, at the upper bound so many or fewer."""
    hits, runs = counts
    low, high = (Fraction(bound) for bound in clopper_pearson(hits, runs, 0.95))
    if hits:
        assert float(sum(chance(n, runs, low) for n in range(hits, runs + 1))) == pytest.approx(0.025)
    else:
        assert low == 0
    if hits < runs:
        assert float(sum(chance(n, runs, high) for n in range(hits + 1))) == pytest.approx(0.025)
    else:
        assert high == 1


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_bounds_of_a_coin_are_too_large_no_more_often_than_stated(epsilon: float, confidence: float) -> None:
    """Summed over every pair of counts of 24 runs a side: not an estimate."""
    p = coin(epsilon)
    rho = max(  # of randomized response, over many orders
        math.log(float(p) ** a * float(1 - p) ** (1 - a) + float(1 - p) ** a * float(p) ** (1 - a))
        / (a - 1)
        / a
        for a in np.linspace(1.0001, 30, 3000)
    )
    with_person = [float(chance(n, RUNS, p)) for n in range(RUNS + 1)]
    wrong, wrong_rho = 0.0, 0.0
    for hits in range(RUNS + 1):
        for other in range(RUNS + 1):
            both = with_person[hits] * with_person[RUNS - other]
            seen = Seen(hits, RUNS, other, RUNS)
            wrong += both * (epsilon_lower_bound(seen, 0.0, confidence) > epsilon)
            wrong_rho += both * (rho_lower_bound(seen, confidence) > rho + 1e-6)
    assert wrong <= 1 - confidence
    assert wrong_rho <= 1 - confidence


def test_delta_is_taken_off_the_more_likely_side() -> None:
    """A mechanism that tells the truth with chance δ and is silent otherwise has no ε at that δ."""
    seen = Seen(1_000, 100_000, 0, 100_000)
    assert epsilon_lower_bound(seen, 0.011) == 0.0
    assert epsilon_lower_bound(seen, 0.001) > 5
    assert epsilon_lower_bound(Seen(100_000, 100_000, 99_000, 100_000), 0.001) > 5
    assert epsilon_lower_bound(Seen(10, 100, 90, 100)) == 0.0


@given(st.integers(0, 300), st.integers(0, 300))
def test_rho_and_mu_are_those_of_the_two_coins(hits: int, other: int) -> None:
    """From the rates alone, by sums over the two outcomes."""
    seen = Seen(hits, 300, other, 300)
    p, q = clopper_pearson(hits, 300, 0.95)[0], clopper_pearson(other, 300, 0.95)[1]
    if p <= q:
        assert rho_lower_bound(seen) == mu_lower_bound(seen) == 0.0
        return
    divergence = max(  # KL divergence is the order 1
        p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q)),
        q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p)),
    )
    assert rho_lower_bound(seen) >= divergence * 0.99
    assert rho_lower_bound(seen) <= mu_lower_bound(seen) ** 2 / 2 * (1 + 1e-9)
    # the two errors of the best test between Gaussians so far apart are those of the event
    normal = (1 + math.erf((math.sqrt(2) * _quantile(q) + math.sqrt(2) * mu_lower_bound(seen)) / 2)) / 2
    assert normal == pytest.approx(p, abs=1e-9)


def _quantile(p: float) -> float:
    """Of the normal distribution, by halving."""
    low, high = -40.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(-middle / math.sqrt(2)) / 2 < p else (low, middle)
    return low


@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=40), st.lists(st.integers(0, 8), min_size=1, max_size=40)
)
def test_the_event_is_the_best_of_all_thresholds(with_person: list[int], without: list[int]) -> None:
    """On the draws it is chosen on."""
    mine, others = np.asarray(with_person, float), np.asarray(without, float)
    chosen = event_for(mine, others, epsilon_lower_bound)
    best = 0.0
    for threshold in range(10):
        for above in (True, False):
            hits = sum((score >= threshold) == above for score in with_person)
            other = sum((score >= threshold) == above for score in without)
            best = max(best, epsilon_lower_bound(Seen(hits, len(mine), other, len(others))))
    assert epsilon_lower_bound(chosen.seen(mine, others)) == pytest.approx(best)


def test_what_is_counted_is_not_what_the_event_was_chosen_on() -> None:
    """Else the best of many events on pure chance would look like a loss."""
    scores = np.asarray([1.0] * 50 + [0.0] * 50)
    found = audited(scores, 1 - scores, epsilon_lower_bound, pilot=50)
    assert found.event == Event(1.0, above=True)
    assert found.seen == Seen(0, 50, 50, 50)
    assert found.bound == 0.0


def slow_p_value(people: int, guesses: int, correct: int, rate: Fraction, delta: Fraction) -> Fraction:
    """Theorem 5.2, term by term."""
    tail = sum((chance(n, guesses, rate) for n in range(correct, guesses + 1)), Fraction(0))
    most = max(
        (
            Fraction(2, i) * sum(chance(n, guesses, rate) for n in range(max(0, correct - i), correct))
            for i in range(1, people + 1)
        ),
        default=Fraction(0),
    )
    return min(tail + people * delta * most, Fraction(1))


@given(
    st.integers(1, 14).flatmap(
        lambda people: st.integers(0, people).flatmap(
            lambda guesses: st.tuples(st.just(people), st.just(guesses), st.integers(0, guesses))
        )
    ),
    st.floats(0, 4),
    st.sampled_from([0.0, 1e-3, 0.05]),
)
def test_the_one_run_p_value_is_the_published_one(
    counts: tuple[int, int, int], epsilon: float, delta: float
) -> None:
    """In fractions."""
    expected = slow_p_value(*counts, coin(epsilon), Fraction(delta))
    assert one_run_p_value(*counts, epsilon, delta) == pytest.approx(float(expected), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("epsilon", [0.0, 1.0, 2.5])
def test_the_one_run_bound_of_randomized_response_is_too_large_no_more_often_than_stated(
    epsilon: float,
) -> None:
    """Over all numbers of correct answers; and of many people it comes near, since the theorem is tight for it."""
    p = coin(epsilon)
    wrong = sum(float(chance(n, 60, p)) for n in range(61) if one_run_lower_bound(60, 60, n) > epsilon + 1e-9)
    assert wrong <= 0.05
    many = 100_000
    assert epsilon * 0.97 - 0.02 <= one_run_lower_bound(many, many, round(many * float(p))) <= epsilon


def test_one_run_with_delta_claims_less() -> None:
    """And refuses counts that cannot be."""
    assert one_run_lower_bound(1000, 100, 90, 1e-5) < one_run_lower_bound(1000, 100, 90)
    assert one_run_lower_bound(1000, 100, 90, 0.01) == 0.0
    with pytest.raises(ValueError, match=r"^correct guesses are among the guesses"):
        one_run_p_value(10, 5, 6, 1.0)

"""Individual, journalist and marketer risk against sums that are written out."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.validate.risk.individual import individual_risk
from anon_platform.validate.risk.journalist import Journalist, against_estimate, against_table
from anon_platform.validate.risk.sample import SizesOfClasses
from anon_platform.validate.risk.uniques import alone_of_sample_uniques

classes = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=8
)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.floats(0.05, 1.0))
def test_individual_risk_is_the_mean_of_one_over_a_negative_binomial(people: int, fraction: float) -> None:
    """Summed over F until nothing is left: P(F = h | f) = C(h − 1, f − 1) π^f (1 − π)^(h − f)."""
    log = math.log
    rest, total, h = 1.0, 0.0, people
    while rest > 1e-13 and h < 20_000:
        chance = math.exp(
            math.lgamma(h) - math.lgamma(people) - math.lgamma(h - people + 1) + people * log(fraction)
            + ((h - people) * log(1 - fraction) if h > people else 0.0)
        )  # fmt: skip
        total += chance / h
        rest -= chance
        h += 1
    assert individual_risk(np.array([people]), fraction)[0] == pytest.approx(total, rel=1e-9)


def test_individual_risk_of_sample_uniques_is_the_formula_of_mu_argus() -> None:
    """π / (1 − π) ln(1 / π) for f = 1; for f = 2 the second formula of the manual."""
    pi = 0.02
    odds = pi / (1 - pi)
    one, two = individual_risk(np.array([1, 2]), pi)
    assert one == pytest.approx(odds * math.log(1 / pi), rel=1e-10)
    assert two == pytest.approx(odds - odds**2 * math.log(1 / pi), rel=1e-9)


def test_individual_risk_of_large_classes_is_neither_lost_nor_slow() -> None:
    """About π / f: half a million people in a class and a fraction of one in a thousand."""
    found = individual_risk(np.full(100_000, 500_000), 0.001)
    assert found[0] == pytest.approx(0.001 / 500_000, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(classes)
def test_risk_against_a_table_is_counted_person_by_person(found: list[tuple[int, int, int]]) -> None:
    """With fractions: every record is one of its class, every class has F people, never fewer than in the data."""
    people, more, population = (list(column) for column in zip(*found, strict=True))
    records = [f + extra for f, extra in zip(people, more, strict=True)]
    risks = [Fraction(1, max(f, whole)) for f, whole in zip(people, population, strict=True)]
    each = [risk for risk, n in zip(risks, records, strict=True) for _ in range(n)]
    right = sum((risk * f for risk, f in zip(risks, people, strict=True)), Fraction(0))
    got = against_table(np.array(people), np.array(records), np.array(population))
    assert got.maximum == pytest.approx(float(max(risks)), rel=1e-9)
    assert got.mean == pytest.approx(float(sum(each) / len(each)), rel=1e-9)
    assert got.marketer == pytest.approx(float(right / sum(people)), rel=1e-9)


def test_when_the_data_is_the_population_the_journalist_is_the_prosecutor() -> None:
    """1 / f, and the marketer picks J of n."""
    people, records = np.array([1, 2, 5]), np.array([1, 3, 9])
    found = against_estimate(people, records, 1.0)
    assert (found.maximum, found.marketer) == (1.0, pytest.approx(3 / 8))
    assert found == against_table(people, records, people)


def test_the_journalist_never_has_it_easier_than_the_prosecutor() -> None:
    """There are at least as many people in the population as in the data."""
    people = np.arange(1, 200)
    for fraction in (0.001, 0.3, 0.99):
        assert (individual_risk(people, fraction) <= 1 / people + 1e-12).all()
        assert (np.diff(individual_risk(people, fraction)) < 0).all()


def test_sample_uniques_are_at_least_as_much_at_risk_as_all_classes_together_say() -> None:
    """A sample in which everybody is unique comes from a population in which nearly everybody is."""
    people = np.ones(1000, np.int64)
    sample = SizesOfClasses(np.array([1]), np.array([1000]), 0.01)
    alone = alone_of_sample_uniques(sample)
    assert alone == pytest.approx(1.0)
    assert against_estimate(people, people, 0.01).maximum < 0.05
    assert against_estimate(people, people, 0.01, alone) == Journalist(1.0, 1.0, 1.0)
    assert alone_of_sample_uniques(SizesOfClasses(np.array([2]), np.array([10]), 0.01)) == 0.0


def test_an_empty_release_puts_nobody_at_risk() -> None:
    """A refused release may have no row."""
    nothing = np.array([], np.int64)
    assert against_estimate(nothing, nothing, 0.5) == Journalist(0.0, 0.0, 0.0)

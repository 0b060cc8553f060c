"""Distances between distributions, of cells and of numbers whose mass is spread, against slow counts by hand."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from anon_platform.validate.utility.columns import edges_of, in_cells
from anon_platform.validate.utility.distances import (
    Mass,
    hellinger,
    jensen_shannon,
    kolmogorov_smirnov,
    quantiles,
    total_variation_of,
    wasserstein,
)
from anon_platform_tests.validate import utility_oracles as oracles

Entries = list[tuple[int, int, int]]

cells = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8).filter(
    lambda pairs: sum(a for a, _ in pairs) > 0 and sum(b for _, b in pairs) > 0
)
entries = st.lists(
    st.tuples(st.integers(-6, 12), st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=6
).map(lambda drawn: [(low, low + width, weight) for low, width, weight in drawn])


def shares(counts: Sequence[int]) -> tuple[np.ndarray, list[Fraction]]:
    exact = [Fraction(one, sum(counts)) for one in counts]
    return np.array([float(one) for one in exact]), exact


def mass_of(spans: Entries, scale: int, *, whole: bool) -> tuple[Mass, list[oracles.Span]]:
    low, high, weight = zip(*spans, strict=True)
    found = Mass.of(np.array(low) / scale, np.array(high) / scale, np.array(weight), whole=whole)
    return found, [(Fraction(a, scale), Fraction(b, scale), Fraction(c)) for a, b, c in spans]


@settings(max_examples=50)
@given(cells)
def test_distances_of_cells_are_their_definitions(pairs: list[tuple[int, int]]) -> None:
    """Shares that are zero on one side are where logarithms go wrong."""
    (p, exact_p), (q, exact_q) = (shares([pair[side] for pair in pairs]) for side in (0, 1))
    differences = sum((abs(a - b) for a, b in zip(exact_p, exact_q, strict=True)), Fraction(0))
    assert total_variation_of(p, q) == pytest.approx(float(differences / 2), abs=1e-9)
    # the root of a rounding error of 1e-16 is 1e-8, so squares are compared
    assert jensen_shannon(p, q) ** 2 == pytest.approx(oracles.jensen_shannon(exact_p, exact_q) ** 2, abs=1e-9)
    assert jensen_shannon(p, q) ** 2 == pytest.approx(
        np.nan_to_num(jensenshannon(p, q, base=2)) ** 2, abs=1e-9
    )
    overlap = sum((float(a) * float(b)) ** 0.5 for a, b in zip(exact_p, exact_q, strict=True))
    assert hellinger(p, q) ** 2 == pytest.approx(max(1 - overlap, 0), abs=1e-9)


@settings(max_examples=50)
@given(left=entries, right=entries, whole=st.booleans())
def test_distances_of_spread_numbers_are_areas_and_gaps_between_shares(
    *, left: Entries, right: Entries, whole: bool
) -> None:
    """Whole numbers one by one, others as densities; a label's mass lies evenly over its span."""
    scale = 1 if whole else 7
    (a, exact_a), (b, exact_b) = (mass_of(side, scale, whole=whole) for side in (left, right))
    gap = oracles.kolmogorov_smirnov(exact_a, exact_b, whole=whole)
    assert kolmogorov_smirnov(a, b) == pytest.approx(float(gap), abs=1e-9)
    area = oracles.wasserstein(exact_a, exact_b, whole=whole)
    assert wasserstein(a, b) == pytest.approx(float(area), abs=1e-9)
    mean, variance = oracles.moments(exact_a, whole=whole)
    assert a.mean == pytest.approx(float(mean), abs=1e-9)
    assert a.variance == pytest.approx(float(variance), abs=1e-9)


@settings(max_examples=50)
@given(entries, st.lists(st.integers(1, 19), min_size=1, max_size=4))
def test_quantiles_of_whole_numbers_are_the_smallest_with_enough_below(
    spans: Entries, twentieths: list[int]
) -> None:
    """The median of a label is the number in its middle, not its name."""
    mass, exact = mass_of(spans, 1, whole=True)
    found = quantiles(mass, np.array(twentieths) / 20)
    assert found.tolist() == [float(oracles.smallest_with(exact, Fraction(one, 20))) for one in twentieths]


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=20), st.lists(st.integers(0, 9), min_size=1, max_size=20)
)
def test_points_are_compared_as_scipy_compares_them(left: list[int], right: list[int]) -> None:
    """Without labels nothing is spread, and any statistics program must say the same."""
    a, b = (
        Mass.of(np.array(s, float), np.array(s, float), np.ones(len(s)), whole=False) for s in (left, right)
    )
    assert wasserstein(a, b) == pytest.approx(wasserstein_distance(left, right), abs=1e-9)


@settings(max_examples=50)
@given(spans=entries, count=st.integers(1, 6), whole=st.booleans())
def test_cells_hold_all_of_the_mass_between_their_bounds(*, spans: Entries, count: int, whole: bool) -> None:
    """Original and released numbers are put into the same cells, whatever their labels span."""
    mass, exact = mass_of(spans, 1, whole=whole)
    edges = edges_of(mass, count)
    found = in_cells(mass, edges)
    assert len(edges) <= count
    assert found.sum() == pytest.approx(1, abs=1e-9)
    reached = [float(oracles.below(exact, Fraction(int(edge)), whole=whole)) for edge in edges[:-1]]
    assert np.cumsum(found)[:-1] == pytest.approx(reached, abs=1e-9)

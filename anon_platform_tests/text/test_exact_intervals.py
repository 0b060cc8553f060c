"""Intervals and agreement against slow sums and scipy's own."""

import math
import random

import pytest
from scipy.stats import binomtest

from anon_platform.text.intervals import (
    Cluster,
    clopper_pearson,
    cluster_interval,
    kappa,
    needed,
    weighted_share,
)


def at_least(hits: int, n: int, share: float) -> float:
    """The chance of so many hits or more, summed."""
    return sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(hits, n + 1))


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 20), (7, 20), (19, 20), (20, 20), (399, 400)])
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_clopper_pearson_is_the_exact_interval(hits: int, n: int, confidence: float) -> None:
    """At each end the count is as unlikely as the tail says; and scipy has the same."""
    low, high = clopper_pearson(hits, n, confidence)
    theirs = binomtest(hits, n).proportion_ci(confidence, method="exact")
    assert (low, high) == pytest.approx((theirs.low, theirs.high))
    tail = (1 - confidence) / 2
    assert hits == 0 or at_least(hits, n, low) == pytest.approx(tail)
    assert hits == n or 1 - at_least(hits + 1, n, high) == pytest.approx(tail)


def test_nothing_says_nothing() -> None:
    """No identifier in the sample: any recall is possible, and none is shown."""
    assert clopper_pearson(0, 0, 0.95) == (0.0, 1.0)
    assert cluster_interval([], 0.95) == (0.0, 1.0)
    assert cluster_interval([Cluster(0, 1.0, 0, 0)], 0.95) == (0.0, 1.0)
    assert weighted_share([Cluster(0, 1.0, 0, 0)]) is None
    assert kappa(0, 0, 0, 0) is None
    assert kappa(5, 0, 0, 0) is None


@pytest.mark.parametrize("recall", [0.9, 0.98, 0.99])
def test_so_many_without_a_miss_show_the_recall_and_one_less_does_not(recall: float) -> None:
    """The number is the smallest that does."""
    n = needed(recall, 0.95)
    assert clopper_pearson(n, n, 0.95)[0] >= recall > clopper_pearson(n - 1, n - 1, 0.95)[0]


def test_weights_count_each_note_for_those_it_stands_for() -> None:
    """A stratum that is drawn twice as thin counts twice."""
    clusters = [Cluster(0, 1.0, 9, 10), Cluster(1, 2.0, 5, 10)]
    assert weighted_share(clusters) == pytest.approx((9 + 2 * 5) / (10 + 2 * 10))


def test_a_note_counts_once_however_many_identifiers_it_has() -> None:
    """Ten misses in one note or in ten: the sample cannot be trusted to tell which it is."""
    apart = [Cluster(0, 1.0, 9, 10)] * 10 + [Cluster(0, 1.0, 10, 10)] * 40
    together = [Cluster(0, 1.0, 0, 10)] + [Cluster(0, 1.0, 10, 10)] * 49
    one_by_one = clopper_pearson(490, 500, 0.95)[0]
    assert cluster_interval(together, 0.95)[0] == cluster_interval(apart, 0.95)[0] < one_by_one
    clean = [Cluster(0, 1.0, 10, 10)] * 50
    assert cluster_interval(clean, 0.95)[0] == pytest.approx(clopper_pearson(50, 50, 0.95)[0])


def test_the_interval_by_notes_covers_the_truth_as_often_as_it_says() -> None:
    """Drawn 300 times from notes in which misses come together."""
    rng = random.Random(5)
    notes = [(0 if rng.random() < 0.08 else 8, 8) for _ in range(4_000)]
    truth = sum(hits for hits, _ in notes) / sum(n for _, n in notes)
    covered = by_identifiers = 0
    for _ in range(300):
        sample = [Cluster(0, 1.0, *note) for note in rng.sample(notes, 120)]
        low, high = cluster_interval(sample, 0.95)
        covered += low <= truth <= high
        alone = clopper_pearson(sum(c.hits for c in sample), sum(c.n for c in sample), 0.95)
        by_identifiers += alone[0] <= truth <= alone[1]
    assert covered >= 0.93 * 300
    assert by_identifiers < 0.8 * 300  # what the interval by notes is there for


@pytest.mark.parametrize("truth", [0.9, 0.95, 0.98])
def test_a_recall_below_the_demand_passes_as_seldom_as_the_interval_says(truth: float) -> None:
    """Notes found or missed whole, the worst case: 2,000 reviews of 200 notes; of a 95 % interval 2.5 % lie above the truth.

    3.6 % is three standard deviations above it: a false alarm in a thousand runs.
    """
    rng = random.Random(11)
    above = 0
    for _ in range(2_000):
        hits = sum(rng.random() < truth for _ in range(200))
        sample = [Cluster(0, 1.0, 10, 10)] * hits + [Cluster(0, 1.0, 0, 10)] * (200 - hits)
        above += cluster_interval(sample, 0.95)[0] > truth
    assert above <= 0.036 * 2_000

"""A quick audit of what the platform claims: sound mechanisms stay below their claim, broken ones do not.

Every bound here fails with a chance of at most one in a thousand, and as a rule far less.
"""

import numpy as np
import pytest

from anon_platform.dp import loss_of
from anon_platform.dp.audit import Event, Seen, epsilon_lower_bound, rho_lower_bound
from anon_platform.dp.noise import noise_for
from anon_platform_tests.dp.audited_mechanisms import (
    BOUNDING,
    CLAIM,
    CONFIDENCE,
    CONTRIBUTION,
    COUNT,
    DELTA,
    FOUND,
    NEW_KEYS,
    THRESHOLD,
    Mechanism,
    noise,
    noise_alone,
    some_shown,
    statistic,
)

RUNS = 600
"""End to end a run takes milliseconds."""

COUNTED = CONTRIBUTION + 2
"""Rows of the ward with the person."""


def bound_of(mechanism: Mechanism, event: Event, runs: int) -> float:
    """The bound from an event that is known to be a good one."""
    with_person, without = (
        mechanism.scores(with_person=side, runs=runs, seed=side) for side in (True, False)
    )
    return mechanism.bound(event.seen(with_person, without))


@pytest.mark.parametrize("delta", [0.0, DELTA], ids=["Laplace", "Gaussian"])
def test_noise_loses_what_it_claims_and_no_more(delta: float) -> None:
    """Near enough to catch what is half as small again."""
    event = Event(1_000 + (CONTRIBUTION + 1) // 2, above=True)
    assert 0.6 < bound_of(noise(delta), event, 40_000) <= CLAIM
    assert bound_of(noise(delta, 1.5), event, 40_000) > CLAIM


def test_gaussian_noise_is_within_its_rho_whatever_its_shape() -> None:
    """The bound that assumes nothing about the noise shows two thirds of it, less what chance takes."""
    event = Event(1_000 + (CONTRIBUTION + 1) // 2, above=True)
    with_person, without = (noise_alone(DELTA, 1.0, with_person=side, runs=50_000) for side in (True, False))
    rho = loss_of(CLAIM, DELTA).amount
    assert 0.25 * rho < rho_lower_bound(event.seen(with_person, without), CONFIDENCE) <= rho


def test_a_statistic_loses_no_more_than_it_claims() -> None:
    """From the person's ten rows to the released frame; few runs show half of it."""
    assert 0.2 < bound_of(statistic(COUNT), Event(COUNTED, above=True), RUNS) <= CLAIM


@pytest.mark.parametrize(("broken", "more"), [(BOUNDING, CONTRIBUTION), ("sensitivity too small, × 3", 0)])
def test_a_broken_sensitivity_is_caught_end_to_end(broken: str, more: int) -> None:
    """Twice as many rows of a person as the noise is for; noise that is too small."""
    assert bound_of(statistic(COUNT, broken=broken), Event(COUNTED + more, above=True), 900) > CLAIM


def test_keys_of_one_person_are_shown_with_chance_delta_only() -> None:
    """With a threshold that is too low by half more often, which is caught."""
    bounds = []
    for broken in ("", THRESHOLD):
        mechanism = statistic(FOUND, some_shown, broken, found=NEW_KEYS)
        shown = int(mechanism.scores(with_person=True, runs=RUNS, seed=1).sum())
        bounds.append(mechanism.bound(Seen(shown, RUNS, 0, 1)))
    assert bounds[0] <= CLAIM < bounds[1]


def low_bits(released: np.ndarray) -> np.ndarray:
    """Whether a float is no multiple of 2^-53: below 1, noise has bits there, and 1 plus noise has none."""
    return np.ldexp(released, 53) % 1 != 0


def test_naive_floats_tell_of_a_person_by_their_low_bits_and_our_noise_does_not() -> None:
    """Mironov 2012, On Significance of the Least Significant Bits: the very attack, on Laplace noise in floats."""
    rng, runs = np.random.default_rng(5), 20_000
    naive = [side + rng.laplace(scale=1.0, size=runs) for side in (0.0, 1.0)]
    seen = Seen(int(low_bits(naive[0]).sum()), runs, int(low_bits(naive[1]).sum()), runs)
    assert epsilon_lower_bound(seen, confidence=0.999) > 5 * CLAIM
    for delta in (0.0, DELTA):
        ours = [noise_alone(delta, 1.0, with_person=side, runs=runs) for side in (False, True)]
        assert not any(low_bits(released).any() for released in ours)


@pytest.mark.parametrize("delta", [0.0, DELTA], ids=["Laplace", "Gaussian"])
def test_every_whole_number_near_the_count_can_be_released_whether_or_not_the_person_is_there(
    delta: float,
) -> None:
    """The same set of outputs for both tables, by parity and by remainders that a coarse grid would leave out."""
    runs = 20_000
    noise_ = noise_for(loss_of(CLAIM, delta), CONTRIBUTION)
    near = range(int(-1.5 * noise_.scale), int(1.5 * noise_.scale) + 1)
    outputs = [noise_.added_to(np.full(runs, side * CONTRIBUTION)) for side in (0, 1)]
    for released in outputs:
        assert released.dtype == np.int64
        assert set(near) <= set(released.tolist())
    for bits in (1, 2):  # the noise is wide, so that low bits are uniform but for chance
        counts = np.bincount(outputs[1] % 2**bits, minlength=2**bits)
        expected = runs / 2**bits
        slack = 5 * expected**0.5 + runs * _lattice(noise_.scale, 2**bits, gaussian=delta > 0)
        assert np.abs(counts - expected).max() < slack


def _lattice(scale: float, period: int, *, gaussian: bool) -> float:
    """How far remainders of the noise are from uniform at most: its characteristic function at 2π / period."""
    turn = 2 * np.pi / period
    return float(np.exp(-((scale * turn) ** 2) / 2) if gaussian else 1 / (1 + (scale * turn) ** 2))

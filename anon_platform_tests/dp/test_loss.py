"""Losses in whole units, and the noise that keeps within them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.dp import Loss, epsilon_of, loss_of
from anon_platform.dp.loss import UNIT, spent
from anon_platform.dp.noise import noise_for, total
from anon_platform.errors import BudgetError


def classic(rho: float, delta: float) -> float:
    """ε = ρ + 2√(ρ ln 1/δ): Bun and Steinke 2016, Proposition 1.3; looser than OpenDP's conversion."""
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))


@given(st.floats(0.01, 20), st.sampled_from([1e-5, 1e-7, 1e-10]))
def test_the_loss_of_an_epsilon_is_the_greatest_that_converts_to_it(epsilon: float, delta: float) -> None:
    loss = loss_of(epsilon, delta)
    assert epsilon_of(loss, delta) <= epsilon < epsilon_of(Loss("zcdp", loss.units + 1), delta)
    assert epsilon <= classic((loss.units + 1) * float(UNIT), delta)


def test_a_tenth_three_times_is_not_more_than_three_tenths() -> None:
    tenth = loss_of(0.1, 0)
    assert tenth + tenth + tenth == loss_of(0.3, 0)


def test_pure_loss_needs_no_delta_and_zcdp_has_no_epsilon_without_one() -> None:
    assert epsilon_of(loss_of(1.0, 0), 0) == 1.0
    assert epsilon_of(loss_of(1.0, 1e-6), 0) == math.inf


def test_keys_take_their_part_of_delta() -> None:
    kept = loss_of(1.0, 1e-6, keys_delta=5e-7)
    assert kept.delta == pytest.approx(5e-7)
    assert kept.units < loss_of(1.0, 1e-6).units
    assert epsilon_of(kept, 1e-6) <= 1.0
    assert epsilon_of(kept, 4e-7) == math.inf


@pytest.mark.parametrize("epsilon", [0.0, -1.0, math.inf, math.nan])
def test_an_epsilon_is_above_zero_and_finite(epsilon: float) -> None:
    with pytest.raises(
        BudgetError,
        match=r"^ε must be a number above 0; write how much privacy loss is allowed, such as 1.0$",
    ):
        loss_of(epsilon, 1e-6)


def test_losses_under_different_measures_do_not_add_up() -> None:
    with pytest.raises(BudgetError, match="different measures do not add up"):
        Loss("zcdp", 1) + Loss("pure", 1)


@given(st.integers(0, 10**12), st.lists(st.floats(0.01, 10), min_size=1, max_size=6))
def test_parts_never_exceed_the_whole(units: int, shares: list[float]) -> None:
    parts = Loss("zcdp", units, units // 7).parts(shares)
    assert sum(part.units for part in parts) <= units
    assert sum(part.delta_units for part in parts) <= units // 7


@pytest.mark.parametrize("sensitivity", [1, 3, 50])
@pytest.mark.parametrize("delta", [0.0, 1e-6])
def test_noise_is_within_the_loss_and_no_larger_than_needed(sensitivity: int, delta: float) -> None:
    loss = loss_of(0.7, delta)
    noise = noise_for(loss, sensitivity)
    assert noise.loss.units <= loss.units
    assert noise.loss.units >= loss.units * (1 - 1e-6)
    # the formulas of Bun and Steinke 2016, Proposition 1.6, and of Dwork et al. 2006
    needed = sensitivity / math.sqrt(2 * loss.amount) if delta else sensitivity / loss.amount
    assert noise.scale == pytest.approx(needed, rel=1e-6)


@pytest.mark.parametrize("delta", [0.0, 1e-6])
def test_noise_has_the_stated_deviation_and_interval(delta: float) -> None:
    noise = noise_for(loss_of(0.5, delta), 4)
    drawn = noise.added_to(np.full((100, 100), 7)) - 7
    # 10,000 draws: three standard errors of the deviation are 3 % (kurtosis of Laplace noise: 5 %)
    assert drawn.std() == pytest.approx(noise.deviation, rel=0.06)
    assert np.mean(np.abs(drawn) <= noise.half_width()) == pytest.approx(0.95, abs=0.012)


def test_draws_add_up() -> None:
    first, second = (noise_for(part, 2) for part in loss_of(1.0, 1e-6).parts([1, 3]))
    assert total([first, second]) == first.loss + second.loss
    assert total([first, second]).units <= loss_of(1.0, 1e-6).units


def test_what_is_spent_is_rounded_up() -> None:
    assert spent("pure", 1.0000000001e-9).units == 2


def test_nothing_left_is_no_noise() -> None:
    with pytest.raises(BudgetError, match="nothing of the privacy budget is left"):
        noise_for(Loss("zcdp", 0), 1)

"""Additive noise: each number is recomputed from the same secret draw, and moves as far as the policy says."""

import datetime as dt
import statistics
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.anonymize import Noise
from anon_platform.anonymize.noise import moved
from anon_platform.anonymize.order import secret_draws
from anon_platform.errors import PolicyError
from anon_platform_tests.anonymize.whole import KEY, whole

SHAPES = ("gaussian", "laplace", "uniform")
every_shape = pytest.mark.parametrize("shape", SHAPES)


def noise(**changes: Any) -> Noise:
    settings_ = {"technique": "noise", "distribution": "gaussian", "scale": 5.0, **changes}
    return Noise(**{name: value for name, value in settings_.items() if value is not None})


def treated(technique: Noise, values: list[Any], dtype: pl.DataType) -> list[Any]:
    """The whole column in one batch."""
    column = whole(values, dtype)
    assert technique.fault(column.dtype) is None
    rows = pl.Series(np.arange(len(values)), dtype=pl.UInt32)
    found = technique.fit_rows(column)(column.in_order(), rows)
    assert (found.name, found.dtype, len(found)) == ("column", dtype, len(values))
    return found.to_list()


def drawn(shape: str, deviation: float, row: int, rows: int) -> float:
    """The noise of a row, from its draw and the inverse distribution function of the standard library."""
    chance = ((secret_draws(KEY, "noise", rows).tolist()[row] >> 12) + 0.5) / 2**52
    if shape == "gaussian":
        return statistics.NormalDist(0, deviation).inv_cdf(chance)
    if shape == "uniform":
        return (2 * chance - 1) * 3**0.5 * deviation
    scale = deviation / 2**0.5
    return float(scale * np.log(2 * chance) if chance < 0.5 else -scale * np.log(2 - 2 * chance))


@every_shape
@settings(max_examples=60)
@given(st.lists(st.integers(-(2**60), 2**60) | st.none(), min_size=1, max_size=12))
def test_each_whole_number_moves_by_the_noise_of_its_row(shape: str, values: list[int | None]) -> None:
    """Also above 2^53, where a float would have changed the number itself; a null stays null."""
    found = treated(noise(distribution=shape), values, pl.Int64())
    for row, (before, after) in enumerate(zip(values, found, strict=True)):
        if before is None:
            assert after is None
        else:
            assert abs(after - before - drawn(shape, 5.0, row, len(values))) <= 0.5 + 1e-6


@settings(max_examples=60)
@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=1, max_size=12))
def test_numbers_keep_their_decimals(values: list[Decimal]) -> None:
    """A price with twelve decimals would show that it was changed, and by how much."""
    found = treated(noise(), [float(value) for value in values], pl.Float64())
    most = max(max(-int(value.normalize().as_tuple().exponent), 0) for value in values)
    for row, (before, after) in enumerate(zip(values, found, strict=True)):
        assert after == pytest.approx(round(float(before) + drawn("gaussian", 5.0, row, len(values)), most))


def test_decimal_columns_stay_what_they_are() -> None:
    """With the type's own number of decimals."""
    found = treated(noise(), [Decimal("1.50"), None], pl.Decimal(10, 2))
    assert found == [Decimal(f"{1.5 + drawn('gaussian', 5.0, 0, 2):.2f}"), None]


def test_dates_move_by_whole_days_and_stay_in_the_calendar() -> None:
    """Whoever shifts a birthday by a huge scale gets no error with it, but a date."""
    values = [dt.date(2020, 2, 29), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)]
    found = treated(noise(scale=30), values, pl.Date())
    assert found[0] == values[0] + dt.timedelta(days=round(drawn("gaussian", 30, 0, 4)))
    assert found[1] is None
    for huge in (1e9, 1e300):
        assert all(
            date is None or 1 <= date.year <= 9999 for date in treated(noise(scale=huge), values, pl.Date())
        )


@every_shape
def test_the_noise_has_the_mean_and_the_deviation_that_were_asked_for(shape: str) -> None:
    """100,000 fixed draws; the mean of four standard errors, the deviation of 2 %: a false alarm once in 10,000 keys."""
    found = moved(secret_draws(KEY, "noise", 100_000), shape, 3.0)
    assert abs(found.mean()) < 4 * 3 / 100_000**0.5
    assert found.std() == pytest.approx(3, rel=0.02)
    beyond = {"gaussian": 0.0455, "laplace": 0.0591, "uniform": 0.0}[shape]  # two deviations away or more
    assert np.mean(np.abs(found) > 6) == pytest.approx(beyond, abs=0.003)
    assert np.isfinite(moved(np.array([0, 2**64 - 1], np.uint64), shape, 3.0)).all()


def test_a_share_is_of_the_deviation_of_the_column() -> None:
    """Nulls and what is no number do not count."""
    values = [0.0, 10.0, None, float("nan"), float("inf")]
    found = treated(noise(scale=None, share=0.2), values, pl.Float64())
    spread = statistics.pstdev([0, 10])
    assert found[0] == pytest.approx(round(drawn("gaussian", 0.2 * spread, 0, 5), 0))
    assert found[2] is None
    assert found[3] != found[3]
    assert found[4] == float("inf")


@pytest.mark.parametrize(
    ("values", "dtype", "changes", "allowed"),
    [
        ([1, 5, 9] * 50, pl.Int64(), {"bottom": 0, "top": 10}, range(11)),
        ([1, 250] * 50, pl.UInt8(), {}, range(256)),
        ([-128, 127] * 50, pl.Int8(), {"bottom": -1000}, range(-128, 128)),
        ([1, 5] * 50, pl.Int64(), {"bottom": 3}, range(3, 100)),
    ],
)
def test_nothing_leaves_beyond_the_bounds(
    values: list[int], dtype: pl.DataType, changes: dict[str, float], allowed: range
) -> None:
    """A negative age shows that it is noise, and a type that overflows stops the run; originals beyond are clipped too."""
    found = treated(noise(scale=20, **changes), values, dtype)
    assert set(found) <= set(allowed)
    assert {allowed[0]} <= set(found)
    floats = treated(noise(scale=20, bottom=0.5, top=1), [0.25, 3.0], pl.Float64())
    assert all(0.5 <= value <= 1 for value in floats)


@every_shape
@settings(max_examples=30)
@given(st.data())
def test_batches_do_not_matter_to_the_noise(shape: str, data: st.DataObject) -> None:
    """A row gets the same number in a batch of one, in any order, in another process."""
    values = data.draw(st.lists(st.floats(-100, 100) | st.none(), min_size=1, max_size=10))
    technique = noise(distribution=shape)
    expected = treated(technique, values, pl.Float64())
    assert treated(technique, values, pl.Float64()) == expected
    treat = technique.fit_rows(whole(values, pl.Float64()))
    for row in data.draw(st.permutations(range(len(values)))):
        one = treat(pl.Series("x", [values[row]], dtype=pl.Float64), pl.Series([row], dtype=pl.UInt32))
        assert one.to_list() == [expected[row]]


@pytest.mark.parametrize("dtype", [pl.Int64(), pl.Float64(), pl.Date(), pl.Decimal(8, 2)])
def test_columns_without_numbers_stay_empty(dtype: pl.DataType) -> None:
    """The schema of a plan is found on no rows."""
    for technique in (noise(), noise(scale=None, share=0.1)):
        assert treated(technique, [], dtype) == []
        assert treated(technique, [None, None], dtype) == [None, None]


def test_noise_that_would_be_none_is_refused() -> None:
    """The report would say that the column was changed."""
    same = (
        "column column: all its numbers are the same, so that a share of their standard deviation is no noise; write"
        " scale instead of share"
    )
    for values in ([7], [7, 7, None]):
        with pytest.raises(PolicyError) as told:
            treated(noise(scale=None, share=0.5), values, pl.Int64())
        assert str(told.value) == same
    with pytest.raises(PolicyError) as told:
        treated(noise(scale=0.25), [1, 2], pl.Int64())
    assert str(told.value) == (
        "column column: noise with a standard deviation of 0.25 is rounded away, since the numbers have 0 decimals; write"
        " a larger scale"
    )
    with pytest.raises(
        PolicyError, match=r"is rounded away, since the numbers have 1 decimals; write a larger share"
    ):
        treated(noise(scale=None, share=0.01), [1.5, 2.5], pl.Float64())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": None}, "say how large the noise is"),
        ({"share": 0.1}, "say how large the noise is"),
        ({"scale": 0.0}, "greater than 0"),
        ({"scale": float("inf")}, "finite number"),
        ({"bottom": 2, "top": 2}, "bottom has to be below top"),
        ({"distribution": None}, "Field required"),
        ({"distribution": "cauchy"}, "Input should be 'gaussian', 'laplace' or 'uniform'"),
    ],
)
def test_settings_that_are_none_are_refused(changes: dict[str, Any], message: str) -> None:
    """With the way out; shape and size have no default."""
    with pytest.raises(ValidationError, match=message):
        noise(**changes)


def test_types_without_noise_are_refused() -> None:
    """The plan says so before a row is read."""
    numbers = "noise needs numbers or dates; declare type: integer, number or date"
    assert [noise().fault(dtype) for dtype in (pl.String(), pl.Boolean(), pl.Datetime())] == [numbers] * 3
    assert noise(top=5).fault(pl.Date()) == "dates have no bottom and top; remove them"
    assert (
        noise(top=5.5).fault(pl.Int64())
        == "the column holds whole numbers; write whole numbers for top and bottom"
    )
    assert noise(top=5.5).fault(pl.Float64()) is None

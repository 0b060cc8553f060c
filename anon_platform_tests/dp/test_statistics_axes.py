"""Groups of a column, against the sentence that describes them."""

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.dp.statistics.axes import Axis
from anon_platform.dp.statistics.steps import LEAVES, MOST_STEPS, steps_of
from anon_platform.errors import PolicyError


def labels(domain: Domain, values: list[Any], dtype: Any) -> list[Any]:
    """The label of each value."""
    axis = Axis("column", domain)
    table = pl.DataFrame({"column": pl.Series(values, dtype=dtype)})
    codes = table.select(code=axis.code())["code"].to_list()
    return [axis.labels[code] for code in codes]


DAYS = st.dates(dt.date(2019, 1, 1), dt.date(2023, 12, 31))


@pytest.mark.parametrize("every", ["day", "week", "month", "quarter", "year"])
@settings(max_examples=30, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=20), DAYS, st.integers(1, 900))
def test_a_day_is_in_the_period_that_begins_last_before_it(
    every: Any, days: list[dt.date], first: dt.date, length: int
) -> None:
    last = first + dt.timedelta(days=length)
    domain = Dates(kind="dates", bounds=(first, last), every=every)
    starts = Axis("column", domain).labels[:-1]
    assert starts[0] <= first
    assert len(starts) == 1 or starts[1] > first
    assert starts[-1] <= last
    for day, found in zip(days, labels(domain, days, pl.Date), strict=True):
        clipped = min(max(day, first), last)
        assert found == max(start for start in starts if start <= clipped)
    assert labels(domain, [None], pl.Date) == [None]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=20),
    st.integers(-20, 0),
    st.integers(1, 20),
    st.integers(1, 60),
)
def test_a_whole_number_is_in_the_bin_that_begins_last_before_it(
    values: list[float], low: int, high: int, bins: int
) -> None:
    """After rounding to whole steps; so many bins that some held no step become one a step."""
    domain = Numbers(kind="numbers", bounds=(low, high), bins=bins)
    ends = Axis("column", domain).labels[:-1]
    assert len(ends) == min(bins, high - low + 1)
    whole = [float(min(max(round(value), low), high)) for value in values]
    for value, found in zip(whole, labels(domain, whole, pl.Float64), strict=True):
        assert found == max(end for end in ends if end <= value + 1e-9)


def test_numbers_that_are_none_are_missing() -> None:
    domain = Numbers(kind="numbers", bounds=(0, 10), bins=(5.0,))
    values = [float("nan"), float("inf"), float("-inf"), None, -3.0, 4.4, 4.6, 99.0]
    assert labels(domain, values, pl.Float64) == [None, None, None, None, 0.0, 0.0, 5.0, 5.0]


def test_a_category_that_is_not_named_is_missing_or_other() -> None:
    assert labels(Categories(kind="categories", values=("a",)), ["a", "b", None], pl.String) == [
        "a",
        None,
        None,
    ]
    other = Categories(kind="categories", values=(True,), other="rest")
    assert labels(other, [True, False, None], pl.Boolean) == ["true", "rest", None]
    whole = Categories(kind="categories", values=(3, 1), other="rest")
    assert labels(whole, [1, 2, None, 3], pl.Int16) == ["1", "rest", None, "3"]


def test_bins_that_the_data_would_name_are_no_groups() -> None:
    domain = Numbers(kind="numbers", bounds=(0, 10), bins="found")
    with pytest.raises(
        PolicyError, match=r"^column column: groups need bins that are public; write a number of bins"
    ):
        _ = Axis("column", domain).labels


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-1e6, 1e6), st.floats(0.5, 1e6), st.sampled_from([0.01, 0.25, 1.0, 7.0]),
    st.lists(st.floats(-3e6, 3e6), min_size=1, max_size=10),
)  # fmt: skip
def test_steps_are_whole_and_within_what_is_stated(
    low: float, width: float, step: float, values: list[float]
) -> None:
    """Everything that noise is calibrated to: no value is further than `largest`, `furthest`, `largest_square`."""
    steps = steps_of(Numbers(kind="numbers", bounds=(low, low + width), step=step))
    assert steps.count <= MOST_STEPS
    assert steps.leaves <= LEAVES
    table = pl.DataFrame({"x": [*values, low, low + width]}).with_columns(
        pl.col("x").clip(steps.low, steps.high)
    )
    found = table.select(
        at=steps.at(pl.col("x")),
        centred=steps.centred(pl.col("x")),
        all=steps.in_all(pl.col("x")),
        square=steps.squared(pl.col("x")),
        leaf=steps.leaf(pl.col("x")),
    )
    assert found["at"].is_between(0, steps.count).all()
    assert found["centred"].abs().max() <= steps.furthest  # type: ignore[operator]
    assert found["all"].abs().max() <= steps.largest  # type: ignore[operator]
    assert found["square"].is_between(0, steps.largest_square).all()
    for value, at, centred, leaf in zip(table["x"], *found.select("at", "centred", "leaf"), strict=True):
        assert abs(steps.low + steps.size * at - value) <= steps.size * 0.5000001 or steps.count == 1
        assert steps.centre + steps.half * centred == pytest.approx(
            steps.low + steps.size * at, abs=steps.size * 1e-3
        )
        least, most = steps.ends_of_leaf(leaf)
        assert least - steps.size <= value <= most + steps.size

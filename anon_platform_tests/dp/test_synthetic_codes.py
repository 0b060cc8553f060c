"""Columns become codes by their public domains, and codes become values of the source's type."""

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.dp.synthetic.coded import Stepped, columns_of
from anon_platform.errors import PolicyError


def column(domain: Domain, dtype, *, required=False):
    (found,) = columns_of({"x": dtype}, {"x": domain}, {"x"} if required else set())
    return found


def back(coded, codes, rng):
    """Values of codes, a random step of each bin."""
    codes = np.asarray(codes, np.int32)
    if not isinstance(coded, Stepped):
        return coded.decoded(codes)
    absent = codes == (-1 if coded.missing is None else coded.missing)
    bins = np.where(absent, 0, codes)
    return coded.decoded(rng.integers(coded.starts[bins], coded.ends[bins], endpoint=True), absent)


NUMBERS = (
    Numbers(kind="numbers", bounds=(17, 90)),
    Numbers(kind="numbers", bounds=(-0.5, 3.5), step=0.1, bins=7),
    Numbers(kind="numbers", bounds=(0, 1e9), step=0.01, bins=(1.0, 2.5, 1e6)),
    Numbers(kind="numbers", bounds=(0, 2), bins=50),
)
DATES = tuple(
    Dates(kind="dates", bounds=(dt.date(2019, 3, 15), dt.date(2021, 2, 2)), every=every)
    for every in ("day", "week", "month", "quarter", "year")
)
CASES = [
    *((domain, pl.Float64) for domain in NUMBERS),
    (NUMBERS[0], pl.Int64),
    (NUMBERS[3], pl.UInt8),
    *((domain, pl.Date) for domain in DATES),
    (DATES[2], pl.Datetime("ms")),
    (DATES[4], pl.Datetime("us", "Europe/Berlin")),
    (Categories(kind="categories", values=["a", "b", "c"], other="rest"), pl.String),
    (Categories(kind="categories", values=["a", "b"]), pl.Categorical),
    (Categories(kind="categories", values=[7, 8, 9]), pl.Int16),
    (Categories(kind="categories", values=[True, False]), pl.Boolean),
]


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("case", range(len(CASES)))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_values_of_codes_have_these_codes(case, required, data) -> None:
    domain, dtype = CASES[case]
    coded = column(domain, pl.Series([], dtype=dtype).dtype, required=required)
    codes = data.draw(st.lists(st.integers(0, coded.size - 1), max_size=30))
    values = back(coded, codes, np.random.default_rng(data.draw(st.integers(0, 99))))
    assert coded.encoded(values.cast(coded.dtype)).tolist() == codes
    assert values.null_count() == (0 if required else codes.count(coded.missing))
    assert values.dtype == (pl.String if dtype == pl.Categorical else coded.dtype)


@given(st.lists(st.floats(width=64) | st.none(), max_size=30))
def test_numbers_fall_into_the_bin_that_plain_python_finds(values) -> None:
    coded = column(Numbers(kind="numbers", bounds=(0, 100), step=0.5, bins=(10, 20.25, 50)), pl.Float64())

    def code(value: float | None) -> int:
        if value is None or not math.isfinite(value):
            return 4
        rounded = round(min(max(value, 0), 100) * 2) / 2
        return sum(rounded >= end for end in (10, 20.25, 50))

    series = pl.Series("x", values, dtype=pl.Float64)
    assert coded.encoded(series).tolist() == [code(value) for value in values]


def test_whole_numbers_in_floats_are_categories_and_other_numbers_are_not() -> None:
    coded = column(Categories(kind="categories", values=[1, 2]), pl.Float64())
    assert coded.encoded(pl.Series([1.0, 2.0, 1.5, math.nan, None])).tolist() == [0, 1, 2, 2, 2]
    small = column(Categories(kind="categories", values=[1, 2]), pl.Int8())
    assert small.encoded(pl.Series([2, 100, None], dtype=pl.Int8)).tolist() == [1, 2, 2]


def test_dates_beyond_the_bounds_count_as_the_bounds() -> None:
    coded = column(DATES[4], pl.Date())
    days = [dt.date(1900, 1, 1), dt.date(2019, 3, 15), dt.date(2020, 1, 1), None, dt.date(9000, 1, 1)]
    assert coded.encoded(pl.Series(days)).tolist() == [0, 0, 1, 3, 2]


def test_unknown_categories_are_other_or_missing() -> None:
    values = pl.Series(["b", "z", None, "a"])
    with_other = column(Categories(kind="categories", values=["a", "b"], other="z or so"), pl.String())
    assert with_other.encoded(values).tolist() == [1, 2, 3, 0]
    assert column(Categories(kind="categories", values=["a", "b"]), pl.String()).encoded(values).tolist() == [
        1, 2, 2, 0,
    ]  # fmt: skip


def test_what_is_missing_in_a_required_column_counts_as_its_first() -> None:
    named = column(Categories(kind="categories", values=["a", "b"]), pl.String(), required=True)
    assert named.encoded(pl.Series(["b", "z", None])).tolist() == [1, 0, 0]
    number = column(NUMBERS[0], pl.Float64(), required=True)
    assert number.encoded(pl.Series([90.0, None, math.nan, math.inf, -math.inf])).tolist() == [15, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("domain", "dtype", "message"),
    [
        (NUMBERS[0], pl.String, "column x: its domain is numbers, but it does not hold numbers"),
        (DATES[0], pl.Int64, "column x: its domain is dates, but it does not hold dates or times"),
        (
            CASES[-2][0],
            pl.String,
            "column x: its categories are whole numbers, but it does not hold whole numbers",
        ),
        (
            CASES[-1][0],
            pl.String,
            "column x: its categories are truth values, but it does not hold truth values",
        ),
        (CASES[-3][0], pl.Int64, "column x: its categories are text, but it does not hold text"),
        (
            Categories(kind="categories", values=[1], other="rest"),
            pl.Int64,
            "column x: it does not hold text, so that 'rest' cannot stand in it; leave out other",
        ),
        (
            Categories(kind="categories", values=[1, 300]),
            pl.UInt8,
            "column x: it cannot hold some of its categories; correct them or its type",
        ),
        (
            Numbers(kind="numbers", bounds=(-1, 9)),
            pl.UInt8,
            "column x: its type cannot hold its bounds; write narrower ones or correct its type",
        ),
        (
            Numbers(kind="numbers", bounds=(0, 9), step=0.5),
            pl.Int64,
            "column x: it holds whole numbers; write a whole step",
        ),
        (
            Numbers(kind="numbers", bounds=(0.2, 0.8)),
            pl.Float64,
            "column x: no whole step of 1 is between its bounds; write a finer step",
        ),
    ],
)
def test_a_domain_has_to_fit_the_column(domain, dtype, message) -> None:
    with pytest.raises(PolicyError) as error:
        column(domain, pl.Series([], dtype=dtype).dtype)
    assert str(error.value) == message


def test_a_domain_needs_a_column() -> None:
    with pytest.raises(PolicyError) as error:
        columns_of({"y": pl.Int64()}, {"x": NUMBERS[0]}, set())
    assert str(error.value) == "column x has a domain, but the table has no such column; remove its domain"

"""Numeric intervals: every value in the interval that it is published with, whatever floating point makes of it."""

import itertools
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.anonymize.hierarchy import Intervals
from anon_platform_tests.anonymize.labels import labels_of

AGES = Intervals(kind="intervals", widths=(5, 10, 20), bottom=18, top=90)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (17, ["<18", "<18", "<18"]),
        (17.999, ["<18", "<18", "<18"]),
        (18, ["[18, 20)", "[18, 20)", "[18, 20)"]),
        (19.5, ["[18, 20)", "[18, 20)", "[18, 20)"]),
        (20, ["[20, 25)", "[20, 30)", "[20, 40)"]),
        (74, ["[70, 75)", "[70, 80)", "[60, 80)"]),
        (75, ["[75, 80)", "[70, 80)", "[60, 80)"]),
        (89, ["[85, 90)", "[80, 90)", "[80, 90)"]),
        (90, ["90+", "90+", "90+"]),
        (1e300, ["90+", "90+", "90+"]),
        (math.inf, ["90+", "90+", "90+"]),
        (-math.inf, ["<18", "<18", "<18"]),
        (math.nan, [None, None, None]),
        (None, [None, None, None]),
    ],
)
def test_ages_fall_into_half_open_intervals_between_the_open_ends(
    value: float | None, expected: list[str]
) -> None:
    """HIPAA wants ages over 89 in one group; an interval that the end cuts says where it is cut."""
    assert labels_of(AGES, [value], pl.Float64()) == [expected]


@pytest.mark.parametrize(
    ("widths", "origin", "value", "expected"),
    [
        ((5,), 0, -1, ["[-5, 0)"]),
        ((5,), 0, -5, ["[-5, 0)"]),
        ((5,), 0, -0.0, ["[0, 5)"]),
        ((5,), 2, 1, ["[-3, 2)"]),
        ((49,), 0, 49, ["[49, 98)"]),
        ((107,), 0, 428, ["[428, 535)"]),
        ((2.5, 5), 0, 7.5, ["[7.5, 10)", "[5, 10)"]),
        ((0.1, 0.3), 0, 0.3, ["[0.3, 0.4)", "[0.3, 0.6)"]),
        ((0.1, 0.3), 0, 0.6, ["[0.6, 0.7)", "[0.6, 0.9)"]),
        ((0.1,), 0, 0.7, ["[0.7, 0.8)"]),
        ((0.1,), 0, -0.7, ["[-0.7, -0.6)"]),
        ((0.1,), 36.6, 36.9, ["[36.9, 37)"]),
        ((0.5,), 0, 37.25, ["[37, 37.5)"]),
        ((1e6, 1e7), 0, 2_500_000, ["[2000000, 3000000)", "[0, 10000000)"]),
        ((5,), 0, 4.9999999, ["[0, 5)"]),
        ((1,), 0, 2**40 + 0.5, ["[1099511627776, 1099511627777)"]),
    ],
)
def test_interval_bounds_are_exact(
    widths: tuple[float, ...], origin: float, value: float, expected: list[str]
) -> None:
    """A value on a bound belongs to the interval that begins there, whatever floating point makes of it.

    Alone and among others: an engine may divide one number otherwise than many.
    """
    kind = Intervals(kind="intervals", widths=widths, origin=origin)
    for times in (1, 9):
        assert labels_of(kind, [value] * times, pl.Float64()) == [expected] * times


decimals = st.decimals(-1000, 1000, places=2, allow_nan=False)


def plain(number: Fraction) -> str:
    """A decimal fraction without exponent and closing zeros."""
    text = f"{Decimal(number.numerator) / Decimal(number.denominator):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


@settings(deadline=None, max_examples=150)
@given(
    st.lists(decimals, min_size=1, max_size=10),
    st.sampled_from([Decimal(text) for text in ("0.01", "0.1", "0.3", "0.7", "1", "2.5", "5", "49", "365")]),
    st.lists(st.integers(2, 7), max_size=2),
    st.sampled_from([Decimal(text) for text in ("0", "0.1", "-3", "36.6")]),
    st.none() | st.integers(-50, 0),
    st.none() | st.integers(1, 200),
)
def test_intervals_are_those_of_exact_arithmetic(
    values: list[Decimal],
    narrowest: Decimal,
    ratios: list[int],
    origin: Decimal,
    bottom: int | None,
    top: int | None,
) -> None:
    """The label is what leaves: a record must lie in the interval it is published with."""
    widths = [Fraction(width) for width in itertools.accumulate([narrowest, *ratios], lambda a, b: a * b)]
    kind = Intervals(
        kind="intervals",
        widths=tuple(float(width) for width in widths),
        origin=float(origin),
        bottom=bottom,
        top=top,
    )
    for value, found in zip(values, labels_of(kind, [float(value) for value in values]), strict=True):
        exact, begin = Fraction(value), Fraction(origin)
        if bottom is not None and exact < bottom:
            assert found == [f"<{bottom}"] * len(widths)
        elif top is not None and exact >= top:
            assert found == [f"{top}+"] * len(widths)
        else:
            for width, label in zip(widths, found, strict=True):
                lower = (exact - begin) // width * width + begin
                upper = lower + width
                lower = lower if bottom is None else max(lower, Fraction(bottom))
                upper = upper if top is None else min(upper, Fraction(top))
                assert label == f"[{plain(lower)}, {plain(upper)})"


@settings(deadline=None, max_examples=150)
@given(st.floats(width=64, allow_nan=False), st.sampled_from([0.1, 0.25, 3.0, 49.0]))
@example(1e300, 0.1)
@example(math.inf, 0.1)
@example(2.0**62, 0.25)
def test_a_label_never_lies_about_its_value(value: float, width: float) -> None:
    """Where floating point cannot tell the intervals apart any more there is no label, rather than a wrong one."""
    (label,) = labels_of(Intervals(kind="intervals", widths=(width,)), [value], pl.Float64())[0]
    if label is not None:
        lower, upper = (Decimal(text) for text in label[1:-1].split(", "))
        hair = max(Decimal(abs(value)), Decimal(1)) * Decimal("1e-9")
        assert lower - hair <= Decimal(value) < upper + hair
    if abs(value) < 1e15:
        assert label is not None


def test_long_numbers_are_written_in_full() -> None:
    """`1.23457e+06+` would be another bound than the policy's, and two bounds could look the same."""
    kind = Intervals(kind="intervals", widths=(1e6, 2e6), bottom=-1234567.5, top=12345678)
    assert kind.level_names == ("1000000", "2000000")
    assert labels_of(kind, [-2e6, 5.0, 2e7]) == [
        ["<-1234567.5", "<-1234567.5"],
        ["[0, 1000000)", "[0, 2000000)"],
        ["12345678+", "12345678+"],
    ]
    assert Intervals(kind="intervals", widths=(0.25, 5)).level_names == ("0.25", "5")


@pytest.mark.parametrize("dtype", [pl.Int8(), pl.UInt32(), pl.Float32(), pl.Decimal(6, 1)])
def test_every_type_of_number_has_the_same_intervals(dtype: pl.DataType) -> None:
    """A Parquet source brings its own types."""
    values = pl.Series([0, 5, 99]).cast(dtype)
    assert [label for (label,) in labels_of(Intervals(kind="intervals", widths=(5,)), values)] == [
        "[0, 5)",
        "[5, 10)",
        "[95, 100)",
    ]


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"widths": (0,)}, "widths must be positive, such as widths: [5, 10, 20]"),
        ({"widths": (-5,)}, "widths must be positive, such as widths: [5, 10, 20]"),
        ({"widths": (10, 5)}, "widths must ascend, each a multiple of the one before"),
        ({"widths": (5, 5)}, "widths must ascend, each a multiple of the one before"),
        ({"widths": (5, 12)}, "widths must ascend, each a multiple of the one before"),
        ({"widths": (5,), "bottom": 90, "top": 90}, "bottom must be below top"),
        ({"widths": (5, math.inf)}, "Input should be a finite number"),
        ({"widths": (math.nan,)}, "Input should be a finite number"),
        ({"widths": (5,), "top": math.inf}, "Input should be a finite number"),
        ({"widths": ()}, "say where intervals begin: widths: [5, 10, 20], cuts: "),
    ],
)
def test_intervals_that_do_not_nest_are_refused(settings_: dict[str, Any], message: str) -> None:
    """`[0, 12)` is no union of `[0, 5)` and `[5, 10)`."""
    with pytest.raises(ValidationError) as fault:
        Intervals(kind="intervals", **settings_)
    assert message in str(fault.value)

"""What the validator measures, against a count by hand, scikit-learn, and files that are wrong on purpose."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from anon_platform.validate.prediction.scores import area_under_curve, lost_lift
from anon_platform.validate.utility.fidelity import BINS, MANY, total_variation
from anon_platform_tests import oracles

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)

# --- total variation


def tally(values: Sequence[Any], dtype: pl.DataType, name: str = "x") -> pl.DataFrame:
    """The frequency table of one column."""
    return pl.DataFrame({name: pl.Series(values, dtype=dtype)}).group_by(name).agg(n=pl.len())


columns = st.sampled_from(
    [
        (pl.String(), st.none() | st.sampled_from(["a", "b", "", "NA"])),
        (pl.Int64(), st.none() | st.integers(0, 3)),
        (pl.Float64(), st.none() | st.sampled_from([0.1, 0.2, -1.5])),
        (pl.Boolean(), st.none() | st.booleans()),
        (pl.Date(), st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2020, 1, 3))),
    ]
)


@settings(deadline=None, max_examples=120)
@given(columns, st.data(), st.sampled_from(["x", "p", "q", "null", "value", "bin"]))
def test_total_variation_is_half_the_sum_of_the_differences(
    column: tuple[pl.DataType, st.SearchStrategy[Any]], data: st.DataObject, name: str
) -> None:
    """A missing value is a value, no column name gets in the way, and an empty side is as far as can be."""
    dtype, values = column
    left, right = data.draw(st.lists(values, max_size=20)), data.draw(st.lists(values, max_size=20))
    found = total_variation(tally(left, dtype, name), tally(right, dtype, name), name)
    assert found == pytest.approx(float(oracles.total_variation(left, right)), abs=1e-9)
    assert found == total_variation(tally(right, dtype, name), tally(left, dtype, name), name)


def in_bins(values: Sequence[int | None], of: Sequence[int | None]) -> list[int | None]:
    """The bin of each value when the known values of `of` are cut into 50 bins of equal shares."""
    known = sorted(value for value in of if value is not None)
    edges = sorted({known[math.ceil(len(known) * i / BINS) - 1] for i in range(1, BINS)})
    return [None if value is None else sum(edge < value for edge in edges) for value in values]


@settings(deadline=None, max_examples=30)
@given(
    st.integers(MANY + 1, 400),
    st.lists(st.none() | st.integers(-20, 450), min_size=1, max_size=60),
    st.integers(0, 9),
    st.sampled_from([pl.Int64(), pl.Float64()]),
    st.sampled_from(["x", "null"]),
)
def test_many_numbers_are_compared_in_bins_of_equal_size(
    distinct: int, right: list[int | None], missing: int, dtype: pl.DataType, name: str
) -> None:
    """Laboratory values are nearly all different: compared one by one, any sample would look far off."""
    left: list[int | None] = [*range(distinct), *range(0, distinct, 3), *[None] * missing]
    found = total_variation(tally(left, dtype, name), tally(right, dtype, name), name)
    by_hand = oracles.total_variation(in_bins(left, left), in_bins(right, left))
    assert found == pytest.approx(float(by_hand), abs=1e-9)


def test_half_of_the_numbers_is_half_of_the_distance() -> None:
    """1000 different numbers, of which the lower 500 are left: half of the mass has nowhere to go."""
    whole, half = tally(range(1000), pl.Int64()), tally(range(500), pl.Int64())
    assert total_variation(whole, half, "x") == pytest.approx(0.5, abs=1e-9)
    assert total_variation(whole, whole, "x") == 0.0


# --- the model's measures


@st.composite
def scored(draw: st.DrawFn) -> tuple[list[bool], list[float], list[float]]:
    """Few different scores, so that many tie, and weights of which some are zero."""
    size = draw(st.integers(1, 25))

    def some(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    return some(st.booleans()), some(st.sampled_from([0.1, 0.3, 0.5, 0.9])), some(st.integers(0, 3))


@settings(deadline=None, max_examples=150)
@given(scored())
@example(([True, False], [0.5, 0.5], [1, 1]))
def test_the_area_under_the_curve_is_won_pairs_and_half_the_ties(
    table: tuple[list[bool], list[float], list[float]],
) -> None:
    """By all pairs, weighted; NaN, and not 0.5, when a class is missing or weighs nothing."""
    truth, scores, weights = table
    found = area_under_curve(np.array(truth), np.array(scores), np.array(weights, np.float64))
    assert found == pytest.approx(oracles.area_under_curve(truth, scores, weights), abs=1e-9, nan_ok=True)
    plain = area_under_curve(np.array(truth), np.array(scores))
    assert plain == pytest.approx(
        oracles.area_under_curve(truth, scores, [1] * len(truth)), abs=1e-9, nan_ok=True
    )


@settings(deadline=None, max_examples=60)
@given(scored())
def test_the_area_under_the_curve_is_that_of_scikit_learn(
    table: tuple[list[bool], list[float], list[float]],
) -> None:
    """The reader of a report compares it with their own."""
    from sklearn.metrics import roc_auc_score

    truth, scores, weights = table
    assume(len({known for known, weight in zip(truth, weights, strict=True) if weight}) == 2)
    found = area_under_curve(np.array(truth), np.array(scores), np.array(weights, np.float64))
    assert found == pytest.approx(roc_auc_score(truth, scores, sample_weight=weights), abs=1e-9)


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (0.7, 0.68, 0.1),
        (0.7, 0.7, 0.0),
        (0.7, 0.5, 1.0),
        (0.7, 0.75, -0.25),
        (0.7, 0.4, 1.5),
        (0.5, 0.9, 0.0),
        (0.3, 0.2, 0.0),
    ],
)
def test_the_loss_is_a_share_of_the_lift_over_chance(before: float, after: float, lost: float) -> None:
    """A model no better than a coin has nothing to lose; worse than a coin is more than all of it."""
    assert lost_lift(before, after) == pytest.approx(lost, abs=1e-9)

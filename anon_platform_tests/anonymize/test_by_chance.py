"""PRAM and rank swapping: what chance does to a column, recomputed row by row from the same secret draws."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.anonymize import OfRows, Pram, RankSwap
from anon_platform.anonymize.order import secret_draws
from anon_platform.anonymize.pram import MOST, invariant
from anon_platform.anonymize.rank_swap import partners
from anon_platform.errors import HierarchyGapError, PolicyError, SourceError
from anon_platform_tests.anonymize.whole import KEY, whole

MATRIX = {"a": {"a": 0.5, "b": 0.5}, "b": {"b": 1.0}, "c": {"a": 0.25, "c": 0.75}}
SWAP = RankSwap(technique="rank_swap", percent=20)


def pram(**changes: Any) -> Pram:
    return Pram(**{"technique": "pram", "retain": 0.7, "invariant": False, **changes})


def treated(technique: OfRows, values: Sequence[Any], dtype: pl.DataType | None = None) -> list[Any]:
    """The whole column in one batch."""
    column = whole(values, dtype)
    assert technique.fault(column.dtype) is None
    rows = pl.Series(np.arange(len(values)), dtype=pl.UInt32)
    return technique.fit_rows(column)(column.in_order(), rows).to_list()


# --- what both owe

categories = st.lists(st.sampled_from(["a", "b", "c"]) | st.none(), max_size=30)
numbers = st.lists(st.integers(0, 9) | st.none(), min_size=5, max_size=30).filter(
    lambda values: sum(value is not None for value in values) >= 5
)
BOTH = [
    (pram(), categories, pl.String()),
    (pram(retain=None, matrix=MATRIX), categories, pl.String()),
    (SWAP, numbers, pl.Int64()),
]
both = pytest.mark.parametrize(("technique", "values", "dtype"), BOTH, ids=["retain", "matrix", "rank_swap"])


@both
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_batches_change_nothing(
    technique: OfRows, values: st.SearchStrategy[list[Any]], dtype: pl.DataType, data: st.DataObject
) -> None:
    """A row gets the same value in a batch of one, in any order, in another process; a null stays null."""
    drawn = data.draw(values)
    expected = treated(technique, drawn, dtype)
    assert treated(technique, drawn, dtype) == expected
    assert [value is None for value in expected] == [value is None for value in drawn]
    treat = technique.fit_rows(whole(drawn, dtype))
    order = data.draw(st.permutations(range(len(drawn))))
    size = data.draw(st.integers(1, 7))
    found = list(drawn)
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        batch = pl.Series("stay", [drawn[row] for row in rows], dtype=dtype)
        result = treat(batch, pl.Series(rows, dtype=pl.UInt32))
        assert (result.name, result.dtype) == ("stay", dtype)
        for row, value in zip(rows, result, strict=True):
            found[row] = value
    assert found == expected


@both
def test_empty_columns_stay_empty(technique: OfRows, values: object, dtype: pl.DataType) -> None:
    """The schema of a plan is found on no rows."""
    del values
    assert treated(technique, [], dtype) == []
    assert treated(technique, [None, None], dtype) == [None, None]


# --- PRAM


def uniform(draw: int) -> Fraction:
    """A draw as a number from 0 to 1, of its upper 53 bits."""
    return Fraction(draw >> 11, 2**53)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40))
def test_each_value_becomes_what_its_draw_says(values: list[str]) -> None:
    """Row by row: the first value up to which the probabilities reach the draw."""
    draws = secret_draws(KEY, "pram", len(values)).tolist()
    expected = []
    for value, draw in zip(values, draws, strict=True):
        reached = Fraction(0)
        for candidate in sorted(MATRIX):
            reached += Fraction(MATRIX[value].get(candidate, 0.0))
            if uniform(draw) < reached:
                expected.append(candidate)
                break
    assert treated(pram(retain=None, matrix=MATRIX), values) == expected


def test_values_are_retained_as_often_as_the_policy_says() -> None:
    """20,000 fixed draws; four standard deviations, a false alarm once in 16,000 keys."""
    values = ["a", "b", "c", "d"] * 5_000
    found = treated(pram(retain=0.7), values)
    stayed = sum(a == b for a, b in zip(values, found, strict=True))
    assert abs(stayed - 14_000) < 4 * (20_000 * 0.7 * 0.3) ** 0.5
    moved = Counter(b for a, b in zip(values, found, strict=True) if a == "a" and b != "a")
    assert all(abs(moved[other] - 500) < 4 * (5_000 * 0.1 * 0.9) ** 0.5 for other in "bcd")


probabilities = st.integers(1, 5).flatmap(
    lambda size: st.tuples(
        st.lists(
            st.lists(st.integers(0, 9), min_size=size, max_size=size).filter(any),
            min_size=size,
            max_size=size,
        ),
        st.lists(st.integers(0, 9), min_size=size, max_size=size),
    )
)


@settings(deadline=None, max_examples=200)
@given(probabilities)
def test_invariant_pram_keeps_the_expected_frequencies(drawn: tuple[list[list[int]], list[int]]) -> None:
    """T · R = T, and R is a transition matrix: Gouweleeuw et al. 1998, by plain sums of fractions."""
    raw, counts = drawn
    size = len(counts)
    matrix = [[Fraction(cell, sum(row)) for cell in row] for row in raw]
    arriving = [sum(matrix[j][l] * counts[j] for j in range(size)) for l in range(size)]
    back = [
        [matrix[k][l] * counts[k] / arriving[l] if arriving[l] else Fraction(k == l) for k in range(size)]
        for l in range(size)
    ]
    expected = [
        [sum(matrix[k][l] * back[l][m] for l in range(size)) for m in range(size)] for k in range(size)
    ]
    found = invariant(np.array(matrix, float), np.array(counts, float))
    assert found == pytest.approx(np.array(expected, float), abs=1e-12)
    assert found.sum(axis=1) == pytest.approx(np.ones(size))
    assert np.array(counts) @ found == pytest.approx(np.array(counts, float), abs=1e-9)


def test_invariant_pram_leaves_a_skewed_column_skewed() -> None:
    """Without it rare values gain what common ones lose; with it the counts are right but for chance."""
    values = ["common"] * 18_000 + ["rare"] * 2_000
    plain, kept = (Counter(treated(pram(invariant=flag), values)) for flag in (False, True))
    assert plain["rare"] > 6_000
    assert abs(kept["rare"] - 2_000) < 4 * 2_000**0.5


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2, 3, None], pl.Int16()),
        ([True, False, None], pl.Boolean()),
        ([dt.date(2020, 1, 1)] * 2, pl.Date()),
    ],
)
def test_categories_of_every_exact_type_keep_it(values: list[Any], dtype: pl.DataType) -> None:
    """One category alone has nothing to become."""
    found = treated(pram(), values, dtype)
    assert set(found) <= set(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"retain": None}, "say how values change"),
        ({"matrix": MATRIX}, "say how values change"),
        ({"retain": None, "matrix": {"a": {"a": 0.9}}}, "every row of the matrix sums to 1"),
        ({"retain": None, "matrix": {"a": {"a": 0.5, "b": 0.5}}}, "has no row of its own"),
        ({"retain": 1.0}, "less than 1"),
        ({"retain": 0.0}, "greater than 0"),
    ],
)
def test_matrices_that_are_none_are_refused(changes: dict[str, Any], message: str) -> None:
    """With the way out."""
    with pytest.raises(ValidationError, match=message):
        pram(**changes)


@pytest.mark.parametrize("left_out", ["invariant", "technique"])
def test_nothing_that_decides_has_a_default(left_out: str) -> None:
    """Whether counts are biased is the policy's to say."""
    settings_ = {"technique": "pram", "retain": 0.5, "invariant": True}
    settings_.pop(left_out)
    with pytest.raises(ValidationError, match="Field required"):
        Pram(**settings_)  # type: ignore[arg-type]


def test_values_that_the_matrix_or_the_counts_lack_are_refused() -> None:
    """No value is in a message."""
    with pytest.raises(HierarchyGapError) as gap:
        treated(pram(retain=None, matrix=MATRIX), ["a", "Jane Roe"])
    assert str(gap.value).startswith(
        "column column: the transition matrix does not name 1 of the column's values;"
    )
    with pytest.raises(PolicyError, match="a value of the transition matrix is none of the column's type"):
        treated(pram(retain=None, matrix={"1": {"1": 1.0}, "x": {"1": 1.0}}), [1], pl.Int64())
    treat = pram().fit_rows(whole(["a", "b"]))
    with pytest.raises(SourceError, match="column stay: 1 values were not there when the column was counted"):
        treat(pl.Series("stay", ["Jane Roe"]), pl.Series([0], dtype=pl.UInt32))
    with pytest.raises(PolicyError, match=f"{MOST + 1} distinct values are too many for pram"):
        treated(pram(), [str(number) for number in range(MOST + 1)])
    assert pram().fault(pl.Float64()) == "pram needs categories: text, whole numbers, booleans or dates"
    assert pram().fault(pl.List(pl.Int64)) == "pram needs categories: text, whole numbers, booleans or dates"


# --- rank swapping


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=60), st.integers(1, 60))
def test_partners_are_near_and_mutual(draws: list[int], furthest: int) -> None:
    """Every rank has a partner but the last of an odd number, and none is farther away than allowed."""
    found = partners(np.array(draws, np.uint64), furthest).tolist()
    assert all(found[partner] == rank for rank, partner in enumerate(found))
    assert all(abs(partner - rank) <= furthest for rank, partner in enumerate(found))
    assert sum(partner == rank for rank, partner in enumerate(found)) == len(found) % 2


def test_partners_are_chosen_by_chance_over_the_whole_window() -> None:
    """Distances of all sizes occur; a guessable partner would be no protection."""
    draws = secret_draws(KEY, "places", 20_000)
    distances = np.abs(partners(draws, 101) - np.arange(20_000))
    assert distances.max() > 95
    assert len(np.unique(distances)) > 95
    # two of 102 ranks are (102 + 1) / 3 apart on average, with a standard deviation of about 24
    assert abs(distances.mean() - 103 / 3) < 4 * 24 / 10_000**0.5
    # the blocks begin where nobody knows
    moved = draws.copy()
    moved[0] ^= np.uint64(2)
    assert not np.array_equal(partners(moved, 101), partners(draws, 101))


@settings(deadline=None, max_examples=100)
@given(numbers)
def test_swapping_keeps_the_numbers_and_stays_near_in_rank(values: list[int | None]) -> None:
    """By hand: the same numbers, nulls where they were, each from a rank at most 20 % away."""
    found = treated(SWAP, values, pl.Int64())
    known = sorted(value for value in values if value is not None)
    assert sorted(value for value in found if value is not None) == known
    furthest = len(known) * 20 // 100
    for value, number in zip(values, found, strict=True):
        if value is not None:
            ranks, others = ([i for i, v in enumerate(known) if v == x] for x in (value, number))
            assert min(abs(a - b) for a in ranks for b in others) <= furthest


def test_a_percentage_below_one_rank_is_refused() -> None:
    """Nothing would be swapped, and the report would say that it was."""
    with pytest.raises(PolicyError) as fault:
        treated(RankSwap(technique="rank_swap", percent=1), [1, 2, 3, None], pl.Int64())
    assert str(fault.value) == (
        "column column: 1 % of 3 ranks is less than one, so that nothing would be swapped; write percent: 33 or more"
    )
    assert SWAP.fault(pl.String()) == "rank_swap needs a numeric column; declare type: integer or number"
    for percent in (0, 101):
        with pytest.raises(ValidationError):
            RankSwap(technique="rank_swap", percent=percent)


def test_nan_has_no_rank() -> None:
    """It stays where it is, as a null does."""
    nan = float("nan")
    values: list[Any] = [1.0, nan, 2.0, None, 3.0, 4.0, 5.0]
    found = treated(SWAP, values, pl.Float64())
    assert found[1] != found[1]
    assert found[3] is None
    assert sorted(found[:1] + found[2:3] + found[4:]) == [1.0, 2.0, 3.0, 4.0, 5.0]

"""Separation, distinction and lone people of column combinations, recounted row by row and pair by pair."""

from collections import defaultdict
from itertools import combinations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.analyze.columns.quasi import (
    coded,
    combinations_of,
    distinction,
    greedy_key,
    joined,
    separation,
    unique_people,
)

cell = st.integers(0, 3) | st.none()
tables = st.lists(st.tuples(cell, cell, cell, st.integers(0, 4)), min_size=1, max_size=25)


def codes_of(rows: list[tuple[int | None, ...]], place: int) -> np.ndarray:
    return coded(pl.Series([row[place] for row in rows], dtype=pl.Int64))


def people_of(rows: list[tuple[int | None, ...]]) -> np.ndarray:
    return codes_of(rows, 3)


def lone(rows: list[tuple[int | None, ...]], places: tuple[int, ...]) -> float:
    """Share of people with a combination that nobody else has, by the words of the definition."""
    who = defaultdict(set)
    for row in rows:
        who[tuple(row[place] for place in places)].add(row[3])
    alone = {person for people in who.values() if len(people) == 1 for person in people}
    return len(alone) / len({row[3] for row in rows})


@settings(max_examples=150)
@given(tables)
def test_a_combination_is_measured_as_all_pairs_of_rows_say(rows: list[tuple[int | None, ...]]) -> None:
    """The kernel multiplies class sizes; here every pair is compared. A null is a value of its own."""
    codes = joined(codes_of(rows, 0), codes_of(rows, 1))
    pairs = list(combinations([row[:2] for row in rows], 2))
    assert separation(codes) == (
        np.float64(sum(a != b for a, b in pairs) / len(pairs)) if pairs else 0.0
    ) or np.isclose(separation(codes), sum(a != b for a, b in pairs) / len(pairs))
    assert distinction(codes) == len({row[:2] for row in rows}) / len(rows)
    assert unique_people(codes, people_of(rows)) == lone(rows, (0, 1))


@settings(max_examples=100)
@given(tables)
def test_the_reported_combinations_are_the_worst_of_all(rows: list[tuple[int | None, ...]]) -> None:
    """With three columns the beam holds all of them, so that nothing worse may be missed."""
    columns = {name: codes_of(rows, place) for place, name in enumerate("abc")}
    found = combinations_of(columns, people_of(rows))
    every = {
        tuple("abc"[p] for p in places): lone(rows, places)
        for width in (1, 2, 3)
        for places in combinations(range(3), width)
    }
    assert all(np.isclose(one.unique, every[one.columns]) for one in found)
    worst = max(every.values())
    assert max((one.unique for one in found), default=0.0) >= worst - 0.01
    # what a part of it does as well is not told again
    assert all(
        every[part] < one.unique - 0.01
        for one in found
        for width in range(1, len(one.columns))
        for part in combinations(one.columns, width)
    )


@settings(max_examples=100)
@given(tables)
def test_a_greedy_key_tells_apart_what_all_columns_do(rows: list[tuple[int | None, ...]]) -> None:
    """Asked for everything, it stops only when no column separates more."""
    columns = {name: codes_of(rows, place) for place, name in enumerate("abc")}
    key = greedy_key(columns, 1.0)
    named = [tuple(row["abc".index(name)] for name in key) for row in rows]
    assert len(set(named)) == len({row[:3] for row in rows}) or not key
    assert len(key) == len(set(key)) <= 3


def test_codes_of_many_values_are_joined_by_sorting_as_by_counting() -> None:
    """Two columns of thousands of values do not fit in a table; the way around it must give the same classes."""
    rng = np.random.default_rng(1)
    left, right = rng.integers(0, 3_000, 4_000), rng.integers(0, 3_000, 4_000)
    found = joined(coded(pl.Series(left)), coded(pl.Series(right)))
    assert len(set(found)) == len(set(zip(left, right, strict=True))) == found.max() + 1
    first = {}
    for pair, code in zip(zip(left, right, strict=True), found, strict=True):
        assert first.setdefault(pair, code) == code

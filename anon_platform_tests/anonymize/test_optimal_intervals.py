"""Intervals between cuts, given or found: the found ones against every way to cut."""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.anonymize.hierarchy import Intervals, Optimal, ladder, resolved
from anon_platform.errors import PolicyError
from anon_platform_tests.anonymize.labels import labels_of


def optimal(least: int, levels: int) -> Intervals:
    return Intervals(kind="intervals", optimal=Optimal(least=least, levels=levels))


def cheapest(people: Sequence[int], allowed: Sequence[int], least: int) -> int | None:
    """Least loss over all ways to cut at `allowed` positions; None when all together are too few."""
    size = len(people)
    costs = []
    for number in range(len(allowed) + 1):
        for cuts in combinations(allowed, number):
            spans = list(pairwise([0, *cuts, size]))
            if all(sum(people[a:b]) >= least for a, b in spans):
                costs.append(sum(sum(people[a:b]) * (b - a - 1) for a, b in spans))
    return min(costs, default=None)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=9), st.integers(2, 9), st.integers(1, 3))
def test_found_cuts_lose_what_the_best_of_all_cuts_loses(people: list[int], least: int, levels: int) -> None:
    """Optimal at every level, and every coarser level is made of whole finer intervals."""
    values = pl.Series([value * 10 for value in range(len(people))])
    found = optimal(least, levels).fitted(values, pl.Series(people))
    allowed = list(range(1, len(people)))
    for level, cuts in enumerate(found.cuts):
        demanded = least * 2**level
        positions = [int(cut) // 10 for cut in cuts]
        assert set(positions) <= set(allowed)
        spans = list(pairwise([0, *positions, len(people)]))
        best = cheapest(people, allowed, demanded)
        if best is None:
            assert cuts == ()
        else:
            assert all(sum(people[a:b]) >= demanded for a, b in spans)
            assert sum(sum(people[a:b]) * (b - a - 1) for a, b in spans) == best
        allowed = positions


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), max_size=8), st.randoms())
def test_the_order_of_the_values_changes_nothing(pairs: list[tuple[int, int]], rng: Any) -> None:
    """A later process counts again, in another order, and must find the same labels."""
    people = dict(pairs)
    shuffled = list(people)
    rng.shuffle(shuffled)
    kind = optimal(3, 2)
    once = kind.fitted(
        pl.Series(list(people), dtype=pl.Int64), pl.Series(list(people.values()), dtype=pl.Int64)
    )
    again = kind.fitted(
        pl.Series(shuffled, dtype=pl.Int64), pl.Series([people[v] for v in shuffled], dtype=pl.Int64)
    )
    assert once == again


def test_fitted_intervals_are_a_hierarchy_like_any_other() -> None:
    """The cuts are part of the result, and nulls and NaN stay out of them."""
    values = pl.Series([18.0, 19.0, 30.0, 45.0, math.nan, None])
    kind = resolved(optimal(3, 2), values, pl.Series([3, 3, 3, 4, 90, 90]))
    assert isinstance(kind, Intervals)
    assert kind.cuts == ((19.0, 30.0, 45.0), (30.0,))
    assert kind.level_names == optimal(3, 2).level_names == ("level 1", "level 2")
    assert labels_of(kind, [18, 29, 30, 99, None], pl.Float64()) == [
        ["<19", "<30"],
        ["[19, 30)", "<30"],
        ["[30, 45)", "30+"],
        ["45+", "30+"],
        [None, None],
    ]
    built = ladder(kind, values.head(4), column="age")
    assert built.loss(1).tolist() == pytest.approx([1 / 3, 1 / 3])


@pytest.mark.parametrize("values", [[], [None], [7]])
def test_too_few_people_are_one_interval(values: list[int | None]) -> None:
    """An empty column has levels too."""
    series = pl.Series(values, dtype=pl.Int64)
    kind = optimal(5, 2).fitted(series, pl.Series([1] * len(values), dtype=pl.Int64))
    assert kind.cuts == ((), ())
    assert labels_of(kind, [7, None], pl.Int64()) == [["any number"] * 2, [None] * 2]


def test_unfitted_intervals_have_no_labels() -> None:
    """A forgotten count must not become a silent default."""
    with pytest.raises(PolicyError, match="optimal intervals are known when the column was counted"):
        optimal(5, 2).labels(pl.Series([1]))


def test_given_cuts_begin_intervals_with_open_ends() -> None:
    """A value on a cut belongs to the interval that begins there."""
    kind = Intervals(kind="intervals", cuts=((0, 18, 40, 65), (18, 65)))
    assert kind.level_names == ("level 1", "level 2")
    assert labels_of(kind, [-1, 0, 17.5, 18, 65, math.inf, -math.inf, math.nan], pl.Float64()) == [
        ["<0", "<18"],
        ["[0, 18)", "<18"],
        ["[0, 18)", "<18"],
        ["[18, 40)", "[18, 65)"],
        ["65+", "65+"],
        ["65+", "65+"],
        ["<0", "<18"],
        [None, None],
    ]


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({}, "say where intervals begin: widths"),
        ({"widths": (5,), "cuts": ((1,),)}, "say where intervals begin: widths"),
        ({"cuts": ((1, 2), (3,))}, "a coarser level of cuts keeps some of the cuts of the level before"),
        ({"cuts": ((2, 1),)}, "cuts ascend, each once"),
        ({"cuts": ((1, 1),)}, "cuts ascend, each once"),
        ({"cuts": ((1,),), "top": 90}, "origin, bottom and top go with widths"),
        ({"optimal": Optimal(least=5, levels=2), "bottom": 1}, "origin, bottom and top go with widths"),
    ],
)
def test_contradicting_settings_are_refused(settings_: dict[str, Any], message: str) -> None:
    """Each with what to write instead."""
    with pytest.raises(ValidationError, match=message):
        Intervals(kind="intervals", **settings_)

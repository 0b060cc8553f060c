"""Microaggregation: the optimum of every way to group, and groups that hold k people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anon_platform.anonymize import Microaggregate
from anon_platform.anonymize.mdav import mdav, standardised
from anon_platform.anonymize.microaggregate import optimal_groups
from anon_platform.errors import PolicyError, SourceError
from anon_platform_tests.anonymize.whole import whole


def aggregate(
    values: Sequence[Any],
    k: int,
    by: Literal["mean", "median", "mode"] = "mean",
    dtype: pl.DataType | None = None,
    people: Sequence[int] | None = None,
) -> list[Any]:
    technique = Microaggregate(technique="microaggregate", k=k, replace_by=by)
    column = whole(values, dtype, people)
    assert technique.fault(column.dtype) is None
    return technique.fit_counts(column)(column.in_order()).to_list()


def squared_error(values: Sequence[int], records: Sequence[int]) -> Fraction:
    mean = Fraction(sum(v * n for v, n in zip(values, records, strict=True)), sum(records))
    return sum((n * (v - mean) ** 2 for v, n in zip(values, records, strict=True)), Fraction(0))


def error_of(starts: Sequence[int], values: Sequence[int], records: Sequence[int]) -> Fraction:
    spans = pairwise([*starts, len(values)])
    return sum((squared_error(values[a:b], records[a:b]) for a, b in spans), Fraction(0))


def least_error(
    values: Sequence[int], records: Sequence[int], people: Sequence[int], k: int
) -> Fraction | None:
    """The least sum of squared errors of all groupings of neighbours that hold k people each, exactly."""
    size = len(values)
    groupings = (cuts for number in range(size) for cuts in combinations(range(1, size), number))
    allowed = (
        cuts for cuts in groupings if all(sum(people[a:b]) >= k for a, b in pairwise([0, *cuts, size]))
    )
    return min((error_of([0, *cuts], values, records) for cuts in allowed), default=None)


groupings = st.lists(
    st.tuples(st.integers(-50, 50), st.integers(1, 4), st.integers(0, 3)),
    min_size=1,
    max_size=10,
    unique_by=lambda row: row[0],
)


@settings(deadline=None, max_examples=300)
@given(groupings, st.integers(2, 5), st.sampled_from([0, 10**9]))
def test_the_groups_are_the_best_of_all_groups(rows: list[tuple[int, int, int]], k: int, shift: int) -> None:
    """Against every grouping, in exact arithmetic; also far from zero, where squares eat differences."""
    values, records, people = (list(column) for column in zip(*sorted(rows), strict=True))
    starts = optimal_groups(
        np.array(values, float) + shift, np.array(records, np.int64), np.array(people, np.int64), k=k
    ).tolist()
    best = least_error(values, records, people, k)
    if best is None:
        assert starts == [0]
    else:
        assert all(sum(people[a:b]) >= k for a, b in pairwise([*starts, len(values)]))
        assert float(error_of(starts, values, records)) == pytest.approx(float(best), abs=1e-6)


def test_groups_of_distinct_values_have_k_to_2k_minus_1_records() -> None:
    """Hansen and Mukherjee 2003, theorem 1."""
    values = np.sort(np.random.default_rng(1).normal(size=500))
    ones = np.ones(500, np.int64)
    sizes = np.diff([*optimal_groups(values, ones, ones, k=5), 500])
    assert sizes.min() >= 5
    assert sizes.max() <= 9


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("mean", [11 / 5, 11 / 5, 11 / 5, 11 / 5, 11 / 5, 55.0, 55.0]),
        ("median", [2] * 5 + [50] * 2),
        ("mode", [1] * 5 + [50] * 2),
    ],
)
def test_a_group_is_its_mean_its_lower_median_or_its_most_frequent_value(
    by: Literal["mean", "median", "mode"], expected: list[float]
) -> None:
    """Weighted by records; of equally frequent values the least."""
    found = aggregate([1, 1, 2, 3, 4, 50, 60], 2, by, pl.Int64(), people=[0, 1, 2, 2, 2, 5, 6])
    assert found == pytest.approx(expected)


def test_people_count_and_not_records() -> None:
    """Five rows of one patient are a group of one."""
    assert aggregate([1, 2, 3, 4, 9, 10], 2, people=[0, 0, 0, 0, 1, 2]) == pytest.approx([29 / 6] * 6)
    assert aggregate([1, 2, 3, 4, 9, 10], 2) == pytest.approx([1.5, 1.5, 3.5, 3.5, 9.5, 9.5])


def people_behind(values: Sequence[Any], found: Sequence[Any], people: Sequence[int]) -> dict[Any, set[int]]:
    behind: dict[Any, set[int]] = {}
    for value, number, person in zip(values, found, people, strict=True):
        if value is not None and not math.isnan(value):
            behind.setdefault(number, set()).add(person)
    return behind


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(-9, 9) | st.none(), st.integers(0, 6)), max_size=25),
    st.integers(2, 4),
    st.sampled_from(["mean", "median", "mode"]),
)
def test_each_released_number_stands_for_k_people(
    rows: list[tuple[int | None, int]], k: int, by: Literal["mean", "median", "mode"]
) -> None:
    """Counted afresh; a null stays a null, equal values stay together."""
    values, people = [value for value, _ in rows], [person for _, person in rows]
    with_value = {person for value, person in rows if value is not None}
    if with_value and len(with_value) < k:
        with pytest.raises(PolicyError, match=r"^column column: microaggregate wants"):
            aggregate(values, k, by, pl.Int64(), people)
        return
    found = aggregate(values, k, by, pl.Int64(), people)
    assert [number is None for number in found] == [value is None for value in values]
    assert all(len(behind) >= k for behind in people_behind(values, found, people).values())
    assert len(set(zip(values, found, strict=True))) == len(set(values))


def test_nan_counts_as_null_and_types_are_as_promised() -> None:
    """The mean is a decimal number, median and mode keep the type; empty batches have it as well."""
    assert aggregate([1.0, float("nan"), 3.0, None], 2) == [2.0, None, 2.0, None]
    for by, dtype in (("mean", pl.Float64), ("median", pl.Int8), ("mode", pl.Int8)):
        technique = Microaggregate(technique="microaggregate", k=2, replace_by=by)  # type: ignore[arg-type]
        treat = technique.fit_counts(whole([1, 2, None], pl.Int8()))
        for batch in ([], [None], [1]):
            assert treat(pl.Series("column", batch, dtype=pl.Int8)).dtype == dtype
    assert aggregate([], 2, dtype=pl.Int64()) == []
    assert aggregate([None], 2, dtype=pl.Int64()) == [None]


def test_unseen_values_and_wrong_types_are_refused() -> None:
    """A value that was not counted belongs to no group."""
    technique = Microaggregate(technique="microaggregate", k=2, replace_by="mean")
    treat = technique.fit_counts(whole([1, 2]))
    with pytest.raises(SourceError, match="column stay: 1 values were not there when the column was counted"):
        treat(pl.Series("stay", [1, 7]))
    assert technique.fault(pl.String()) == (
        "microaggregate needs a numeric column; declare type: integer or number"
    )


# --- several columns


Point = tuple[float, ...]


@dataclass
class SlowMdav:
    """MDAV word by word, with lists; every point holds a person or more."""

    points: list[Point]
    records: list[int]
    people: list[int]
    k: int
    groups: list[list[int]] = field(default_factory=list)

    def held(self, some: Sequence[int]) -> int:
        """People at these points."""
        return sum(self.people[i] for i in some)

    def centre(self, some: Sequence[int]) -> Point:
        """Their mean, by records."""
        weight = sum(self.records[i] for i in some)
        return tuple(sum(self.points[i][d] * self.records[i] for i in some) / weight for d in range(2))

    def farthest(self, left: Sequence[int], at: Point) -> Point:
        """The point farthest from `at`."""
        return self.points[max(left, key=lambda i: (math.dist(self.points[i], at), -i))]

    def take(self, left: list[int], at: Point) -> list[int]:
        """A group of the nearest points; what is left then."""
        near = sorted(left, key=lambda i: (math.dist(self.points[i], at), i))
        size = next((n for n in range(1, len(near)) if self.held(near[:n]) >= self.k), len(near))
        self.groups.append(near[:size])
        return [i for i in left if i not in near[:size]]

    def run(self) -> list[list[int]]:
        """All groups, in the order they are made."""
        left = list(range(len(self.points)))
        while self.held(left) >= 3 * self.k:
            first = self.farthest(left, self.centre(left))
            left = self.take(left, first)
            if self.held(left) < self.k:
                break
            left = self.take(left, self.farthest(left, first))
        if self.held(left) >= 2 * self.k:
            left = self.take(left, self.farthest(left, self.centre(left)))
        if self.held(left) >= self.k:
            return [*self.groups, left]
        centres = [self.centre(group) for group in self.groups]
        for i in left:
            nearest = min(range(len(centres)), key=lambda g: math.dist(self.points[i], centres[g]))
            self.groups[nearest].append(i)
        return self.groups


@settings(deadline=None, max_examples=150)
@example(28, 28, 4, 4)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(2, 5), st.integers(1, 4))
def test_mdav_groups_as_its_authors_wrote_it(seed: int, size: int, k: int, most: int) -> None:
    """Group for group, on points without ties: two points of equal weight would be equally far from their centre."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(size, 2)) * [1, 1000] + [0, 5]
    records, people = rng.permutation(size) + 1, rng.integers(1, most + 1, size)
    if people.sum() < k:
        with pytest.raises(PolicyError, match="microaggregation wants"):
            mdav(points, records, people, k=k)
        return
    found = mdav(points, records, people, k=k)
    plain = [(float(x), float(y)) for x, y in standardised(points, records)]
    slow = SlowMdav(plain, records.tolist(), people.tolist(), k).run()
    assert [sorted(group) for group in slow] == [
        np.flatnonzero(found == group).tolist() for group in range(len(slow))
    ]


clouds = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)),
    max_size=30,
    unique_by=lambda row: row[:2],
)


@settings(deadline=None, max_examples=150)
@given(clouds, st.integers(2, 5))
def test_every_group_of_mdav_holds_k_people(rows: list[tuple[int, int, int]], k: int) -> None:
    """With ties, and with points at which nobody is counted, since a person counts at one point only."""
    points = np.array([row[:2] for row in rows], float).reshape(len(rows), 2)
    people = np.array([row[2] for row in rows], np.int64)
    if people.sum() < k:
        return
    found = mdav(points, np.ones(len(rows), np.int64), people, k=k)
    assert np.bincount(found, weights=people).min() >= k


def test_mdav_on_people_at_no_point_and_on_constant_columns() -> None:
    """Somebody with several combinations is counted at one; a column without variation decides nothing."""
    points = np.array([[0, 5], [1, 5], [2, 5], [10, 5], [11, 5], [12, 5]], float)
    ones = np.ones(6, np.int64)
    people = np.array([1, 0, 2, 1, 0, 2])
    found = mdav(points, ones, people, k=3)
    assert [sorted(np.flatnonzero(found == group).tolist()) for group in sorted(set(found.tolist()))] in (
        [[0, 1, 2], [3, 4, 5]],
        [[3, 4, 5], [0, 1, 2]],
    )
    assert mdav(np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0, np.int64), k=2).tolist() == []
    assert mdav(points[:1], ones[:1], np.array([5]), k=3).tolist() == [0]

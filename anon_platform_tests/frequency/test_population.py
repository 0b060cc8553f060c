"""Classes against a population, and classes of people whose rows a pseudonym links."""

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anon_platform.frequency import (
    SEQUENCE,
    beside_population,
    classes,
    mean_risk,
    people_for_k_map,
    people_for_risk,
    presence,
    risk_of,
    sequence_classes,
    unique_share,
)
from anon_platform_tests import model_oracles

ages = st.none() | st.integers(0, 2)
visits = st.lists(st.tuples(st.integers(0, 5), ages, st.none() | st.sampled_from("FM")), max_size=18)


@settings(deadline=None, max_examples=150)
@given(st.lists(ages, max_size=12), st.lists(ages, max_size=12))
@example([], [])
@example([None, 1], [])
@example([], [None, 1])
def test_classes_stand_beside_their_part_of_the_population(data: list[Any], everybody: list[Any]) -> None:
    """Also those that only one side has, and nulls, which are a value."""
    schema = {"age": pl.Int64, "n": pl.UInt32}
    of_classes = classes(pl.DataFrame([(age, 1) for age in data], schema=schema, orient="row"), ["age"])
    population = pl.DataFrame([(age, 1) for age in everybody], schema=schema, orient="row")
    found = beside_population(of_classes, population, ["age"])
    expected = [(data.count(age), everybody.count(age)) for age in {*data, *everybody}]
    assert Counter(found.rows()) == Counter(expected)
    likely = presence(found["people"].to_numpy(), found["population"].to_numpy())
    by_hand = [here / there if there else np.inf for here, there in found.rows()]
    assert likely.tolist() == by_hand


def test_presence_is_a_share_of_each_class_of_the_population() -> None:
    """Of 6 people who look alike 4 are in the data, of 4 one is: δ-presence holds for (1/4, 2/3)."""
    found = presence(np.array([4, 1]), np.array([6, 4]))
    assert (found.min(), found.max()) == (0.25, 4 / 6)


@settings(deadline=None, max_examples=200)
@given(st.integers(2, 40), st.floats(0.01, 1.0), st.floats(0.001, 0.5))
@example(2, 1.0, 0.5)
@example(40, 0.001, 0.001)
def test_the_people_that_stand_for_k_of_a_population(k: int, fraction: float, significance: float) -> None:
    """The tail of a zero-truncated Poisson, summed term by term."""
    assert people_for_k_map(k, fraction, significance) == model_oracles.least_people(
        k, fraction, significance
    )


def test_more_must_be_seen_of_a_larger_sample() -> None:
    """A tenth that shows two of a class tells of many; a census that shows two tells of two."""
    needed = [people_for_k_map(20, fraction, 0.05) for fraction in (0.001, 0.01, 0.1, 0.5, 1.0)]
    assert needed == sorted(needed)
    assert needed[0] == 2
    assert needed[-1] == 20


@pytest.mark.parametrize(
    ("risk", "people"), [(0.2, 5), (0.34, 3), (1 / 3, 3), (1.0, 1), (0.0999, 11), (None, 1)]
)
def test_a_maximum_risk_is_a_number_of_people(risk: float | None, people: int) -> None:
    """1/5 is at most 0.2 however it was computed."""
    assert people_for_risk(risk) == people


def test_no_people_are_enough_for_no_risk() -> None:
    """A risk of 0 is met by no class, never by all."""
    assert people_for_risk(0.0) > 10**8


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=9))
def test_the_average_record_is_counted_as_with_the_classes(sizes: list[tuple[int, int]]) -> None:
    """One definition, on arrays and on tables."""
    people = np.array([size for size, _ in sizes], np.int64)
    records = people + np.array([more for _, more in sizes], np.int64)
    risk = risk_of(pl.DataFrame({"n": records, "people": people}))
    assert mean_risk(people, records) == pytest.approx(risk.mean)
    assert unique_share(people, records) == pytest.approx(risk.unique_share)


@settings(deadline=None, max_examples=200)
@given(visits, st.sampled_from([None, "n"]), st.integers(0, 9))
@example([], None, 0)
@example([(0, None, None)], None, 0)
@example([(0, 1, "F"), (0, 1, "F"), (1, 1, "F")], "n", 0)
@example([(0, 1, "F"), (0, 2, "F"), (1, 2, "F"), (1, 1, "F")], None, 0)
@example([(0, 1, None), (1, None, "F")], None, 0)
def test_people_are_alike_when_all_their_rows_are(
    rows: list[tuple[Any, ...]], counted: str | None, seed: int
) -> None:
    """The same combinations as often each, in whatever order; one row more makes another person."""
    table = pl.DataFrame(rows, schema={"who": pl.UInt32, "age": pl.Int64, "sex": pl.String}, orient="row")
    table = table.sample(fraction=1, shuffle=True, seed=seed)
    if counted:
        table = table.group_by(pl.all()).agg(n=pl.len())
    found = sequence_classes(table, ["age", "sex"], "who", counted)
    assert found.columns == ["who", SEQUENCE]
    groups: dict[int, set[Any]] = {}
    for who, number in found.rows():
        groups.setdefault(number, set()).add(who)
    expected = model_oracles.sequences([(who, (age, sex)) for who, age, sex in rows])
    assert sorted(map(sorted, groups.values())) == sorted(map(sorted, expected))


def test_without_a_quasi_identifier_the_number_of_rows_is_all_there_is() -> None:
    """Two people with two visits each are alike, one with three is not."""
    rows = pl.DataFrame({"who": [1, 1, 2, 2, 3, 3, 3]})
    found = dict(sequence_classes(rows, [], "who").rows())
    assert found[1] == found[2] != found[3]

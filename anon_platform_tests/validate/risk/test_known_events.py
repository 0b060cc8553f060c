"""Longitudinal risk and the two meanings of a suppressed cell, each counted again person by person."""

import math
from collections import Counter
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.table import PERSON
from anon_platform.validate.risk.events import unique_by_events
from anon_platform.validate.risk.wildcards import diversity_matched, has_wild_cells, people_matched
from anon_platform_tests.oracles import total_variation

rows = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 2), st.sampled_from(["u", "v", None])),
    min_size=1,
    max_size=25,
)
cells = st.sampled_from(["*", "x", "y", None])
starred = st.lists(st.tuples(st.integers(0, 6), cells, cells, cells), min_size=1, max_size=20)


def counts_of(found: list[tuple[object, ...]], names: list[str]) -> pl.DataFrame:
    schema = {PERSON: pl.Int64} | {name: pl.Int64 if name == "a" else pl.String for name in names}
    table = pl.DataFrame(found, schema=schema, orient="row")
    return table.group_by(table.columns).agg(n=pl.len())


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(0, 9))
def test_uniqueness_lies_between_the_luckiest_and_the_unluckiest_draw(
    found: list[tuple[int, int, str | None]], seed: int
) -> None:
    """Every choice of p rows of every person, looked for in everybody's rows: the draw is one choice a person."""
    sets: dict[int, Counter[tuple[object, ...]]] = {}
    for person, *event in found:
        sets.setdefault(person, Counter())[tuple(event)] += 1
    for one in unique_by_events(counts_of(found, ["a", "b"]), ["a", "b"], PERSON, most=3, seed=seed):
        can, must = 0, 0
        targets = [own for own in sets.values() if own.total() >= one.known]
        for own in targets:
            alone = [
                sum(not Counter(chosen) - other for other in sets.values()) == 1
                for chosen in combinations(own.elements(), one.known)
            ]
            can, must = can + any(alone), must + all(alone)
        assert one.targets == len(targets)
        assert must <= round(one.unique * one.targets) <= can
        assert one.interval[0] <= one.unique <= one.interval[1]


def test_more_known_rows_single_out_more_people() -> None:
    """A hundred people with four rows of five values each: one row is shared, all four seldom are."""
    found = [(person, (person * step + step) % 5, "u") for person in range(100) for step in (1, 2, 3, 7)]
    by_number = unique_by_events(counts_of(found, ["a", "b"]), ["a", "b"], PERSON, most=6, seed=1)
    assert [one.known for one in by_number] == [1, 2, 3, 4]
    assert by_number[0].unique == 0.0
    everybody_different = [(person, person, "u") for person in range(50)]
    alone = unique_by_events(counts_of(everybody_different, ["a", "b"]), ["a", "b"], PERSON, most=2, seed=1)
    assert [(one.known, one.unique) for one in alone] == [(1, 1.0)]


def test_the_same_row_twice_is_known_twice() -> None:
    """Two equal visits single out the one who has two."""
    found = [(1, 0, "u"), (1, 0, "u"), (2, 0, "u"), (3, 0, "u")]
    one, two = unique_by_events(counts_of(found, ["a", "b"]), ["a", "b"], PERSON, most=2, seed=1)
    assert (one.unique, one.targets) == (0.0, 3)
    assert (two.unique, two.targets) == (1.0, 1)


@settings(max_examples=80, deadline=None)
@given(starred)
def test_wildcards_match_as_each_pair_of_rows_is_compared(
    found: list[tuple[int, str | None, str | None, str | None]],
) -> None:
    """Row against row: equal wherever neither is `*` or missing."""
    names = ["p", "q", "r"]

    def fit(left: tuple[str | None, ...], right: tuple[str | None, ...]) -> bool:
        return all(x == y or {x, y} & {"*", None} for x, y in zip(left, right, strict=True))

    matched = people_matched(counts_of(found, names), names, PERSON)
    assert matched is not None
    expected = [
        (sum(row[1:] == one for row in found), len({row[0] for row in found if fit(row[1:], one)}))
        for one in {row[1:] for row in found}
    ]
    assert Counter(matched.select("n", "people").rows()) == Counter(expected)


@settings(max_examples=80, deadline=None)
@given(starred)
def test_diversity_under_wildcards_is_that_of_the_rows_that_match(
    found: list[tuple[int, str | None, str | None, str | None]],
) -> None:
    """The first of the columns is the secret; l and t of all rows that fit each class, with fractions."""
    names = ["q", "r"]
    rows = [(secret, (left, right)) for _, secret, left, right in found]

    def fit(left: tuple[str | None, ...], right: tuple[str | None, ...]) -> bool:
        return all(x == y or {x, y} & {"*", None} for x, y in zip(left, right, strict=True))

    matched = [
        [secret for secret, other in rows if fit(other, known)] for known in {known for _, known in rows}
    ]
    table = counts_of(found, ["p", *names]).group_by("p", *names).agg(pl.col("n").sum())
    got = diversity_matched(table, names, "p")
    assert got is not None
    assert got[0] == min(len(set(secrets)) for secrets in matched)
    everybody = [secret for secret, _ in rows]
    assert got[1] == pytest.approx(
        float(max(total_variation(secrets, everybody) for secrets in matched)), abs=1e-9
    )
    shares = [
        (secrets.count(value) / len(secrets), everybody.count(value) / len(everybody))
        for secrets in matched
        for value in set(everybody)
    ]
    assert got[2] == pytest.approx(max(max(q / p - 1, 0.0) for q, p in shares), abs=1e-9)
    lacks = any(q == 0 for q, _ in shares)
    expected = None if lacks else pytest.approx(max(abs(math.log2(q / p)) for q, p in shares), abs=1e-9)
    assert got[3] == expected


@pytest.mark.parametrize(
    ("values", "differ"), [(["*", "*"], False), (["x", "y"], False), (["*", "x"], True), ([None, "x"], True)]
)
def test_both_meanings_differ_only_where_a_column_mixes(values: list[str | None], differ: bool) -> None:  # noqa: FBT001
    """A column that is `*` throughout is no column to compare."""
    assert has_wild_cells(pl.DataFrame({"p": values}, schema={"p": pl.String}), ["p"]) is differ

"""At most so many rows a person, and removing one changes nobody else's."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp.bounding import bounded
from anon_platform.errors import BudgetError


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def table(people: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"person": people, "row": range(len(people))}, schema={"person": pl.String, "row": pl.Int64}
    )


PEOPLE = st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=60)


@settings(max_examples=100, deadline=None)
@given(PEOPLE, st.integers(1, 5))
def test_everybody_keeps_as_many_rows_as_the_bound_allows(
    people: list[str | None], contribution: int
) -> None:
    """Counted by plain Python; rows stay in their order, and nobody's rows are none."""
    kept = bounded(table(people), "person", contribution, rng()).rows
    for person in {*people} - {None}:
        assert kept["person"].to_list().count(person) == min(contribution, people.count(person))
    assert kept["person"].null_count() == 0
    assert kept["row"].to_list() == sorted(kept["row"].to_list())
    assert all(people[row] == person for person, row in kept.rows())


@settings(max_examples=100, deadline=None)
@given(PEOPLE, st.integers(1, 5), st.sampled_from(["a", "b", "c", "d"]))
def test_removing_a_person_changes_their_rows_only(
    people: list[str | None], contribution: int, gone: str
) -> None:
    """What neighbouring tables differ by: otherwise the sensitivity of everything after it is wrong."""
    rows = table(people)
    without = rows.filter(pl.col("person").ne_missing(gone))
    kept, kept_without = (bounded(one, "person", contribution, rng()).rows for one in (rows, without))
    assert kept.filter(pl.col("person") != gone).equals(kept_without)
    assert kept.height - kept_without.height <= contribution


def test_a_person_with_fifty_thousand_rows_keeps_few_and_not_the_first() -> None:
    rows = table(["a"] * 50_000 + ["b"])
    kept = bounded(rows, "person", 100, rng()).rows
    assert kept.height == 101
    # of 100 rows drawn from 50,000, the mean place is 25,000 with a deviation of 1,443: five of them
    assert kept["row"][:100].mean() == pytest.approx(25_000, abs=5 * 1443)


def test_every_row_is_as_likely_to_be_kept() -> None:
    """2,000 seeds; a row's share of 2 in 5 has a standard error of .011, five rows within four of them."""
    rows = table(["a"] * 5)
    seeds = (np.random.default_rng(seed) for seed in range(2000))
    kept = np.bincount(
        np.concatenate([bounded(rows, "person", 2, one).rows["row"].to_numpy() for one in seeds])
    )
    assert kept / 2000 == pytest.approx(np.full(5, 0.4), abs=0.044)


def test_the_same_seed_draws_the_same_rows() -> None:
    """A retry must not release another draw."""
    rows = table(["a"] * 100)
    assert bounded(rows, "person", 3, rng()).rows.equals(bounded(rows, "person", 3, rng()).rows)


def test_nan_is_nobody() -> None:
    rows = pl.DataFrame({"person": [float("nan"), 1.0, None]})
    assert bounded(rows, "person", 1, rng()).rows["person"].to_list() == [1.0]


def test_a_bound_of_zero_is_refused() -> None:
    with pytest.raises(BudgetError, match=r"^a person has at least 1 row; state the contribution bound$"):
        bounded(table([]), "person", 0, rng())

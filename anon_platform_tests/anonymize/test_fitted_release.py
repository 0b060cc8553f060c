"""Batches of original values as they leave: every row stays in its place, suppressed ones without a label."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Intervals
from anon_platform.anonymize.k_anonymity import Fitted, solve
from anon_platform.errors import PolicyError, SourceError

KINDS = {name: Intervals(kind="intervals", widths=(1, 2, 4)) for name in ("age", "zip")}
SCHEMA = {"age": pl.Int64, "zip": pl.Int64, "who": pl.UInt32}

Row = tuple[int | None, int | None, int]


def fit(table: pl.DataFrame, k: int, share: float, *, linked: bool = False) -> Fitted:
    counts = table.group_by(table.columns).agg(n=pl.len())
    return solve(counts, KINDS, person="who", sensitive={}, k=k, suppressed_share=share, linked=linked)


VALUE = st.none() | st.integers(0, 5)
TABLES = st.lists(st.tuples(VALUE, VALUE, st.integers(0, 9)), min_size=4, max_size=25)


@settings(deadline=None, max_examples=150)
@given(rows=TABLES, k=st.integers(1, 3), share=st.sampled_from([0.0, 0.3, 1.0]), linked=st.booleans())
def test_every_row_is_released_or_starred_in_its_place(
    rows: list[Row], k: int, share: float, *, linked: bool
) -> None:
    """The kept rows are those that `keep` leaves, and k people share each class, counted from the labels."""
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    try:
        fitted = fit(table, k, share, linked=linked)
    except PolicyError:  # fewer people than k
        return
    found = fitted.release(table.with_row_index("at"))
    assert found["at"].to_list() == list(range(len(rows)))
    assert found["who"].to_list() == table["who"].to_list()
    treated = table.with_row_index("at").with_columns(
        fitted.treat[name](table[name]).alias(name) for name in KINDS
    )
    assert found.filter("kept").drop("kept").equals(fitted.keep(treated))
    gone = found.filter(~pl.col("kept"))
    assert gone.height == fitted.solution.suppressed
    assert set(gone.select(*KINDS).rows()) <= {("*", "*")}
    people = Counter(found.filter("kept").select(*KINDS, "who").unique().select(*KINDS).rows())
    assert all(count >= k for count in people.values())


def test_labels_are_text_and_a_missing_value_stays_missing() -> None:
    """Ages 0 and 1 share an interval; nobody shares age 9."""
    table = pl.DataFrame([(0, None, 1), (1, None, 2), (9, None, 3)], schema=SCHEMA, orient="row")
    fitted = fit(table, 2, 0.34)
    found = fitted.release(table.select("zip", "age"))
    assert found.columns == ["zip", "age", "kept"]
    assert found.rows() == [(None, "[0, 2)", True), (None, "[0, 2)", True), ("*", "*", False)]
    assert fitted.release(table.select("zip", "age").clear()).schema == found.schema


def test_a_value_that_was_not_counted_is_refused() -> None:
    """It would leave without a class that hides it."""
    table = pl.DataFrame([(0, 0, 1), (0, 0, 2)], schema=SCHEMA, orient="row")
    fitted = fit(table, 2, 0.0)
    with pytest.raises(
        SourceError, match=r"^column age: 1 values were not there when the table was counted;"
    ):
        fitted.release(pl.DataFrame({"age": [0, 4], "zip": [0, 0]}))


def test_a_column_by_the_name_of_the_answer_is_refused() -> None:
    """Else it would be overwritten, and nobody would know."""
    fitted = fit(pl.DataFrame([(0, 0, 1), (0, 0, 2)], schema=SCHEMA, orient="row"), 2, 0.0)
    with pytest.raises(PolicyError) as fault:
        fitted.release(pl.DataFrame({"age": [0], "zip": [0], "kept": [1]}))
    assert str(fault.value) == "column kept: the name is needed for what is kept; rename the column"


def test_without_quasi_identifiers_rows_stay_as_they_are() -> None:
    """One class of all records."""
    counts = pl.DataFrame({"n": [3]}, schema={"n": pl.UInt32})
    fitted = solve(counts, {}, person=None, sensitive={}, k=2, suppressed_share=0.0)
    assert fitted.release(pl.DataFrame({"x": [1, 2, 3]})).rows() == [(1, True), (2, True), (3, True)]

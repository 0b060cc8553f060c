"""Rows by codes: which combination a row is, whatever its types, batches and dictionaries; and what a file says afterwards."""

from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.errors import SourceError
from anon_platform.kanon import Columns, Request, labels
from anon_platform.kanon.labels import Combinations, Labels
from anon_platform.kanon.measured import measured

words = st.sampled_from(["a", "b", "", "Köln", None])
table = st.lists(st.tuples(words, st.integers(-2, 2) | st.none(), words), min_size=1, max_size=20)
SCHEMA = {"w": pl.String, "n": pl.Int64, "v": pl.String}


def batches(rows: list[tuple[str | None, int | None, str | None]], *, coded: bool) -> Iterator[pa.Table]:
    """Three rows at a time, with texts as plain texts or as dictionaries of their own."""
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    for start in range(0, frame.height, 3):
        batch = frame.slice(start, 3).to_arrow()
        if coded:
            batch = pa.table({name: batch[name].dictionary_encode() for name in batch.column_names})
        yield batch


@settings(max_examples=60)
@given(rows=table, coded=st.booleans(), span=st.sampled_from([2**62, 8, 1]))
def test_a_row_is_the_combination_with_its_values(
    *, rows: list[tuple[str | None, int | None, str | None]], coded: bool, span: int
) -> None:
    """Also where a key has no room for all columns at once, and is numbered anew on the way."""
    distinct = pl.DataFrame(list(dict.fromkeys(rows)), schema=SCHEMA, orient="row")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labels, "SPAN", span)
        combinations = Combinations(distinct)
        found = [int(number) for batch in batches(rows, coded=coded) for number in combinations.of(batch)]
    assert [distinct.row(number) for number in found] == rows


@pytest.mark.parametrize("span", [2**62, 1])
@pytest.mark.parametrize("stranger", [("a", 1, "b"), ("x", 1, "a"), (None, 1, "a"), ("b", 7, "b")])
def test_a_row_that_was_not_counted_is_refused(
    span: int, stranger: tuple[str | None, int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program wrote to the data between the two times it is read; a wrong label would be worse than none."""
    monkeypatch.setattr(labels, "SPAN", span)
    combinations = Combinations(
        pl.DataFrame([("a", 1, "a"), ("b", 1, "b"), ("b", 2, "a")], schema=SCHEMA, orient="row")
    )
    for coded in (True, False):
        with pytest.raises(SourceError, match="the data changed while it was read"):
            combinations.of(next(batches([stranger], coded=coded)))


def test_an_empty_label_leaves_as_no_value() -> None:
    """A hierarchy may name the empty text; a CSV file has no other sign for a missing value."""
    of = Labels(pl.DataFrame({"w": ["", "b", None], "kept": [True, True, True]}))
    assert of.of(
        Combinations(pl.DataFrame({"w": ["", "b", None]})).of(pa.table({"w": ["b", "", None]})), ["w"]
    )["w"].to_pylist() == ["b", None, None]


STARS = [("*", "*")] * 3 + [("1", "*")] * 2 + [("2", "b")] * 4


def told(*, suppressed: int, stars_are_a_class: bool, k: int = 2) -> tuple[int, int, list[str]]:
    """Classes, smallest and faults of the rows above, read in batches of two."""
    frame = pl.DataFrame(STARS, schema=["w", "v"], orient="row")
    request = Request(Columns(("w", "v")), k, suppression=0.4)
    parts = (frame.slice(start, 2) for start in range(0, frame.height, 2))
    found = measured(parts, request, None, suppressed=suppressed, stars_are_a_class=stars_are_a_class)
    return found.classes, found.smallest, list(found.faults(request, len(STARS)))


def test_suppressed_rows_are_no_class_unless_a_class_looks_like_them() -> None:
    """Nobody can tell them apart then, so that they are measured together."""
    assert told(suppressed=3, stars_are_a_class=False) == (2, 2, [])
    assert told(suppressed=1, stars_are_a_class=True) == (3, 2, [])
    assert told(suppressed=3, stars_are_a_class=False, k=3) == (2, 2, ["a class of 2 people instead of 3"])


def test_rows_that_are_suppressed_without_the_search_knowing_are_a_fault() -> None:
    """The file is believed, and it says something else."""
    wrong = "2 rows are suppressed that should not be, or should be and are not"
    assert told(suppressed=1, stars_are_a_class=False) == (2, 2, [wrong])


def test_people_are_those_of_the_rows_in_order() -> None:
    """The file has no column of people: they are read from the data, row by row, whatever the batches."""
    frame = pl.DataFrame({"w": ["a", "a", "b", "b", "b"]})
    request = Request(Columns(("w",)), 2)
    who = pl.Series([0, 0, 1, 2, 2], dtype=pl.UInt32)
    for size in (1, 2, 5):
        parts = (frame.slice(start, size) for start in range(0, 5, size))
        found = measured(parts, request, who, suppressed=0, stars_are_a_class=False)
        assert (found.classes, found.smallest, found.mean) == (2, 1, 2.5)

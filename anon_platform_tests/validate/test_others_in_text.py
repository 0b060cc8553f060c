"""Identifiers of anybody in the dataset that are left in the notes, counted against a search note by note."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anon_platform.table import PERSON, ROW, PolarsTable
from anon_platform.validate.text.others import measure_others_in_text

WORDS = [
    "ann",
    "lee",
    "may",
    "rose",
    "seen",
    "by",
    "at",
    "12",
    "Oak",
    "Street",
    "555-0199",
    "312",
    "MRN",
    "A-77412",
]
notes = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


@dataclass(frozen=True)
class Stub:
    """Just what the measure reads of the evidence."""

    policy: Any
    data: Path
    kept: pl.DataFrame
    source: PolarsTable


def evidence_of(
    folder: Path, before: list[str], after: list[str | None], people: dict[str, list[str]]
) -> Any:
    """Notes, what was released of them, and columns of the same rows."""
    from types import SimpleNamespace

    from anon_platform.anonymize import DeidentifyText

    rows = pl.DataFrame({"note": before, **people}).with_columns(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias(PERSON),
    )
    for name in ("source", "data"):
        (folder / name).mkdir(exist_ok=True)
    rows.write_parquet(folder / "source" / "part-0.parquet")
    pl.DataFrame({"note": after}, schema={"note": pl.String}).write_parquet(
        folder / "data" / "part-00000.parquet"
    )
    step = DeidentifyText(
        technique="deidentify_text", replace_by="type", known_from=tuple(people), model=False
    )
    policy = SimpleNamespace(
        released=["note"],
        columns={"note": SimpleNamespace(treat=(step,))},
        thresholds=SimpleNamespace(others_in_text=0.0),
    )
    return Stub(policy, folder / "data", rows.select(ROW, PERSON), PolarsTable.over(folder / "source"))


PEOPLE = {
    "given": ["Ann", "May", "Rose"],
    "family": ["Lee", "Ann", "Street"],
    "phone": ["(312) 555-0199", "555-0100", "777-1234"],
    "address": ["12 Oak Street", "9 Elm", "12 Oak"],
    "mrn": ["A-77412", "B-1", "C-99999"],
}


def plain(text: str) -> str:
    return f" {re.sub(r'[^0-9a-z]+', ' ', text.lower()).strip()} "


def sayings() -> set[str]:
    """By hand: codes of five letters and digits, values of several words, two words of a row side by side."""
    found = {
        plain(value)
        for name in ("phone", "mrn")
        for value in PEOPLE[name]
        if len(plain(value).replace(" ", "")) >= 5
    }
    found |= {plain(value) for value in PEOPLE["address"] if len(plain(value).replace(" ", "")) >= 5}
    for first, last in zip(PEOPLE["given"], PEOPLE["family"], strict=True):
        found |= {plain(f"{first} {last}"), plain(f"{last} {first}")}
    return found


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(notes, notes), min_size=3, max_size=3))
def test_what_anybody_holds_is_found_where_both_notes_say_it(
    tmp_path: Path, found: list[tuple[str, str]]
) -> None:
    """Note by note in plain Python."""
    before, after = (list(side) for side in zip(*found, strict=True))
    expected = sum(
        any(saying in plain(old) and saying in plain(new) for saying in sayings())
        for old, new in zip(before, after, strict=True)
    )
    (metric,) = measure_others_in_text(evidence_of(tmp_path, before, list(after), PEOPLE))
    assert metric.value == pytest.approx(expected / 3)
    assert metric.passed == (expected == 0)


def test_a_surrogate_that_is_somebodys_name_by_chance_is_no_leak(tmp_path: Path) -> None:
    """The original note does not say it."""
    before = ["seen by Dr. Hu", "call 777-1234", "nothing"]
    after = ["seen by Dr. Ann Lee", "call 777-1234", None]
    (metric,) = measure_others_in_text(evidence_of(tmp_path, before, list(after), PEOPLE))
    assert metric.value == pytest.approx(1 / 2), (
        "of the two notes that left, the telephone number of another row"
    )


def test_two_notes_are_not_read_as_one(tmp_path: Path) -> None:
    """A given name at the end of one note and a family name at the beginning of the next name nobody."""
    before = after = ["seen may", "ann seen", "x"]
    (metric,) = measure_others_in_text(evidence_of(tmp_path, before, list(after), PEOPLE))
    assert metric.value == 0

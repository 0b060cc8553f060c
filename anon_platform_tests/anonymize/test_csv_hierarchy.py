"""Hierarchies in files of ARX's format."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from anon_platform.anonymize.hierarchy import CsvHierarchy, Hierarchy
from anon_platform.errors import HierarchyGapError, PolicyError
from anon_platform_tests.anonymize.labels import labels_of

RACES = Path(__file__).parents[2] / "policies" / "hierarchies" / "race.csv"


def csv_file(folder: Path, content: str | bytes) -> Path:
    path = folder / "hierarchy.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_file_of_arx_is_a_hierarchy(tmp_path: Path) -> None:
    """First column the value, then one column a level; the closing column of stars is ours by itself."""
    path = csv_file(tmp_path, '1;low;*\r\n2;low;*\r\n"3;4";high;*\r\n')
    kind = CsvHierarchy(kind="csv", file=path)
    assert kind.level_names == ("value", "level 1")
    assert labels_of(kind, ["2", "3;4", None]) == [["2", "low"], ["3;4", "high"], [None, None]]
    assert labels_of(kind, [1, 2, None]) == [["1", "low"], ["2", "low"], [None, None]]
    coarse = CsvHierarchy(kind="csv", file=path, levels=("level 1",))
    assert labels_of(coarse, ["1"]) == [["low"]]


def test_the_shipped_race_hierarchy_says_what_it_says() -> None:
    """Read with the eyes: small groups become `other`."""
    assert labels_of(CsvHierarchy(kind="csv", file=RACES), ["Caucasian", "Asian", "Hispanic"]) == [
        ["Caucasian", "Caucasian"],
        ["Asian", "other"],
        ["Hispanic", "other"],
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_value(tmp_path: Path) -> None:
    """Spreadsheets write one; the first value would never be found."""
    path = csv_file(tmp_path, "a;x\nb;y\n".encode("utf-8-sig"))
    assert labels_of(CsvHierarchy(kind="csv", file=path), ["a"]) == [["a", "x"]]


def test_a_value_that_the_file_does_not_name_is_counted_and_not_quoted(tmp_path: Path) -> None:
    """Messages go to logs, and a value that nobody thought of is the most telling of all."""
    kind = CsvHierarchy(kind="csv", file=csv_file(tmp_path, "a;x\n"))
    with pytest.raises(HierarchyGapError) as fault:
        kind.labels(pl.Series(["a", "Jane Roe", "Jane Roe", "jane", None]))
    assert str(fault.value) == (
        "hierarchy hierarchy.csv does not name 2 of the column's values;"
        " add a line for each, or a cleaning step before"
    )
    assert isinstance(fault.value, PolicyError)
    assert fault.value.missing == ("Jane Roe", "jane")
    assert "Jane" not in repr(fault.value)
    with pytest.raises(HierarchyGapError) as many:
        kind.labels(pl.Series([f"v{n:02d}" for n in range(12)]))
    assert many.value.missing == tuple(f"v{n:02d}" for n in range(10))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "every line needs the same number of columns"),
        ("\n\n", "every line needs the same number of columns"),
        ("a;x\nb\n", "every line needs the same number of columns"),
        ("a;x\na;y\n", "a value stands in the first column twice"),
        (b"\xff\xfe", "cannot read hierarchy hierarchy.csv: UnicodeDecodeError"),
        ('a;"x\nb;y\n', "cannot read hierarchy hierarchy.csv: Error"),
        ('a;"x"y\nb;y\n', "cannot read hierarchy hierarchy.csv: Error"),
        ("a;" + "x" * 200_000, "cannot read hierarchy hierarchy.csv: Error"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    """Half a hierarchy would leave values without a label."""
    with pytest.raises(ValidationError, match=message):
        CsvHierarchy(kind="csv", file=csv_file(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """With the name as the policy's reader knows it, not the whole path."""
    with pytest.raises(ValidationError, match=r"cannot read hierarchy no\.csv: FileNotFoundError"):
        CsvHierarchy(kind="csv", file=tmp_path / "no.csv")


@pytest.mark.parametrize(
    "levels", [("level 2",), ("level 1", "value"), ("value", "value"), ("level 3", "value")]
)
def test_unknown_or_unordered_levels_of_a_file_are_refused(tmp_path: Path, levels: tuple[str, ...]) -> None:
    """The closing column of stars is no level to name."""
    path = csv_file(tmp_path, "a;x;*\nb;x;*\n")
    with pytest.raises(ValidationError, match="levels go from fine to coarse out of value, level 1"):
        CsvHierarchy(kind="csv", file=path, levels=levels)


def test_a_hierarchy_counts_by_what_its_file_said_when_it_was_read(tmp_path: Path) -> None:
    """The manifest must name the labels that were used, also when the file changes during the run."""
    kind = CsvHierarchy(kind="csv", file=csv_file(tmp_path, "a;x\n"))
    told = kind.model_dump(mode="json")["file"]
    csv_file(tmp_path, "a;y\n")
    assert kind.model_dump(mode="json")["file"] == told
    again = CsvHierarchy(kind="csv", file=tmp_path / "hierarchy.csv")
    assert again.model_dump(mode="json")["file"] != told
    assert told.startswith("hierarchy.csv:sha256:")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    there = CsvHierarchy(kind="csv", file=csv_file(moved, "a;x\n"))
    assert there.model_dump(mode="json")["file"] == told


def test_a_relative_file_lies_in_the_folder_of_the_policy(tmp_path: Path) -> None:
    """Whatever folder a run is started in."""
    csv_file(tmp_path, "a;x\n")
    kind: Any = TypeAdapter(Hierarchy).validate_python(
        {"kind": "csv", "file": "hierarchy.csv"}, context={"folder": tmp_path}
    )
    assert labels_of(kind, ["a"]) == [["a", "x"]]


words: st.SearchStrategy[str] = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(words, st.tuples(words, words), min_size=1, max_size=6))
def test_any_text_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, tuple[str, str]]
) -> None:
    """Quotes, separators, line ends and spaces are part of the values."""
    assume({labels[1] for labels in table.values()} != {"*"})

    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [";".join(quoted(text) for text in (value, *labels)) for value, labels in table.items()]
    path = csv_file(tmp_path_factory.mktemp("h"), "\n".join(lines) + "\n")
    kind = CsvHierarchy(kind="csv", file=path)
    values: list[Hashable] = [*table, None]
    expected = [[value, *table[value]] for value in table]
    assert labels_of(kind, values, pl.String()) == [*expected, [None, None, None]]

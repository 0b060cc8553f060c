"""Whatever is wrong with a source: one message that names file, column and row or line, never a cell; nothing stays."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from anon_platform.errors import PolicyError, SourceError
from anon_platform.ledger import Ledger
from anon_platform.pipeline import plan, run
from anon_platform_tests.ingest.sources import AT_PATH, CANARY, HEADER, ONE, ROW, many_rows, released, tiny

BROKEN = {
    "a field too few": (ROW + "P2,x,31\n" + ROW, "1 broken record, nothing was read: a.csv:3 column ward is missing"),
    "a field too many": (ROW + f"P2,x,31,B,{CANARY}\n", "1 broken record, nothing was read: a.csv:3 has too many fields"),
    "an empty field too many": (ROW + f"P2,{CANARY}, x,31,\n", "1 broken record, nothing was read: a.csv:3 has too many fields"),
    "seven broken lines": (
        "P1,x,31\n" * 7,
        "7 broken records, nothing was read: " + "; ".join(f"a.csv:{line} column ward is missing" for line in range(2, 7)),
    ),
    "a quote that never ends": (ROW + f'P2,"{CANARY},31,B\n' + ROW, "1 broken record, nothing was read: a.csv:3 column name has a broken quote"),
    "text behind a quote": (ROW + f'P2,"x"{CANARY},31,B\n', "1 broken record, nothing was read: a.csv:3 column name has a broken quote"),
    "a line after fields of many lines": ('P1,"a\nb\n\nc",30,A\nP2,x\n', "1 broken record, nothing was read: a.csv:6 column age is missing"),
    "a line after empty lines": (ROW + "\n\n\nP2,x\n", "1 broken record, nothing was read: a.csv:6 column age is missing"),
    "a line of spaces": (ROW + "   \n", "1 broken record, nothing was read: a.csv:3 column name is missing"),
    "a file that was written half": (ROW * 3 + "P2,x,3", "1 broken record, nothing was read: a.csv:5 column ward is missing"),
    "a block of zeros": (ROW + "\0" * 4096 + "\n" + ROW, "1 broken record, nothing was read: a.csv:3 column name is missing"),
    "lines that end in two ways": ("P1,x,30,A\r\nP2,y,31,B\n", "a.csv:2 ends with CR LF, line 1 with LF; make all line ends equal"),
    "a required value that is missing": (ROW + "P2,x,31,\n", "a.csv: column ward is required, row 2 has no value; complete the source"),
    "a required value with a mark for missing": (ROW + "P2,x,31,?\n", "a.csv: column ward is required, row 2 has no value; complete the source"),
    "a text for a number": (ROW + f"P2,x,{CANARY},B\n", "a.csv: column age is not integer in row 2; correct the source or the declared type"),
    "texts for numbers": (ROW + f"P2,x,{CANARY},B\n" * 3, "a.csv: column age is not integer in row 2 and in at least 2 later ones; correct the source or the declared type"),
    "a fraction for a whole number": (ROW + "P2,x,31.5,B\n", "a.csv: column age is not integer in row 2; correct the source or the declared type"),
    "a number with a blank": (ROW + "P2,x, 31,B\n", "a.csv: column age is not integer in row 2; correct the source or the declared type"),
    "a number of twenty digits": (ROW + "P2,x,12345678901234567890,B\n", "a.csv: column age is not integer in row 2; correct the source or the declared type"),
    "nobody's row": (ROW + f",{CANARY},31,B\n", "a.csv: column person has no value in row 2, so that nobody can say whose it is; complete the source"),
    "a blank for a person": (ROW + f"  ,{CANARY},31,B\n", "a.csv: column person has no value in row 2, so that nobody can say whose it is; complete the source"),
    "a mark for a person": (ROW + f"?,{CANARY},31,B\n", "a.csv: column person has no value in row 2, so that nobody can say whose it is; complete the source"),
    "a header and no rows": ("", "the source source has no rows; nothing to release"),
    "a header and empty lines": ("\n\n\n", "the source source has no rows; nothing to release"),
}  # fmt: skip
"""By name: what follows the header, and what is said of it."""


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rows_are_named_by_line_or_row(
    tmp_path: Path, message: Callable[[Path], str], name: str
) -> None:
    """Lines as an editor counts them where the file is broken, rows of data (from 1) where a value is."""
    body, said = BROKEN[name]
    file = tiny(
        tmp_path, {"a.csv": HEADER + body}, source='{format: csv, path: source, missing_values: ["", "?"]}'
    )
    assert message(file) == said


AT_SOURCE = "POLICY:5:1 source: "
NO_HEADER = (
    "no column of the policy is in the source; the first line of a CSV file names them, between separators"
)

HEADERS = {
    "a column that is missing": ("person,name,age\nP1,x,30\n", "POLICY:11:3 columns.ward: the source has no column ward; the source has person, name, age"),
    "a column that the policy does not name": (
        "person,name,age,ward,phone\nP1,x,30,A,1\n",
        "POLICY:7:1 columns: the source has a column phone that the policy does not name; add it, such as phone: {role: direct_identifier, treat: {technique: suppress}}",
    ),
    "a column without a name": ("person,name,,age,ward\nP1,x,1,30,A\n", AT_PATH + "a.csv:1 a column has no name (column 3); name it in the source"),
    "a separator at the end": ("person,name,age,ward,\nP1,x,30,A,\n", AT_PATH + "a.csv:1 a column has no name (column 5); name it in the source"),
    "a name that stands twice": ("person,name,age,ward,age\nP1,x,1,30,A\n", AT_PATH + "a.csv:1 columns 3 and 5 have the same name; rename one in the source"),
    "an empty file": ("", AT_PATH + "a.csv is empty or begins with an empty line; the first line names the columns"),
    "an empty first line": ("\n" + HEADER + ROW, AT_PATH + "a.csv is empty or begins with an empty line; the first line names the columns"),
    "a quote that never ends": ('person,"name,age,ward\nP1,x,1,30,A\n', AT_PATH + "a.csv:1 the header has a broken quote"),
    "NUL bytes": ("person,name\0,age,ward\nP1,x,1,30,A\n", AT_PATH + "a.csv:1 is not UTF-8; convert the file, such as with iconv -t utf-8"),
    "another separator": (f"person;name;age;ward\nP1;{CANARY};30;A\n", AT_SOURCE + NO_HEADER),
    "no header at all": (f"P1,{CANARY},30,A\nP2,{CANARY}2,31,B\n", AT_SOURCE + NO_HEADER),
    "no header at all, and a cell twice": (f"{CANARY},{CANARY},30,A\n", AT_PATH + "a.csv:1 columns 1 and 2 have the same name; rename one in the source"),
}  # fmt: skip
"""By name: the file, and what `plan` and `run` say of it."""


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_does_not_fit_is_named_before_a_row_is_read(
    tmp_path: Path, message: Callable[[Path], str], name: str
) -> None:
    """`anon check` finds it. A file without a header has cells in its first line: they are not named."""
    text, said = HEADERS[name]
    file = tiny(tmp_path, {"a.csv": text})
    with pytest.raises(PolicyError) as caught:
        plan(file)
    assert str(caught.value).replace(str(file), "POLICY") == said
    assert message(file) == said


@pytest.mark.parametrize(
    "bad",
    [b"M\xfcller", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80"],
    ids=["Latin-1", "UTF-16", "cut", "surrogate"],
)
def test_bytes_that_are_not_utf_8_are_named_by_line_and_column(
    tmp_path: Path, message: Callable[[Path], str], bad: bytes
) -> None:
    """Also behind a field of many lines, and not as line 1, where a reader that reads ahead would put them."""
    rows = b'P1,"a\nb",30,A\n' * 40 + b"P2,x,31," + bad + b"\n" + ROW.encode() * 3
    assert (
        message(tiny(tmp_path, {"a.csv": HEADER.encode() + rows}))
        == "1 broken record, nothing was read: a.csv:82 column ward is not UTF-8"
    )


def test_a_header_that_is_not_utf_8_is_named(tmp_path: Path, message: Callable[[Path], str]) -> None:
    """With the command that converts it."""
    utf_16 = (HEADER + ROW).encode("utf-16")
    said = AT_PATH + "a.csv:1 is not UTF-8; convert the file, such as with iconv -t utf-8"
    assert message(tiny(tmp_path, {"a.csv": utf_16})) == said
    assert message(tiny(tmp_path, {"a.csv": "pers\xf6n,name,age,ward\n".encode("latin-1")})) == said


@pytest.mark.parametrize("name", ["x", '"a\nb"'], ids=["plain", "with line breaks"])
def test_the_row_of_a_wrong_type_is_right_far_down_a_csv_file(
    tmp_path: Path, message: Callable[[Path], str], name: str
) -> None:
    """Row 270,000 lies in the second batch; fields of two lines do not shift the count of rows."""
    rows = many_rows(270_010, {270_000: CANARY, 270_005: CANARY})
    text = HEADER + "".join(f"{person},{name},{age},{ward}\n" for person, _, age, ward in rows)
    assert (
        message(tiny(tmp_path, {"a.csv": text}))
        == "a.csv: column age is not integer in row 270000 and in at least 1 later ones; correct the source or the declared type"
    )


@pytest.mark.parametrize("row", [70_000, 250_000, 250_001])
def test_the_row_of_a_wrong_type_is_right_far_down_a_parquet_file(
    tmp_path: Path, message: Callable[[Path], str], row: int
) -> None:
    """At both sides of the border between two batches, and counted from the start of the second file."""
    table = pl.DataFrame(many_rows(251_000, {row: CANARY}), schema=HEADER.strip().split(","), orient="row")
    good = pl.DataFrame(many_rows(5, {}), schema=table.columns, orient="row")
    assert (
        message(tiny(tmp_path, {"a.parquet": good, "b.parquet": table}))
        == f"b.parquet: column age is not integer in row {row}; correct the source or the declared type"
    )


def test_a_broken_line_far_down_is_named_by_its_line(tmp_path: Path, message: Callable[[Path], str]) -> None:
    """DuckDB reads a large file in several threads, and counts records, not lines."""
    text = HEADER + 'P1,"a\nb",30,A\n' * 300_000 + "P2,x\n" + ROW * 10
    assert (
        message(tiny(tmp_path, {"a.csv": text}))
        == "1 broken record, nothing was read: a.csv:600002 column age is missing"
    )


def test_a_field_of_a_megabyte_passes_and_one_of_forty_does_not(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """Clinical notes are long; a field without end is a broken quote."""
    file = tiny(tmp_path, {"a.csv": HEADER + ROW + "P2,x,31," + "é" * 500_000 + "\n"})
    assert len(str(released(file)[1][1])) == 500_000
    other = tmp_path / "other"
    other.mkdir()
    file = tiny(other, {"a.csv": HEADER + ROW + "P2,x,31," + "é" * 20_000_000 + "\n" + ROW})
    with pytest.raises(
        SourceError, match=r"^1 broken record, nothing was read: a.csv:3 is longer than 32 MB$"
    ):
        run(file)


GOOD = {
    "a byte order mark": b"\xef\xbb\xbf" + HEADER.encode() + b"P1,x,30,A\nP2,y,31,B\n",
    "lines that end in CR LF": b"person,name,age,ward\r\nP1,x,30,A\r\nP2,y,31,B\r\n",
    "lines that end in CR": b"person,name,age,ward\rP1,x,30,A\rP2,y,31,B\r",
    "empty lines": HEADER.encode() + b"\nP1,x,30,A\n\n\nP2,y,31,B\n\n\n",
    "no line end at the end": HEADER.encode() + b"P1,x,30,A\nP2,y,31,B",
    "quotes around everything": b'"person","name","age","ward"\n"P1","x","30","A"\n"P2","y","31","B"\n',
    "blanks before quotes": b'person,name,age,ward\nP1, "x",30, "A"\nP2,y,31,B\n',
    "separators in quotes": HEADER.encode() + b'P1,"x, y",30,A\nP2,"a\n\nb",31,B\n',
    "CR LF in quotes": HEADER.encode() + b'P1,"x\r\ny",30,A\nP2,y,31,B\n',
    "other columns in front": b"ward,age,person,name\nA,30,P1,x\nB,31,P2,y\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_unusual_csv_files_are_read(tmp_path: Path, name: str) -> None:
    """What spreadsheets and databases write is no fault."""
    assert released(tiny(tmp_path, {"a.csv": GOOD[name]})) == [(30, "A"), (31, "B")]


def test_quoted_values_arrive_as_they_are(tmp_path: Path) -> None:
    """Separators, line breaks, doubled quotes, blanks, NUL bytes, quotes inside a word: all belong to the value."""
    values = ["a,b", "a\nb", 'say "hi"', " a ", "a\0b", "é😀", "'", "\\"]
    quoted = ['"' + value.replace('"', '""') + '"' for value in values]
    rows = "".join(f"P{i},x,{i},{value}\n" for i, value in enumerate([*quoted, 'x"y', "#no comment"]))
    assert released(tiny(tmp_path, {"a.csv": HEADER + rows})) == list(
        enumerate([*values, 'x"y', "#no comment"])
    )


@pytest.mark.parametrize("separator", [";", "\\t", "|", " ", "§", "^", "'", "\\\\"])
def test_any_other_separator_may_be_declared(tmp_path: Path, separator: str) -> None:
    """Also those that mean something to DuckDB or to a pattern."""
    char = separator.encode().decode("unicode_escape") if separator.startswith("\\") else separator
    text = (HEADER + "P1,x,30,A\nP2,y,31,B\n").replace(",", char)
    file = tiny(tmp_path, {"a.csv": text}, source=f'{{format: csv, path: source, separator: "{separator}"}}')
    assert released(file) == [(30, "A"), (31, "B")]


@pytest.mark.parametrize(
    "marks", ['[""]', '["", "NA"]', '["NA", ","]', '["\\"", ""]', "['it''s']", '["NA", "n/a", "-9"]']
)
def test_marks_of_missing_values_are_what_the_policy_says(tmp_path: Path, marks: str) -> None:
    """With or without the empty text among them, and whatever they would mean to DuckDB."""
    import yaml

    texts = ["", "NA", "n/a", "-9", ",", '"', "it's", "x"]
    rows = "".join(f'P{i},x,{i},"{text.replace(chr(34), chr(34) * 2)}"\n' for i, text in enumerate(texts))
    source = f"{{format: csv, path: source, missing_values: {marks}}}"
    file = tiny(tmp_path, {"a.csv": HEADER + rows}, source=source, ward="{role: insensitive}")
    missing = yaml.safe_load(marks)
    assert released(file) == [(i, None if text in missing else text) for i, text in enumerate(texts)]


def test_no_marks_at_all_keep_the_empty_text(tmp_path: Path) -> None:
    """`missing_values: []` says that nothing is missing."""
    source = "{format: csv, path: source, missing_values: []}"
    assert released(tiny(tmp_path, {"a.csv": HEADER + 'P1,x,30,""\nP2,x,31,\n'}, source=source)) == [
        (30, ""),
        (31, ""),
    ]


def test_columns_may_stand_in_another_order_in_the_next_csv_file(tmp_path: Path) -> None:
    """Read by position, the names of the second file would be released as its wards."""
    second = f"ward,name,person,age\nB,{CANARY},P2,31\n"
    assert released(tiny(tmp_path, {"a.csv": HEADER + "P1,x,30,A\n", "b.csv": second})) == [
        (30, "A"),
        (31, "B"),
    ]


def test_columns_may_stand_in_another_order_in_the_next_parquet_file(tmp_path: Path) -> None:
    """As for CSV files."""
    table = pl.DataFrame({"person": ["P1"], "name": ["x"], "age": [30], "ward": ["A"]})
    other = table.with_columns(ward=pl.lit("B"), age=pl.lit(31, pl.Int64), person=pl.lit("P2")).select(
        reversed(table.columns)
    )
    assert released(tiny(tmp_path, {"a.parquet": table, "b.parquet": other})) == [(30, "A"), (31, "B")]


def test_a_row_that_is_shifted_by_a_separator_in_a_name_is_refused(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """`Doe, Quetzalcoatl,31,` has an empty last field: let it pass, and the first name is released as age or ward."""
    file = tiny(
        tmp_path,
        {"a.csv": HEADER + ROW + f"P2,Doe, {CANARY},31,\n"},
        age="{role: insensitive}",
        ward="{role: insensitive}",
    )
    assert message(file) == "1 broken record, nothing was read: a.csv:3 has too many fields"


def test_names_that_differ_in_upper_case_only_are_different_columns(tmp_path: Path) -> None:
    """To DuckDB they are one: `Name` was not read, or `name` in its place."""
    text = HEADER.replace("ward", "Name") + f"P1,{CANARY},30,A\n"
    file = tiny(tmp_path, {"a.csv": text})
    file.write_text(file.read_text().replace("ward:", "Name:"))
    assert released(file) == [(30, "A")]


DIFFERENT = {
    "another column": "person,name,age,room\nP2,x,31,B\n",
    "a column less": "person,name,age\nP2,x,31\n",
    "a column more": "person,name,age,ward,room\nP2,x,31,B,1\n",
    "no header": "P2,x,31,B\n",
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_files_with_different_columns_are_refused(
    tmp_path: Path, message: Callable[[Path], str], name: str
) -> None:
    """Half a column would be released as if the other half were missing."""
    file = tiny(tmp_path, {"a.csv": HEADER + ROW, "b.csv": DIFFERENT[name]})
    assert message(file) == AT_PATH + "b.csv has other columns or types than a.csv; make them equal"


def test_faults_of_source_and_policy_are_told_together(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """One round of corrections; a broken policy does not hide a broken header."""
    file = tiny(
        tmp_path, {"a.csv": "person,name,age,wart\nP1,x,30,A\n"}, age="{role: insensitive, type: int}"
    )
    assert [line.split(": ")[0] for line in message(file).splitlines()] == [
        "POLICY:7:1 columns",
        "POLICY:10:34 columns.age.type",
        "POLICY:11:3 columns.ward",
    ]


def test_a_treatment_that_does_not_fit_the_type_is_told_at_its_step(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """Of several steps the one that cannot be done, with the type that the steps before it leave."""
    steps = "[{technique: top_bottom_code, top: 90}, {technique: mask, keep_first: 1}, {technique: top_bottom_code, top: 1}]"
    file = tiny(
        tmp_path, {"a.csv": ONE}, ward=f"{{role: insensitive, treat: {steps}}}", age="{role: insensitive}"
    )
    assert (
        message(file)
        == "POLICY:11:37 columns.ward.treat[0]: top_bottom_code: top_bottom_code needs a numeric column; declare type: integer or number"
    )


def test_a_failed_run_is_in_the_audit_ledger(tmp_path: Path, message: Callable[[Path], str]) -> None:
    """Who tried what, when, and how it ended; without the cell that was wrong."""
    message(tiny(tmp_path, {"a.csv": HEADER + f"P1,x,{CANARY},A\n"}))
    with Ledger.open() as ledger:
        event = ledger.events()[-1]
    assert (event.action, event.dataset, event.outcome) == ("run.failed", "tiny", "SourceError")

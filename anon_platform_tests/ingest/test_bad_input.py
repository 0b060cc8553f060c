"""Whatever is wrong with a source: one message that names file, column and row or line, never a cell; nothing stays."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from anon_platform.errors import AnonError, PolicyError, SourceError
from anon_platform.ledger import Ledger
from anon_platform.pipeline import plan, run
from anon_platform_tests.ingest.sources import HEADER, released, tiny

CANARY = "Quetzalcoatl"


@pytest.fixture
def message(anon_home: Path) -> Callable[[Path], str]:
    """Runs a policy that has to fail, and gives what is said. No cell is in it, and nothing is left behind."""

    def of(file: Path) -> str:
        with pytest.raises(AnonError) as caught:
            run(file)
        assert caught.value.__context__ is None or isinstance(caught.value.__context__, AnonError)
        said = str(caught.value)
        assert CANARY not in said
        assert not (anon_home / "releases").exists()
        staged = [path.name for path in anon_home.glob("staging/**/*") if path.is_file()]
        assert set(staged) <= {"lock", "current.json"}, staged
        for path in anon_home.rglob("*"):
            assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
        expected = SourceError if isinstance(caught.value, SourceError) else PolicyError
        assert isinstance(caught.value, expected)
        return said.replace(f"{file}", "POLICY")

    return of


ROW = f"P1,{CANARY},30,A\n"

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


AT_SOURCE, AT_PATH = "POLICY:5:1 source: ", "POLICY:5:29 source.path: "
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


def many_rows(count: int, wrong: dict[int, str]) -> list[tuple[str, str, str, str]]:
    """Rows of a large source; wrong: ages by number of the row (from 1)."""
    return [(f"P{i}", "x", wrong.get(i, str(i % 90)), "A") for i in range(1, count + 1)]


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


TABLE = pl.DataFrame(
    {
        "person": [f"P{i}" for i in range(900)],
        "name": [CANARY] * 900,
        "age": range(900),
        "ward": [f"{i * 7919}" for i in range(900)],
    }
)
AT_PARQUET = "POLICY:5:33 source.path: "


def test_parquet_files_with_different_types_are_refused(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """An integer in one file and a text in the next are two columns."""
    other = TABLE.with_columns(pl.col("age").cast(pl.String))
    said = AT_PARQUET + "b.parquet has other columns or types than a.parquet; make them equal"
    assert message(tiny(tmp_path, {"a.parquet": TABLE, "b.parquet": other})) == said


@pytest.mark.parametrize("keep", [0, 3, 1000, -30, -1])
def test_a_parquet_file_that_was_copied_half_is_refused(
    tmp_path: Path, message: Callable[[Path], str], keep: int
) -> None:
    """The footer is what is written last."""
    file = tiny(tmp_path, {"a.parquet": TABLE})
    path = tmp_path / "source" / "a.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    assert message(file) == AT_PARQUET + "a.parquet is not a readable Parquet file"


def test_a_damaged_footer_is_refused(tmp_path: Path, message: Callable[[Path], str]) -> None:
    """Whatever Polars says of it, panics among them."""
    file = tiny(tmp_path, {"a.parquet": TABLE})
    path = tmp_path / "source" / "a.parquet"
    content = path.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[: -8 - footer] + b"\xff" * footer + content[-8:])
    assert message(file) == AT_PARQUET + "a.parquet is not a readable Parquet file"


def test_a_damaged_page_is_refused_with_the_name_of_the_file(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """The footer is sound, so that only reading finds it; the library's message would quote bytes of the page."""
    file = tiny(tmp_path, {"a.parquet": TABLE, "b.parquet": TABLE})
    path = tmp_path / "source" / "b.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) // 2) + content[100 + len(content) // 2 :])
    assert message(file) == "b.parquet is damaged, its data cannot be read; copy it anew"


def test_a_file_of_another_format_is_refused(tmp_path: Path, message: Callable[[Path], str]) -> None:
    """A CSV file that is called Parquet, and the other way round."""
    file = tiny(tmp_path, {"a.parquet": HEADER + ROW}, source="{format: parquet, path: source}")
    assert message(file) == AT_PARQUET + "a.parquet is not a readable Parquet file"
    TABLE.write_parquet(tmp_path / "source" / "a.csv")
    file = tiny(tmp_path, {})
    assert message(file).startswith(AT_PATH + "a.csv:1 ")


NESTED = {
    "list": pl.concat_list("ward"),
    "struct": pl.struct("ward"),
    "array": pl.concat_list("ward").list.to_array(1),
    "binary": pl.col("ward").cast(pl.Binary),
    "duration": pl.duration(days="age"),
}


@pytest.mark.parametrize("name", NESTED)
def test_values_that_have_no_text_cannot_be_released(
    tmp_path: Path, message: Callable[[Path], str], name: str
) -> None:
    """They could hold anything, and no CSV file can hold them; suppressed they do no harm."""
    table = TABLE.with_columns(NESTED[name].alias("ward"))
    said = f"POLICY:11:3 columns.ward: a {name} cannot be released; unpack it in the source, or suppress it"
    assert message(tiny(tmp_path, {"a.parquet": table})) == said
    suppressed = "{role: direct_identifier, treat: {technique: suppress}}"
    assert len(released(tiny(tmp_path, {"a.parquet": table}, ward=suppressed))) == 900


TYPES = {
    "integer": [pl.col("ward").cast(pl.Date, strict=False), pl.col("age") > 3, pl.concat_list("age"), pl.duration(days="age")],
    "date": [pl.col("age"), pl.lit(0).cast(pl.Time), pl.duration(days="age"), pl.col("age") > 3],
    "boolean": [pl.col("age"), pl.lit(0).cast(pl.Date)],
    "string": [pl.concat_list("age"), pl.struct("age"), pl.col("ward").cast(pl.Binary), pl.duration(days="age")],
}  # fmt: skip


@pytest.mark.parametrize("wanted", TYPES)
def test_a_declared_type_that_the_file_cannot_have_is_refused_before_a_row_is_read(
    tmp_path: Path, message: Callable[[Path], str], wanted: str
) -> None:
    """A cast that Polars does not know would fail in the middle of the run."""
    for expression in TYPES[wanted]:
        table = TABLE.with_columns(expression.alias("age"))
        found = str(table.schema["age"].base_type()).lower()
        said = f"POLICY:10:3 columns.age: declared type {wanted}, the source holds {found}; correct the type"
        assert (
            message(tiny(tmp_path, {"a.parquet": table}, age=f"{{role: insensitive, type: {wanted}}}"))
            == said
        )


def test_a_decimal_with_a_fraction_is_no_integer(tmp_path: Path, message: Callable[[Path], str]) -> None:
    """Polars cuts the fraction off in silence."""
    age = pl.when(pl.col("age") == 5).then(pl.lit("5.5")).otherwise(pl.lit("7")).cast(pl.Decimal(10, 2))
    table = TABLE.with_columns(age.alias("age"))
    said = "a.parquet: column age is not integer in row 6; correct the source or the declared type"
    assert message(tiny(tmp_path, {"a.parquet": table})) == said


def test_a_person_that_is_not_a_number_is_nobody(tmp_path: Path, message: Callable[[Path], str]) -> None:
    """All NaN would be one person with many rows."""
    person = pl.when(pl.col("age") > 2).then(pl.col("age").cast(pl.Float64)).otherwise(float("nan"))
    said = "a.parquet: column person has no value in row 1, so that nobody can say whose it is; complete the source"
    assert message(tiny(tmp_path, {"a.parquet": TABLE.with_columns(person.alias("person"))})) == said


def test_nobodys_row_is_named_in_the_right_file_and_batch(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """Row 251,000 of the second file lies in its second batch."""
    table = pl.DataFrame(many_rows(251_000, {}), schema=HEADER.strip().split(","), orient="row")
    table = table.with_columns(person=pl.when(pl.int_range(pl.len()) < 250_999).then("person"))
    said = "b.parquet: column person has no value in row 251000, so that nobody can say whose it is; complete the source"
    assert message(tiny(tmp_path, {"a.parquet": table.head(3), "b.parquet": table})) == said


ONE, TWO = HEADER + "P1,x,30,A\n", HEADER + "P2,x,31,B\n"
LEFT_OUT = {
    "._a.csv": TWO,
    "_a.csv": TWO,
    "a.csv.tmp": TWO,
    "a.csv.part": TWO,
    "b.csv.crdownload": TWO,
    "a.txt": TWO,
    "below/c.csv": TWO,
}


@pytest.mark.parametrize(
    "path",
    [
        "source",
        "source/",
        "./source",
        "source/a.csv",
        "source/*.csv",
        "sour*/a.csv",
        "source/[a].csv",
        "source/?.csv",
        "source/**/a.csv",
        "missing/../source",
    ],
)
def test_a_source_is_a_file_a_folder_or_a_glob(tmp_path: Path, path: str) -> None:
    """Hidden and half-written files are left out, and so are files in folders below."""
    file = tiny(tmp_path, {"a.csv": ONE, **LEFT_OUT}, source=f'{{format: csv, path: "{path}"}}')
    assert released(file) == [(30, "A")]


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    """A mounted share."""
    file = tiny(tmp_path, {"a.csv": ONE}, source=f'{{format: csv, path: "{tmp_path}/source/*.csv"}}')
    assert released(file) == [(30, "A")]


@pytest.mark.parametrize(
    "name", ["a[1].csv", "a*.csv", "a?.csv", "a'b.csv", "a b.csv", "é.csv", "a.csv.gz", "a{1,2}.csv"]
)
def test_a_file_that_is_named_like_a_pattern_is_that_file(tmp_path: Path, name: str) -> None:
    """DuckDB takes such a name for a glob, and reads the files beside it, too."""
    file = tiny(
        tmp_path, {name: ONE, "a1.csv": TWO, "ab.csv": TWO}, source=f'{{format: csv, path: "source/{name}"}}'
    )
    assert released(file) == [(30, "A")]


def test_a_policy_in_a_folder_named_like_a_pattern_finds_its_source(tmp_path: Path) -> None:
    """Only what the policy writes is a pattern."""
    folder = tmp_path / "v[1]*"
    folder.mkdir()
    assert released(tiny(folder, {"a.csv": ONE}, source="{format: csv, path: sour*/a*.csv}")) == [(30, "A")]


@pytest.mark.parametrize(
    "path", ["nowhere", "nowhere/*.csv", "source/none.csv", "source/_a.csv", "source/below.csv"]
)
def test_a_source_that_is_not_there_is_told_with_its_path(
    tmp_path: Path, message: Callable[[Path], str], path: str
) -> None:
    """A folder that is named like a file is no file, and a hidden file counts only when it is no longer hidden."""
    file = tiny(tmp_path, {"_a.csv": ONE}, source=f"{{format: csv, path: {path}}}")
    (tmp_path / "source" / "below.csv").mkdir()
    said = AT_PATH + f"no csv file at source.path {path}; put one there or correct the path"
    assert message(file) == said


@pytest.mark.parametrize("path", ["loop", '"a\\0b"', '"**a/b*"'])
def test_a_path_that_cannot_be_looked_up_is_told(
    tmp_path: Path, message: Callable[[Path], str], path: str
) -> None:
    """Links in a circle, a NUL in the name, a pattern that is none."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    file = tiny(tmp_path, {}, source=f"{{format: csv, path: {path}}}")
    assert re.fullmatch(
        re.escape(AT_PATH) + r"source\.path .* cannot be looked up; correct the path",
        message(file),
        re.DOTALL,
    )


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that can be opened and not read")
def test_a_file_that_cannot_be_read_is_told_with_the_reason(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """What a failing disk does."""
    for form, at in (("csv", AT_PATH), ("parquet", AT_PARQUET)):
        file = tiny(tmp_path, {}, source=f"{{format: {form}, path: /proc/self/mem}}")
        said = message(file)
        assert said in {at + "cannot read mem: Input/output error", at + "mem is not a readable Parquet file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_told_with_the_reason(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """The operating system's own words."""
    file = tiny(tmp_path, {"a.csv": ONE})
    (tmp_path / "source" / "a.csv").chmod(0)
    assert message(file) == AT_PATH + "cannot read a.csv: Permission denied"


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

"""Parquet files that are broken, or hold what cannot be released: told by file and row, never with a cell."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from anon_platform_tests.ingest.sources import (
    AT_PARQUET,
    AT_PATH,
    CANARY,
    HEADER,
    ROW,
    many_rows,
    released,
    tiny,
)

TABLE = pl.DataFrame(
    {
        "person": [f"P{i}" for i in range(900)],
        "name": [CANARY] * 900,
        "age": range(900),
        "ward": [f"{i * 7919}" for i in range(900)],
    }
)


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

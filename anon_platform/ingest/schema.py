"""What columns a source has, without reading a row, and where they disagree with the policy."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from anon_platform.anonymize import Generalize
from anon_platform.anonymize.technique import has_text
from anon_platform.errors import SourceError
from anon_platform.ingest.csv_files import csv_header
from anon_platform.ingest.files import source_files
from anon_platform.policy import DPColumn, Source
from anon_platform.policy.model import Column, ColumnType, SourceColumn

Path_ = tuple[str | int, ...]
Broken = tuple[Path_, str]

DTYPES: dict[ColumnType, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}
"""What a column type of the policy means in a table."""


def source_schema(source: Source) -> dict[str, pl.DataType]:
    """Columns and types of the source: the header of CSV files (all text), the footer of Parquet files.

    Files may have their columns in another order. Files that disagree with the first one, an empty file and a
    column name that stands twice raise `SourceError`.
    """
    files = source_files(source)
    first = _schema(files[0], source)
    for path in files[1:]:
        if _schema(path, source) != first:
            raise SourceError(f"{path.name} has other columns or types than {files[0].name}; make them equal")
    return first


def _schema(path: Path, source: Source) -> dict[str, pl.DataType]:
    if source.format == "csv":
        return dict.fromkeys(csv_header(path, source), pl.String())
    unreadable = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
    # an open file, since a name with brackets would be taken for a pattern
    with contextlib.suppress(*unreadable), path.open("rb") as stream:
        return dict(pl.read_parquet_schema(stream))
    raise SourceError(f"{path.name} is not a readable Parquet file")


def schema_faults(
    names: Sequence[str], columns: Mapping[str, Column | DPColumn], schema: Mapping[str, pl.DataType]
) -> Iterator[Broken]:
    """Where policy and source disagree: columns missing on either side, and treatments that do not fit the type.

    names: all columns the policy names; columns: those of them that are sound.
    """
    if names and not set(names) & set(schema):
        # what stands in the first line is not named: without a header these are cells
        told = "no column of the policy is in the source; the first line of a CSV file names them, between separators"
        yield ("source",), told
        return
    for name in schema:
        if name not in names:
            yield (
                ("columns",),
                (
                    f"the source has a column {name} that the policy does not name; add it, such as"
                    f" {name}: {{role: direct_identifier, treat: {{technique: suppress}}}}"
                ),
            )
    for name in names:
        if name not in schema:
            yield ("columns", name), f"the source has no column {name}; the source has {', '.join(schema)}"
    for name, column in columns.items():
        if name in schema and not column.suppressed:
            yield from _column_faults(("columns", name), column, schema[name])


def _column_faults(at: Path_, column: Column | DPColumn, found: pl.DataType) -> Iterator[Broken]:
    dtype = column_type(column, found)
    if not _fits(found, dtype):
        yield at, f"declared type {column.type}, the source holds {_spoken(found)}; correct the type"
        return
    for i, step in enumerate(column.treat):
        # that a level is unknown, the policy's own rules say
        fault = (step.hierarchy if isinstance(step, Generalize) else step).fault(dtype)
        if fault:
            yield (*at, "treat", i), f"{step.technique}: {fault}"
            return
        dtype = pl.String() if step.technique != "top_bottom_code" else dtype
    if not has_text(dtype) or isinstance(dtype, pl.Duration):
        yield at, f"a {_spoken(dtype)} cannot be released; unpack it in the source, or suppress it"


def column_type(column: SourceColumn, found: pl.DataType) -> pl.DataType:
    """The type of the column after ingestion: as declared, or as found (categories become text)."""
    if column.type is not None:
        return DTYPES[column.type]
    if isinstance(found, (pl.Categorical, pl.Enum)):
        return pl.String()
    return found


def _fits(found: pl.DataType, wanted: pl.DataType) -> bool:
    """Whether values as found can be read as the type wanted; each value has to be looked at, too."""
    days = (pl.Date, pl.Datetime)
    return (
        isinstance(found, (pl.String, pl.Categorical, pl.Enum, pl.Null))
        or (wanted.is_numeric() and found.is_numeric())
        or (isinstance(wanted, days) and isinstance(found, days))
        or (isinstance(wanted, pl.String) and has_text(found) and not isinstance(found, pl.Duration))
        or type(wanted) is type(found)
    )


def _spoken(dtype: pl.DataType) -> str:
    return str(dtype.base_type()).lower()

"""What columns a source has, without reading a row, and where they disagree with the policy."""

import contextlib
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from anon_platform.errors import SourceError
from anon_platform.ingest.files import source_files
from anon_platform.policy import Source
from anon_platform.policy.model import DTYPES, Column

Broken = tuple[tuple[str | int, ...], str]


def source_schema(source: Source) -> dict[str, pl.DataType]:
    """Columns and types of the source: the header of CSV files (all text), the footer of Parquet files.

    Files that disagree with the first one, an empty file and a column name that stands twice raise `SourceError`.
    """
    files = source_files(source)
    read = _csv_header if source.format == "csv" else _parquet_schema
    first = read(files[0], source)
    for path in files[1:]:
        if read(path, source) != first:
            raise SourceError(f"{path.name} has other columns or types than {files[0].name}; make them equal")
    return first


def _csv_header(path: Path, source: Source) -> dict[str, pl.DataType]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            names = next(csv.reader(stream, delimiter=source.separator, strict=True), None)
    except UnicodeDecodeError:
        raise SourceError(
            f"{path.name}:1 is not UTF-8; convert the file, such as with iconv -t utf-8"
        ) from None
    except csv.Error:
        raise SourceError(f"{path.name}:1 the header has a broken quote") from None
    if not names:
        raise SourceError(f"{path.name} is empty: it has no header line")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(
            f"{path.name}:1 column names stand twice: {', '.join(twice)}; rename them in the source"
        )
    if "" in names:
        raise SourceError(
            f"{path.name}:1 a column has no name (column {names.index('') + 1}); name it in the source"
        )
    return dict.fromkeys(names, pl.String())


def _parquet_schema(path: Path, source: Source) -> dict[str, pl.DataType]:
    del source
    with contextlib.suppress(pl.exceptions.PolarsError, OSError):
        return dict(pl.read_parquet_schema(path))
    raise SourceError(f"{path.name} is not a readable Parquet file")


def schema_faults(
    names: Sequence[str], columns: Mapping[str, Column], schema: Mapping[str, pl.DataType]
) -> Iterator[Broken]:
    """Where policy and source disagree: columns missing on either side, and treatments that do not fit the type.

    names: all columns the policy names; columns: those of them that are sound.
    """
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
        at = ("columns", name)
        if name not in schema:
            continue
        fault = _type_fault(column, schema[name])
        if fault:
            yield at, fault
            continue
        dtype = column_type(column, schema[name])
        for step in column.treat:
            fault = step.fault(dtype)
            if fault:
                yield (*at, "treat"), f"{step.technique}: {fault}"
                break
            dtype = pl.String() if step.technique != "top_bottom_code" else dtype


def column_type(column: Column, found: pl.DataType) -> pl.DataType:
    """The type of the column after ingestion: as declared, or as found (categories become text)."""
    if column.type is not None:
        return DTYPES[column.type]
    if isinstance(found, (pl.Categorical, pl.Enum)):
        return pl.String()
    return found


def _type_fault(column: Column, found: pl.DataType) -> str | None:
    if column.type is None or column.suppressed:
        return None
    wanted = DTYPES[column.type]
    text = isinstance(found, (pl.String, pl.Categorical, pl.Enum))
    fits = (
        text
        or (wanted.is_numeric() and found.is_numeric())
        or (wanted.is_temporal() and found.is_temporal())
        or type(wanted) is type(found)
        or (isinstance(wanted, pl.String) and not found.is_nested())
    )
    return (
        None
        if fits
        else f"declared type {column.type}, the source holds {str(found.base_type()).lower()}; correct the type"
    )

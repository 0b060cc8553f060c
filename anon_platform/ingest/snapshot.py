"""The checked copy of a source in staging: typed, complete, numbered, without what the policy suppresses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.errors import SourceError
from anon_platform.ingest.csv_files import to_parquet
from anon_platform.ingest.files import source_files
from anon_platform.ingest.schema import column_type, source_schema
from anon_platform.policy import Policy
from anon_platform.policy.model import Column
from anon_platform.table import PERSON, ROW, PolarsTable


@dataclass(frozen=True)
class Ingested:
    """What came in. missing: empty cells by column, of the columns that were read."""

    rows: int
    people: int
    files: int
    missing: dict[str, int]


def snapshot(
    policy: Policy,
    folder: Path,
    *,
    progress: Callable[[int], None] | None = None,
) -> Ingested:
    """Writes the source's rows to Parquet files in `folder` (which must not exist) and says what came in.

    Columns: ROW (position in the source), PERSON (number of the privacy unit), then every column that is
    not suppressed. Suppressed columns are not read at all, but for the person column, of which only the
    number stays. A wrong type, a missing required value or an empty source raises `SourceError`.
    """
    folder.mkdir(parents=True)
    schema = source_schema(policy.source)
    wanted = [name for name in policy.columns if not policy.columns[name].suppressed]
    unit = policy.privacy_unit.column
    read = [name for name in schema if name in wanted or name == unit]
    texts = folder / "source"
    files = _as_parquet(policy, list(schema), read, texts)
    table = PolarsTable(tuple(path for path, _ in files))
    people = _people(table, unit, policy.source.missing_values)
    tally = _Tally(policy, dict.fromkeys(wanted, 0), [name for _, name in files])
    done = 0
    for number, (path, name) in enumerate(files):
        first_row = 0
        for batch in PolarsTable((path,)).batches(read):
            clean = tally.checked(batch, name, first_row, schema)
            frame = _numbered(clean, batch, people, unit, done).select(ROW, PERSON, *wanted)
            frame.write_parquet(folder / f"part-{number:05d}-{first_row:012d}.parquet")
            first_row += batch.height
            done += batch.height
            if progress is not None:
                progress(done)
    for path in texts.glob("*") if texts.exists() else ():
        path.unlink()
    if texts.exists():
        texts.rmdir()
    if not done:
        raise SourceError(f"the source {policy.source.path} has no rows; nothing to release")
    return Ingested(done, people.height if people is not None else done, len(files), tally.missing)


def _as_parquet(
    policy: Policy, names: Sequence[str], read: Sequence[str], texts: Path
) -> list[tuple[Path, str]]:
    """Parquet files with the columns to read, and the name of the source file each stands for."""
    files = source_files(policy.source)
    if policy.source.format == "parquet":
        return [(path, path.name) for path in files]
    texts.mkdir()
    copies = [(texts / f"{i:05d}.parquet", path) for i, path in enumerate(files)]
    for copy, path in copies:
        to_parquet(path, policy.source, names, read, copy)
    return [(copy, path.name) for copy, path in copies]


def _people(table: PolarsTable, unit: str | None, marks: Sequence[str]) -> pl.DataFrame | None:
    """Every person with a number, in the order of the original values; None when each row is a person."""
    if unit is None:
        return None
    distinct = table.counts([unit]).select(unit).sort(unit)
    empty = distinct[unit].null_count()
    if distinct.schema[unit] == pl.String:
        empty += distinct.filter(pl.col(unit).str.strip_chars().is_in(["", *marks])).height
    if empty:
        raise SourceError(
            f"column {unit} is empty in some rows, so that nobody can say whose they are; complete it in the source"
        )
    return distinct.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(PERSON))


def _numbered(
    clean: pl.DataFrame, batch: pl.DataFrame, people: pl.DataFrame | None, unit: str | None, first: int
) -> pl.DataFrame:
    rows = pl.int_range(first, first + batch.height, dtype=pl.UInt32, eager=True)
    if people is None or unit is None:
        return clean.with_columns(rows.alias(ROW), rows.alias(PERSON))
    numbers = batch.select(unit).join(people, on=unit, how="left", maintain_order="left")[PERSON]
    return clean.with_columns(rows.alias(ROW), numbers)


@dataclass
class _Tally:
    """Types and completeness, batch by batch."""

    policy: Policy
    missing: dict[str, int]
    names: list[str]

    def checked(
        self, batch: pl.DataFrame, file: str, first: int, schema: dict[str, pl.DataType]
    ) -> pl.DataFrame:
        """The batch with the declared types; the first value that has another type is named by its row."""
        out: list[pl.Series] = []
        for name in self.missing:
            column = self.policy.columns[name]
            values = self._without_missing(batch[name])
            typed = _typed(values, column, column_type(column, schema[name]))
            wrong = typed.is_null() & values.is_not_null()
            if wrong.any():
                raise SourceError(
                    f"{file}: column {name} is not {column.type} in row {first + int(wrong.arg_true()[0]) + 1}"
                    f" ({wrong.sum()} such rows from there on in this part); correct the source or the declared type"
                )
            if column.required and typed.null_count():
                row = first + int(typed.is_null().arg_true()[0]) + 1
                raise SourceError(
                    f"{file}: column {name} is required, row {row} has no value; complete the source"
                )
            self.missing[name] += typed.null_count()
            out.append(typed.alias(name))
        return pl.DataFrame(out) if out else pl.DataFrame()

    def _without_missing(self, values: pl.Series) -> pl.Series:
        if isinstance(values.dtype, (pl.Categorical, pl.Enum)):
            values = values.cast(pl.String)
        if values.dtype != pl.String:
            return values
        marks = list(self.policy.source.missing_values)
        return pl.DataFrame({"v": values}).select(pl.when(~pl.col("v").is_in(marks)).then("v")).to_series()


_TRUE, _FALSE = ("true", "t", "yes", "1"), ("false", "f", "no", "0")


def _typed(values: pl.Series, column: Column, dtype: pl.DataType) -> pl.Series:
    """The values in the wanted type; null where a value has another one."""
    if values.dtype == dtype:
        return values
    frame = pl.DataFrame({"v": values})
    value = pl.col("v")
    if values.dtype == pl.String and dtype == pl.Date():
        value = value.str.to_date(column.date_format or "%Y-%m-%d", strict=False)
    elif values.dtype == pl.String and dtype.is_temporal():
        value = value.str.to_datetime(column.date_format, strict=False, time_unit="us")
    elif values.dtype == pl.String and dtype == pl.Boolean():
        low = value.str.to_lowercase()
        value = pl.when(low.is_in(_TRUE)).then(True).when(low.is_in(_FALSE)).then(False)  # noqa: FBT003
    elif dtype.is_integer() and values.dtype.is_float():
        value = pl.when(value == value.floor()).then(value).cast(dtype, strict=False)
    else:
        value = value.cast(dtype, strict=False)
    return frame.select(value).to_series()

"""The checked copy of a source in staging: typed, complete, numbered, without what the policy suppresses."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from anon_platform.errors import SourceError
from anon_platform.ingest.csv_files import to_parquet
from anon_platform.ingest.files import source_files
from anon_platform.ingest.schema import column_type, source_schema
from anon_platform.ingest.typed import as_text, typed, without_missing
from anon_platform.keys import Key
from anon_platform.policy import DPPolicy, Policy, Source
from anon_platform.table import PERSON, ROW, TOKEN, PolarsTable

R = TypeVar("R")


@dataclass(frozen=True)
class Ingested:
    """What came in. missing: empty cells by column, of the columns that were read."""

    rows: int
    people: int
    files: int
    missing: dict[str, int]


def snapshot(
    policy: Policy | DPPolicy,
    folder: Path,
    *,
    key: Key | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ingested:
    """Writes the source's rows to Parquet files in `folder` (which must not exist) and says what came in.

    Columns: ROW (position in the source), PERSON (number of the privacy unit), with a `key` TOKEN (its keyed number,
    from its value alone, so that it is the same in every source), then every column that is not suppressed. Suppressed columns are not read at all, but for those that texts are searched for, and for the
    person column, of which only the number stays. A wrong type, a missing required value or an empty source raises `SourceError`.
    """
    folder.mkdir(parents=True)
    schema = source_schema(policy.source)
    wanted = policy.staged
    unit = policy.privacy_unit.column
    read = [name for name in schema if name in wanted or name == unit]
    texts = folder / "source"
    files = _as_parquet(policy.source, read, texts)
    people = None if unit is None else _people(files, unit, policy.source.missing_values, key)
    hidden = [ROW, PERSON] if key is None else [ROW, PERSON, TOKEN]
    tally = _Tally(policy, dict.fromkeys(wanted, 0))
    done = 0
    for number, file in enumerate(files):
        first_row = 0
        for batch in file.batches(read):
            clean = tally.checked(batch, file.name, first_row, schema)
            frame = _numbered(clean, batch, people, unit, done)
            if key is not None and people is None:
                frame = frame.with_columns(person_tokens(frame[ROW], key))
            frame = frame.select(*hidden, *wanted)
            frame.write_parquet(folder / f"part-{number:05d}-{first_row:012d}.parquet")
            first_row += batch.height
            done += batch.height
            if progress is not None:
                progress(done)
    if texts.exists():
        shutil.rmtree(texts)
    if not done:
        raise SourceError(f"the source {policy.source.path} has no rows; nothing to release")
    return Ingested(done, people.height if people is not None else done, len(files), tally.missing)


@dataclass(frozen=True)
class _File:
    """A source file as Parquet. stored: the name each column to read has in it."""

    name: str
    path: Path
    stored: Mapping[str, str]

    def batches(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The rows in order; a damaged file raises `SourceError`."""
        batches = PolarsTable((self.path,)).batches([self.stored[name] for name in columns])
        while (batch := self._read(lambda: next(batches, None))) is not None:
            yield batch.rename({self.stored[name]: name for name in columns})

    def distinct(self, column: str) -> pl.Series:
        """The distinct values of a column; a damaged file raises `SourceError`."""
        stored = self.stored[column]
        return self._read(lambda: PolarsTable((self.path,)).counts([stored])[stored])

    def _read(self, read: Callable[[], R]) -> R:
        # PanicException is no Exception: Polars panics on some damaged pages
        with contextlib.suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return read()
        # what Polars says of the file may quote cells, and would ride along as context if it were handled here
        raise SourceError(f"{self.name} is damaged, its data cannot be read; copy it anew")


def _as_parquet(source: Source, read: Sequence[str], texts: Path) -> list[_File]:
    """The source's files as Parquet; the columns to read of CSV files are copied to `texts`."""
    files = source_files(source)
    if source.format == "parquet":
        return [_File(path.name, path, {name: name for name in read}) for path in files]
    texts.mkdir()
    stored = {name: f"c{i}" for i, name in enumerate(read)}
    copies = [_File(path.name, texts / f"{i:05d}.parquet", stored) for i, path in enumerate(files)]
    for path, copy in zip(files, copies, strict=True):
        to_parquet(path, source, stored, copy.path)
    return copies


def _people(files: Sequence[_File], unit: str, marks: Sequence[str], key: Key | None) -> pl.DataFrame:
    """Every person with a number, and with a `key` a token, in the order of the original values; a row without a person raises `SourceError`."""
    distinct = pl.concat([as_text(file.distinct(unit)) for file in files]).unique().sort()
    if _nobody(distinct, marks).any():
        name, row = next(_rows_of_nobody(files, unit, marks))
        raise SourceError(
            f"{name}: column {unit} has no value in row {row}, so that nobody can say whose it is; complete the source"
        )
    people = pl.DataFrame({unit: distinct, PERSON: pl.int_range(len(distinct), dtype=pl.UInt32, eager=True)})
    return people if key is None else people.with_columns(person_tokens(distinct, key))


def person_tokens(values: pl.Series, key: Key) -> pl.Series:
    """A secret number for each value, from its text: two of 10 million people share one with chance 3 in a million."""
    texts = values.cast(pl.String).to_list()
    return pl.Series(TOKEN, [int.from_bytes(key.mac(text.encode())[:8]) for text in texts], dtype=pl.UInt64)


def _nobody(values: pl.Series, marks: Sequence[str]) -> pl.Series:
    """Which values name no person."""
    if values.dtype == pl.String:
        return values.is_null() | values.str.strip_chars().is_in(["", *marks])
    return values.is_null() | values.is_nan() if values.dtype.is_float() else values.is_null()


def _rows_of_nobody(files: Sequence[_File], unit: str, marks: Sequence[str]) -> Iterator[tuple[str, int]]:
    """File and row (from 1) of every row that names no person."""
    for file in files:
        first = 1
        for batch in file.batches([unit]):
            yield from ((file.name, first + int(i)) for i in _nobody(as_text(batch[unit]), marks).arg_true())
            first += batch.height


def _numbered(
    clean: pl.DataFrame, batch: pl.DataFrame, people: pl.DataFrame | None, unit: str | None, first: int
) -> pl.DataFrame:
    rows = pl.int_range(first, first + batch.height, dtype=pl.UInt32, eager=True)
    if people is None or unit is None:
        return clean.with_columns(rows.alias(ROW), rows.alias(PERSON))
    numbers = as_text(batch[unit]).to_frame().join(people, on=unit, how="left", maintain_order="left")
    return clean.with_columns(rows.alias(ROW), *numbers.drop(unit))


@dataclass
class _Tally:
    """Types and completeness, batch by batch."""

    policy: Policy | DPPolicy
    missing: dict[str, int]

    def checked(
        self, batch: pl.DataFrame, file: str, first: int, schema: Mapping[str, pl.DataType]
    ) -> pl.DataFrame:
        """The batch with the declared types; the first value that has another type is named by its row."""
        out: list[pl.Series] = []
        for name in self.missing:
            column = self.policy.columns[name]
            values = without_missing(batch[name], self.policy.source.missing_values)
            clean = typed(values, column, column_type(column, schema[name]))
            wrong = clean.is_null() & values.is_not_null()
            if wrong.any():
                row, more = first + int(wrong.arg_true()[0]) + 1, int(wrong.sum()) - 1
                raise SourceError(
                    f"{file}: column {name} is not {column.type} in row {row}"
                    + (f" and in at least {more} later ones" if more else "")
                    + "; correct the source or the declared type"
                )
            if column.required and clean.null_count():
                row = first + int(clean.is_null().arg_true()[0]) + 1
                raise SourceError(
                    f"{file}: column {name} is required, row {row} has no value; complete the source"
                )
            self.missing[name] += clean.null_count()
            out.append(clean.alias(name))
        return pl.DataFrame(out)

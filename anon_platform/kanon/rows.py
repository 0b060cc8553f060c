"""The data: CSV or Parquet, one file, a folder or a glob, read in batches of a bounded size."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from anon_platform.errors import PolicyError, SourceError
from anon_platform.ingest import source_files, source_schema
from anon_platform.ingest.csv_files import csv_header, to_parquet
from anon_platform.policy import Source

BATCH = 500_000
"""Rows a batch: so many texts as codes are a few megabytes a column."""


@dataclass(frozen=True)
class Rows:
    """Rows of Parquet files of one schema.

    files: read in this order. stored: the name in the files of each column that is read. schema: of all columns of the
    data, in order. coded: texts that few rows do not share, read as codes of a dictionary. separator: of the CSV files
    that these were, whose empty fields are no value; None for Parquet.
    """

    files: tuple[Path, ...]
    stored: Mapping[str, str]
    schema: Mapping[str, pl.DataType]
    coded: frozenset[str]
    separator: str | None = None

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows in order, of these columns. A damaged file raises `SourceError`."""
        coded = [self.stored[name] for name in columns if name in self.coded]
        held: list[pa.Table] = []
        for file in self.files:
            for batch in _batches(file, {name: self.stored[name] for name in columns}, coded):
                # row groups may be small, and each batch costs a look at all combinations
                held.append(batch)
                if sum(part.num_rows for part in held) >= BATCH:
                    yield _joined(held)
                    held = []
        if held:
            yield _joined(held)


def _joined(parts: Sequence[pa.Table]) -> pa.Table:
    """One table in one piece; files of one schema may differ in what they say of nulls and of texts."""
    whole = pa.concat_tables(parts, promote_options="permissive") if len(parts) > 1 else parts[0]
    return whole.unify_dictionaries().combine_chunks()


def _batches(file: Path, stored: Mapping[str, str], coded: list[str]) -> Iterator[pa.Table]:
    with readable(file.name):
        reader = pq.ParquetFile(file, read_dictionary=coded)
        batches = reader.iter_batches(BATCH, columns=list(stored.values()))
    while True:
        with readable(file.name):
            batch = next(batches, None)
        if batch is None:
            return
        # by name: the files may have their columns in another order
        yield pa.table({name: batch.column(place) for name, place in stored.items()})


@contextmanager
def readable(name: str) -> Iterator[None]:
    """What the reader says of a damaged file may quote cells, so it is not passed on."""
    failed = False
    try:
        yield
    except (pa.ArrowException, OSError):
        failed = True
    if failed:
        raise SourceError(f"{name} is damaged, its data cannot be read; copy it anew")


def opened(source: Source, columns: Sequence[str], coded: Sequence[str], staging: Path) -> Rows:
    """The rows of the source, ready to read `columns`; of CSV files these are copied to the folder `staging`.

    coded: columns in which few values are of one row only.

    A column that the data lacks raises `PolicyError`, a broken record `SourceError` that names its line.
    """
    schema, files = source_schema(source), tuple(source_files(source))
    if missing := [name for name in columns if name not in schema]:
        raise PolicyError(f"no column {', '.join(missing)} in the data; it has {', '.join(schema)}")
    if source.format == "parquet":
        return Rows(files, {name: name for name in columns}, schema, frozenset(coded))
    stored = {name: f"c{place}" for place, name in enumerate(columns)}
    copies = tuple(staging / f"{place:05d}.parquet" for place in range(len(files)))
    for file, copy in zip(files, copies, strict=True):
        if stored:
            to_parquet(
                file,
                source,
                {name: stored[name] for name in csv_header(file, source) if name in stored},
                copy,
            )
    return Rows(copies, stored, schema, frozenset(coded), source.separator)

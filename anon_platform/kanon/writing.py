"""The output: labels in place of values, the rows in their order, in one step or not at all."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from anon_platform.anonymize.technique import has_text
from anon_platform.errors import PolicyError, StorageError
from anon_platform.kanon.counting import frame_of
from anon_platform.kanon.labels import Combinations, Labels
from anon_platform.kanon.rows import BATCH, Rows

READ_AT_ONCE = 16 << 20
"""Bytes of a CSV file."""

Heard = Callable[[int], None]


def released(
    rows: Rows, combinations: Combinations, labels: Labels, leaving: Sequence[str]
) -> Iterator[pa.Table]:
    """The rows as they leave, in order: labels for quasi-identifiers, all other columns of `leaving` as they are."""
    names = combinations.values.columns
    order = [name for name in rows.schema if name in leaving]
    for batch in rows.batches(order):
        columns = dict(labels.of(combinations.of(batch), names))
        as_is = [name for name in order if name not in columns]
        if as_is:
            columns |= _as_they_are(batch.select(as_is), empty_is_missing=rows.separator is not None)
        yield pa.table({name: columns[name] for name in order})


def _as_they_are(batch: pa.Table, *, empty_is_missing: bool) -> Mapping[str, pa.ChunkedArray]:
    if empty_is_missing:
        # an empty field of a CSV file was read as an empty text
        frame = frame_of(batch)
        texts = [name for name, dtype in frame.schema.items() if dtype in (pl.String, pl.Categorical)]
        batch = frame.with_columns(
            pl.when(pl.col(texts).cast(pl.String) != "").then(pl.col(texts)) if texts else []
        ).to_arrow()
    return {name: batch[name] for name in batch.column_names}


@contextmanager
def draft(out: Path) -> Iterator[Path]:
    """A file beside `out` that takes its place when all went well, and is gone when it did not."""
    path = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        yield path
        path.replace(out)
    except OSError as fault:
        raise StorageError(f"cannot write {out.name}: {fault.strerror or 'the disk may be full'}") from None
    finally:
        path.unlink(missing_ok=True)


class _CsvFile:
    """Batches as CSV; the first brings the header."""

    def __init__(self, stream: IO[bytes], separator: str) -> None:
        self._stream, self._separator, self._header = stream, separator, True

    def write_table(self, batch: pa.Table) -> None:
        frame_of(batch).write_csv(self._stream, include_header=self._header, separator=self._separator)
        self._header = False

    def close(self) -> None:
        """Nothing is held back."""


def write(
    batches: Iterator[pa.Table], path: Path, *, kind: str, separator: str, progress: Heard | None = None
) -> int:
    """Number of rows written: as Parquet for the kind `.parquet`, else as CSV with a header. `progress` hears rows done."""
    done = 0
    with path.open("xb") as stream:
        writer: _CsvFile | pq.ParquetWriter | None = None
        for batch in batches:
            if writer is None:
                # the schema is not stored beside, so that dictionaries are read back as the texts they stand for
                writer = (
                    pq.ParquetWriter(stream, batch.schema, compression="zstd", store_schema=False)
                    if kind == ".parquet"
                    else _CsvFile(stream, separator)
                )
            writer.write_table(batch)
            done += batch.num_rows
            if progress is not None:
                progress(done)
        if writer is not None:
            writer.close()
        stream.flush()
        os.fsync(stream.fileno())
    return done


def require_writable(schema: Mapping[str, pl.DataType], leaving: Sequence[str], kind: str) -> None:
    """Refuses columns that a CSV file cannot hold."""
    for name in leaving:
        if kind == ".csv" and not has_text(schema[name]):
            raise PolicyError(
                f"column {name}: lists, structs and bytes have no text; write Parquet, or leave it out"
            )


def written(path: Path, kind: str, separator: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """What stands in a file that was written, in order, of these columns."""
    if kind == ".parquet":
        reader = pq.ParquetFile(path, read_dictionary=list(columns))
        for batch in reader.iter_batches(BATCH, columns=list(columns)):
            yield frame_of(pa.table(batch)).select(columns)
        return
    text = pa.dictionary(pa.int32(), pa.string())
    batches = pyarrow.csv.open_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(block_size=READ_AT_ONCE),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, ignore_empty_lines=False
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict.fromkeys(columns, text),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    for batch in batches:
        yield frame_of(pa.table(batch))

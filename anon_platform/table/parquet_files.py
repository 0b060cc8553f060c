"""What the engines share: Parquet files of one schema, the steps that rows pass through, and parts written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import polars as pl

from anon_platform.table.table import Step

BATCH = 250_000
"""Rows a batch: large enough that Polars works on all cores, small enough for a few hundred bytes a row."""


def parquet_files(folder: Path) -> tuple[Path, ...]:
    """All Parquet files in `folder`, by name."""
    return tuple(sorted(folder.glob("*.parquet")))


def stored_schema(files: Sequence[Path]) -> dict[str, pl.DataType]:
    """Columns and their types as stored, in order; none without files."""
    return dict(pl.read_parquet(files[0], n_rows=0, glob=False).schema) if files else {}


def stored_rows(files: Sequence[Path]) -> int:
    """Rows as stored; read from the footers."""
    if not files:
        return 0
    return int(pl.scan_parquet(list(files), glob=False).select(pl.len()).collect().item())


def through(frame: pl.DataFrame, steps: Sequence[Step]) -> pl.DataFrame:
    """The frame after all steps, first to last."""
    for step in steps:
        frame = step(frame)
    return frame


def read_batches(
    files: Sequence[Path], columns: Sequence[str] | None, *, steps: Sequence[Step], batch: int
) -> Iterator[pl.DataFrame]:
    """The rows in the order of the files, `batch` source rows at a time, after all steps; empty frames are left out."""
    for file in files:
        lazy = pl.scan_parquet(file, glob=False)
        if columns is not None and not steps:
            lazy = lazy.select(columns)
        for offset in range(0, stored_rows([file]), batch):
            frame = through(lazy.slice(offset, batch).collect(), steps)
            if frame.height:
                yield frame.select(columns) if columns is not None else frame


def without_rows(columns: Sequence[str], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The frequency table of an empty table; a column that is not in `schema` has no type."""
    return pl.DataFrame(schema={**{name: schema.get(name, pl.Null()) for name in columns}, "n": pl.UInt32})


def write_parts(
    frames: Iterator[pl.DataFrame],
    folder: Path,
    *,
    schema: Mapping[str, pl.DataType],
    progress: Callable[[int], None] | None,
) -> list[Path]:
    """One Parquet file a frame; no frame at all gives one file without rows. `progress` hears rows done."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    done = 0
    for frame in frames:
        written.append(folder / f"part-{len(written):05d}.parquet")
        frame.write_parquet(written[-1])
        done += frame.height
        if progress is not None:
            progress(done)
    if not written and schema:
        written.append(folder / "part-00000.parquet")
        pl.DataFrame(schema=schema).write_parquet(written[-1])
    return written


@dataclass(frozen=True)
class ParquetRows:
    """Parquet files of one schema, and the steps their rows pass through; an engine adds how rows are counted.

    files: read in the given order; together they are the table.
    steps: applied to every batch, first to last.
    batch: rows read at a time.
    """

    files: tuple[Path, ...]
    steps: tuple[Step, ...] = ()
    batch: int = BATCH

    @cached_property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Columns and their types after all steps."""
        if not self.files:
            return {}
        return dict(through(pl.DataFrame(schema=stored_schema(self.files)), self.steps).schema)

    @cached_property
    def rows(self) -> int:
        """Number of rows after all steps."""
        return sum(frame.height for frame in self.batches()) if self.steps else stored_rows(self.files)

    def map(self, step: Step) -> Self:
        """The same rows seen through `step`."""
        return replace(self, steps=(*self.steps, step))

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows in order, `batch` source rows at a time; empty frames are left out."""
        return read_batches(self.files, columns, steps=self.steps, batch=self.batch)

    def write(self, folder: Path, *, progress: Callable[[int], None] | None = None) -> list[Path]:
        """One Parquet file a batch; an empty table gives one file without rows. `progress` hears rows done."""
        return write_parts(self.batches(), folder, schema=self.schema, progress=progress)

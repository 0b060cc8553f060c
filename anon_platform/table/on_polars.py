"""The default engine: Parquet files, read and grouped by Polars."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from anon_platform.table.parquet_files import (
    BATCH,
    parquet_files,
    read_batches,
    stored_rows,
    stored_schema,
    through,
    without_rows,
    write_parts,
)
from anon_platform.table.table import Step, Table


@dataclass(frozen=True)
class PolarsTable:
    """A table over Parquet files of one schema, and the steps its rows pass through.

    files: read in the given order; together they are the table.
    steps: applied to every batch, first to last.
    batch: rows read at a time.
    """

    files: tuple[Path, ...]
    steps: tuple[Step, ...] = ()
    batch: int = BATCH

    @classmethod
    def over(cls, folder: Path) -> "PolarsTable":
        """The table of all Parquet files in `folder`, by name."""
        return cls(parquet_files(folder))

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

    def counts(self, columns: Sequence[str]) -> pl.DataFrame:
        """Frequency table over `columns`; see `Table.counts`."""
        if not self.files:
            return without_rows(columns, {})
        if not columns:
            return pl.DataFrame({"n": [self.rows]}, schema={"n": pl.UInt32})
        if not self.steps:
            grouped = pl.scan_parquet(list(self.files), glob=False).group_by(columns).agg(n=pl.len())
            return grouped.collect(engine="streaming").with_columns(pl.col("n").cast(pl.UInt32))
        none = without_rows(columns, self.schema)
        parts = [frame.group_by(columns).agg(n=pl.len()) for frame in self.batches(columns)]
        return pl.concat([none, *parts]).group_by(columns).agg(pl.col("n").sum().cast(pl.UInt32))

    def map(self, step: Step) -> "PolarsTable":
        """The same rows seen through `step`."""
        return PolarsTable(self.files, (*self.steps, step), self.batch)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows in order, `batch` source rows at a time; empty frames are left out."""
        return read_batches(self.files, columns, steps=self.steps, batch=self.batch)

    def write(self, folder: Path, *, progress: Callable[[int], None] | None = None) -> list[Path]:
        """One Parquet file a batch; an empty table gives one file without rows. `progress` hears rows done."""
        return write_parts(self.batches(), folder, schema=self.schema, progress=progress)


_: type[Table] = PolarsTable

"""The default engine: Parquet files, read and grouped by Polars."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.table.parquet_files import ParquetRows, parquet_files, without_rows
from anon_platform.table.table import Table


@dataclass(frozen=True)
class PolarsTable(ParquetRows):
    """A table over Parquet files of one schema, and the steps its rows pass through."""

    @classmethod
    def over(cls, folder: Path) -> "PolarsTable":
        """The table of all Parquet files in `folder`, by name."""
        return cls(parquet_files(folder))

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


_: type[Table] = PolarsTable

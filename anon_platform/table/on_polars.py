"""The default engine: Parquet files, read and grouped by Polars."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from anon_platform.table.table import Step, Table

BATCH = 250_000
"""Rows a batch: large enough that Polars works on all cores, small enough for a few hundred bytes a row."""


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
        return cls(tuple(sorted(folder.glob("*.parquet"))))

    @cached_property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Columns and their types after all steps."""
        if not self.files:
            return {}
        empty = pl.read_parquet(self.files[0], n_rows=0, glob=False)
        return dict(self._through(empty).schema)

    @cached_property
    def rows(self) -> int:
        """Number of rows after all steps."""
        if not self.files:
            return 0
        if self.steps:
            return sum(frame.height for frame in self.batches())
        return int(pl.scan_parquet(list(self.files), glob=False).select(pl.len()).collect().item())

    def counts(self, columns: Sequence[str]) -> pl.DataFrame:
        """Frequency table over `columns`; see `Table.counts`."""
        if not self.files:
            return pl.DataFrame(schema={**dict.fromkeys(columns, pl.Null), "n": pl.UInt32})
        if not columns:
            return pl.DataFrame({"n": [self.rows]}, schema={"n": pl.UInt32})
        if not self.steps:
            grouped = pl.scan_parquet(list(self.files), glob=False).group_by(columns).agg(n=pl.len())
            return grouped.collect(engine="streaming").with_columns(pl.col("n").cast(pl.UInt32))
        none = pl.DataFrame(schema={**{name: self.schema[name] for name in columns}, "n": pl.UInt32})
        parts = [frame.group_by(columns).agg(n=pl.len()) for frame in self.batches(columns)]
        return pl.concat([none, *parts]).group_by(columns).agg(pl.col("n").sum().cast(pl.UInt32))

    def map(self, step: Step) -> "PolarsTable":
        """The same rows seen through `step`."""
        return PolarsTable(self.files, (*self.steps, step), self.batch)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows in order, `batch` source rows at a time; empty frames are left out."""
        for file in self.files:
            lazy = pl.scan_parquet(file, glob=False)
            if columns is not None and not self.steps:
                lazy = lazy.select(columns)
            total = int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
            for offset in range(0, total, self.batch):
                frame = self._through(lazy.slice(offset, self.batch).collect())
                if frame.height:
                    yield frame.select(columns) if columns is not None else frame

    def write(self, folder: Path, *, progress: Callable[[int], None] | None = None) -> list[Path]:
        """One Parquet file a batch; an empty table gives one file without rows. `progress` hears rows done."""
        folder.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        done = 0
        for frame in self.batches():
            written.append(folder / f"part-{len(written):05d}.parquet")
            frame.write_parquet(written[-1])
            done += frame.height
            if progress is not None:
                progress(done)
        if not written and self.files:
            written.append(folder / "part-00000.parquet")
            pl.DataFrame(schema=self.schema).write_parquet(written[-1])
        return written

    def _through(self, frame: pl.DataFrame) -> pl.DataFrame:
        for step in self.steps:
            frame = step(frame)
        return frame


_: type[Table] = PolarsTable

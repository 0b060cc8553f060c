"""What every engine offers, and the two columns that never leave staging."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import polars as pl

ROW = "__row__"
"""Position of the record in the source, 0-based, unique: ties a released row to its source row in staging."""

PERSON = "__person__"
"""Number of the person (the privacy unit) behind the record, 0-based and dense; never an original identifier."""

TOKEN = "__token__"  # noqa: S105 - a column, no password
"""Secret number of the person (64 bits, keyed), the same in every table; there where a step treats people."""

Step = Callable[[pl.DataFrame], pl.DataFrame]
"""A fitted function of one batch. It may drop rows and columns; it must not depend on the batch's size."""


class Table(Protocol):
    """Rows that may not fit in memory, seen as counts first and as batches second."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Columns and their types, in order."""
        ...

    @property
    def rows(self) -> int:
        """Number of rows."""
        ...

    def counts(self, columns: Sequence[str]) -> pl.DataFrame:
        """Frequency table: one row a combination of `columns`, `n` records (UInt32, ≥ 1) each.

        Nulls are a value of their own. The order of the rows is not defined.
        """
        ...

    def map(self, step: Step) -> "Table":
        """The same rows seen through `step`; nothing is computed before they are asked for."""
        ...

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows in order, in frames small enough for memory; only `columns` when given."""
        ...

    def write(self, folder: Path, *, progress: Callable[[int], None] | None = None) -> list[Path]:
        """Parquet files `part-00000.parquet` … written into `folder`, in row order."""
        ...

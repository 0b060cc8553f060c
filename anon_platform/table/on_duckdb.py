"""The engine for tables larger than memory: DuckDB groups the rows, and spills to disk what does not fit."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from anon_platform.errors import SourceError, StorageError
from anon_platform.table.parquet_files import (
    ParquetRows,
    parquet_files,
    stored_schema,
    without_rows,
)
from anon_platform.table.table import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT = 2_000_000_000
"""Bytes; what goes beyond them lies in the spill folder."""

_MEANT_AS_PATTERN = re.compile(r"([*?\[])")

THREAD_MEMORY = 50_000_000
"""Bytes that a thread needs for its hash tables."""


@dataclass(frozen=True)
class DuckDBTable(ParquetRows):
    """Rows of Parquet files, counted within a memory limit.

    memory_limit: bytes that DuckDB may use; frames, such as the frequency table it returns, are beside them.
    spill: a folder, made when missing; each count makes one of its own in it (mode 0700) for what does not fit, and
        removes it, also after an error. Left out, it is the folder of the files: what wipes them also wipes what a
        killed process left.

    Batches are read by Polars, as in `PolarsTable`: it hands out Parquet rows faster, in as little memory.
    """

    memory_limit: int = MEMORY_LIMIT
    spill: Path | None = None

    @classmethod
    def over(
        cls, folder: Path, *, memory_limit: int = MEMORY_LIMIT, spill: Path | None = None
    ) -> "DuckDBTable":
        """The table of all Parquet files in `folder`, by name."""
        return cls(parquet_files(folder), memory_limit=memory_limit, spill=spill)

    def counts(self, columns: Sequence[str]) -> pl.DataFrame:
        """Frequency table over `columns`; see `Table.counts`.

        Rows that pass through steps are counted a batch at a time; the tables of the batches lie in the spill
        folder until DuckDB adds them up. Files of different schemas, and a type that DuckDB does not know, raise
        `SourceError`; what fits neither in memory nor on the disk raises `StorageError`.
        """
        if not self.files:
            return without_rows(columns, {})
        if not columns:
            return pl.DataFrame({"n": [self.rows]}, schema={"n": pl.UInt32})
        if unknown := [name for name in columns if name not in self.schema]:
            raise pl.exceptions.ColumnNotFoundError(unknown[0])
        with self._spill_folder() as spill:
            if not self.steps:
                return self._grouped(self.files, _one_schema(self.files), columns, "count(*)", spill)
            parts: list[Path] = []
            for frame in self.batches(columns):
                parts.append(spill / f"{len(parts):07d}.parquet")
                frame.group_by(columns).agg(__n__=pl.len()).write_parquet(parts[-1], compression="lz4")
            if not parts:
                return without_rows(columns, self.schema)
            counted = {**{name: self.schema[name] for name in columns}, "__n__": pl.UInt32()}
            return self._grouped(parts, counted, columns, f"sum(c{len(columns)})", spill)

    def _grouped(
        self,
        files: Sequence[Path],
        stored: Mapping[str, pl.DataType],
        columns: Sequence[str],
        n: str,
        spill: Path,
    ) -> pl.DataFrame:
        """One row a combination of `columns` in `files`, which hold `stored`, with the aggregate `n`."""
        import duckdb

        # names are never in SQL: columns go by position, since DuckDB takes Age and age for one
        places = {name: f"c{place}" for place, name in enumerate(stored)}
        chosen = ", ".join(places[name] for name in columns)
        types = {name: _readable(name, stored[name]) for name in columns}
        query = (
            f"SELECT {chosen}, CAST({n} AS UINTEGER)"  # noqa: S608 - positions only
            # a folder called year=2024 is no column
            " FROM read_parquet($files, hive_partitioning=false, union_by_name=false)"
            f" AS source({', '.join(places.values())}) GROUP BY {chosen}"
        )
        with _connected(files, spill, self.memory_limit) as connection, suppress(duckdb.OutOfMemoryException):
            counted = connection.sql(query, params={"files": _patterns(files)}).pl()
            return _typed(counted, {**types, "n": pl.UInt32()})
        # outside a handler, so that nothing rides along as context
        raise StorageError(
            f"DuckDB needs more than {self.memory_limit / 1e6:g} MB of memory and the free space at {spill.parent};"
            " write a larger engine.memory_limit in the policy, or free space"
        )

    @contextmanager
    def _spill_folder(self) -> Iterator[Path]:
        """A folder of this call's own, open to the current user only."""
        parent = self.spill or self.files[0].parent
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix="spill-", dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _connected(files: Sequence[Path], spill: Path, memory_limit: int) -> Iterator["DuckDBPyConnection"]:
    """A database of its own, in memory, that reads `files`, writes to `spill` and reaches nothing else."""
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": f"{memory_limit}B",
            "temp_directory": str(spill.absolute()),
            "threads": _threads(memory_limit),
            # no order is asked for, and keeping one takes memory
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "enable_external_file_cache": False,
            # a column may hold more than 2 GB of text
            "arrow_large_buffer_size": True,
        }
    )
    try:
        # by name, and as the pattern that matches this name only, which is what DuckDB is given to read
        allowed = [str(file.absolute()) for file in files] + _patterns(files)
        connection.execute("SET allowed_paths = $files", {"files": allowed})
        # no extension, no network, no other file
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()


def _one_schema(files: Sequence[Path]) -> Mapping[str, pl.DataType]:
    """The schema of every file: DuckDB would cast what differs to the types of the first, without a word."""
    first = stored_schema(files)
    for file in files[1:]:
        if list(stored_schema([file]).items()) != list(first.items()):
            raise SourceError(
                f"{file.name} has other columns or types than {files[0].name}, or in another order;"
                " write all files with one schema"
            )
    return first


def _readable(name: str, dtype: pl.DataType) -> pl.DataType:
    """The type, if DuckDB can read what Polars writes of it."""
    if dtype == pl.Int128:
        raise SourceError(
            f"DuckDB cannot read the type of column {name}; write engine: {{kind: polars}} in the policy"
        )
    return dtype


def _typed(frame: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The columns, by position, with their own names and types; DuckDB has no categories and no milliseconds."""
    named = zip(types.items(), frame.iter_columns(), strict=True)
    return pl.DataFrame([values.cast(dtype).alias(name) for (name, dtype), values in named])


def _patterns(files: Sequence[Path]) -> list[str]:
    """The files as DuckDB wants them: absolute, so that no name can look like an address, and each matching itself only.

    >>> _patterns([Path("/data/part[0-9].parquet")])
    ['/data/part[[]0-9].parquet']
    """
    return [_MEANT_AS_PATTERN.sub(r"[\1]", str(file.absolute())) for file in files]


def _threads(memory_limit: int) -> int:
    """All cores, unless there is too little memory for each.

    >>> _threads(60_000_000)
    1
    """
    return max(1, min(os.cpu_count() or 1, memory_limit // THREAD_MEMORY))


_: type[Table] = DuckDBTable

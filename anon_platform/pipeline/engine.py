"""The engine that counts a snapshot: as the policy says, or by the memory that counting would take."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl

from anon_platform.policy import Engine
from anon_platform.table import DuckDBTable, PolarsTable, Table

SHARE = 4
"""A count may take one part in so many of the memory: two runs go at a time, and what is counted is worked on, too."""

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says how much memory a container has, in control groups of version 2 and 1."""


def open_table(folder: Path, engine: Engine, *, spill: Path) -> Table:
    """The Parquet files of a snapshot as a table. spill: the folder for what DuckDB has no memory for."""
    polars = PolarsTable.over(folder)
    memory = machine_memory()
    kind = engine.kind
    if kind == "auto":
        stored = sum(file.stat().st_size for file in polars.files)
        kind = engine_for(size_in_memory(polars.rows, polars.schema, stored), memory)
    if kind == "polars":
        return polars
    return DuckDBTable.over(folder, memory_limit=engine.memory_bytes or memory // SHARE, spill=spill)


def engine_for(size: int, memory: int) -> Literal["polars", "duckdb"]:
    """DuckDB when a table of `size` bytes would take more than a quarter of `memory` bytes, else Polars.

    Grouping by all columns, Polars takes about the size of the table: 104 bytes a row of nine columns were
    measured, with 136 estimated. DuckDB takes what it is given.

    >>> engine_for(5 * 10**9, 24 * 10**9), engine_for(7 * 10**9, 24 * 10**9)
    ('polars', 'duckdb')
    """
    return "duckdb" if size * SHARE > memory else "polars"


def size_in_memory(rows: int, schema: Mapping[str, pl.DataType], stored: int) -> int:
    """Bytes that the rows take in memory, about. stored: bytes of the files.

    A value takes 16 bytes where it is a text or a decimal, else 8 at most; long texts take their length beside,
    which the files hold in a quarter of the space or so.

    >>> size_in_memory(1000, {"age": pl.Int64(), "diagnosis": pl.String()}, 500)
    26000
    """
    wide = (pl.String, pl.Binary, pl.Decimal)
    return rows * sum(16 if isinstance(dtype, wide) else 8 for dtype in schema.values()) + 4 * stored


def machine_memory() -> int:
    """Bytes of memory that this process may have: of the machine, or of the container if that has less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    texts = [file.read_text(encoding="ascii").strip() for file in _LIMITS if file.is_file()]
    return min([machine, *(int(text) for text in texts if text.isdecimal())])

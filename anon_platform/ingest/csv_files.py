"""CSV files read by DuckDB in strict mode: a broken record stops the run and is named by line, never quoted."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from anon_platform.errors import SourceError, StorageError
from anon_platform.policy import Source

SHOWN = 5
"""Faulty lines named in a message."""


def to_parquet(path: Path, source: Source, names: Sequence[str], keep: Sequence[str], out: Path) -> None:
    """The columns `keep` of one CSV file with the header `names`, as text, written to the Parquet file `out`.

    Faulty records (broken quote, missing or extra fields, bytes that are not UTF-8) raise `SourceError`
    that names file, line, column and kind of fault.
    """
    # "order preserved" makes record numbers mean the same in every run
    connection = duckdb.connect(config={"preserve_insertion_order": "true"})
    columns = "{" + ", ".join(f"{_quoted(name)}: 'VARCHAR'" for name in names) + "}"
    nulls = "[" + ", ".join(_quoted(text) for text in source.missing_values) + "]"
    reader = (
        f"read_csv({_quoted(str(path))}, columns={columns}, header=true, auto_detect=false, strict_mode=true,"
        f" delim={_quoted(source.separator)}, quote='\"', escape='\"', nullstr={nulls}, allow_quoted_nulls=true,"
        " store_rejects=true, max_line_size=33554432)"
    )
    kept = ", ".join(_named(name) for name in keep) or "1 AS __none__"
    failed = ""
    try:
        connection.execute(f"COPY (SELECT {kept} FROM {reader}) TO {_quoted(str(out))} (FORMAT parquet)")  # noqa: S608
        rejected = connection.execute(
            "SELECT line, column_name, error_type FROM reject_errors ORDER BY line, column_idx"
        ).fetchall()
    except duckdb.IOException:
        failed = "disk"
    except duckdb.Error:
        failed = "syntax"
    finally:
        connection.close()
    # raised here and not above: the driver's message quotes cells, and would ride along as context
    if failed == "disk":
        raise StorageError(f"cannot write {out.name}; free space in ANON_HOME and run again")
    if failed:
        raise SourceError(
            f"{path.name} is not a CSV file with the separator {source.separator!r} and double quotes"
        )
    if rejected:
        raise SourceError(_describe(path, rejected))


def _describe(path: Path, rejected: list[tuple[int, str | None, str]]) -> str:
    lines = sorted({line for line, _, _ in rejected})
    shown = [
        f"{path.name}:{line}" + (f" column {column}" if column else "") + f" {kind.lower().replace('_', ' ')}"
        for line, column, kind in rejected[:SHOWN]
    ]
    return f"{len(lines)} broken records, nothing was read: " + "; ".join(shown)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

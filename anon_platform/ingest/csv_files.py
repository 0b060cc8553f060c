"""CSV files read by DuckDB in strict mode: a broken record stops the run and is named by line, never quoted."""

import csv
import mmap
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from anon_platform.errors import SourceError, StorageError
from anon_platform.policy import Source

SHOWN = 5
"""Faulty lines named in a message."""

LONGEST_LINE = 32 * 2**20
"""Bytes; two such lines fit in the reader's buffer, which would else hold sixteen."""

MEMORY_LIMIT = "25%"
"""What DuckDB may use of the machine's memory; left alone it takes four fifths."""

ROW_GROUP = 20_480
"""Rows that are held before they are written; six times as many, as is usual, are gigabytes of clinical notes."""

MOST_THREADS = 4
"""Each holds buffers of its own; many would not fit in the memory."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_QUOTE_OR_LINE_END = re.compile(rb"\"|\r\n|\n|\r")
_ENDS = {b"\r\n": "CR LF", b"\n": "LF", b"\r": "CR"}
_GLOB = re.compile(r"([*?\[])")


def csv_header(path: Path, source: Source) -> list[str]:
    """The column names in the first line, all different. They may be anything: a file without a header has cells there."""
    try:
        # bytes that are not UTF-8 become surrogates: decoding reads ahead, and would blame line 1 for line 100
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            names = next(csv.reader(stream, delimiter=source.separator, strict=True), None)
    except OSError as fault:
        raise SourceError(f"cannot read {path.name}: {fault.strerror}") from None
    except csv.Error:
        raise SourceError(f"{path.name}:1 the header has a broken quote") from None
    if not names:
        raise SourceError(
            f"{path.name} is empty or begins with an empty line; the first line names the columns"
        )
    if any("\udc80" <= char <= "\udcff" or char == "\0" for name in names for char in name):
        raise SourceError(f"{path.name}:1 is not UTF-8; convert the file, such as with iconv -t utf-8")
    if "" in names:
        raise SourceError(
            f"{path.name}:1 a column has no name (column {names.index('') + 1}); name it in the source"
        )
    for place, name in enumerate(names, 1):
        if name in names[: place - 1]:
            raise SourceError(
                f"{path.name}:1 columns {names.index(name) + 1} and {place} have the same name; rename one in the source"
            )
    return names


def to_parquet(path: Path, source: Source, keep: Mapping[str, str], out: Path) -> None:
    """Columns of one CSV file, as text, written to the Parquet file `out`; an empty field is an empty text.

    keep: by name in the header, the name in `out`. Faulty records (broken quote, missing or extra fields, bytes
    that are not UTF-8) raise `SourceError` that names file, line, column and kind of fault.
    """
    import duckdb

    names = csv_header(path, source)
    # by position, since names that differ in upper case only are one name to DuckDB
    columns = "{" + ", ".join(f"c{i}: 'VARCHAR'" for i in range(len(names))) + "}"
    literal = _GLOB.sub(r"[\1]", str(path))
    # no field without quotes is a line break, so nothing is null: were the empty text null, DuckDB would let an extra
    # empty field pass, and `Miller, Anna,F,` would put a part of the name in the next column
    reader = (
        f"read_csv({_quoted(literal)}, columns={columns}, header=true,"
        f" auto_detect=false, strict_mode=true, delim={_quoted(source.separator)}, quote='\"', escape='\"',"
        " nullstr='\n', allow_quoted_nulls=false, compression='none', store_rejects=true,"
        f" max_line_size={LONGEST_LINE}, buffer_size={2 * LONGEST_LINE})"
    )
    kept = ", ".join(f"c{names.index(name)} AS {stored}" for name, stored in keep.items())
    copy = f"COPY (SELECT {kept} FROM {reader}) TO {_quoted(str(out))} (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP})"  # noqa: S608
    connection = duckdb.connect(config=_settings(out.parent))
    failed, count = "", 0
    rejected: list[Rejected] = []
    try:
        connection.execute(copy)
        count = connection.execute("SELECT count(DISTINCT line) FROM reject_errors").fetchall()[0][0]
        rejected = connection.execute(_REJECTED).fetchmany(SHOWN)
    except duckdb.OutOfMemoryException:
        failed = "memory"
    except duckdb.IOException as error:
        failed = "source" if str(path) in str(error) else "disk"
    except duckdb.Error:
        failed = "syntax"
    finally:
        connection.close()
    # raised here and not above: the driver's message quotes cells, and would ride along as context
    if failed == "disk":
        raise StorageError(f"cannot write {out.name}; free space in ANON_HOME and run again")
    if failed == "memory":
        raise StorageError(
            f"copying {path.name} takes more than {MEMORY_LIMIT} of the memory; write the source as Parquet"
        )
    if failed == "source":
        raise SourceError(f"cannot read {path.name}")
    if failed:
        raise SourceError(_unreadable(path, source))
    if rejected:
        raise SourceError(_describe(path, count, rejected, names))


def _settings(beside: Path) -> dict[str, str | bool | int | float | list[str]]:
    """For a copy into the folder `beside`: identified rows that do not fit in memory lie there, and are wiped with it."""
    return {
        # makes record numbers mean the same in every run
        "preserve_insertion_order": True,
        "memory_limit": MEMORY_LIMIT,
        "threads": min(os.cpu_count() or 1, MOST_THREADS),
        "temp_directory": str(beside.absolute()),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


Rejected = tuple[int, str | None, str]
"""Byte position (about where the record begins), column `c0`, `c1` … if there is one, kind of fault."""

_REJECTED = """
SELECT DISTINCT ON (line) line_byte_position, column_name, error_type
FROM reject_errors ORDER BY line, column_idx
"""


_KINDS = {
    "UNQUOTED VALUE": "has a broken quote",
    "MISSING COLUMNS": "is missing",
    "TOO MANY COLUMNS": "has too many fields",
    "INVALID ENCODING": "is not UTF-8",
    "LINE SIZE OVER MAXIMUM": "is longer than 32 MB",
}


def _describe(path: Path, count: int, rejected: Sequence[Rejected], names: Sequence[str]) -> str:
    lines = _lines_at(path, [position for position, _, _ in rejected])
    shown = [
        f"{path.name}:{line}"
        + (f" column {names[int(column[1:])]}" if column else "")
        + f" {_KINDS.get(kind, kind.lower())}"
        for line, (_, column, kind) in zip(lines, rejected, strict=True)
    ]
    return f"{count} broken record{'s' if count > 1 else ''}, nothing was read: {'; '.join(shown)}"


def _lines_at(path: Path, positions: Sequence[int]) -> list[int]:
    """The line of each record, as an editor counts.

    DuckDB counts records, and a field with line breaks takes several lines. Its byte positions, 1-based or just
    before the record, may lie on the line ends in front of it.
    """
    lines = []
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for position in positions:
            begin = max(position - 1, 0)
            while content[begin : begin + 1] in {b"\r", b"\n"}:
                begin += 1
            lines.append(1 + sum(1 for _ in _LINE_END.finditer(content, 0, begin)))
    return lines


def _unreadable(path: Path, source: Source) -> str:
    """Why DuckDB gave up on the file as a whole: as far as we know, since its lines end in different ways."""
    first, quoted, line = b"", False, 1
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for match in _QUOTE_OR_LINE_END.finditer(content):
            if match[0] == b'"':
                quoted = not quoted
                continue
            first = first or match[0]
            if not quoted and match[0] != first:
                return f"{path.name}:{line} ends with {_ENDS[match[0]]}, line 1 with {_ENDS[first]}; make all line ends equal"
            line += 1
    return f"{path.name} is not a CSV file with the separator {source.separator!r} and double quotes"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

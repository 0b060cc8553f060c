"""A source that no policy describes: its format by the names of its files, its separator by the header."""

import csv
from pathlib import Path

from anon_platform.errors import SourceError
from anon_platform.ingest.files import source_files
from anon_platform.policy import Source

SEPARATORS = (",", ";", "\t", "|")


def found(data: str) -> Source:
    """DATA (a file, a folder or a glob) as a source.

    A folder that holds files of both formats, or a file of another kind, raises `SourceError`.
    """
    path = Path(data)
    formats = [kind for kind in ("csv", "parquet") if path.is_dir() and any(path.glob(f"*.{kind}"))]
    if len(formats) > 1:
        raise SourceError(
            f"{data} holds CSV and Parquet files; name those that are meant, such as '{data}/*.csv'"
        )
    suffix = formats[0] if formats else path.suffix.lower().removeprefix(".")
    if suffix == "parquet":
        return Source(format="parquet", path=data)
    if suffix not in {"csv", "tsv", "txt"}:
        raise SourceError(
            f"{data}: the data is CSV (.csv, .tsv, .txt) or Parquet (.parquet), a file, folder or glob"
        )
    first = source_files(Source(format="csv", path=data))[0]
    return Source(format="csv", path=data, separator=separator_of(first))


def separator_of(path: Path) -> str:
    """Comma, semicolon, tab or bar: the one that makes most fields of the first line; a comma where none does."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            line = stream.readline(1_000_000)
    except OSError as fault:
        raise SourceError(f"cannot read {path.name}: {fault.strerror}") from None
    return max(SEPARATORS, key=lambda separator: _fields(line, separator))


def _fields(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator, strict=True), []))
    except csv.Error:
        return 0

"""Any CSV or Parquet source, without a policy: what it is made of, and its rows ready to be counted."""

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anon_platform.analyze.columns import Rows
from anon_platform.errors import SourceError
from anon_platform.home import home
from anon_platform.ingest import source_files, source_schema
from anon_platform.ingest.csv_files import csv_header, to_parquet
from anon_platform.policy import Source

SEPARATORS = (",", ";", "\t", "|")


def found(data: str) -> Source:
    """DATA as a source: format by the names of its files, separator by the header of CSV files.

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
            f"{data}: a source is CSV (.csv, .tsv, .txt) or Parquet (.parquet), a file, folder or glob"
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


@contextmanager
def opened(source: Source) -> Iterator[Rows]:
    """The rows of the source; CSV files are copied to a folder below `ANON_HOME`, which is wiped afterwards."""
    schema, files = source_schema(source), source_files(source)
    if source.format == "parquet":
        yield Rows.of(files, schema)
        return
    stored = {name: f"c{place}" for place, name in enumerate(schema)}
    with tempfile.TemporaryDirectory(dir=home(), prefix="suggest-") as folder:
        copies = [Path(folder) / f"{place:05d}.parquet" for place in range(len(files))]
        for file, copy in zip(files, copies, strict=True):
            to_parquet(file, source, {name: stored[name] for name in csv_header(file, source)}, copy)
        yield Rows.of(copies, schema, stored)

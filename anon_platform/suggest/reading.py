"""Any CSV or Parquet source, without a policy: what it is made of, and its rows ready to be counted."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anon_platform.analyze.columns import Rows
from anon_platform.home import home
from anon_platform.ingest import source_files, source_schema
from anon_platform.ingest.csv_files import csv_header, to_parquet
from anon_platform.policy import Source


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

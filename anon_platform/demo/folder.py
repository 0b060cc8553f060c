"""The output folder: whole files only, and nobody else's files are ever touched."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.errors import StorageError

MARKER = ".demo-encounters"
"""An empty file that says: this folder belongs to the generator, which may replace what it wrote."""
SUMMARY = "summary.json"
_PARTIAL = ".partial"
_OWN_FILES = (
    "encounters/part-*",
    "note_spans/part-*",
    "truth/patients.parquet*",
    "truth/links.parquet*",
    "voters.parquet*",
    "voters.csv*",
    SUMMARY + "*",
)
_ZSTD_LEVEL = 3
_ROWS_PER_GROUP = 2**16
_ONE_PAGE = 2**30
"""Bytes of a page, more than a column of a row group has. Where Polars cuts pages depends on how its
threads shared the work, so several pages would make the bytes of a file differ from run to run."""


@dataclass(frozen=True)
class OutputFolder:
    """The folder of one generated dataset; its summary is written last and lists every file."""

    path: Path

    def finished(self, made_from: dict[str, object]) -> dict[str, object] | None:
        """The summary, if the folder holds a complete dataset made from these settings, else None."""
        summary = self._summary()
        if summary is None or summary.get("made_from") != made_from:
            return None
        sizes = summary.get("bytes")
        complete = isinstance(sizes, dict) and all(self._size(name) == size for name, size in sizes.items())
        return summary if complete else None

    def _summary(self) -> dict[str, object] | None:
        try:
            summary = json.loads((self.path / SUMMARY).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return summary if isinstance(summary, dict) else None

    def _size(self, name: str) -> int | None:
        file = self.path / name
        return file.stat().st_size if file.is_file() else None

    def clear(self) -> None:
        """Nothing; the folder then exists, is marked, and holds nothing that the generator wrote before.

        The summary goes first, so that a folder without all its files never looks complete.
        """
        with _storage_errors(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise StorageError(f"{self.path} is a file; name a folder")
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.iterdir()) and not (self.path / MARKER).exists():
                raise StorageError(
                    f"folder {self.path} is not empty and was not written by this generator; name another folder"
                )
            (self.path / MARKER).touch()
            for pattern in (SUMMARY, *_OWN_FILES):
                for file in sorted(self.path.glob(pattern)):
                    file.unlink()

    def write(self, name: str, frame: pl.DataFrame, *, csv: bool = False) -> None:
        """Nothing; the frame is then in `<name>.parquet` and, if asked for, in `<name>.csv`."""
        with self._whole_file(f"{name}.parquet") as partial:
            frame.write_parquet(
                partial,
                compression="zstd",
                compression_level=_ZSTD_LEVEL,
                row_group_size=_ROWS_PER_GROUP,
                data_page_size=_ONE_PAGE,
            )
        if csv:
            with self._whole_file(f"{name}.csv") as partial:
                frame.write_csv(partial)

    def finish(self, summary: dict[str, object]) -> dict[str, object]:
        """The summary with the size of every file, as it is now in the folder."""
        files = sorted(file for pattern in _OWN_FILES for file in self.path.glob(pattern))
        sizes = {file.relative_to(self.path).as_posix(): file.stat().st_size for file in files}
        whole: dict[str, object] = {**summary, "bytes": sizes}
        with self._whole_file(SUMMARY) as partial:
            partial.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        return whole

    @contextmanager
    def _whole_file(self, name: str) -> Iterator[Path]:
        """A temporary path that takes the name of the file when the block ends without an error."""
        final = self.path / name
        partial = final.with_name(final.name + _PARTIAL)
        with _storage_errors(final):
            final.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            partial.replace(final)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise StorageError(f"cannot write {path}: {problem.strerror or problem}") from problem
    except pl.exceptions.ComputeError as problem:  # how Polars reports a disk that fills up while it writes
        raise StorageError(f"cannot write {path}: {problem}") from problem

"""The release folder: what is in it, with hashes, and how it appears in one step or not at all."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from anon_platform.errors import IntegrityError, StorageError

MANIFEST = "manifest.json"

TABLES = "tables"
"""The folder that holds the parts of a release of several tables, in staging and in the release."""


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder` but the manifest, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in files
        if path.relative_to(folder).as_posix() != MANIFEST
    }


def write_json(file: Path, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Writes JSON in one step: a reader sees the old file or the new one, never a half."""
    draft = file.with_name(file.name + ".tmp")
    draft.write_text(json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    sync(draft)
    draft.replace(file)


def read_json(file: Path) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value of a file; a missing or broken one raises `IntegrityError`."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise IntegrityError(f"no {file.name} in {file.parent}") from None
    except (OSError, ValueError):
        raise IntegrityError(f"{file} is not readable JSON") from None


def promote(staged: Path, final: Path) -> None:
    """Moves a finished staging folder to its place, on disk before it is visible."""
    for path in sorted(staged.rglob("*")):
        sync(path)
    sync(staged)
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.exists():
        raise StorageError(f"{final} exists; a release never changes")
    staged.rename(final)
    sync(final.parent)


def refuse(staged: Path, final: Path) -> None:
    """Keeps report and assessment of a refused release at `final`; its data is deleted."""
    for folder in (staged, *staged.glob(f"{TABLES}/*")):
        shutil.rmtree(folder / "data", ignore_errors=True)
        (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(final, ignore_errors=True)
    final.parent.mkdir(parents=True, exist_ok=True)
    staged.rename(final)


def sync(path: Path) -> None:
    """Has the operating system write a file or folder to disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

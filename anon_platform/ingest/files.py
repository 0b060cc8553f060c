"""Which files a source is made of, and what they hold, as one number."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from anon_platform.errors import SourceError
from anon_platform.keys import Key
from anon_platform.policy import Source

_GLOB = re.compile(r"[*?\[]")


def source_files(source: Source) -> list[Path]:
    """The files of the source, by name: the file itself, the files of a folder, or the matches of a glob.

    A folder gives its files that end in the format's name. Hidden and temporary files (`.x`, `_x`, `x.tmp`)
    are left out. No file at all raises `SourceError`.
    """
    try:
        files = sorted(path for path in _found(source) if path.is_file() and not _temporary(path))
    except (OSError, RuntimeError, ValueError):  # no permission, links in a circle, `**` in a word, a NUL
        raise SourceError(f"source.path {source.path} cannot be looked up; correct the path") from None
    if not files:
        raise SourceError(
            f"no {source.format} file at source.path {source.path}; put one there or correct the path"
        )
    return files


def _found(source: Source) -> Iterable[Path]:
    location = source.location.resolve()
    if location.is_dir():
        return location.glob(f"*.{source.format}")
    if location.exists() or not _GLOB.search(source.path):
        return [location]
    # only the part that the policy writes is a pattern, not the folder it lies in
    parts = Path(source.path).parts
    plain = next(i for i, part in enumerate(parts) if _GLOB.search(part))
    whole = source.location.parts
    root = Path(*whole[: len(whole) - len(parts) + plain]).resolve()
    return root.glob(str(Path(*parts[plain:])))


def _temporary(path: Path) -> bool:
    return path.name.startswith((".", "_")) or path.suffix in {".tmp", ".part", ".crdownload"}


def fingerprint(files: list[Path], key: Key) -> str:
    """What the files hold, as 64 hexadecimal digits; names and places do not count, order does.

    A keyed hash: without the key nobody can confirm a guess of the identified input.
    """
    total = hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as fault:
            raise SourceError(f"cannot read {path.name}: {fault.strerror}") from None
    return key.derive("input").mac(total.digest()).hex()

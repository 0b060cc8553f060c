"""Where secrets lie: the environment, a system keyring, files of their own; and the marks of those that were forgotten.

A secret has an id and a version: the key of now has none, those that it replaced are numbered from 1. Nothing here says
what a secret is worth; `keys` reads it.
"""

import fcntl
import json
import os
import re
import secrets
import shlex
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from anon_platform.errors import KeyUnavailableError, StorageError
from anon_platform.home import home

if TYPE_CHECKING:  # an extra: imported where it is used
    from types import ModuleType

KEY_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
VARIABLE = "ANON_KEY"
KEYRING = "ANON_KEYRING"
"""Names the service under which a system keyring holds secrets, such as `anon_platform`; unset, none is asked."""

GONE = ".gone"
"""Ending of a key file that is being overwritten."""

INDEX = ".ids"
"""The keyring's entry that names the others, since keyrings cannot list; no key id looks like it."""

Place = Literal["environment", "keyring", "file"]
"""In the order in which they are asked; the first that has the secret wins."""

Secret = Callable[[], str]
"""Gives a secret when it is written, so that no local variable holds it: tracebacks may show locals."""


@dataclass(frozen=True)
class Slot:
    """Where one version of a key may lie; version None is the key of now."""

    key_id: str
    version: int | None = None

    def __post_init__(self) -> None:
        if not KEY_ID.fullmatch(self.key_id):  # not echoed: a secret may stand where an id was expected
            raise KeyUnavailableError(
                "not a key id: it is a lowercase letter and then up to 62 of a-z, 0-9, _ and -, as in patients-2024",
            )

    @property
    def variable(self) -> str:
        """`ANON_KEY_PATIENTS`; of version 2 `ANON_KEY2_PATIENTS`."""
        number = "" if self.version is None else str(self.version)
        return f"{VARIABLE}{number}_{self.key_id.upper().replace('-', '_')}"

    @property
    def entry(self) -> str:
        """Name in a keyring and, with an ending, in the folder: no id has a dot."""
        return self.key_id if self.version is None else f"{self.key_id}.{self.version}"

    @property
    def path(self) -> Path:
        """The file."""
        return folder() / f"{self.entry}.key"

    def named(self, place: Place) -> str:
        """The place in words: a variable, an entry of the keyring or a file."""
        if place == "keyring":
            return f"the keyring ({os.environ[KEYRING]}, {self.entry})"
        return self.variable if place == "environment" else str(self.path)


def folder() -> Path:
    """The folder of key files; made when a key is."""
    return home() / "keys"


def places_of(slot: Slot) -> list[Place]:
    """Every place that holds a secret of this slot, first the one that wins."""
    found: list[Place] = ["environment"] if os.environ.get(slot.variable) else []
    if keyring_on() and _keyring_has(slot):
        found.append("keyring")
    return [*found, "file"] if _file_exists(slot) else found


def secret_text(slot: Slot, place: Place) -> str:
    """The secret as it is written there."""
    if place == "environment":
        return os.environ[slot.variable]
    if place == "keyring":
        with _keyring_errors():
            return str(_keyring().get_password(os.environ[KEYRING], slot.entry))
    try:
        with slot.path.open("rb") as file:
            _require_private(slot, os.fstat(file.fileno()))
            return file.read().decode("ascii", "replace")
    except OSError as error:
        raise KeyUnavailableError(f"key {slot.key_id!r}: cannot read {slot.path}: {error.strerror}") from None


def write_new(slot: Slot, secret: Secret) -> str:
    """Writes a secret to where new ones are made, the keyring if it is on, and says where; one that is there stays."""
    if not keyring_on():
        write_file(slot.path, secret)
        return str(slot.path)
    with _keyring_errors():
        service = os.environ[KEYRING]
        if _keyring().get_password(service, slot.entry) is not None:
            raise StorageError(
                f"key {slot.key_id!r} exists in {slot.named('keyring')} and was left as it is; without it, its pseudonyms"
                " cannot be made again"
            )
        _put(slot.entry, secret)
    return slot.named("keyring")


def succeed(slot: Slot, older: Slot, place: Place, secret: Secret) -> None:
    """Keeps the secret of `slot` as `older` and puts a new one in its place; killed in between, both are the old one."""
    if place == "keyring":
        with _keyring_errors():
            _put(older.entry, lambda: secret_text(slot, place))
            _put(slot.entry, secret)
        return
    # a second name for the same bytes: a copy would leave the first ones unshredded on the disk
    try:
        if not _file_exists(older):
            older.path.hardlink_to(slot.path)
    except OSError as error:
        raise StorageError(f"cannot write the key file {older.path}: {error.strerror}") from None
    draft = slot.path.with_suffix(".new")
    with suppress(FileNotFoundError):
        draft.unlink()  # of a process that was killed
    write_file(draft, secret)
    draft.replace(slot.path)
    _sync_folder()


def shred(slot: Slot, place: Place) -> None:
    """Overwrites and removes a secret; an environment is not ours to change.

    Overwriting reaches the bytes of the file, not copies of them: snapshots, backups and worn blocks of a flash drive
    keep theirs, which is why keys belong on an encrypted disk.
    """
    if place == "keyring":
        with _keyring_errors():
            _keyring().delete_password(os.environ[KEYRING], slot.entry)
            _index(_entries() - {slot.entry})
    elif place == "file":
        # renamed first: a file that is read is whole, also when a process was killed in between
        slot.path.rename(slot.path.with_suffix(GONE))
        _overwrite(slot.path.with_suffix(GONE))


def shred_leftovers(key_id: str) -> None:
    """Overwrites and removes what a killed process left of a secret that was being removed."""
    for path in [*folder().glob(f"{key_id}{GONE}"), *folder().glob(f"{key_id}.*{GONE}")]:
        _overwrite(path)


def _overwrite(path: Path) -> None:
    try:
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        _sync_folder()
    except OSError as error:
        raise StorageError(f"cannot remove the key file {path}: {error.strerror}") from None


def write_file(path: Path, secret: Secret) -> None:
    """A new private file, on disk when this returns; one that exists stays."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(secret().encode("ascii") + b"\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise StorageError(
                f"key {path.stem!r} exists in {path} and was left as it is; without it, its pseudonyms cannot be made again",
            ) from None
        raise StorageError(f"cannot write the key file {path}: {error.strerror}") from None


@contextmanager
def changing(slot: Slot) -> Iterator[None]:
    """The right to change the keys of this folder; others wait."""
    try:
        folder().mkdir(mode=0o700, exist_ok=True)
        number = os.open(folder() / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(f"cannot write the key file {slot.path}: {error.strerror}") from None
    try:
        # ends with the process, even a killed one
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


# --- what was forgotten


@dataclass(frozen=True)
class Forgotten:
    """The mark that a version leaves: when it was forgotten, and the check values by which it would be known again."""

    version: int
    at: str
    checks: tuple[str, ...]


def forgotten(key_id: str) -> list[Forgotten]:
    """The marks of a key, in the order of its versions."""
    found = []
    for path in folder().glob(f"{key_id}.*.forgotten"):
        number = path.name.removeprefix(f"{key_id}.").removesuffix(".forgotten")
        if number.isdecimal():
            try:
                said = json.loads(path.read_text("utf-8"))
                found.append(Forgotten(int(number), str(said["at"]), tuple(map(str, said["checks"]))))
            except (OSError, ValueError, KeyError, TypeError):
                raise KeyUnavailableError(
                    f"key {key_id!r}: the mark {path} of a forgotten version cannot be read; put a copy back"
                ) from None
    return sorted(found, key=lambda mark: mark.version)


def mark_forgotten(key_id: str, mark: Forgotten) -> None:
    """Leaves the mark, on disk when this returns; the first one of a version stays."""
    path = folder() / f"{key_id}.{mark.version}.forgotten"
    if not path.exists():
        write_file(path, lambda: json.dumps({"at": mark.at, "checks": list(mark.checks)}))
        _sync_folder()


def older_versions(key_id: str) -> list[int]:
    """Numbers of the versions that were replaced and are still there."""
    entries = {path.stem for path in folder().glob(f"{key_id}.*.key")}
    if keyring_on():
        entries |= _entries()
    numbers = {entry.removeprefix(f"{key_id}.") for entry in entries if entry.startswith(f"{key_id}.")}
    name = Slot(key_id).variable.removeprefix(VARIABLE)
    for variable, value in os.environ.items():
        if value and variable.startswith(VARIABLE) and variable.endswith(name):
            numbers.add(variable.removeprefix(VARIABLE).removesuffix(name))
    return sorted(int(number) for number in numbers if re.fullmatch(r"[1-9][0-9]{0,8}", number))


def known_ids() -> list[str]:
    """Ids of which there is a key, an older version or a mark."""
    stems = {path.name.split(".")[0] for end in ("key", "forgotten") for path in folder().glob(f"*.{end}")}
    if keyring_on():
        stems |= {entry.split(".")[0] for entry in _entries()}
    found = {stem for stem in stems if KEY_ID.fullmatch(stem)}
    variables = {Slot(key_id).variable for key_id in found}
    for name, value in os.environ.items():
        key_id = name.removeprefix(f"{VARIABLE}_").lower()
        if value and name.startswith(f"{VARIABLE}_") and name not in variables and KEY_ID.fullmatch(key_id):
            found |= {key_id} if Slot(key_id).variable == name else set()
    return sorted(found)


# --- the keyring


def keyring_on() -> bool:
    """Whether a system keyring is asked."""
    return bool(os.environ.get(KEYRING))


def _keyring() -> "ModuleType":
    try:
        import keyring
    except ModuleNotFoundError:
        raise KeyUnavailableError(
            f"{KEYRING} is set, but the library keyring is not installed; run: pip install 'anon-platform[keyring]',"
            f" or unset {KEYRING}"
        ) from None
    return keyring


@contextmanager
def _keyring_errors() -> Iterator[None]:
    """Turns the errors of a keyring into ours: their texts are the backend's, and may say anything."""
    errors = _keyring().errors
    try:
        yield
    except errors.KeyringError as error:
        raise KeyUnavailableError(
            f"the system keyring cannot be used ({type(error).__name__}); unlock it or choose another one"
            f" (keyring --list-backends), or unset {KEYRING}"
        ) from None


def _keyring_has(slot: Slot) -> bool:
    with _keyring_errors():
        return _keyring().get_password(os.environ[KEYRING], slot.entry) is not None


def _entries() -> set[str]:
    with _keyring_errors():
        return set((_keyring().get_password(os.environ[KEYRING], INDEX) or "").split())


def _index(entries: set[str]) -> None:
    _keyring().set_password(os.environ[KEYRING], INDEX, " ".join(sorted(entries)))


def _put(entry: str, secret: Secret) -> None:
    _keyring().set_password(os.environ[KEYRING], entry, secret())
    # a keyring that keeps nothing would lose the key and every pseudonym with it
    if _keyring().get_password(os.environ[KEYRING], entry) is None:
        raise StorageError(
            f"the system keyring did not keep what was written; choose another one, or unset {KEYRING}"
        )
    _index(_entries() | {entry})


def _file_exists(slot: Slot) -> bool:
    try:
        slot.path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise KeyUnavailableError(f"key {slot.key_id!r}: cannot read {slot.path}: {error.strerror}") from None
    return True


def _require_private(slot: Slot, status: os.stat_result) -> None:
    mode, path = stat.S_IMODE(status.st_mode), slot.path
    if status.st_uid != os.geteuid():
        raise KeyUnavailableError(
            f"key {slot.key_id!r}: {path} belongs to another user; run: chown {os.geteuid()} {shlex.quote(str(path))}",
        )
    if mode & ~0o600:
        raise KeyUnavailableError(
            f"key {slot.key_id!r}: {path} has mode {mode:04o}, others may read it; run: chmod 600"
            f" {shlex.quote(str(path))}",
        )


def _sync_folder() -> None:
    number = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

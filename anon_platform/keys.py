"""Secret keys, looked up by id, never printed.

A key stands in the environment (`ANON_KEY_<ID>`) or in a file of its own below `home()/keys`; policies name
the id only. The bytes of a key go straight into a `Key`, which can use them but has no way to show them.
"""

import base64
import binascii
import hmac
import os
import re
import secrets
import shlex
import stat
from pathlib import Path
from typing import NoReturn, SupportsIndex

from anon_platform.errors import KeyUnavailableError, StorageError
from anon_platform.home import home

KEY_BYTES = 32
DISTINCT_BYTES = 8  # fewer in 32 random bytes: chance below 10^-36
TOKEN_LENGTHS = range(8, 52)  # 51 base32 characters hold a whole SHA-256
KEY_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
VARIABLE = "ANON_KEY_"
SALT = b"anon_platform/keys/1"
"""Changes every derived key, and with it every pseudonym and the ledger: never change it."""


class Key:
    """A secret that can be used and not read.

    The secret itself is not kept: two keyed HMAC states are, and neither shows in `repr`, `vars` or a
    pickle. What crosses a process boundary is the id, and the other process loads the key by it.

    >>> key = Key("patients", bytes(range(32)))
    >>> key
    <Key patients>
    >>> key.derive("visits").token("1234", 16) == key.derive("visits").token("1234", 16)
    True
    """

    __slots__ = ("_derivation", "_mac", "id")

    def __init__(self, key_id: str, secret: bytes) -> None:
        if weakness := _weakness(secret):
            raise KeyUnavailableError(f"key {key_id!r} is {weakness}; make a new one with: anon keys create")
        self.id = key_id
        self._mac = hmac.new(secret, digestmod="sha256")
        self._derivation = hmac.new(hmac.digest(SALT, secret, "sha256"), digestmod="sha256")

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA-256 of `message`, 32 bytes (RFC 2104)."""
        state = self._mac.copy()
        state.update(message)
        return state.digest()

    def derive(self, purpose: str) -> "Key":
        """An independent key for one purpose: neither it nor its outputs say anything about this one.

        HKDF-SHA-256 with `purpose` as info and one block of output (RFC 5869).
        """
        state = self._derivation.copy()
        state.update(purpose.encode("utf-8") + b"\x01")
        return Key(f"{self.id}/{purpose}", state.digest())

    def token(self, text: str, length: int) -> str:
        """The pseudonym of `text`: `length` characters (8 to 51) of a-z and 2-7, 5 bits each.

        Two of n texts share one with chance about n² / 2^(5 length + 1). The length is part of what is
        authenticated, so a short token is not the beginning of a longer one. Any text is accepted as it
        stands: upper case, accents and white space make another pseudonym.
        """
        if length not in TOKEN_LENGTHS:
            raise ValueError(
                f"a token has {TOKEN_LENGTHS.start} to {TOKEN_LENGTHS.stop - 1} characters, not {length}"
            )
        # surrogatepass: an encoding error would carry the text, a cell value, into a stack trace
        digest = self.mac(b"token:%d:" % length + text.encode("utf-8", "surrogatepass"))
        return base64.b32encode(digest).decode("ascii").lower()[:length]

    def __repr__(self) -> str:
        return f"<Key {self.id}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"key {self.id!r} cannot be pickled or copied; load it by its id where it is needed")


def load_key(key_id: str) -> Key:
    """The key of this id, from the environment or else from its file.

    `a-b` and `a_b` share the variable `ANON_KEY_A_B`. Written as hex or base64, at least 32 bytes.
    """
    variable, path = _variable(key_id), _path(key_id)
    # no secret is in a local variable of this frame: tracebacks may show locals
    place = variable if os.environ.get(variable) else str(path)
    key = _read_text(key_id, os.environ[variable]) if place == variable else _read_file(key_id, path)
    if key is None:
        raise KeyUnavailableError(f"no key {key_id!r}: set {variable} or run: anon keys create {key_id}")
    if isinstance(key, str):
        raise KeyUnavailableError(
            f"key {key_id!r} in {place} is {key}; it has to be {KEY_BYTES} random bytes or more"
        )
    return key


def create_key(key_id: str) -> Path:
    """The new file of a new random key; a key that exists is never overwritten."""
    path = _path(key_id)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise StorageError(
                f"key {key_id!r} exists in {path} and was left as it is; without it, its pseudonyms cannot be made again",
            ) from None
        raise StorageError(f"cannot write the key file {path}: {error.strerror}") from None
    return path


def list_keys() -> dict[str, str]:
    """Where each key comes from, by id: a variable or a file. Whether it can be used, `load_key` says."""
    found = {path.stem: str(path) for path in home().glob("keys/*.key") if KEY_ID.fullmatch(path.stem)}
    variables = {name for name, value in os.environ.items() if name.startswith(VARIABLE) and value}
    found |= {key_id: _variable(key_id) for key_id in found if _variable(key_id) in variables}
    for name in variables - set(found.values()):
        key_id = name.removeprefix(VARIABLE).lower()
        if KEY_ID.fullmatch(key_id) and _variable(key_id) == name:
            found[key_id] = name
    return dict(sorted(found.items()))


def _variable(key_id: str) -> str:
    if not KEY_ID.fullmatch(key_id):  # not echoed: a secret may stand where an id was expected
        raise KeyUnavailableError(
            "not a key id: it is a lowercase letter and then up to 62 of a-z, 0-9, _ and -, as in patients-2024",
        )
    return VARIABLE + key_id.upper().replace("-", "_")


def _path(key_id: str) -> Path:
    _variable(key_id)  # refuses ids such as ../x
    return home() / "keys" / f"{key_id}.key"


def _read_file(key_id: str, path: Path) -> Key | str | None:
    try:
        with path.open("rb") as file:
            _require_private(key_id, path, os.fstat(file.fileno()))
            return _read_text(key_id, file.read().decode("ascii", "replace"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyUnavailableError(f"key {key_id!r}: cannot read {path}: {error.strerror}") from None


def _require_private(key_id: str, path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid():
        raise KeyUnavailableError(
            f"key {key_id!r}: {path} belongs to another user; run: chown {os.geteuid()} {shlex.quote(str(path))}",
        )
    if mode & ~0o600:
        raise KeyUnavailableError(
            f"key {key_id!r}: {path} has mode {mode:04o}, others may read it; run: chmod 600 {shlex.quote(str(path))}",
        )


def _read_text(key_id: str, text: str) -> Key | str:
    """The key that `text` encodes, or what is wrong with it in words that do not repeat it."""
    text = text.strip()
    try:
        # 32 random bytes in base64 are all hex digits with chance (22/64)^43: hex first is safe
        if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
            secret = bytes.fromhex(text)
        else:
            standard = text.rstrip("=").replace("-", "+").replace("_", "/")  # from URL-safe base64
            secret = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return "neither hex nor base64"
    return _weakness(secret) or Key(key_id, secret)


def _weakness(secret: bytes) -> str:
    if len(secret) < KEY_BYTES:
        return f"too short, {len(secret)} bytes"
    if len(set(secret)) < DISTINCT_BYTES:
        return "not random, the same bytes repeat"
    return ""

"""Secret keys, looked up by id, never printed.

A key stands in the environment (`ANON_KEY_<ID>`), in a system keyring (where `ANON_KEYRING` turns it on) or in a file of
its own below `home()/keys`, asked in this order; policies name the id only. The bytes of a key go straight into a `Key`,
which can use them but has no way to show them. A key that was rotated keeps its older versions, for what was made with
them; one that was forgotten is not loaded again, wherever it turns up.
"""

import base64
import binascii
import hmac
import re
import secrets
from typing import NoReturn, SupportsIndex

from anon_platform.errors import KeyUnavailableError
from anon_platform.keys.places import (
    Place,
    Slot,
    changing,
    forgotten,
    known_ids,
    older_versions,
    places_of,
    secret_text,
    write_new,
)

KEY_BYTES = 32
DISTINCT_BYTES = 8  # fewer in 32 random bytes: chance below 10^-36
TOKEN_LENGTHS = range(8, 52)  # 51 base32 characters hold a whole SHA-256
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

    @property
    def check(self) -> str:
        """The check value: 16 hexadecimal digits that tell this key from others and say nothing of it."""
        return self.derive("check").mac(b"key check value").hex()[:16]

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


def load_key(key_id: str, version: int | None = None) -> Key:
    """The key of this id, from the environment, the keyring or its file; of an older version where one is named.

    `a-b` and `a_b` share the variable `ANON_KEY_A_B`. Written as hex or base64, at least 32 bytes.
    """
    slot = Slot(key_id, version)
    # no secret is in a local variable of this frame: tracebacks may show locals
    place = next(iter(places_of(slot)), None)
    if place is None:
        raise KeyUnavailableError(_missing(slot))
    key = _read_text(key_id, secret_text(slot, place))
    if isinstance(key, str):
        raise KeyUnavailableError(
            f"key {key_id!r} in {slot.named(place)} is {key}; it has to be {KEY_BYTES} random bytes or more"
        )
    for mark in forgotten(key_id):
        if key.check in mark.checks:
            raise KeyUnavailableError(
                f"key {key_id!r} in {slot.named(place)} was forgotten at {mark.at} and is not used again; remove it there"
            )
    return key


def check_of(slot: Slot, place: Place) -> str:
    """The check value of the secret that lies there, whether it was forgotten or not."""
    key = _read_text(slot.key_id, secret_text(slot, place))
    if isinstance(key, str):
        raise KeyUnavailableError(
            f"key {slot.key_id!r} in {slot.named(place)} is {key}; nothing can be said of it, so remove it by hand"
        )
    return key.check


def load_version(key_id: str, check: str) -> Key:
    """The version of a key that has this check value, the key of now or an older one."""
    for version in (None, *reversed(older_versions(key_id))):
        if places_of(Slot(key_id, version)):
            key = load_key(key_id, version)
            if key.check == check:
                return key
    at = next((mark.at for mark in forgotten(key_id) if check in mark.checks), None)
    if at is not None:
        raise KeyUnavailableError(
            f"key {key_id!r} with check value {check} was forgotten at {at}; what was made with it cannot be undone"
        )
    raise KeyUnavailableError(
        f"no version of key {key_id!r} has the check value {check}; put the key back that had it, as"
        f" {Slot(key_id).variable} or as an older version, such as {Slot(key_id, 1).variable}"
    )


def create_key(key_id: str) -> str:
    """Where the new random key was put, the keyring or a file; a key that exists is never overwritten."""
    slot = Slot(key_id)
    if marks := forgotten(key_id):
        raise KeyUnavailableError(
            f"key {key_id!r} was forgotten at {marks[-1].at}; an old policy that names it must not find another key, so"
            " choose another id"
        )
    with changing(slot):
        return write_new(slot, random_secret)


def random_secret() -> str:
    """A new secret as it is written."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def list_keys() -> dict[str, str]:
    """Where each key of now comes from, by id. Whether it can be used, `load_key` says."""
    slots = [Slot(key_id) for key_id in known_ids()]
    return {slot.key_id: slot.named(places[0]) for slot in slots if (places := places_of(slot))}


def _missing(slot: Slot) -> str:
    """Why there is no key, and the way out."""
    marks = [mark for mark in forgotten(slot.key_id) if slot.version in (None, mark.version)]
    if marks:
        return (
            f"key {slot.key_id!r} was forgotten at {marks[-1].at}: its pseudonyms can neither be made again nor undone;"
            " name another key in the policy"
        )
    if slot.version is not None:
        return f"key {slot.key_id!r} has no version {slot.version}; see: anon keys list"
    return f"no key {slot.key_id!r}: set {slot.variable} or run: anon keys create {slot.key_id}"


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

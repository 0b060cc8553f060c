"""Who may approve a re-identification: a name and a public key in the ledger, the private key with its owner.

Ed25519 (RFC 8032); private keys in PKCS #8 (RFC 5958), encrypted when there is a passphrase.
"""

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from anon_platform.errors import KeyUnavailableError, NotApprovedError, StorageError
from anon_platform.ledger import Ledger
from anon_platform.ledger.audit import Event

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}")
ACTIONS = ("approver.added", "approver.removed")


@dataclass(frozen=True)
class Approver:
    """Somebody who may approve what others ask for."""

    name: str
    public_key: str
    """32 bytes in hexadecimal."""
    added_at: str
    added_by: str

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether the owner of the private key signed this message."""
        with suppress(InvalidSignature, ValueError):
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(signature), message)
            return True
        return False


def approvers(ledger: Ledger) -> dict[str, Approver]:
    """The approvers of now, by name."""
    found: dict[str, Approver] = {}
    for event in ledger.events(actions=ACTIONS):
        name = event.details["approver"]
        if event.action == "approver.removed":
            found.pop(name, None)
        else:
            found[name] = Approver(name, event.details["public_key"], event.at, event.actor)
    return dict(sorted(found.items()))


def add_approver(ledger: Ledger, name: str, file: Path, passphrase: bytes | None) -> Approver:
    """A new approver, whose new private key is in `file` (mode 0600), encrypted when there is a passphrase."""
    if not NAME.fullmatch(name):
        raise NotApprovedError(
            "not a name of an approver: it has letters, digits, _ . @ and -, up to 63, as in j.doe@clinic.example"
        )
    if _alike(name, approvers(ledger)) is not None:
        raise NotApprovedError(
            f"approver {name} is there already; to give them a new key: anon approvers remove {name}"
        )
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    hidden: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    write_private(file, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden), what="private key")
    event = ledger.append(Event(action="approver.added", details={"approver": name, "public_key": public}))
    return Approver(name, public, event.at, event.actor)


def remove_approver(ledger: Ledger, name: str) -> None:
    """Takes the right to approve away, also from what they approved and nobody used yet."""
    require_approver(ledger, name)
    ledger.append(Event(action="approver.removed", details={"approver": name}))


def require_approver(ledger: Ledger, name: str) -> Approver:
    """The approver of this name."""
    known = approvers(ledger)
    if name not in known:
        there = ", ".join(known) or "there is none"
        raise NotApprovedError(
            f"no approver of this name; known: {there}; add one with: anon approvers add NAME"
        )
    return known[name]


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: upper and lower case are alike."""
    return one.casefold() == other.casefold()


def private_key(file: Path, passphrase: bytes | None) -> Ed25519PrivateKey:
    """The private key in a file that nobody else may read."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        data = file.read_bytes()
    except OSError as error:
        raise KeyUnavailableError(f"cannot read the private key {file}: {error.strerror}") from None
    if mode & ~0o600:
        raise KeyUnavailableError(
            f"the private key {file} has mode {mode:04o}, others may read it; run: chmod 600 {file}"
        )
    key: object = None
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        # TypeError: encrypted and no passphrase, or the other way round
        key = load_pem_private_key(data, passphrase)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnavailableError(
            f"{file} is no private key of an approver, or its passphrase is another one; give it when asked or in"
            " ANON_PASSPHRASE"
        )
    return key


def write_private(file: Path, data: bytes, *, what: str) -> None:
    """A new file that only its owner may read, on disk when this returns; one that exists stays."""
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(f"cannot write the {what} {file}: {error.strerror}") from None
    try:
        with os.fdopen(number, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        with suppress(OSError):
            file.unlink()
        raise StorageError(f"cannot write the {what} {file}: {error.strerror}") from None


def _alike(name: str, known: dict[str, Approver]) -> str | None:
    return next((other for other in known if same_person(name, other)), None)

"""The vault of random tokens: which token stands for which value, readable with the key only.

A row is a token, a lookup by which the key finds it again (HMAC of the value) and the value itself, sealed (AES-256-SIV,
RFC 5297) together with both, so that a row that was changed or put elsewhere is noticed. Whoever has the database and not
the key learns how many values there are and about how long they are. Forgetting the key makes every row unreadable at
once, copies and backups of the database included (crypto-shredding, NIST SP 800-88 rev. 1, section 2.6).
Source: ENISA 2019, Pseudonymisation techniques and best practices, section 5.1.2 (random number generator and table).
"""

import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from anon_platform.database import vault_url, without_password
from anon_platform.database.engine import (
    making_tables,
    missing_tables,
    open_engine,
    storage_errors,
    writing,
)
from anon_platform.errors import IntegrityError, KeyUnavailableError, StorageError
from anon_platform.keys import Key, load_key
from anon_platform.keys.places import Slot, older_versions

THING = "vault"
LOOKUP_BYTES = 16
"""128 bits: n values share a lookup with chance about n² / 2^129, and then the seal says so."""
READ_AT_ONCE = 1_000
WRITE_AT_ONCE = 20_000
"""Rows of a transaction: another process never waits long."""

CACHE_KIB = 65_536
"""Memory for pages: tokens are random, so that each is written somewhere else."""

ALPHABET = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in range(256))
"""The character of base32 that a random byte stands for."""

metadata = MetaData()
rows_table = Table(
    "anon_vault",
    metadata,
    Column("lookup", LargeBinary, primary_key=True),
    Column("token", Text, nullable=False, unique=True),
    Column("check_value", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
known_keys = Table(
    "anon_vault_keys",
    metadata,
    Column("check_value", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("forgotten_at", Text, nullable=False),
)
"""The keys under which there are tokens, by check value; `forgotten_at` is empty until one is."""

INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Vault:
    """The vault in one database; `with Vault.open() as vault: vault.tokens(key, texts, 26)`."""

    def __init__(self, engine: Engine, url: str) -> None:
        self._engine = engine
        self._url = url

    @classmethod
    def open(cls, url: str | None = None) -> Self:
        """The vault at `url` (default: `database.vault_url`), made when missing; a file is for its owner only."""
        where = url or vault_url()
        _require_private(where)
        engine = open_engine(where, THING, CACHE_KIB)
        try:
            with storage_errors(where, THING):
                if missing_tables(engine, metadata):
                    with making_tables(engine, metadata):
                        pass
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, where)

    def tokens(self, key: Key, texts: Sequence[str], length: int) -> list[str]:
        """The token of each of these distinct texts: the one it has under this key and length, or a new random one.

        Any number of processes may ask at once; all get the same. A row that is not what was written, or a token of
        another key under this one's id, is an error.
        """
        rooms = _Rooms(key)
        wanted = {rooms.lookup(text, length): text for text in texts}
        with storage_errors(self._url, THING):
            self._enter(key)
            with self._engine.connect() as connection:
                found = _found(connection, rooms, wanted)
            # in order: neighbours in the table are written together
            missing = sorted(wanted.keys() - found.keys())
            for some in _batches(missing, WRITE_AT_ONCE):
                found |= self._added(rooms, {lookup: wanted[lookup] for lookup in some}, length)
        return [found[lookup] for lookup in wanted]

    def values(self, key: Key, tokens: Sequence[str]) -> dict[str, str]:
        """The texts behind tokens of this key, by token; tokens that nobody made under it are left out."""
        rooms = _Rooms(key)
        found: dict[str, str] = {}
        query = select(rows_table.c.lookup, rows_table.c.token, rows_table.c.sealed).where(
            rows_table.c.check_value == key.check
        )
        with storage_errors(self._url, THING), self._engine.connect() as connection:
            for some in _batches(tokens, READ_AT_ONCE):
                for lookup, token, sealed in connection.execute(
                    query.where(rows_table.c.token.in_(some))
                ).all():
                    found[token] = rooms.opened(lookup, token, sealed)
        return found

    def require_key(self, key: Key) -> None:
        """Refuses a key that was forgotten, and one that stands in the place of another whose tokens are here."""
        with storage_errors(self._url, THING), self._engine.connect() as connection:
            known = self._known(connection, key.id)
        _require(key, known, self._url)

    def forget(self, checks: Iterable[str], key_id: str) -> int:
        """Deletes the rows of the keys with these check values and remembers that they are gone; how many rows."""
        at, deleted = datetime.now(UTC).isoformat(timespec="seconds"), 0
        with storage_errors(self._url, THING), writing(self._engine) as connection:
            for check in checks:
                entry = {"check_value": check, "key_id": key_id, "forgotten_at": at}
                connection.execute(self._insert(known_keys).values(entry).on_conflict_do_nothing())
                unset = (known_keys.c.check_value == check) & (known_keys.c.forgotten_at == "")
                connection.execute(update(known_keys).where(unset).values(forgotten_at=at))
                deleted += connection.execute(
                    delete(rows_table).where(rows_table.c.check_value == check)
                ).rowcount
        return deleted

    def close(self) -> None:
        """Gives the connections back; the vault is not used afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _enter(self, key: Key) -> None:
        """Writes the key's check value beside its id, when it is the first time."""
        with self._engine.connect() as connection:
            known = self._known(connection, key.id)
        _require(key, known, self._url)
        if key.check not in known:
            entry = {"check_value": key.check, "key_id": key.id, "forgotten_at": ""}
            with writing(self._engine) as connection:
                connection.execute(self._insert(known_keys).values(entry).on_conflict_do_nothing())

    def _known(self, connection: Connection, key_id: str) -> dict[str, str]:
        """When each key of this id was forgotten, by check value; an empty text where it was not."""
        query = select(known_keys.c.check_value, known_keys.c.forgotten_at).where(
            known_keys.c.key_id == key_id
        )
        return {row.check_value: row.forgotten_at for row in connection.execute(query)}

    def _added(self, rooms: "_Rooms", wanted: Mapping[bytes, str], length: int) -> dict[bytes, str]:
        """The tokens of these lookups: what another process wrote in the meantime, and new ones for the others."""
        # locked: what is not there now is not there when it is written, and nothing has to be read again
        with writing(self._engine, [rows_table.name]) as connection:
            found = _found(connection, rooms, wanted)
            new = rooms.rows({each: text for each, text in wanted.items() if each not in found}, length)
            if new:
                connection.execute(insert(rows_table), new)
        return found | {row["lookup"]: row["token"] for row in new}

    def _insert(self, table: Table) -> Any:  # noqa: ANN401 - the two dialects' classes have no common one
        return INSERTS[self._engine.dialect.name](table)


class _Rooms:
    """What a key is used for in the vault: lookups and seals, each under a derived key of its own."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.check = key.check
        self._lookup = key.derive("vault/lookup")
        sealing = key.derive("vault/seal")
        self._cipher = AESSIV(sealing.mac(b"mac") + sealing.mac(b"cipher"))

    def lookup(self, text: str, length: int) -> bytes:
        """Where the token of a text is found. The length enters: a short token is not the beginning of a longer one."""
        return self._lookup.mac(b"%d:" % length + _bytes(text))[:LOOKUP_BYTES]

    def rows(self, wanted: Mapping[bytes, str], length: int) -> list[dict[str, Any]]:
        """New rows with random tokens, 5 bits a character."""
        # a byte a character, of which the table looks at 5 bits: each character is as likely
        drawn = secrets.token_bytes(length * len(wanted)).translate(ALPHABET).decode("ascii")
        tokens = [drawn[at : at + length] for at in range(0, len(drawn), length)]
        return [
            {
                "lookup": lookup,
                "token": token,
                "check_value": self.check,
                "sealed": self._cipher.encrypt(_bytes(text), [lookup, token.encode("ascii")]),
            }
            for (lookup, text), token in zip(wanted.items(), tokens, strict=True)
        ]

    def opened(self, lookup: bytes, token: str, sealed: bytes) -> str:
        """The text of a row; `IntegrityError` when it is not what was written."""
        with suppress(InvalidTag, ValueError):
            label = [bytes(lookup), _bytes(token)]
            return self._cipher.decrypt(bytes(sealed), label).decode("utf-8", "surrogatepass")
        raise _damaged(self.key)


def _found(connection: Connection, rooms: _Rooms, wanted: Mapping[bytes, str]) -> dict[bytes, str]:
    """The tokens that are there, each opened and compared with its text."""
    found = {}
    query = select(rows_table.c.lookup, rows_table.c.token, rows_table.c.sealed)
    for some in _batches(wanted, READ_AT_ONCE):
        for stored, token, sealed in connection.execute(query.where(rows_table.c.lookup.in_(some))).all():
            lookup = bytes(stored)
            if rooms.opened(lookup, token, sealed) != wanted[lookup]:
                raise _damaged(rooms.key)
            found[lookup] = token
    return found


def _require(key: Key, known: Mapping[str, str], url: str) -> None:
    """known: when each key of this id was forgotten, by check value."""
    if at := known.get(key.check):
        raise KeyUnavailableError(
            f"key {key.id!r} with check value {key.check} was forgotten at {at}; its tokens are gone, so name another key"
            " in the policy"
        )
    others = {check for check, at in known.items() if not at} - {key.check}
    if others - _own_checks(key.id):
        raise KeyUnavailableError(
            f"the vault {without_password(url)} has tokens of key {key.id!r} with check value {min(others)}, but the"
            f" key given has {key.check}; put the key back that made them, as {Slot(key.id).variable} or as an older version in"
            f" {Slot(key.id, 1).variable}, or name another key in the policy"
        )


def _own_checks(key_id: str) -> set[str]:
    """Check values of the key of now and of its older versions, as far as they can be loaded."""
    found = set()
    for version in (None, *older_versions(key_id)):
        with suppress(KeyUnavailableError):
            found.add(load_key(key_id, version).check)
    return found


def _damaged(key: Key) -> IntegrityError:
    return IntegrityError(
        f"the vault has a row of key {key.id!r} that is not what was written; put a copy of the vault back"
    )


def _require_private(url: str) -> None:
    """A SQLite file is made for its owner only; one that others may read is refused."""
    parsed = make_url(url) if url.startswith("sqlite:") else None
    if parsed is None or not parsed.database:
        return
    path = Path(parsed.database)
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise StorageError(f"cannot make the vault {path}: {error.strerror}") from None
    if mode & ~0o600:
        raise StorageError(f"the vault {path} has mode {mode:04o}, others may read it; run: chmod 600 {path}")


def _bytes(text: str) -> bytes:
    # surrogatepass: an encoding error would carry the text, a cell value, into a stack trace
    return text.encode("utf-8", "surrogatepass")


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    of = iter(items)
    while some := list(islice(of, size)):
        yield some

"""The audit ledger: what happened, append-only and sealed, and the catalog of releases.

What it finds: any event that was changed, removed, moved or inserted by someone without the instance key,
whatever rights they have on the database (`Ledger.verify`). The newest events cannot be cut off unnoticed,
since the head, one row with a MAC, is written in the same transaction as the event it names.

What it cannot find from the database alone: a whole older copy of events and head that was put back (the
empty ledger is one), since all of it was once genuine. The outside witnesses are the release manifests, which
carry the head at promotion (`Ledger.head`); give these to `verify`. Nor does it bind who holds the instance
key, and with the key lost no event can be checked any more.
"""

import json
import os
import pwd
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, insert, select, update

from anon_platform.database import database_url
from anon_platform.database.engine import open_engine, snapshot, storage_errors
from anon_platform.errors import IntegrityError
from anon_platform.keys import Key, load_key
from anon_platform.ledger import tables
from anon_platform.ledger.audit import (
    GENESIS,
    Event,
    Head,
    Verification,
    are_linked,
    check_chain,
    details_text,
    require_short_text,
    seal,
)

INSTANCE_KEY = "instance"
BATCH = 1000
THING = "ledger"
"""What messages of the database call it."""


@dataclass(frozen=True, kw_only=True)
class CatalogEntry:
    """A release that was promoted; what attests it is the event `release.promoted` and the manifest."""

    dataset: str
    release_id: str
    promoted_at: str
    """UTC, ISO 8601."""
    path: str
    rows_out: int
    people: int | None
    """Privacy units in the release; None where it is not known, as in synthetic data."""
    policy_hash: str
    input_fingerprint: str
    manifest_sha256: str
    metrics: dict[str, Any] = field(default_factory=dict)
    """Counts and metrics, under the rule of `audit.details_text`."""

    def __post_init__(self) -> None:
        for name in (
            "dataset",
            "release_id",
            "promoted_at",
            "policy_hash",
            "input_fingerprint",
            "manifest_sha256",
        ):
            require_short_text(getattr(self, name), name)
        object.__setattr__(self, "metrics", json.loads(details_text(self.metrics)))

    def row(self) -> dict[str, Any]:
        """The entry as the table holds it."""
        named = {each.name: getattr(self, each.name) for each in fields(self)}
        return named | {"metrics": details_text(self.metrics)}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "CatalogEntry":
        """The entry in a row of the table."""
        try:
            return cls(**{**row, "metrics": json.loads(row["metrics"])})
        except (TypeError, ValueError):
            raise IntegrityError(
                f"the catalog row of release {row['release_id']!r} is not what was written",
            ) from None


class Ledger:
    """The ledger in one database; `with Ledger.open() as ledger: ledger.append(Event(action="run.started"))`."""

    def __init__(self, engine: Engine, key: Key, url: str) -> None:
        self._engine = engine
        self._key = key
        self._url = url

    @classmethod
    def open(cls, url: str | None = None) -> Self:
        """The ledger at `url` (default: `database.database_url`), made when missing."""
        key = load_key(INSTANCE_KEY).derive("ledger")
        where = url or database_url()
        engine = open_engine(where, THING)
        try:
            with storage_errors(where, THING):
                tables.create_schema(engine, vars(Head.of(0, GENESIS, key)))
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, key, where)

    def append(self, event: Event) -> Event:
        """The event as it was written: with its place, time, actor and seal; on disk when this returns."""
        with self.writing() as connection:
            return self.append_in(connection, event)

    def append_in(self, connection: Connection, event: Event) -> Event:
        """The event as it is written when the transaction `connection` of `writing` ends well."""
        last = self._checked_head(connection)
        unsealed = replace(
            event,
            seq=last.seq + 1,
            at=datetime.now(UTC).isoformat(timespec="microseconds"),
            actor=event.actor or current_actor(),
            previous_hash=last.hash,
        )
        written = replace(unsealed, hash=seal(unsealed.row(), self._key))
        connection.execute(insert(tables.events).values(**written.row()))
        head = Head.of(written.seq, written.hash, self._key)
        connection.execute(update(tables.head).where(tables.head.c.one == 1).values(**vars(head)))
        return written

    def linked(self, connection: Connection, family: str) -> list[Event]:
        """All events whose action begins with `family` and a dot, proved: none is changed, moved or missing.

        Each of them carries, under its seal, the number of the one before (`details.previous`), so that none can be taken
        from among them; and from the newest of them to the head every event is checked, so that none can be cut off. That
        is as sure as a check of the whole ledger, and reads little of it. Whatever is wrong raises `IntegrityError`.
        """
        columns = tables.events.c
        of_family = select(tables.events).where(columns.action.startswith(f"{family}.")).order_by(columns.seq)
        rows = [row._asdict() for row in connection.execute(of_family)]
        newest = (rows[-1]["seq"], rows[-1]["hash"]) if rows else (0, GENESIS)
        later = select(tables.events).where(columns.seq > newest[0]).order_by(columns.seq)
        after = connection.execute(later.execution_options(yield_per=BATCH))
        head = _stored_head(connection)
        whole = check_chain((row._asdict() for row in after), head, self._key, after=newest)
        if not (whole.ok and are_linked(rows, self._key)):
            raise IntegrityError(
                f"the {family} events of the ledger are not what was written, or the key 'instance' is another one;"
                " nothing was written: run anon audit verify",
            )
        return [Event.from_row(row) for row in rows]

    def events(
        self, dataset: str | None = None, limit: int | None = None, actions: Sequence[str] | None = None
    ) -> list[Event]:
        """The events in their order; of one dataset, with one of these actions, or the newest `limit` only."""
        query = select(tables.events).order_by(tables.events.c.seq.desc()).limit(limit)
        if dataset is not None:
            query = query.where(tables.events.c.dataset == dataset)
        if actions is not None:
            query = query.where(tables.events.c.action.in_(actions))
        with self.reading() as connection:
            rows = connection.execute(query).all()
        return [Event.from_row(row._asdict()) for row in reversed(rows)]

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest event (0 and zeros when there is none), for a release manifest."""
        with self.reading() as connection:
            last = self._checked_head(connection)
        return last.seq, last.hash

    def verify(self, witnesses: Iterable[tuple[int, str]] = ()) -> Verification:
        """What is wrong with the ledger, at one moment and in bounded memory.

        witnesses: what `head` said earlier, kept outside the database.
        """
        query = select(tables.events).order_by(tables.events.c.seq).execution_options(yield_per=BATCH)
        with self.reading() as connection:
            head = _stored_head(connection)
            rows = (row._asdict() for row in connection.execute(query))
            return check_chain(rows, head, self._key, witnesses)

    def catalog(self, entry: CatalogEntry) -> CatalogEntry:
        """The entry of this release as it is stored: the first one written, when its manifest is the same.

        A second manifest under the same id is an `IntegrityError`: a release never changes.
        """
        with self.writing() as connection:
            stored = _entries(connection, dataset=entry.dataset, release_id=entry.release_id)
            if not stored:
                connection.execute(insert(tables.releases).values(**entry.row()))
                return entry
        if stored[0].manifest_sha256 != entry.manifest_sha256:
            raise IntegrityError(
                f"release {entry.release_id} of {entry.dataset} is in the catalog with another manifest;"
                " a release never changes, so one of the two folders is not what was promoted",
            )
        return stored[0]

    def releases(self, dataset: str | None = None) -> list[CatalogEntry]:
        """The catalog, oldest release first."""
        with self.reading() as connection:
            return _entries(connection, **({} if dataset is None else {"dataset": dataset}))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that took the write lock before it read anything: what it reads stays true until it has ended."""
        with storage_errors(self._url, THING), tables.writing(self._engine) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the ledger."""
        with storage_errors(self._url, THING), snapshot(self._engine) as connection:
            yield connection

    def close(self) -> None:
        """Gives the connections back; the ledger is not used afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _checked_head(self, connection: Connection) -> Head:
        """The head, when it is genuine and the newest event is the one it names.

        To append after a cut or a forged event would seal it.
        """
        stored = _stored_head(connection)
        newest = (
            select(tables.events.c.seq, tables.events.c.hash).order_by(tables.events.c.seq.desc()).limit(1)
        )
        row = connection.execute(newest).one_or_none()
        last = (row.seq, row.hash) if row else (0, GENESIS)
        if stored is None or not stored.is_genuine(self._key) or (stored.seq, stored.hash) != last:
            raise IntegrityError(
                "the newest events of the ledger are not what was written, or the key 'instance' is another one;"
                " nothing was written: verify the ledger",
            )
        return stored


def current_actor() -> str:
    """Who acts: `ANON_ACTOR`, or the name of the operating system's user."""
    try:
        return os.environ.get("ANON_ACTOR") or pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run as a number without a name
        return f"uid {os.geteuid()}"


def _stored_head(connection: Connection) -> Head | None:
    """The one row of the head; None when it is missing, not alone or not even of the right types."""
    rows = connection.execute(select(tables.head.c.seq, tables.head.c.hash, tables.head.c.mac)).all()
    if len(rows) != 1 or [type(value) for value in rows[0]] != [int, str, str]:
        return None
    return Head(*rows[0])


def _entries(connection: Connection, **wanted: str) -> list[CatalogEntry]:
    query = select(tables.releases).filter_by(**wanted)
    rows = connection.execute(query.order_by(tables.releases.c.promoted_at, tables.releases.c.release_id))
    return [CatalogEntry.from_row(row._asdict()) for row in rows]

"""Someone with every right on the database and without the key: what is refused, and what is found."""

import copy
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, delete, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from anon_platform.database import database_url
from anon_platform.errors import IntegrityError, KeyUnavailableError
from anon_platform.ledger import Ledger, tables
from anon_platform.ledger.audit import GENESIS, Event


@contextmanager
def intruder(url: str, *, with_rights: bool = True) -> Iterator[Connection]:
    """A connection past the ledger; with rights on the tables it drops the triggers first."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            if with_rights and engine.dialect.name == "postgresql":
                connection.exec_driver_sql("DROP FUNCTION IF EXISTS anon_events_refuse CASCADE")
            elif with_rights:
                for name in ("update", "delete", "replace"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS anon_events_{name}")
            yield connection
    finally:
        engine.dispose()


def store(connection: Connection, rows: list[dict[str, Any]], head: dict[str, Any]) -> None:
    """Writes the whole ledger anew."""
    connection.execute(delete(tables.events))
    connection.execute(delete(tables.head))
    if rows:
        connection.execute(insert(tables.events), rows)
    connection.execute(insert(tables.head).values(**head))


def stored(connection: Connection) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    rows = connection.execute(select(tables.events).order_by(tables.events.c.seq)).all()
    return [row._asdict() for row in rows], connection.execute(select(tables.head)).one()._asdict()


def fill(ledger: Ledger, count: int) -> list[Event]:
    return [
        ledger.append(Event(action="run.started", dataset=f"d{number % 2}", details={"rows": number}))
        for number in range(count)
    ]


def test_the_instance_key_is_needed_and_never_stored(
    database: str, monkeypatch: pytest.MonkeyPatch, anon_home: Path
) -> None:
    """Else whoever reads the database could forge it."""
    secret = os.environ["ANON_KEY_INSTANCE"]
    with Ledger.open() as ledger:
        fill(ledger, 1)
        with intruder(database) as connection:
            assert secret not in repr(stored(connection))
        assert secret not in repr(ledger) + repr(vars(ledger))
        with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
            pickle.dumps(ledger)
    monkeypatch.delenv("ANON_KEY_INSTANCE")
    with pytest.raises(KeyUnavailableError, match=r"^no key 'instance': set ANON_KEY_INSTANCE or run: "):
        Ledger.open()


REFUSED = {
    "sqlite": (
        "UPDATE anon_events SET outcome = 'ok'",
        "UPDATE OR REPLACE anon_events SET seq = 1 WHERE seq = 2",
        "DELETE FROM anon_events WHERE seq = 2",
        "INSERT OR REPLACE INTO anon_events SELECT * FROM anon_events WHERE seq = 2",
    ),
    "postgresql": (
        "UPDATE anon_events SET outcome = 'ok'",
        "DELETE FROM anon_events WHERE seq = 2",
        "TRUNCATE anon_events",
        "INSERT INTO anon_events SELECT * FROM anon_events ON CONFLICT (seq) DO UPDATE SET outcome = 'ok'",
    ),
}


def test_the_database_itself_refuses_changes(ledger: Ledger, database: str) -> None:
    """Accidents and careless scripts stop here, without any verification."""
    written = fill(ledger, 2)
    for statement in REFUSED[make_url(database).get_backend_name()]:
        with (
            pytest.raises(DBAPIError, match="anon_events is append-only"),
            intruder(database, with_rights=False) as connection,
        ):
            connection.exec_driver_sql(statement)
    assert ledger.events() == written


SEALED = [
    "at",
    "actor",
    "action",
    "dataset",
    "policy_hash",
    "input_fingerprint",
    "release_id",
    "outcome",
    "details",
]
changes = st.tuples(
    st.just("change"),
    st.integers(0, 5),
    st.sampled_from([*SEALED, "previous_hash", "hash"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=1000), max_size=8),
)
moves = st.tuples(st.just("renumber"), st.integers(0, 5), st.sampled_from([-1, 0, 7, 8, 10**9]))
removals = st.tuples(st.just("remove"), st.sets(st.integers(0, 5), min_size=1))
swaps = st.tuples(
    st.just("swap"),
    st.lists(st.integers(0, 5), min_size=2, max_size=2, unique=True),
    st.sets(st.sampled_from(["details", "outcome", "dataset", "previous_hash", "hash"])),
)
copies = st.tuples(st.just("copy"), st.integers(0, 5), st.sampled_from([-1, 0, 7, 8]))
heads = st.tuples(st.just("head"), st.integers(0, 5))


def tampered(rows: list[dict[str, Any]], head: dict[str, Any], tampering: tuple[Any, ...]) -> None:
    """Does to `rows` and `head` what `tampering` says."""
    match tampering:
        case "change", place, name, value:
            rows[place][name] = value
        case "renumber", place, seq:
            rows[place]["seq"] = seq
        case "remove", places:
            rows[:] = [row for place, row in enumerate(rows) if place not in places]
        case "swap", (left, right), names:
            for name in names or set(rows[left]) - {"seq"}:
                rows[left][name], rows[right][name] = rows[right][name], rows[left][name]
        case "copy", place, seq:
            rows.append(rows[place] | {"seq": seq})
        case "head", place:
            head |= {"seq": rows[place]["seq"], "hash": rows[place]["hash"]}


@pytest.fixture
def original(ledger: Ledger, database: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows and the head of a genuine ledger of six events."""
    fill(ledger, 6)
    with intruder(database) as connection:
        return stored(connection)


# the ledger is written anew for each example, so one fixture may serve them all
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tampering=changes | moves | removals | swaps | copies | heads, follow_head=st.booleans())
def test_any_change_removal_or_move_is_found(
    ledger: Ledger,
    database: str,
    original: tuple[list[dict[str, Any]], dict[str, Any]],
    tampering: tuple[Any, ...],
    *,
    follow_head: bool,
) -> None:
    """By someone with every right on the database, who may fit the head to what is left, and no key."""
    rows, head = copy.deepcopy(original)
    tampered(rows, head, tampering)
    if follow_head and rows:
        newest = max(rows, key=lambda row: row["seq"])
        head |= {"seq": newest["seq"], "hash": newest["hash"]}
    with intruder(database) as connection:
        store(connection, rows, head)
    found = ledger.verify()
    assert found.events == len(rows)
    assert found.ok == ((sorted(rows, key=lambda row: row["seq"]), head) == original)


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_nothing_is_appended_after_the_newest_events_were_cut_off(
    ledger: Ledger, database: str, keep: int
) -> None:
    """The next genuine head would have hidden the cut."""
    written = fill(ledger, 3)
    with intruder(database) as connection:
        connection.execute(delete(tables.events).where(tables.events.c.seq > keep))
        last = written[keep - 1] if keep else Event(action="run.started", hash=GENESIS)
        connection.execute(
            text("UPDATE anon_head SET seq = :seq, hash = :hash"), {"seq": keep, "hash": last.hash}
        )
    with pytest.raises(IntegrityError, match="nothing was written: verify the ledger"):
        fill(ledger, 1)
    with pytest.raises(IntegrityError):
        ledger.head()
    assert [fault.kind for fault in ledger.verify().faults] == ["head"]


@pytest.mark.parametrize("statement", ["DELETE FROM anon_head", "DROP TABLE anon_events"])
def test_opening_does_not_mend_what_was_removed(ledger: Ledger, database: str, statement: str) -> None:
    """A missing head or table of an existing ledger is a fault, not a fresh start."""
    fill(ledger, 2)
    with intruder(database) as connection:
        connection.exec_driver_sql(statement)
    with Ledger.open() as again:
        assert not again.verify().ok
        with pytest.raises(IntegrityError):
            fill(again, 1)


def test_only_a_witness_finds_that_a_whole_older_copy_was_put_back(ledger: Ledger, database: str) -> None:
    """The stated limit, and the way out of it: the head in a release manifest."""
    fill(ledger, 2)
    with intruder(database) as connection:
        older = stored(connection)
    fill(ledger, 2)
    witness = ledger.head()
    with intruder(database) as connection:
        store(connection, *older)
    assert ledger.verify().ok
    assert [(fault.seq, fault.kind) for fault in ledger.verify([witness]).faults] == [(4, "witness")]
    fill(ledger, 3)
    assert [(fault.seq, fault.kind) for fault in ledger.verify([witness]).faults] == [(4, "witness")]


def test_a_tampered_event_is_not_shown_as_one(ledger: Ledger, database: str) -> None:
    """Whoever reads the log without verifying it first."""
    fill(ledger, 1)
    with intruder(database) as connection:
        connection.execute(text("UPDATE anon_events SET details = 'x'"))
    with pytest.raises(IntegrityError, match=r"^event 1 is not what was written; verify the ledger$"):
        ledger.events()


def test_bytes_that_are_no_text_are_a_fault(anon_home: Path) -> None:
    """SQLite stores them; the check must name the event instead of failing on it."""
    with Ledger.open() as ledger:
        fill(ledger, 2)
        with intruder(database_url()) as connection:
            connection.exec_driver_sql("UPDATE anon_events SET actor = CAST(x'ff' AS TEXT) WHERE seq = 1")
        assert [(fault.seq, fault.kind) for fault in ledger.verify().faults] == [(1, "changed")]

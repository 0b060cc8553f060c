"""The ledger on both databases: appending, reading, tampering, and what errors say."""

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, delete, event, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from anon_platform import ledger_tables as tables
from anon_platform.audit import GENESIS, Event
from anon_platform.errors import IntegrityError, KeyUnavailableError, StorageError
from anon_platform.home import database_url
from anon_platform.ledger import CatalogEntry, Ledger, current_actor
from anon_platform_tests.postgres import fresh_database

WRONG_PASSWORD = "hunter2"  # noqa: S105 - shows up in no message
WRITERS = 8
EACH = 12

WRITE = f"""
import sys
from anon_platform.audit import Event
from anon_platform.ledger import Ledger
print("ready", flush=True)
sys.stdin.readline()
with Ledger.open() as ledger:
    for number in range({EACH}):
        ledger.append(Event(action="run.started", dataset=sys.argv[1], details={{"number": number}}))
"""

ENTRY = CatalogEntry(
    dataset="visits",
    release_id="r1",
    promoted_at="2024-01-01T00:00:00.000000+00:00",
    path="/releases/visits/r1",
    rows_out=90,
    people=30,
    policy_hash="p",
    input_fingerprint="i",
    manifest_sha256="m",
    metrics={"k": 5},
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database, which `Ledger.open()` finds by itself."""
    if request.param == "postgresql":
        monkeypatch.setenv("ANON_POSTGRES_URL", fresh_database(request.getfixturevalue("postgres_url")))
    return database_url()


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with Ledger.open() as opened:
        yield opened


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


def test_events_come_back_as_they_were_written(ledger: Ledger) -> None:
    """In their order, numbered without a gap, each naming the one before."""
    written = fill(ledger, 5)
    assert ledger.events() == written
    assert [each.seq for each in written] == [1, 2, 3, 4, 5]
    assert [each.previous_hash for each in written] == [GENESIS, *(each.hash for each in written[:-1])]
    assert all(each.at.endswith("+00:00") and len(each.at) == 32 for each in written)
    assert ledger.events(dataset="d1") == written[1::2]
    assert ledger.events(limit=2) == written[3:]
    assert ledger.events(dataset="d0", limit=1) == written[4:]
    assert ledger.events(dataset="unknown") == []


def test_a_ledger_goes_on_where_it_was_closed(ledger: Ledger) -> None:
    """The chain outlives the process."""
    first = fill(ledger, 2)
    ledger.close()
    with Ledger.open() as again:
        second = fill(again, 1)
        assert again.events() == first + second
        assert again.verify().ok


def test_the_head_names_the_newest_event(ledger: Ledger) -> None:
    """Release manifests carry it."""
    assert ledger.head() == (0, GENESIS)
    written = fill(ledger, 3)
    assert ledger.head() == (3, written[-1].hash)
    assert ledger.verify([ledger.head()]).ok


def test_the_actor_is_named(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """ANON_ACTOR tells people apart who share a service account."""
    monkeypatch.setenv("ANON_ACTOR", "j.doe")
    assert fill(ledger, 1)[0].actor == "j.doe"
    monkeypatch.delenv("ANON_ACTOR")
    assert fill(ledger, 1)[0].actor == current_actor() != ""
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    assert current_actor() == "uid 4000000"


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


def test_another_key_does_not_continue_the_chain(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys in one chain could never be verified again."""
    fill(ledger, 1)
    monkeypatch.setenv("ANON_KEY_INSTANCE", "0123456789abcdef" * 4)
    with Ledger.open() as other:
        with pytest.raises(
            IntegrityError, match=r"or the key 'instance' is another one; nothing was written"
        ):
            fill(other, 1)
        assert [fault.kind for fault in other.verify().faults] == ["head", "changed"]
    assert ledger.verify().ok
    assert len(ledger.events()) == 1


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


def test_many_processes_open_and_append_at_once(database: str) -> None:
    """Eight runs start on an empty database: no event is lost, no number is used twice, the chain holds."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, f"d{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=50)
        assert (writer.returncode, errors) == (0, "")
    with Ledger.open() as ledger:
        events = ledger.events()
        assert [each.seq for each in events] == list(range(1, WRITERS * EACH + 1))
        assert ledger.verify() == replace(ledger.verify(), events=WRITERS * EACH, faults=())
        for number in range(WRITERS):
            own = [each.details["number"] for each in events if each.dataset == f"d{number}"]
            assert own == list(range(EACH))


def test_a_failed_append_leaves_nothing_and_shows_nothing(ledger: Ledger, database: str) -> None:
    """Event and head are one transaction; the driver's own error would list the parameters."""
    fill(ledger, 1)
    refuse = {
        "sqlite": "BEGIN SELECT RAISE(ABORT, 'no'); END",
        "postgresql": "FOR EACH STATEMENT EXECUTE FUNCTION anon_events_refuse()",
    }[make_url(database).get_backend_name()]
    with intruder(database, with_rights=False) as connection:
        connection.exec_driver_sql(f"CREATE TRIGGER anon_test BEFORE UPDATE ON anon_head {refuse}")
    with pytest.raises(StorageError, match=r"^the ledger \S+ refused a statement \(\w+ \w+\)$") as refusal:
        ledger.append(Event(action="run.started", details={"marker": "x1y2"}))
    assert "x1y2" not in f"{refusal.value}{refusal.value.__context__}"
    assert len(ledger.events()) == 1
    assert ledger.verify().ok


def test_the_catalog_keeps_the_first_entry_of_a_release(ledger: Ledger) -> None:
    """A retry after a crash promotes the same release again."""
    assert ledger.catalog(ENTRY) == ENTRY
    assert ledger.catalog(replace(ENTRY, promoted_at="2025", path="/elsewhere")) == ENTRY
    assert ledger.releases() == [ENTRY]


def test_a_second_manifest_under_one_release_is_refused(ledger: Ledger) -> None:
    """A release never changes."""
    ledger.catalog(ENTRY)
    with pytest.raises(IntegrityError) as refusal:
        ledger.catalog(replace(ENTRY, manifest_sha256="other"))
    assert str(refusal.value) == (
        "release r1 of visits is in the catalog with another manifest;"
        " a release never changes, so one of the two folders is not what was promoted"
    )
    assert ledger.releases() == [ENTRY]


def test_the_catalog_lists_the_oldest_release_first(ledger: Ledger) -> None:
    """Of one dataset or of all; the same id in two datasets is two releases."""
    newer = replace(ENTRY, release_id="r0", promoted_at="2024-02-01T00:00:00.000000+00:00", people=None)
    other = replace(ENTRY, dataset="labs", promoted_at="2024-03-01T00:00:00.000000+00:00")
    for entry in (other, newer, ENTRY):
        ledger.catalog(entry)
    assert ledger.releases() == [ENTRY, newer, other]
    assert ledger.releases("visits") == [ENTRY, newer]
    assert ledger.releases("unknown") == []


def test_the_catalog_refuses_rows_as_metrics() -> None:
    """The same guard as for events."""
    with pytest.raises(TypeError, match=r"^details.top is a NoneType; "):
        replace(ENTRY, metrics={"top": None})


def refused(url: str | None = None) -> str:
    with pytest.raises(StorageError) as refusal, Ledger.open(url) as ledger:
        fill(ledger, 1)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
    return str(refusal.value)


def test_a_server_that_refuses_is_named_without_the_password(postgres_url: str) -> None:
    """Wrong password, database or port: the text is what to check, and can be pasted into a ticket."""
    url = make_url(postgres_url)
    advice = "cannot be reached; does the server run, and are host, user, password and database right?"
    place = f"postgresql+psycopg2://anon@127.0.0.1:{url.port}/postgres"
    others = (url.set(password=WRONG_PASSWORD), url.set(port=1), url.set(database="nowhere"))
    texts = [refused(other.render_as_string(hide_password=False)) for other in others]
    assert texts[0] == f"the ledger {place} {advice}"
    for shown in texts:
        assert shown.endswith(advice)
        assert WRONG_PASSWORD not in shown
        assert str(url.password) not in shown


def test_a_locked_ledger_says_so(ledger: Ledger, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the waiting time, instead of hanging for ever."""
    monkeypatch.setattr(tables, "LOCK_SECONDS", 0.2)
    with tables.writing(ledger._engine):  # noqa: SLF001 - another writer that does not end
        assert refused(database).endswith("is locked by another process; try again when it has ended")
    assert ledger.append(Event(action="run.started")).seq == 1


def test_a_file_that_is_no_ledger_is_named(anon_home: Path) -> None:
    """With its path."""
    (anon_home / "ledger.db").write_text("x" * 5000)
    assert refused() == f"the ledger sqlite:///{anon_home}/ledger.db is damaged or is not a ledger"
    missing = f"sqlite:///{anon_home}/missing/ledger.db"
    assert refused(missing) == (
        f"the ledger {missing} cannot be opened; does its folder exist, and may this user write there?"
    )


@pytest.mark.parametrize(
    "url", ["mysql://anon:hunter2@db/x", "postgresql://anon:hun:ter2@db:hunter2/x", "hunter2"]
)
def test_other_databases_are_refused(url: str) -> None:
    """Only on these two is the chain tested."""
    assert refused(url).startswith("the ledger needs a URL of sqlite or postgresql, not ")
    assert "hunter2" not in refused(url)


def test_a_full_disk_is_named_and_leaves_a_valid_chain(anon_home: Path) -> None:
    """The event that did not fit is not half there."""
    with Ledger.open() as ledger:
        fill(ledger, 1)
        event.listen(
            ledger._engine,  # noqa: SLF001 - a file that may not grow stands for a full disk
            "checkout",
            lambda connection, *_: connection.execute("PRAGMA max_page_count = 1"),
        )
        big = Event(action="run.started", details={str(number): "x" * 200 for number in range(500)})
        with pytest.raises(StorageError) as refusal:
            [ledger.append(big) for _ in range(10)]
        assert (
            str(refusal.value) == f"the ledger sqlite:///{anon_home}/ledger.db has no space left on its disk"
        )
        assert ledger.verify().ok
        assert ledger.verify().events == ledger.head()[0]

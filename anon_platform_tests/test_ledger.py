"""The ledger on both databases: appending, reading, many at once, the catalog, and what errors say."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE
from threading import Barrier, Timer

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url

from anon_platform.database import engine as database_engine
from anon_platform.errors import IntegrityError, StorageError
from anon_platform.ledger import CatalogEntry, Ledger, current_actor, tables
from anon_platform.ledger.audit import GENESIS, Event, Verification

WRONG_PASSWORD = "hunter2"  # noqa: S105 - shows up in no message
WRITERS = 8
EACH = 12

WRITE = f"""
import sys
from anon_platform.ledger.audit import Event
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


@contextmanager
def writers() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that wait for a line, then open the ledger and append."""
    with ExitStack() as stack:
        processes = []
        for number in range(WRITERS):
            command = [sys.executable, "-c", WRITE, f"d{number}"]
            process = subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, stderr=PIPE)
            processes.append(stack.enter_context(process))
            stack.callback(processes[-1].kill)
        yield processes


def test_many_processes_open_and_append_at_once(database: str) -> None:
    """Eight runs start on an empty database: no event is lost, no number is used twice, the chain holds."""
    with writers() as processes:
        assert [process.stdout and process.stdout.readline() for process in processes] == [
            "ready\n"
        ] * WRITERS
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        errors = [process.communicate(timeout=50)[1] for process in processes]
        assert errors == [""] * WRITERS
        assert [process.returncode for process in processes] == [0] * WRITERS
    with Ledger.open() as ledger:
        events = ledger.events()
        assert [each.seq for each in events] == list(range(1, WRITERS * EACH + 1))
        assert ledger.verify() == Verification(events=WRITERS * EACH, faults=())
        for number in range(WRITERS):
            own = [each.details["number"] for each in events if each.dataset == f"d{number}"]
            assert own == list(range(EACH))


@pytest.mark.parametrize("attempt", range(5))
def test_a_new_ledger_may_be_opened_by_many_at_once(database: str, attempt: int) -> None:
    """Only one of them makes the tables; the others wait for it. Threads meet more closely than processes."""
    start = Barrier(WRITERS)

    def open_and_append() -> int:
        start.wait()
        with Ledger.open() as ledger:
            return fill(ledger, 1)[0].seq

    with ThreadPoolExecutor(WRITERS) as pool:
        opened = [pool.submit(open_and_append) for _ in range(WRITERS)]
        assert sorted(each.result() for each in opened) == list(range(1, WRITERS + 1))


def test_a_file_that_another_process_is_making_is_waited_for(anon_home: Path) -> None:
    """SQLite refuses to switch to write-ahead logging then, at once and whatever its waiting time."""
    maker = sqlite3.connect(anon_home / "ledger.db", isolation_level=None, check_same_thread=False)
    with closing(maker):
        maker.execute("BEGIN IMMEDIATE")
        end = Timer(0.2, maker.rollback)
        end.start()
        with Ledger.open() as ledger:
            assert fill(ledger, 1)[0].seq == 1
        end.join()


def test_a_failed_append_leaves_nothing_and_shows_nothing(ledger: Ledger, database: str) -> None:
    """Event and head are one transaction; the driver's own error would list the parameters."""
    fill(ledger, 1)
    refuse = {
        "sqlite": "BEGIN SELECT RAISE(ABORT, 'no'); END",
        "postgresql": "FOR EACH STATEMENT EXECUTE FUNCTION anon_events_refuse()",
    }[make_url(database).get_backend_name()]
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TRIGGER anon_test BEFORE UPDATE ON anon_head {refuse}")
    engine.dispose()
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
    monkeypatch.setattr(database_engine, "LOCK_SECONDS", 0.2)
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

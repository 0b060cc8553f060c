"""The tables of the ledger in SQLite and PostgreSQL: how they are made, locked, read and kept append-only."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from anon_platform.audit import FIELDS
from anon_platform.database import without_password
from anon_platform.errors import StorageError

LOCK_SECONDS = 30
"""How long a writer waits for the others."""

CONNECT_SECONDS = 10

SCHEMA_LOCK = 0x616E6F6E
"""Advisory lock of PostgreSQL while the tables are made ("anon" in ASCII)."""

Count = BigInteger().with_variant(Integer, "sqlite")  # SQLite knows its row id by the word INTEGER

metadata = MetaData()
events = Table(
    "anon_events",
    metadata,
    Column("seq", Count, primary_key=True, autoincrement=False),
    *(Column(name, Text, nullable=False, index=name == "dataset") for name in FIELDS if name != "seq"),
)
head = Table(
    "anon_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("seq", Count, nullable=False),
    Column("hash", Text, nullable=False),
    Column("mac", Text, nullable=False),
)
releases = Table(
    "anon_releases",
    metadata,
    Column("dataset", Text, primary_key=True),
    Column("release_id", Text, primary_key=True),
    Column("promoted_at", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("rows_out", Count, nullable=False),
    Column("people", Count),
    Column("policy_hash", Text, nullable=False),
    Column("input_fingerprint", Text, nullable=False),
    Column("manifest_sha256", Text, nullable=False),
    Column("metrics", Text, nullable=False),
)

REFUSAL = "anon_events is append-only"
TRIGGERS = {
    "sqlite": (
        f"CREATE TRIGGER anon_events_update BEFORE UPDATE ON anon_events BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        f"CREATE TRIGGER anon_events_delete BEFORE DELETE ON anon_events BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        # INSERT OR REPLACE deletes the old row without the delete trigger
        f"""CREATE TRIGGER anon_events_replace BEFORE INSERT ON anon_events
            WHEN EXISTS (SELECT 1 FROM anon_events WHERE seq = NEW.seq)
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",  # noqa: S608
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION anon_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
        """CREATE TRIGGER anon_events_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON anon_events
            FOR EACH STATEMENT EXECUTE FUNCTION anon_events_refuse()""",
    ),
}

CAUSES = (
    ("SQLITE_BUSY", "is locked by another process; try again when it has ended"),
    ("SQLITE_LOCKED", "is locked by another process; try again when it has ended"),
    ("55P03", "is locked by another process; try again when it has ended"),
    ("SQLITE_FULL", "has no space left on its disk"),
    ("53100", "has no space left on its disk"),
    ("SQLITE_READONLY", "cannot be written by this user"),
    ("42501", "cannot be written by this user"),
    ("25006", "is read-only"),
    ("SQLITE_CANTOPEN", "cannot be opened; does its folder exist, and may this user write there?"),
    ("SQLITE_NOTADB", "is damaged or is not a ledger"),
    ("SQLITE_CORRUPT", "is damaged or is not a ledger"),
)
"""Error codes of SQLite (by name) and PostgreSQL, and what to say instead of the driver's own text."""


def open_engine(url: str) -> Engine:
    """An engine whose transactions begin as the ledger needs them; its errors hold no parameters."""
    try:
        backend = make_url(url).get_backend_name()
    except (ArgumentError, ValueError):
        backend = ""
    if backend not in TRIGGERS:
        raise StorageError(f"the ledger needs a URL of {' or '.join(TRIGGERS)}, not {without_password(url)}")
    with storage_errors(url):
        if backend == "sqlite":
            engine = create_engine(url, hide_parameters=True, connect_args={"timeout": LOCK_SECONDS})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(
            url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS}
        )


def create_schema(engine: Engine, empty_head: Mapping[str, Any]) -> None:
    """Makes the tables that are missing; any number of processes may do so at once.

    The head is written with its table only: where the head of an existing ledger is missing, it was removed.
    """
    with engine.connect() as connection:
        if not _missing_tables(connection):
            return
    with _writer(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(SCHEMA_LOCK)))
        missing = _missing_tables(connection)
        metadata.create_all(connection)
        if events.name in missing:
            for statement in TRIGGERS[engine.dialect.name]:
                connection.exec_driver_sql(statement)
        if head.name in missing:
            connection.execute(insert(head).values(one=1, **empty_head))


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that took the ledger's write lock before it read anything; readers are not held up."""
    with _writer(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(LOCK_SECONDS * 1000)}ms'")
            connection.exec_driver_sql("LOCK TABLE anon_events IN EXCLUSIVE MODE")
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database, however long it reads."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turns the errors of the database into `StorageError`, in words that hold no password and no row."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageError(f"the ledger {without_password(url)} {_cause(error)}") from None


def _cause(error: SQLAlchemyError) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    code = str(getattr(original, "sqlite_errorname", None) or getattr(original, "pgcode", None) or "")
    for known, text in CAUSES:
        if code.startswith(known):
            return text
    if not code and type(original).__name__ == "OperationalError":
        return "cannot be reached; does the server run, and are host, user, password and database right?"
    return f"refused a statement ({type(original).__name__} {code})".replace(" )", ")")


def _missing_tables(connection: Connection) -> set[str]:
    inspector = inspect(connection)
    return {name for name in metadata.tables if not inspector.has_table(name)}


def _writer(engine: Engine) -> Engine:
    return engine.execution_options(anon_begin="BEGIN IMMEDIATE")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("anon_begin", "BEGIN"))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # a byte that was tampered with must reach the check of the seals, not end it
    connection.text_factory = lambda stored: stored.decode("utf-8", "surrogateescape")
    connection.isolation_level = None  # the driver would begin transactions late, after the first reads
    connection.execute("PRAGMA synchronous = FULL")  # an event that was reported survives a power failure
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # two processes that switch a new file at once: SQLite refuses one without waiting
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return

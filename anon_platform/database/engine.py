"""Engines and transactions on SQLite and PostgreSQL, for the ledger and the vault alike; no table is named here."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, func, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from anon_platform.database import without_password
from anon_platform.errors import StorageError

LOCK_SECONDS = 30
"""How long a writer waits for the others."""

CONNECT_SECONDS = 10

SCHEMA_LOCK = 0x616E6F6E
"""Advisory lock of PostgreSQL while tables are made ("anon" in ASCII)."""

BACKENDS = ("sqlite", "postgresql")

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
    ("SQLITE_NOTADB", "is damaged or is not a {thing}"),
    ("SQLITE_CORRUPT", "is damaged or is not a {thing}"),
)
"""Error codes of SQLite (by name) and PostgreSQL, and what to say instead of the driver's own text; thing: ledger or vault."""


def open_engine(url: str, thing: str, cache_kib: int = 2_000) -> Engine:
    """An engine whose transactions begin as ledger and vault need them; its errors hold no parameters.

    thing: what is kept there, `ledger` or `vault`, for messages. cache_kib: memory for pages of a SQLite file.
    """
    try:
        backend = make_url(url).get_backend_name()
    except (ArgumentError, ValueError):
        backend = ""
    if backend not in BACKENDS:
        raise StorageError(f"the {thing} needs a URL of {' or '.join(BACKENDS)}, not {without_password(url)}")
    with storage_errors(url, thing):
        if backend == "sqlite":
            engine = create_engine(url, hide_parameters=True, connect_args={"timeout": LOCK_SECONDS})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(
                engine, "connect", lambda opened, _: opened.execute(f"PRAGMA cache_size = -{cache_kib}")
            )
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(
            url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS}
        )


def missing_tables(engine: Engine, metadata: MetaData) -> set[str]:
    """The tables that are not there yet."""
    with engine.connect() as connection:
        return _missing(connection, metadata)


@contextmanager
def making_tables(engine: Engine, metadata: MetaData) -> Iterator[tuple[Connection, set[str]]]:
    """The transaction in which missing tables were made, and their names; any number of processes may do so at once."""
    with writer(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(SCHEMA_LOCK)))
        missing = _missing(connection, metadata)
        metadata.create_all(connection)
        yield connection, missing


@contextmanager
def writing(engine: Engine, locked: Sequence[str] = ()) -> Iterator[Connection]:
    """A transaction that took the write lock before it read anything; readers are not held up.

    SQLite locks its whole file; in PostgreSQL the tables `locked` are.
    """
    with writer(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(LOCK_SECONDS * 1000)}ms'")
            for table in locked:
                connection.exec_driver_sql(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database, however long it reads."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection


@contextmanager
def storage_errors(url: str, thing: str) -> Iterator[None]:
    """Turns the errors of the database into `StorageError`, in words that hold no password and no row."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageError(
            f"the {thing} {without_password(url)} {_cause(error).format(thing=thing)}"
        ) from None


def writer(engine: Engine) -> Engine:
    """The engine whose transactions write."""
    return engine.execution_options(anon_begin="BEGIN IMMEDIATE")


def _cause(error: SQLAlchemyError) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    code = str(getattr(original, "sqlite_errorname", None) or getattr(original, "pgcode", None) or "")
    for known, text in CAUSES:
        if code.startswith(known):
            return text
    if not code and type(original).__name__ == "OperationalError":
        return "cannot be reached; does the server run, and are host, user, password and database right?"
    return f"refused a statement ({type(original).__name__} {code})".replace(" )", ")")


def _missing(connection: Connection, metadata: MetaData) -> set[str]:
    inspector = inspect(connection)
    return {name for name in metadata.tables if not inspector.has_table(name)}


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

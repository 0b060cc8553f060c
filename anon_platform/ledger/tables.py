"""The tables of the ledger in SQLite and PostgreSQL: how they are made, locked and kept append-only."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Engine, Integer, MetaData, Table, Text, insert

from anon_platform.database.engine import making_tables, missing_tables
from anon_platform.database.engine import writing as writing_in
from anon_platform.ledger.audit import FIELDS

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


def create_schema(engine: Engine, empty_head: Mapping[str, Any]) -> None:
    """Makes the tables that are missing; any number of processes may do so at once.

    The head is written with its table only: where the head of an existing ledger is missing, it was removed.
    """
    if not missing_tables(engine, metadata):
        return
    with making_tables(engine, metadata) as (connection, missing):
        if events.name in missing:
            for statement in TRIGGERS[engine.dialect.name]:
                connection.exec_driver_sql(statement)
        if head.name in missing:
            connection.execute(insert(head).values(one=1, **empty_head))


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that took the ledger's write lock before it read anything; readers are not held up."""
    return writing_in(engine, [events.name])

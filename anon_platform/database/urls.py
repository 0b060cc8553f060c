"""Which database holds the audit ledger, Dagster's storage and the vault: PostgreSQL when named, SQLite otherwise."""

import os

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from anon_platform.errors import StorageError
from anon_platform.home import home

DRIVER = "postgresql+psycopg2"
POSTGRES_SCHEMES = {"postgres", "postgresql", DRIVER}


def database_url() -> str:
    """The SQLAlchemy URL of the ledger's database, password included: not for messages.

    `ANON_POSTGRES_URL` wins; then `PGHOST` and `PGDATABASE` (with `PGPORT`, `PGUSER` and `PGPASSWORD`, as
    libpq reads them); without these it is a SQLite file in `home()`.
    """
    if text := os.environ.get("ANON_POSTGRES_URL"):
        return _rendered(_parsed_postgres_url(text, "ANON_POSTGRES_URL"), "ANON_POSTGRES_URL")
    if os.environ.get("PGHOST") and os.environ.get("PGDATABASE"):
        return _rendered(_libpq_url(), "PGHOST, PGUSER or PGDATABASE")
    return _rendered(URL.create("sqlite", database=str(home() / "ledger.db")), "ANON_HOME")


def vault_url() -> str:
    """The SQLAlchemy URL of the vault of tokens, password included: not for messages.

    `ANON_VAULT_POSTGRES_URL` wins; then it lies where the ledger does when that is PostgreSQL, since machines that share
    a ledger have to share tokens; without these it is a SQLite file of its own in `home()`.
    """
    if text := os.environ.get("ANON_VAULT_POSTGRES_URL"):
        return _rendered(_parsed_postgres_url(text, "ANON_VAULT_POSTGRES_URL"), "ANON_VAULT_POSTGRES_URL")
    ledger = database_url()
    if make_url(ledger).get_backend_name() != "sqlite":
        return ledger
    return _rendered(URL.create("sqlite", database=str(home() / "vault.db")), "ANON_HOME")


def without_password(url: str) -> str:
    """`url` as it may be shown: no password, and of the options after `?` only the host.

    >>> without_password("postgresql+psycopg2://anon:secret@db:5432/ledger?sslpassword=secret")
    'postgresql+psycopg2://anon@db:5432/ledger'
    >>> without_password("postgresql://anon:se:cret@db:port/ledger")
    'a database URL that cannot be read'
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "a database URL that cannot be read"
    shown = URL.create(
        parsed.drivername,
        username=parsed.username,
        host=parsed.host,
        port=parsed.port,
        database=parsed.database,
        query={name: value for name, value in parsed.query.items() if name == "host"},
    )
    return shown.render_as_string(hide_password=True)


def _parsed_postgres_url(text: str, variable: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # their texts can hold a piece of an unquoted password
        url = None
    if url is None or url.drivername not in POSTGRES_SCHEMES:
        raise StorageError(
            f"{variable} is not a PostgreSQL URL; it looks like postgresql://user:password@host:5432/database,"
            " special characters of the password percent-encoded",
        )
    return url.set(drivername=DRIVER)


def _libpq_url() -> URL:
    host = os.environ["PGHOST"]
    port = os.environ.get("PGPORT") or "5432"
    if not port.isdecimal():
        raise StorageError("PGPORT is not a number")
    in_folder = host.startswith("/")  # the folder of a Unix socket
    return URL.create(
        DRIVER,
        username=os.environ.get("PGUSER") or None,
        password=os.environ.get("PGPASSWORD") or None,
        host=None if in_folder else host,
        port=int(port),
        database=os.environ["PGDATABASE"],
        query={"host": host} if in_folder else {},
    )


def _rendered(url: URL, origin: str) -> str:
    text = url.render_as_string(hide_password=False)
    if make_url(text) != url:  # a `?` in a name would silently become an option
        raise StorageError(f"{origin} has a character that cannot stand in a database URL, as `?`; rename it")
    return text

"""The state folder and the database URL."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from anon_platform.database import database_url, without_password
from anon_platform.errors import StorageError
from anon_platform.home import home

PASSWORD = "p@ss:w/rd?#%40 é"  # noqa: S105 - every character that a URL treats as its own


def test_home_is_made_for_the_current_user_only(anon_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and staged patient data lie below it."""
    monkeypatch.setenv("ANON_HOME", str(anon_home / "deep" / "state"))
    folder = home()
    assert folder == anon_home / "deep" / "state"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("value", [None, ""])
def test_home_is_a_folder_here_when_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """Absolute, so that a later change of the current folder does not start a second state."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANON_HOME") if value is None else monkeypatch.setenv("ANON_HOME", value)
    assert home() == tmp_path / ".anon"
    assert home().is_absolute()


def test_a_home_that_exists_keeps_its_mode(anon_home: Path) -> None:
    """An operator may have shared it with a group on purpose."""
    anon_home.chmod(0o750)
    assert stat.S_IMODE(home().stat().st_mode) == 0o750


def test_a_home_that_cannot_be_made_is_named(anon_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user has to know which folder to mend."""
    (anon_home / "file").touch()
    monkeypatch.setenv("ANON_HOME", str(anon_home / "file" / "state"))
    with pytest.raises(StorageError) as refusal:
        home()
    assert str(refusal.value) == (
        f"cannot make the folder {anon_home}/file/state; set ANON_HOME to a writable folder"
    )


def test_the_ledger_is_a_file_at_home_by_default(anon_home: Path) -> None:
    """Nothing has to be installed to try the platform."""
    assert database_url() == f"sqlite:///{anon_home}/ledger.db"


def test_a_home_that_no_url_can_name_is_refused(anon_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger would silently be written to another file."""
    monkeypatch.setenv("ANON_HOME", str(anon_home / "what?"))
    with pytest.raises(StorageError, match=r"^ANON_HOME has a character that cannot stand in a database URL"):
        database_url()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_the_postgres_url_wins_and_names_the_driver(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployments hand out any of these schemes; only one driver is installed."""
    monkeypatch.setenv("ANON_POSTGRES_URL", f"{scheme}://anon:secret@db:5433/ledger?sslmode=require")
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PGDATABASE", "other")
    assert database_url() == "postgresql+psycopg2://anon:secret@db:5433/ledger?sslmode=require"


@pytest.mark.parametrize(
    "url", ["mysql://anon:secret@db/ledger", "secret", "postgresql://anon:sec:ret@db:secret/x"]
)
def test_what_is_no_postgres_url_is_refused_without_repeating_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped URL holds the password all the same."""
    monkeypatch.setenv("ANON_POSTGRES_URL", url)
    with pytest.raises(StorageError, match=r"^ANON_POSTGRES_URL is not a PostgreSQL URL; ") as refusal:
        database_url()
    assert "secret" not in str(refusal.value)


@given(password=st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1))
def test_any_password_of_the_libpq_variables_survives_the_url(password: str) -> None:
    """Random passwords hold characters that a URL treats as its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "PGHOST": "::1",
            "PGPORT": "5433",
            "PGUSER": "a b@c",
            "PGPASSWORD": password,
            "PGDATABASE": "my ledger",
        }.items():
            patch.setenv(name, value)
        url = make_url(database_url())
    assert (url.drivername, url.host, url.port) == ("postgresql+psycopg2", "::1", 5433)
    assert (url.username, url.password, url.database) == ("a b@c", password, "my ledger")


def test_a_socket_folder_is_an_option_of_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """PGHOST may be a folder, which cannot stand where a host does."""
    monkeypatch.setenv("PGHOST", "/var/run/postgresql")
    monkeypatch.setenv("PGDATABASE", "ledger")
    assert make_url(database_url()).query == {"host": "/var/run/postgresql"}
    assert without_password(database_url()).endswith("?host=%2Fvar%2Frun%2Fpostgresql")


def test_half_of_the_libpq_variables_are_not_enough(anon_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lone PGHOST, set for another tool, must not move the ledger."""
    monkeypatch.setenv("PGHOST", "db")
    assert database_url() == f"sqlite:///{anon_home}/ledger.db"


def test_a_port_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better than the driver's own error, which shows the whole URL."""
    for name in ("PGHOST", "PGDATABASE", "PGPORT"):
        monkeypatch.setenv(name, "db")
    with pytest.raises(StorageError, match=r"^PGPORT is not a number$"):
        database_url()


def test_messages_never_hold_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither as itself nor percent-encoded."""
    monkeypatch.setenv("PGHOST", "db")
    monkeypatch.setenv("PGDATABASE", "ledger")
    monkeypatch.setenv("PGUSER", "anon")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert without_password(database_url()) == "postgresql+psycopg2://anon@db:5432/ledger"

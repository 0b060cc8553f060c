"""Every test has a folder of its own, a known instance key and no way to a real database."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from anon_platform.cli import main
from anon_platform.database import database_url
from anon_platform.ledger import Ledger
from anon_platform_tests.postgres import fresh_database, postgres_server
from anon_platform_tests.typed import Typed

settings.register_profile("tests", deadline=None)  # a slow machine is not a failure
settings.load_profile("tests")

TEST_INSTANCE_KEY = "b7c1f0a93d5e48261f7a0c9d84e35b6290ad13f7c6482e5b9071d3ea5c8f4602"


@pytest.fixture(autouse=True)
def anon_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The `ANON_HOME` of this test, with `ANON_KEY_INSTANCE` set and everything else of ours unset."""
    for name in os.environ:
        if name.startswith(("ANON_", "PG")):
            monkeypatch.delenv(name)
    folder = tmp_path / "anon_home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("ANON_HOME", str(folder))
    monkeypatch.setenv("ANON_KEY_INSTANCE", TEST_INSTANCE_KEY)
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of this test run; `fresh_database(postgres_url)` makes an empty database on it."""
    try:
        with postgres_server() as url:
            yield url
    except FileNotFoundError as error:
        pytest.fail(str(error))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database, which `Ledger.open()` finds by itself."""
    if request.param == "postgresql":
        monkeypatch.setenv("ANON_POSTGRES_URL", fresh_database(request.getfixturevalue("postgres_url")))
    return database_url()


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    """An empty ledger, on each kind of database."""
    with Ledger.open() as opened:
        yield opened


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """A command typed in this process, which is quicker: exit code, standard output, standard error."""

    def main_with(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["anon", *map(str, arguments)])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        said = capsys.readouterr()
        return int(str(code)), said.out, said.err

    return main_with

"""Every test has a folder of its own, a known instance key and no way to a real database."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from anon_platform_tests.postgres import postgres_server

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

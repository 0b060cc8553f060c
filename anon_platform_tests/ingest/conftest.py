"""What a faulty source says, for the tests of ingestion."""

from collections.abc import Callable
from pathlib import Path

import pytest

from anon_platform.errors import AnonError, PolicyError, SourceError
from anon_platform.pipeline import run
from anon_platform_tests.ingest.sources import CANARY


@pytest.fixture
def message(anon_home: Path) -> Callable[[Path], str]:
    """Runs a policy that has to fail, and gives what is said. No cell is in it, and nothing is left behind."""

    def of(file: Path) -> str:
        with pytest.raises(AnonError) as caught:
            run(file)
        assert caught.value.__context__ is None or isinstance(caught.value.__context__, AnonError)
        said = str(caught.value)
        assert CANARY not in said
        assert not (anon_home / "releases").exists()
        staged = [path.name for path in anon_home.glob("staging/**/*") if path.is_file()]
        assert set(staged) <= {"lock", "current.json"}, staged
        for path in anon_home.rglob("*"):
            assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
        expected = SourceError if isinstance(caught.value, SourceError) else PolicyError
        assert isinstance(caught.value, expected)
        return said.replace(f"{file}", "POLICY")

    return of

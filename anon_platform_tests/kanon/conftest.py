"""The command, typed, and a folder of hierarchies."""

import sys
from pathlib import Path

import pytest

from anon_platform.cli import main
from anon_platform_tests.kanon.tables import AGES, SEXES, TOWNS, Typed


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """A command typed in this process: exit code, standard output, standard error."""

    def kanon(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["anon", "kanon", *map(str, arguments)])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        said = capsys.readouterr()
        return int(str(code)), said.out, said.err

    return kanon


@pytest.fixture
def hierarchies(tmp_path: Path) -> Path:
    """One file a quasi-identifier, in each of the ways a file may be called and written."""
    folder = tmp_path / "hierarchies"
    folder.mkdir()
    (folder / "age.csv").write_text(AGES, encoding="utf-8")
    (folder / "study_hierarchy_sex.csv").write_text(SEXES, encoding="utf-8-sig")
    (folder / "town.csv").write_text(TOWNS, encoding="utf-8")
    return folder

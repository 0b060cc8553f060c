"""The command, typed, and a folder of hierarchies."""

from functools import partial
from pathlib import Path

import pytest

from anon_platform_tests.kanon.tables import AGES, SEXES, TOWNS
from anon_platform_tests.typed import Typed


@pytest.fixture
def typed(typed: Typed) -> Typed:
    """`anon kanon`, typed."""
    return partial(typed, "kanon")


@pytest.fixture
def hierarchies(tmp_path: Path) -> Path:
    """One file a quasi-identifier, in each of the ways a file may be called and written."""
    folder = tmp_path / "hierarchies"
    folder.mkdir()
    (folder / "age.csv").write_text(AGES, encoding="utf-8")
    (folder / "study_hierarchy_sex.csv").write_text(SEXES, encoding="utf-8-sig")
    (folder / "town.csv").write_text(TOWNS, encoding="utf-8")
    return folder

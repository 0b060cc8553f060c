"""What finds otherwise has another version; what reads otherwise has not."""

import shutil
from pathlib import Path

import pytest

from anon_platform.text import code_version as module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code that finds."""
    copy = tmp_path / "text"
    shutil.copytree(module.FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "FOLDER", copy)
    return copy


def version(model: str = "") -> str:
    """Computed anew."""
    return module.code_version.__wrapped__(model)


def changed(file: Path, old: str, new: str) -> None:
    """The file with another text in it."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_comments_docstrings_and_what_only_measures_or_replaces_do_not_count(folder: Path) -> None:
    """Else notes would have to be read again for a comma."""
    before = version()
    changed(folder / "spans.py", '"""Spans of a text', '"""Some spans of a text')
    changed(folder / "spans.py", "WEAK = ", "# why\n\n\nWEAK = ")
    changed(folder / "evaluate.py", "RESAMPLES = 1_000", "RESAMPLES = 7")
    changed(folder / "surrogates.py", "TRIES = 20", "TRIES = 2")
    (folder / "data" / "surrogates.txt").write_text("x", encoding="utf-8")
    (folder / "data" / "LICENSES.md").write_text("x", encoding="utf-8")
    assert version() == before


def test_code_word_lists_and_libraries_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the rules of names, which are no list of surrogates."""
    seen = {version(), version("no-such-model")}
    changed(folder / "replace.py", "KEPT_AGE = 89", "KEPT_AGE = 90")
    seen.add(version())
    changed(folder / "rules" / "names.py", "import re\n", "import re\n\nX = 1\n")
    seen.add(version())
    (folder / "data" / "given.txt.gz").write_bytes(b"x")
    seen.add(version())
    (folder / "rules" / "ages.py").rename(folder / "rules" / "years.py")
    seen.add(version())
    monkeypatch.setattr(module, "version", lambda _package: "99")
    seen.add(version())
    assert len(seen) == 7

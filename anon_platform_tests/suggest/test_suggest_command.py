"""`anon suggest` as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from anon_platform.cli import Exit, main


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    lines = [f"p{i % 150},{20 + i % 60},{'FM'[i % 2]},{60600 + i % 9},I{10 + i % 20}" for i in range(300)]
    file = tmp_path / "visits.csv"
    file.write_text("patient_id,age,sex,zip,dx\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def typed(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["anon", "suggest", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_the_policy_is_written_and_checked(visits: Path, tmp_path: Path) -> None:
    """In a process of its own, since the command line imports nothing before it is needed."""
    anon = str(Path(sys.executable).parent / "anon")
    out = tmp_path / "policies" / "visits.yaml"
    done = subprocess.run([anon, "suggest", visits, "-o", out], capture_output=True, text=True, check=True)
    assert "0 columns to look at" in done.stdout
    assert "does not run" not in done.stderr
    assert subprocess.run([anon, "check", out], capture_output=True, check=False).returncode == 0


def test_json_is_nothing_but_json(
    visits: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Machines read it; without -o nothing is written."""
    assert typed(monkeypatch, visits, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["name"]: one["kind"] for one in told["columns"]} == {
        "patient_id": "person_key", "age": "age", "sex": "sex", "zip": "postcode", "dx": "diagnosis",
    }  # fmt: skip
    assert told["privacy_unit"]["column"] == "patient_id"
    assert list(visits.parent.glob("*.yaml")) == []


def test_without_a_file_the_policy_is_printed(
    visits: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To read it first, or to pass it on."""
    assert typed(monkeypatch, visits) == 0
    assert "\nversion: 1\n" in capsys.readouterr().out


def test_what_exists_is_refused_before_the_source_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits minutes for that."""
    (tmp_path / "t.yaml").write_text("mine")
    assert typed(monkeypatch, tmp_path / "none.csv", "-o", tmp_path / "t.yaml") == Exit.STORAGE
    assert typed(monkeypatch, tmp_path / "none.csv", "-o", tmp_path / "t.yaml", "--force") == Exit.SOURCE

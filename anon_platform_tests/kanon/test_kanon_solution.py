"""A solution file: new rows leave as the old ones did, or say nothing."""

import json
from pathlib import Path

import pytest

from anon_platform.cli import Exit
from anon_platform_tests.kanon.tables import ASKED, QI, as_csv, people, read
from anon_platform_tests.typed import Typed

pytestmark = pytest.mark.parametrize("model", ["local", "full", "intervals"])


@pytest.fixture
def solved(tmp_path: Path, typed: Typed, hierarchies: Path, model: str) -> Path:
    """A solution of 300 people, and its release in `out.csv`."""
    data = as_csv(tmp_path / "data.csv", people(300))
    solution = tmp_path / "found.json"
    code, _, err = typed(
        data, "--hierarchies", hierarchies, *ASKED, "--model", model, "--suppression", 0.1, "--sensitive", "illness",
        "--l", 2, "--solution", solution, "-o", tmp_path / "out.csv",
    )  # fmt: skip
    assert code == 0, err
    return solution


def test_the_old_rows_leave_as_they_did(
    tmp_path: Path, typed: Typed, hierarchies: Path, solved: Path, model: str
) -> None:
    """The same function of the values, so the same file; what was suppressed is told by row."""
    again = tmp_path / "again.csv"
    code, said, err = typed(
        tmp_path / "data.csv", "--hierarchies", hierarchies, "--apply", solved, "-o", again, "--json"
    )
    assert code == 0, err
    first, told = read(tmp_path / "out.csv"), json.loads(said)
    if model == "full":
        assert again.read_bytes() == (tmp_path / "out.csv").read_bytes()
    stars = [i for i, row in enumerate(read(again), 1) if {row[name] for name in QI} == {"*"}]
    assert told["uncovered_row_numbers"] == stars
    assert told["uncovered_rows"] == len(stars)
    assert [row["illness"] for row in read(again)] == [row["illness"] for row in first]


def test_new_rows_get_labels_that_left_before_or_stars(
    tmp_path: Path, typed: Typed, hierarchies: Path, solved: Path, model: str
) -> None:
    """A value that nobody had seen, or a class that did not leave, is told by row number and not quoted."""
    before = {tuple(row[name] for name in QI) for row in read(tmp_path / "out.csv")}
    new = people(400)[300:]
    new[3]["town"] = "Atlantis"
    new[5]["age"] = ""
    data, out = as_csv(tmp_path / "new.csv", new), tmp_path / "new_out.csv"
    code, said, err = typed(
        data, "--hierarchies", hierarchies, "--apply", solved, "--keep", "id", "-o", out, "--json"
    )
    assert code == 0, err
    left = read(out)
    assert [row["id"] for row in left] == [str(row["id"]) for row in new]
    assert list(left[0]) == ["id", "age", "sex", "town", "illness"]
    labels = [tuple(row[name] for name in QI) for row in left]
    assert set(labels) <= before | {("*", "*", "*")}
    stars = [i for i, label in enumerate(labels, 1) if label == ("*", "*", "*")]
    assert {4, 6} <= set(stars)
    assert len(stars) < 90
    assert json.loads(said)["uncovered_row_numbers"] == stars
    assert "Atlantis" not in said + err
    shown = typed(data, "--hierarchies", hierarchies, "--apply", solved, "-o", out, "--force")[1]
    assert f"{len(stars)} rows fit no class" in " ".join(shown.split())


def test_a_solution_holds_labels_and_no_original_combination(
    tmp_path: Path, solved: Path, model: str
) -> None:
    """It may travel with the release."""
    held = json.loads(solved.read_text())
    assert (held["version"], held["model"], held["k"]) == (1, model, 4)
    assert set(held["hierarchies"]) == set(QI)
    assert "300" not in solved.read_text()
    assert solved.stat().st_size < 100_000


def test_hierarchies_that_changed_are_refused(
    tmp_path: Path, typed: Typed, hierarchies: Path, solved: Path, model: str
) -> None:
    """The same label could mean something else."""
    file = hierarchies / "town.csv"
    file.write_text(file.read_text(encoding="utf-8") + "\nRom,south,*", encoding="utf-8")
    code, _, err = typed(
        tmp_path / "data.csv", "--hierarchies", hierarchies, "--apply", solved, "-o", tmp_path / "x.csv"
    )
    assert code == Exit.POLICY
    assert "town.csv changed since the solution was made" in " ".join(err.split())


@pytest.mark.parametrize("damage", ["{", "[]", '{"version": 2}'])
def test_what_is_no_solution_is_refused(
    tmp_path: Path, typed: Typed, hierarchies: Path, solved: Path, damage: str, model: str
) -> None:
    """One message and no traceback; also where a part of it is gone."""
    always = (
        tmp_path / "data.csv",
        "--hierarchies",
        hierarchies,
        "--apply",
        solved,
        "-o",
        tmp_path / "x.csv",
    )
    whole = json.loads(solved.read_text())
    solved.write_text(damage)
    code, _, err = typed(*always)
    assert code == Exit.POLICY
    assert "is no solution of this version" in " ".join(err.split())
    solved.write_text(json.dumps({**whole, "found": {}}))
    code, _, err = typed(*always)
    assert code == Exit.POLICY
    assert "the solution is damaged" in " ".join(err.split())
    assert not (tmp_path / "x.csv").exists()

"""`anon attack` on a release folder and a file of one's own."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from anon_platform.cli.app import app
from anon_platform.errors import IntegrityError, PolicyError, SourceError
from anon_platform.pipeline import run
from anon_platform_tests.clinic import make_clinic, write_csv

KNOWN = ["diagnosis", "result", "stay", "again"]
"""Columns that leave as they are: nothing in the policy protects against who knows them."""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release of the clinic."""
    return Path(run(make_clinic(tmp_path, model=None)).validated.path)


def rows_of(release: Path) -> pl.DataFrame:
    """The released rows in the order of the files."""
    return pl.read_parquet(sorted((release / "data").glob("*.parquet")))


def told(*words: object) -> Any:
    """What the command prints as JSON."""
    result = CliRunner().invoke(app, ["attack", *map(str, words), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def write_known(release: Path, folder: Path) -> pl.DataFrame:
    """An attacker's file of what is known of every released row, and the truth of it."""
    rows = rows_of(release).select(KNOWN)
    # a missing value is one that the attacker does not know
    people = [(f"X{i}", *(str(cell or "") for cell in row)) for i, row in enumerate(rows.rows())]
    write_csv(folder / "mine.csv", people, ("who", *KNOWN))
    write_csv(folder / "pairs.csv", [(person[0], str(i)) for i, person in enumerate(people)], ("who", "row"))
    return rows


def test_claims_are_right_for_exactly_the_rows_that_stand_alone(release: Path, tmp_path: Path) -> None:
    """Counted again from the released file by grouping; whoever does not know a value has more candidates."""
    rows = write_known(release, tmp_path).with_row_index("i")
    attacked = told(
        release, "--external", tmp_path / "mine.csv", "--id", "who", "--truth", tmp_path / "pairs.csv"
    )
    exact, aware = attacked["found"]
    whole = rows.filter(pl.col("result").is_not_null())
    alone = whole.filter(pl.len().over(KNOWN) == 1).height
    others = rows.filter(pl.col("result").is_null())
    for row in others.select("diagnosis", "stay", "again").rows():
        same = rows.filter(diagnosis=row[0], stay=row[1], again=row[2])
        alone += same.height == 1
    assert exact["claims"] == aware["claims"] == exact["certain"]["successes"] == alone > 0
    assert exact["precision"]["value"] == 1.0
    assert exact["recall"]["n"] == rows.height == attacked["total"]
    assert attacked["unit"] == "row"
    assert attacked["truth"]


def test_generalized_columns_are_matched_by_the_levels_in_the_manifest(release: Path, tmp_path: Path) -> None:
    """Every value finds the label that covers it, from the release alone; two ways, or three when asked."""
    write_csv(
        tmp_path / "voters.csv",
        [("F", "60614", "1950-03-01"), ("M", "99999", "1800-01-01")],
        ("gender", "place", "born"),
    )
    words = [
        release,
        "--external",
        tmp_path / "voters.csv",
        "--columns",
        "sex=gender",
        "--years",
        "age=born:2008-2008",
    ]
    found = told(*words)["found"]
    assert [each["way"] for each in found] == ["exact", "generalization-aware"]
    assert found[1]["matched"] >= 1
    assert found[1]["claims"] == 0
    assert len(told(*words, "--probabilistic")["found"]) == 3


def test_the_table_says_what_was_counted_and_what_is_not_known(release: Path, tmp_path: Path) -> None:
    """A reader without statistics; nobody's value is printed."""
    write_known(release, tmp_path)
    words = ["attack", str(release), "--external", str(tmp_path / "mine.csv")]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "140"})
    assert result.exit_code == 0, result.output
    for text in ("exactly one row", "generalization-aware", "Rows are counted", "not known without --truth"):
        assert text in result.output
    assert "gout" not in result.output
    with_truth = [*words, "--id", "who", "--truth", str(tmp_path / "pairs.csv")]
    assert "precision" in CliRunner().invoke(app, with_truth, env={"COLUMNS": "160"}).output


def test_a_released_column_that_tells_people_apart_makes_people_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person with several equal rows is one candidate, where a pseudonym says that they are one."""
    (tmp_path / "a").mkdir()
    file = make_clinic(
        tmp_path / "a", model=None, privacy_unit={"one_row": True},
        columns={"patient": {"role": "direct_identifier", "treat": {"technique": "pseudonymize", "key": "people"}}},
    )  # fmt: skip
    monkeypatch.setenv("ANON_KEY_PEOPLE", "5f1b0a93d5e48261f7a0c9d84e35b6290ad13f7c6482e5b9071d3ea5c8f46021")
    lines = (tmp_path / "a" / "source" / "visits.csv").read_text().splitlines()
    seen: set[str] = set()
    kept = [line for line in lines if line.split(",")[1] not in seen and not seen.add(line.split(",")[1])]  # type: ignore[func-returns-value]
    (tmp_path / "a" / "source" / "visits.csv").write_text("\n".join(kept) + "\n")
    release = Path(run(file).validated.path)
    rows = rows_of(release)
    people = [(f"X{i}", row[0], str(row[1])) for i, row in enumerate(rows.select("patient", "stay").rows())]
    write_csv(tmp_path / "mine.csv", people, ("who", "patient", "stay"))
    attacked = told(
        release, "--external", tmp_path / "mine.csv", "--columns", "stay=stay", "--id", "who", "--person", "patient",
        "--truth", tmp_path / "mine.csv",
    )  # fmt: skip
    assert attacked["unit"] == "patient"
    assert attacked["found"][0]["recall"]["n"] == rows.height


def test_what_cannot_be_attacked_is_said_with_the_way_out(release: Path, tmp_path: Path) -> None:
    """Never an empty table that looks like safety."""
    mine = tmp_path / "mine.csv"
    with pytest.raises(IntegrityError, match=r"no manifest\.json in"):
        told(tmp_path, "--external", mine)
    with pytest.raises(SourceError, match=r"no file .*mine\.csv; name a CSV or Parquet file"):
        told(release, "--external", mine)
    write_csv(mine, [("F",)], ("gender",))
    with pytest.raises(PolicyError, match="no column of the same name; say which belong together"):
        told(release, "--external", mine)
    with pytest.raises(PolicyError, match="the release has no column name"):
        told(release, "--external", mine, "--columns", "name=gender")
    with pytest.raises(PolicyError, match=r"mine.csv has no column sexx; it has gender"):
        told(release, "--external", mine, "--columns", "sex=sexx")
    with pytest.raises(PolicyError, match="say which with --id"):
        told(release, "--external", mine, "--columns", "sex=gender", "--truth", mine)
    result = CliRunner().invoke(app, ["attack", str(release), "--external", str(mine), "--years", "age=born"])
    assert result.exit_code == 2


def test_texts_that_are_alike_agree_when_asked(release: Path, tmp_path: Path) -> None:
    """A typing error in a name hides nobody; without the option it does."""
    rows = rows_of(release)
    misspelt = rows["diagnosis"].replace("gout", "gowt").to_list()
    write_csv(
        tmp_path / "mine.csv",
        [(text, str(stay)) for text, stay in zip(misspelt, rows["stay"], strict=True)],
        ("diagnosis", "stay"),
    )
    words = [release, "--external", tmp_path / "mine.csv"]
    without, alike = told(*words)["found"][1], told(*words, "--similar", "diagnosis=0.8")["found"][1]
    assert without["matched"] == rows.filter(pl.col("diagnosis") != "gout").height
    assert alike["matched"] == rows.height
    with pytest.raises(PolicyError, match="column sex is not compared"):
        told(*words, "--similar", "sex=0.8")
    wrong = ["attack", str(release), "--external", str(tmp_path / "mine.csv"), "--similar", "diagnosis=2"]
    assert CliRunner().invoke(app, wrong).exit_code == 2

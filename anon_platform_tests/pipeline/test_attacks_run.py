"""Attacks in a run: what is found decides over the release, and its files are part of what the release is."""

import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anon_platform.errors import SourceError
from anon_platform.pipeline import STAGES, plan, run
from anon_platform.pipeline.stages import raw
from anon_platform.policy import FaultyPolicyError, load_policy
from anon_platform_tests.clinic import make_clinic, visits, write_csv
from anon_platform_tests.pipeline.test_tables_run import policy_of, write, write_tables

LINKAGE: dict[str, Any] = {
    "name": "voter list",
    "external": {"format": "csv", "path": "voters", "id": "voter"},
    "columns": {"sex": "gender", "zip": "place"},
    "years": {"age": {"since": "born", "in_years": [2008, 2008]}},
    "before": {"name": "called", "sex": "gender"},
    "truth": {"format": "csv", "path": "truth", "external": "voter", "person": "patient"},
    "people": 100,
    "max_certain": 0.2,
    "max_recall": 0.3,
}


def voter_list(folder: Path, strangers: int = 40) -> None:
    """A hundred patients with name, sex, place and birth date, as many strangers as wanted, and the truth."""
    rng = random.Random(3)
    known = {row[1]: row for row in visits()}
    voters = [
        (f"L{i:03d}", row[2], row[4], row[5], f"{2007 - int(row[3])}-12-31")
        for i, row in enumerate(list(known.values())[:100])
    ]
    truth = [(voter[0], patient) for voter, patient in zip(voters, known, strict=False)]
    voters += [
        (f"S{i:03d}", f"Other{i}", rng.choice("FM"), "60614", f"{rng.randint(1910, 1990)}-06-01")
        for i in range(strangers)
    ]
    rng.shuffle(voters)
    write_csv(folder / "voters" / "list.csv", voters, ("voter", "called", "gender", "place", "born"))
    write_csv(folder / "truth" / "pairs.csv", truth, ("voter", "patient"))


def clinic(folder: Path, **changes: Any) -> Path:
    """The clinic with a linkage; `changes` replaces its settings."""
    voter_list(folder)
    return make_clinic(folder, model=None, attacks={"seed": 1, "linkage": [LINKAGE | changes]})


def told(outcome: Any) -> dict[str, Any]:
    """What the linkage found."""
    attacks: dict[str, Any] = outcome.validated.assessment.detail["attacks"]
    return attacks["linkage"][0]


@pytest.mark.parametrize("model", ["full_domain", "local"])
def test_what_names_find_on_the_raw_data_the_release_does_not_show(tmp_path: Path, model: str) -> None:
    """Before: everybody on the list by name, and no stranger; after: nobody for certain, in both recodings."""
    voter_list(tmp_path)
    attacks = {"seed": 1, "linkage": [LINKAGE | {"people": 1000}]}
    outcome = run(make_clinic(tmp_path, model=None, attacks=attacks, recoding={"model": model}))
    assert outcome.released, outcome.validated.assessment
    found = told(outcome)
    before, after = found["before"][0], found["after"]
    assert (before["recall"]["successes"], before["recall"]["n"]) == (100, 100)
    assert (before["precision"]["successes"], before["precision"]["n"]) == (100, 100)
    assert found["people"] == 140
    assert [each["way"] for each in after] == ["exact", "generalization-aware", "probabilistic"]
    aware = after[1]
    # nobody of the data is outside the classes that cover him, but for those who were suppressed
    assert aware["matched"] > 90
    assert aware["claims"] == 0
    assert aware["chance"] <= aware["picked"] <= 1 / 3
    report = (Path(outcome.validated.path) / "report.html").read_text(encoding="utf-8")
    assert "certain re-identification by voter list" in report
    assert "Name7" not in report
    assert "Name7" not in (Path(outcome.validated.path) / "assessment.json").read_text(encoding="utf-8")


def test_a_linkage_that_finds_more_than_allowed_refuses_the_release(tmp_path: Path) -> None:
    """The upper end of the interval counts: a hundred people of whom none is found prove no share below 2 %."""
    outcome = run(clinic(tmp_path, max_certain=0.02, max_recall=0.5))
    assert not outcome.released
    missed = [metric.name for metric in outcome.validated.assessment.missed()]  # type: ignore[union-attr]
    assert missed == ["certain re-identification by voter list"]


def test_another_file_or_truth_makes_another_release(tmp_path: Path) -> None:
    """A list with more people may find more: the release of the shorter list must not be found again."""
    file = clinic(tmp_path)
    first = raw(file).release_id
    assert raw(file).release_id == first
    voter_list(tmp_path, strangers=41)
    second = raw(file).release_id
    pairs = tmp_path / "truth" / "pairs.csv"
    pairs.write_text(pairs.read_text().replace("L001,", "L999,"))
    assert len({first, second, raw(file).release_id}) == 3


def test_a_file_that_changes_during_the_run_is_an_error(tmp_path: Path) -> None:
    """What was attacked would not be what the release is named after."""
    from anon_platform.pipeline import STAGES

    file = clinic(tmp_path)
    for name in ("raw", "analyzed", "anonymized"):
        STAGES[name](file, lambda *_: None)
    voter_list(tmp_path, strangers=3)
    with pytest.raises(SourceError, match="a file of the attacks changed since the run began; run again"):
        STAGES["validated"](file, lambda *_: None)


def test_a_truth_that_names_nobody_is_an_error(tmp_path: Path) -> None:
    """No claim could be right: everything would look safe."""
    file = clinic(tmp_path)
    write_csv(tmp_path / "truth" / "pairs.csv", [("L000", "nobody")], ("voter", "patient"))
    with pytest.raises(SourceError, match="names nobody who is in the external file and in the source"):
        run(file)


def test_missing_files_and_columns_are_told_before_anything_is_read(tmp_path: Path) -> None:
    """An attack that cannot be run never lets a release pass, and the policy's author hears of it first."""
    file = clinic(
        tmp_path, columns={"sex": "sexx"}, external={"format": "csv", "path": "nowhere", "id": "voter"}
    )
    with pytest.raises(
        FaultyPolicyError, match=r"attacks.linkage\[0\].external.path: no csv file at path nowhere"
    ):
        plan(file)
    with pytest.raises(
        FaultyPolicyError, match=r"columns.sex: the file has no such column; it has voter, called"
    ):
        plan(clinic(tmp_path, columns={"sex": "sexx"}))


def test_staging_holds_what_the_attack_on_the_raw_data_needs_and_nobody_else(tmp_path: Path) -> None:
    """Names are copied for the attack, and leave neither with the release nor in its manifest."""
    file = clinic(tmp_path)
    assert "name" in load_policy(file).staged
    outcome = run(file)
    manifest = json.loads((Path(outcome.validated.path) / "manifest.json").read_text())
    assert "name" not in manifest["columns"]
    assert manifest["rests_on_manifest"][-1].startswith("the attacks: ")
    assert "name" not in load_policy(make_clinic(tmp_path)).staged


PEOPLE: dict[str, Any] = {
    "singling_out": {"columns": ["age", "sex", "zip"], "together": 2, "attempts": 60, "at_most": 1.0},
    "linkability": {"one": ["age", "diagnosis"], "other": ["sex", "stay"], "attempts": 80, "at_most": 1.0},
    "inference": {"known": ["age", "sex"], "secrets": ["diagnosis", "stay"], "attempts": 80, "at_most": 1.0},
}


def risks_of(outcome: Any) -> dict[str, Any]:
    """By measure the risk with both rates, of the attacks on people."""
    detail = outcome.validated.assessment.detail["attacks"]
    return {name: risk for attack in PEOPLE for name, risk in detail[attack]["risks"].items()}


@pytest.mark.parametrize("model", ["full_domain", "local"])
def test_attacks_on_people_are_run_beside_control_people_where_there_are_some(
    tmp_path: Path, model: str
) -> None:
    """Control people are drawn like the others here, so that hardly anything is due to the release."""
    write_csv(tmp_path / "others" / "visits.csv", visits(patients=240, seed=9))
    attacks = {
        "seed": 1,
        "control": {"format": "csv", "path": "others", "missing_values": ["", "?"]},
        **PEOPLE,
    }
    outcome = run(make_clinic(tmp_path, model=None, attacks=attacks, recoding={"model": model}))
    assert outcome.released, outcome.validated.assessment
    risks = risks_of(outcome)
    assert set(risks) == {"singling out", "linkability", "inference of diagnosis", "inference of stay"}
    assert risks["linkability"]["main"]["n"] == risks["linkability"]["control"]["n"] == 80
    assert all(risk["low"] <= 0.25 for risk in risks.values()), risks
    assert outcome.validated.assessment.detail["attacks"]["inference"]["control"] == "control people"


def test_without_control_people_the_success_itself_is_the_risk(tmp_path: Path) -> None:
    """Nothing is taken off but, from guessed secrets, what the commonest value gets."""
    outcome = run(make_clinic(tmp_path, model=None, attacks={"seed": 1, **PEOPLE}))
    risks = risks_of(outcome)
    assert risks["linkability"]["value"] == risks["linkability"]["main"]["value"]
    assert risks["inference of diagnosis"]["control"]["value"] > 0.1
    few = {"singling_out": {"columns": ["sex"], "together": 2, "attempts": 60, "at_most": 1.0}}
    with pytest.raises(FaultyPolicyError, match="a predicate is over 2 columns"):
        plan(make_clinic(tmp_path, attacks={"seed": 1, **few}))


def test_a_column_that_leaves_as_it_is_gives_its_people_away(tmp_path: Path) -> None:
    """The number of a visit left in the release singles everybody out, and links whatever stands beside it."""
    columns = {"visit": {"role": "insensitive"}}
    attack = {"columns": ["visit", "sex"], "together": 2, "attempts": 100, "at_most": 0.5}
    linkability = {"one": ["visit", "sex"], "other": ["stay", "visit"], "attempts": 100, "at_most": 0.5}
    with pytest.raises(FaultyPolicyError, match="in both parts"):
        plan(make_clinic(tmp_path, columns=columns, attacks={"seed": 1, "linkability": linkability}))
    outcome = run(
        make_clinic(tmp_path, model=None, columns=columns, attacks={"seed": 1, "singling_out": attack})
    )
    assert not outcome.released
    missed = outcome.validated.assessment.missed()  # type: ignore[union-attr]
    assert [metric.name for metric in missed] == ["singling out"]
    assert missed[0].value is not None
    assert missed[0].value > 0.9


def test_membership_in_the_training_of_the_model_is_measured(tmp_path: Path) -> None:
    """Equally many people on both sides; a threshold below a coin is missed by every model."""
    asked = {"people": 100, "max_auc": 0.3}
    outcome = run(make_clinic(tmp_path, attacks={"seed": 1, "membership": asked}))
    assert not outcome.released
    told = outcome.validated.assessment.detail["attacks"]["membership"]
    assert told["members"] == told["others"] == 100
    assert told["auc"][1] <= told["auc"][0] <= told["auc"][2] <= 1
    missed = outcome.validated.assessment.missed()  # type: ignore[union-attr]
    assert [metric.name for metric in missed] == ["membership attack on the model"]


def test_a_table_of_several_is_attacked_with_a_file_and_its_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same people in every table: whoever is known by name is found in the raw table, and not in the released one."""
    monkeypatch.setenv("ANON_KEY_CODES", bytes(range(32)).hex())
    monkeypatch.setenv("ANON_KEY_SHIFTS", bytes(range(70, 102)).hex())
    write_tables(tmp_path)
    people = pl.read_parquet(tmp_path / "patients.parquet").rows()
    write_csv(
        tmp_path / "voters.csv",
        [(f"L{i}", row[3], row[2]) for i, row in enumerate(people)],
        ("voter", "called", "gender"),
    )
    write_csv(tmp_path / "truth.csv", [(f"L{i}", row[0]) for i, row in enumerate(people)], ("voter", "who"))
    linkage = {
        "name": "voters", "external": {"format": "csv", "path": "voters.csv", "id": "voter"},
        "columns": {"sex": "gender"}, "before": {"name": "called"}, "max_recall": 0.1,
        "truth": {"format": "csv", "path": "truth.csv", "external": "voter", "person": "who"},
    }  # fmt: skip
    file = write(tmp_path, policy_of(patients={"attacks": {"seed": 1, "linkage": [linkage]}}))
    outcome = run(file)
    assert outcome.released, outcome.validated.assessment
    table = Path(outcome.validated.path) / "tables" / "patients"
    found = json.loads((table / "assessment.json").read_text())["detail"]["attacks"]["linkage"][0]
    assert found["before"][0]["recall"]["value"] == 1.0
    assert found["after"][1]["claims"] == 0
    assert "Linkage with the voters" in (table / "report.html").read_text(encoding="utf-8")
    first = Path(outcome.validated.path).name
    write_csv(
        tmp_path / "truth.csv", [(f"L{i}", row[0]) for i, row in enumerate(people[:50])], ("voter", "who")
    )
    assert STAGES["raw"](file, lambda *_: None).release_id != first

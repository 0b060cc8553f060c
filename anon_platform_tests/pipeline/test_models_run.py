"""Privacy models, populations, attackers and linked rows, from the policy's file to a release or its refusal."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from anon_platform.anonymize.k_anonymity import solve
from anon_platform.errors import PolicyError, SourceError
from anon_platform.pipeline import STAGES, plan, run, verify
from anon_platform.policy import load_policy
from anon_platform.validate import Metric
from anon_platform_tests.clinic import POLICY, make_clinic, visits, write_csv

KEY = "5f1b0a93d5e48261f7a0c9d84e35b6290ad13f7c6482e5b9071d3ea5c8f46021"
THRESHOLDS: dict[str, Any] = yaml.safe_load(POLICY)["thresholds"]
MODELS: dict[str, Any] = {
    "result": [
        {"model": "entropy_l", "l": 1.2},
        {"model": "t_closeness", "distance": "ordered", "t": 0.9, "order": ["low", "high"]},
        {"model": "t_closeness", "distance": "hierarchical", "t": 0.9, "hierarchy": {"kind": "csv", "file": "result.csv"}},
    ],
    "diagnosis": [{"model": "beta_likeness", "beta": 20.0, "enhanced": False}],
}  # fmt: skip
POPULATION = {
    "format": "csv",
    "path": "voters",
    "columns": {"age": "years", "sex": "gender", "zip": "place", "admitted": "day"},
}


def metrics_of(outcome: Any) -> dict[str, Metric]:
    """What was measured, by name."""
    return {metric.name: metric for metric in outcome.validated.assessment.metrics}


def hierarchy(folder: Path) -> None:
    """Of the two results, which have nothing in common."""
    (folder / "result.csv").write_text("low;found;*\nhigh;found;*\n", encoding="utf-8")


@pytest.mark.parametrize("formats", [["parquet", "csv"], ["csv"]])
def test_a_release_that_meets_its_models_is_measured_again_from_its_files(
    tmp_path: Path, formats: list[str]
) -> None:
    """Models of both columns in the manifest and in the report, and `verify` finds the same numbers."""
    hierarchy(tmp_path)
    attackers = [{"name": "neighbour", "knows": ["age", "sex"], "k": 4}]
    publish = {"formats": formats}
    file = make_clinic(
        tmp_path, thresholds={"sensitive": MODELS, "mean_risk": 0.33}, attackers=attackers, publish=publish
    )
    outcome = run(file)
    assert outcome.released, [metric for metric in metrics_of(outcome).values() if not metric.passed]
    release = Path(outcome.validated.path)
    verified = verify(release)
    assert verified.passed, verified.findings
    again = {finding.name for finding in verified.findings}
    assert {"entropy l of result", "t (ordered) of result", "beta of diagnosis"} <= again
    assert "t (hierarchical) of result" not in again  # its hierarchy is not in the release
    report = (release / "report.html").read_text(encoding="utf-8")
    for text in (
        "entropy l of result",
        "t (hierarchical) of result",
        "k for neighbour",
        "who share what neighbour knows",
    ):
        assert text in report
    manifest = json.loads((release / "manifest.json").read_text())
    assert {metric["name"] for metric in manifest["metrics"]} >= {
        "maximum risk for neighbour",
        "beta of diagnosis",
    }


def test_a_model_that_cannot_be_met_is_refused_before_the_search(tmp_path: Path) -> None:
    """With what can be had."""
    sensitive = {"result": [{"model": "entropy_l", "l": 3.2}]}
    with pytest.raises(
        PolicyError,
        match=r"column result, entropy l: entropy of 3.2 .* can be reached; write l: [23]\S* or less",
    ):
        run(make_clinic(tmp_path, thresholds={"sensitive": sensitive}))


def test_the_search_reaches_models_that_k_alone_would_miss(tmp_path: Path) -> None:
    """It pays with coarser levels, and the validator finds on the bytes what was asked for."""
    (tmp_path / "k").mkdir()
    (tmp_path / "models").mkdir()
    loose = {"suppressed_records": 0.0, "fidelity": 1.0}
    alone = run(make_clinic(tmp_path / "k", thresholds=loose, dataset="plain"))
    models = {
        "diagnosis": [
            {"model": "entropy_l", "l": 3.3},
            {"model": "beta_likeness", "beta": 0.9, "enhanced": False},
        ]
    }
    strict = {**loose, "sensitive": models, "mean_risk": 0.05}
    attackers = [{"name": "neighbour", "knows": ["age", "sex"], "k": 30}]
    both = run(make_clinic(tmp_path / "models", thresholds=strict, attackers=attackers, dataset="strict"))
    assert alone.released
    assert both.released, [metric for metric in metrics_of(both).values() if not metric.passed]
    found = metrics_of(both)
    assert found["entropy l of diagnosis"].value >= 3.3  # type: ignore[operator]
    assert found["beta of diagnosis"].value <= 0.9  # type: ignore[operator]
    assert found["mean risk"].value <= 0.05  # type: ignore[operator]
    assert found["k for neighbour"].value >= 30  # type: ignore[operator]
    assert (
        both.reports["anonymized"].numbers["information_loss"]
        > alone.reports["anonymized"].numbers["information_loss"]
    )


def voters(folder: Path, rows: list[tuple[str, ...]]) -> None:
    """A voter list with its own names of columns."""
    picked = [(row[3], row[4], row[5], row[6], "x") for row in rows]
    write_csv(folder / "voters" / "list.csv", picked, ("years", "gender", "place", "day", "party"))


def test_a_release_is_held_against_a_voter_list(tmp_path: Path) -> None:
    """Every visit stands for four voters; one of the list lives where nobody of the data does."""
    everybody = visits()
    voters(tmp_path, [*(everybody * 4), ("", "", "", "101", "F", "99501", "2008-01-01", "", "", "", "")])
    thresholds = {
        "k_map": {"k": 12, "population": POPULATION},
        "delta_presence": {"lower": 0.0, "upper": 0.25, "population": POPULATION},
    }
    file = make_clinic(tmp_path, thresholds=thresholds)
    outcome = run(file)
    found = metrics_of(outcome)
    assert outcome.released, [metric for metric in found.values() if not metric.passed]
    rows = pl.read_parquet(Path(outcome.validated.path) / "data" / "part-00000.parquet")
    smallest = rows.group_by("age", "sex", "zip", "admitted").agg(n=pl.len())["n"].min()
    assert found["k-map"].value is not None
    assert found["k-map"].value >= 4 * int(smallest)  # type: ignore[call-overload] - an integer column
    assert found["lowest presence"].value == 0.0
    assert found["highest presence"].value is not None
    assert 0 < found["highest presence"].value <= 0.25
    assert not list((tmp_path / "anon_home").rglob("population"))


def test_a_population_that_is_not_there_is_told_before_the_run(tmp_path: Path) -> None:
    """After hours of a search it would be too late."""
    file = make_clinic(tmp_path, thresholds={"k_map": {"k": 12, "population": POPULATION}})
    with pytest.raises(
        PolicyError, match=r"k_map\.population\.path: no csv file at path voters; put one there"
    ):
        plan(file)
    write_csv(
        tmp_path / "voters" / "list.csv", [("50", "F", "60614", "x")], ("years", "gender", "place", "date")
    )
    told = r"k_map\.population\.columns\.admitted: the population has no such column; it has years, gender, place, date"
    with pytest.raises(PolicyError, match=told):
        plan(file)
    write_csv(tmp_path / "voters" / "list.csv", [], ("50", "F", "60614", "2008-01-01"))
    with pytest.raises(PolicyError, match=r"no such column; nor any other of these") as caught:
        plan(file)
    assert "60614" not in str(caught.value)


def test_the_search_reaches_k_of_a_short_voter_list(tmp_path: Path) -> None:
    """It pays with coarser levels, where enough voters look like everybody who leaves."""
    (tmp_path / "plain").mkdir()
    alone = run(make_clinic(tmp_path / "plain", thresholds={"fidelity": 1.0}, dataset="plain"))
    voters(tmp_path, visits()[:40])
    k_map = {"k": 12, "population": POPULATION}
    both = run(make_clinic(tmp_path, thresholds={"k_map": k_map, "fidelity": 1.0}))
    assert both.released, [metric for metric in metrics_of(both).values() if not metric.passed]
    assert metrics_of(both)["k-map"].value >= 12  # type: ignore[operator]
    assert (
        both.reports["anonymized"].numbers["information_loss"]
        > alone.reports["anonymized"].numbers["information_loss"]
    )


def test_the_search_reaches_bounds_on_presence(tmp_path: Path) -> None:
    """Nobody of the list is in the data for sure, and nobody is out of it for sure."""
    voters(tmp_path, [*visits() * 2, *visits(seed=2)])
    presence = {"lower": 0.05, "upper": 0.4, "population": POPULATION}
    thresholds = {"delta_presence": presence, "fidelity": 1.0}
    outcome = run(make_clinic(tmp_path, thresholds=thresholds))
    found = metrics_of(outcome)
    assert outcome.released, [metric for metric in found.values() if not metric.passed]
    assert found["lowest presence"].value >= 0.05  # type: ignore[operator]
    assert found["highest presence"].value <= 0.4  # type: ignore[operator]


@pytest.mark.parametrize("lower", [0.0, 0.05])
def test_whatever_the_search_believes_the_voter_list_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lower: float
) -> None:
    """Classes of the data that the list lacks have nobody to hide among: a search that looks away is refused."""
    monkeypatch.setattr("anon_platform.pipeline.treating.crowds_of", lambda *_: [])
    voters(tmp_path, visits()[:40])
    thresholds = {
        "k_map": {"k": 12, "population": POPULATION},
        "delta_presence": {"lower": lower, "upper": 0.4, "population": POPULATION},
    }
    outcome = run(make_clinic(tmp_path, thresholds=thresholds))
    assert not outcome.released
    found = metrics_of(outcome)
    assert found["k-map"].value == 0.0
    assert not found["highest presence"].passed


def test_another_voter_list_makes_another_release(tmp_path: Path) -> None:
    """What was measured against the old list says nothing of the new one."""
    everybody = visits()
    file = make_clinic(tmp_path, thresholds={"k_map": {"k": 12, "population": POPULATION}})
    voters(tmp_path, everybody * 4)
    first = run(file)
    assert first.released
    assert run(file).validated.release_id == first.validated.release_id
    voters(tmp_path, everybody[:40])
    second = run(file)
    assert second.validated.release_id != first.validated.release_id
    assert second.reports["anonymized"].numbers["levels"] != first.reports["anonymized"].numbers["levels"]


def test_a_voter_list_that_changes_during_the_run_stops_it(tmp_path: Path) -> None:
    """Else a release would be named after a list that it was not held against."""
    file = make_clinic(tmp_path, thresholds={"k_map": {"k": 12, "population": POPULATION}})
    voters(tmp_path, visits() * 4)
    for stage in ("raw", "analyzed", "anonymized"):
        STAGES[stage](file)
    voters(tmp_path, visits() * 5)
    with pytest.raises(SourceError, match="a population table changed since the run began; run again"):
        STAGES["validated"](file)
    assert not list((tmp_path / "anon_home").rglob("report.html"))


def test_a_maximum_risk_of_nothing_is_met_by_nobody(tmp_path: Path) -> None:
    """It is the strictest demand there is, not the absence of one."""
    with pytest.raises(PolicyError, match=r"thresholds\.max_risk: 0 needs .* people in a class"):
        run(make_clinic(tmp_path, thresholds={"max_risk": 0.0}))


@pytest.mark.parametrize("sees", [True, False])
def test_linked_rows_are_counted_as_sets(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sees: bool,  # noqa: FBT001
) -> None:
    """A pseudonym that leaves tells who has two visits and when; k counts who has the same ones.

    The search looks for as many; a release of one that looks away is refused.
    """
    monkeypatch.setenv("ANON_KEY_PEOPLE", KEY)
    if not sees:
        blind = lambda counts, kinds, **asked: solve(counts, kinds, **{**asked, "linked": False})  # noqa: E731
        monkeypatch.setattr("anon_platform.pipeline.treating.solve", blind)
    policy = yaml.safe_load(POLICY)
    policy["columns"]["patient"]["treat"] = {"technique": "pseudonymize", "key": "people"}
    policy["privacy_unit"]["linked"] = True
    file = make_clinic(
        tmp_path,
        columns=policy["columns"],
        privacy_unit=policy["privacy_unit"],
        model=None,
        thresholds={"t": 0.5},
    )
    assert load_policy(file).privacy_unit.linked
    outcome = run(file)
    found = metrics_of(outcome)
    assert outcome.released == sees, [metric for metric in found.values() if not metric.passed]
    assert found["k"].passed == sees
    if not sees:
        assert found["k"].value == 1.0
        return
    assert verify(Path(outcome.validated.path)).passed
    rows = pl.read_parquet(Path(outcome.validated.path) / "data" / "part-00000.parquet")
    assert rows["patient"].n_unique() < rows.height
    sequences = rows.group_by("patient").agg(pl.struct("age", "sex", "zip", "admitted").sort().alias("rows"))
    spelled = sequences.select(pl.col("rows").list.eval(pl.element().struct.json_encode()).list.join(";"))
    assert spelled["rows"].value_counts()["count"].min() >= 3  # type: ignore[operator]


def test_a_policy_may_rest_on_its_population_alone(tmp_path: Path) -> None:
    """Without k and max_risk nothing is demanded of the data but what stands for k people of the population."""
    thresholds = {
        "k": None,
        "max_risk": None,
        "k_map": {"k": 3, "sampling_fraction": 0.5, "significance": 0.05},
        "unique_records": 0.9,
    }
    outcome = run(make_clinic(tmp_path, thresholds=thresholds))
    found = metrics_of(outcome)
    assert (found["k"].threshold, found["maximum risk"].threshold) == (None, None)
    assert found["k-map"].threshold == 3.0
    assert found["k-map"].value == found["k"].value
    assert found["k-map"].passed == outcome.released
    assert found["sample uniques"].threshold == 0.9

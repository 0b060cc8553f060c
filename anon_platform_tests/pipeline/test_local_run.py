"""Local recoding from the policy's file to a release: what the validator accepts, and what it refuses."""

import dataclasses
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from anon_platform.anonymize.local import Recoded, recode
from anon_platform.pipeline import plan, run, verify
from anon_platform.policy import FaultyPolicyError
from anon_platform_tests.clinic import POLICY, make_clinic, visits

QUASI = ["age", "sex", "zip", "admitted"]
THRESHOLDS: dict[str, Any] = yaml.safe_load(POLICY)["thresholds"]
COLUMNS: dict[str, Any] = yaml.safe_load(POLICY)["columns"]


def local_clinic(folder: Path, **changes: Any) -> Path:
    """The clinic without a model to train: a test less, and much quicker."""
    thresholds = THRESHOLDS | {"model_loss": None} | changes.pop("thresholds", {})
    return make_clinic(folder, model=None, thresholds=thresholds, **changes)


def released(outcome: Any) -> pl.DataFrame:
    """The rows that left."""
    return pl.read_parquet(Path(outcome.validated.path) / "data" / "*.parquet")


def wished(name: str, **wishes: Any) -> dict[str, Any]:
    """The clinic's columns, one with weight or coarsest level."""
    treat = COLUMNS[name]["treat"] | wishes
    return COLUMNS | {name: COLUMNS[name] | {"treat": treat}}


@pytest.mark.parametrize(
    ("wishes", "formats"),
    [
        ({"labels": "hierarchy", "effort": "fast"}, ["parquet", "csv"]),
        ({"labels": "intervals", "effort": "best"}, ["csv"]),
        ({"labels": "intervals", "mondrian": {"split": "median", "strict": False}}, ["parquet"]),
    ],
)
def test_a_local_release_holds_what_the_policy_demands(
    tmp_path: Path, wishes: dict[str, Any], formats: list[str]
) -> None:
    """Patients in every class counted in plain Python, and less lost than with one level a column."""
    file = make_clinic(tmp_path, recoding={"model": "local"} | wishes, publish={"formats": formats})
    outcome = run(file)
    assert outcome.released, outcome.validated.assessment
    release = Path(outcome.validated.path)
    assert verify(release).passed
    manifest = json.loads((release / "manifest.json").read_text())
    numbers = manifest["stages"]["anonymized"]
    assert manifest["levels"] == {}
    assert set(numbers["loss_by_column"]) == set(QUASI)
    if "parquet" in formats:
        rows = released(outcome)
        assert rows.height == numbers["rows_out"]
        # fewer people than rows: the k of people is at most that of rows
        assert rows.group_by(QUASI).len()["len"].min() >= THRESHOLDS["k"]  # type: ignore[operator]
    full = run(local_clinic(tmp_path / "full", publish={"recipient": "others"}))
    lost = json.loads((Path(full.validated.path) / "manifest.json").read_text())["stages"]["anonymized"]
    assert numbers["information_loss"] < lost["information_loss"]
    report = (release / "report.html").read_text(encoding="utf-8")
    assert "of the detail lost" in report
    assert "levels of its own" in report


def test_every_class_of_a_local_release_has_k_patients(tmp_path: Path) -> None:
    """By the patients of the source rows, which the release does not carry: found by a visit number left in it."""
    columns = COLUMNS | {"visit": {"role": "insensitive"}}
    file = local_clinic(tmp_path, recoding={"model": "local", "effort": "fast"}, columns=columns)
    outcome = run(file)
    assert outcome.released
    patient = {row[0]: row[1] for row in visits()}
    people = defaultdict(set)
    for row in released(outcome).select(*QUASI, "visit").rows():
        people[row[:-1]].add(patient[row[-1]])
    assert min(len(found) for found in people.values()) >= THRESHOLDS["k"]


def test_a_label_that_does_not_cover_its_value_refuses_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validator reads the labels; it does not believe the search."""

    def exchanged(*args: Any, **settings: Any) -> Recoded:
        found = recode(*args, **settings)
        swapped = found.labels.with_columns(sex=pl.col("sex").replace({"F": "M", "M": "F"}))
        return dataclasses.replace(found, labels=swapped)

    monkeypatch.setattr("anon_platform.pipeline.treating.recode", exchanged)
    outcome = run(local_clinic(tmp_path, recoding={"model": "local", "effort": "fast"}))
    assert not outcome.released
    missed = [metric.name for metric in outcome.validated.assessment.missed()]  # type: ignore[union-attr]
    assert missed == ["rows and columns unaccounted for"]


def test_classes_that_are_too_small_refuse_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K is counted again on what leaves."""

    def smaller(*args: Any, **settings: Any) -> Recoded:
        return recode(*args, **(settings | {"k": 2}))

    monkeypatch.setattr("anon_platform.pipeline.treating.recode", smaller)
    outcome = run(local_clinic(tmp_path, recoding={"model": "local", "effort": "fast"}))
    assert not outcome.released
    assert "k" in [metric.name for metric in outcome.validated.assessment.missed()]  # type: ignore[union-attr]


def test_a_column_that_may_have_no_suppressed_cells_has_none(tmp_path: Path) -> None:
    """Where the best classes would have some: with either model."""
    thresholds = {"k": 12, "max_risk": 0.1, "suppressed_records": 0.5}
    local = {"model": "local", "effort": "fast"}
    free = run(local_clinic(tmp_path / "free", recoding=local, thresholds=thresholds))
    stars = {name: (released(free)[name] == "*").mean() for name in QUASI}
    name = max(QUASI, key=lambda column: stars[column])  # type: ignore[arg-type,return-value]
    assert stars[name]
    for recoding in (local, {"model": "full_domain"}):
        limited = thresholds | {"suppressed_cells": {name: 0.0}}
        folder = tmp_path / str(recoding["model"])
        publish = {"recipient": str(recoding["model"])}
        outcome = run(local_clinic(folder, recoding=recoding, thresholds=limited, publish=publish))
        assert outcome.released
        assert not (released(outcome)[name] == "*").any()
        metrics = outcome.validated.assessment.metrics  # type: ignore[union-attr]
        assert {f"suppressed cells of {name}"} <= {metric.name for metric in metrics}


@pytest.mark.parametrize("model", ["full_domain", "local"])
def test_a_weighted_column_keeps_more_detail_and_a_capped_one_is_never_coarser(
    tmp_path: Path, model: str
) -> None:
    """Of the age, bands of 40 years or `*` are ruled out; the plan says so."""
    recoding = {"model": model}
    thresholds = {"suppressed_records": 0.6, "fidelity": 0.9}
    columns = wished("age", coarsest="10", weight=1.5)
    file = local_clinic(tmp_path, recoding=recoding, thresholds=thresholds, columns=columns)
    treatment = {column.name: column.treatment for column in plan(file).columns}["age"]
    assert "(weight 1.5, no coarser than 10)" in treatment
    outcome = run(file)
    assert outcome.released
    ages = released(outcome)["age"].unique()
    assert not set(ages) & {"*", "80+"}
    bands = ages.str.extract_groups(r"^(\d+)-(\d+)$").struct.unnest().drop_nulls().cast(pl.Int64)
    assert (bands["2"] - bands["1"] < 10).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"privacy_unit": {"column": "patient", "name": "patient", "linked": True}},
            "linked rows are compared in sets",
        ),
        (
            {"recoding": {"model": "full_domain", "labels": "intervals"}},
            "labels, effort and mondrian are for model: local",
        ),
        ({"recoding": {"model": "local", "seconds": 5}}, "seconds is for model: full_domain"),
        (
            {"columns": wished("age", coarsest="7")},
            "the hierarchy has no such level; write one of 5, 10, 20, 40",
        ),
        ({"thresholds": {"suppressed_cells": {"stay": 0.1}}}, "this is no quasi-identifier"),
    ],
)
def test_what_cannot_be_asked_together_is_told_before_a_row_is_read(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    """With what to write instead."""
    settings = {"recoding": {"model": "local"}} | changes
    with pytest.raises(FaultyPolicyError) as fault:
        plan(local_clinic(tmp_path, **settings))
    assert message in str(fault.value)

"""The section `risk` of a policy, from its file to metrics, report and refusal."""

import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from anon_platform.pipeline import run
from anon_platform_tests.clinic import POLICY, make_clinic, visits, write_csv

KEY = "5f1b0a93d5e48261f7a0c9d84e35b6290ad13f7c6482e5b9071d3ea5c8f46021"
NAMES = ["age", "sex", "zip", "admitted"]
TABLE = {
    "format": "csv",
    "path": "voters",
    "columns": {"age": "years", "sex": "gender", "zip": "place", "admitted": "day"},
}


def metrics_of(outcome: Any) -> dict[str, Any]:
    """What was measured, by name."""
    return {metric.name: metric for metric in outcome.validated.assessment.metrics}


def risk_of(outcome: Any) -> dict[str, Any]:
    """The section `risk` of the assessment on disk."""
    text = (Path(outcome.validated.path) / "assessment.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["detail"]["risk"]
    return found


def released(outcome: Any) -> list[dict[str, Any]]:
    """The rows that left."""
    return pl.read_parquet(Path(outcome.validated.path) / "data" / "part-00000.parquet").to_dicts()


def by_class(rows: Iterable[dict[str, Any]], names: list[str]) -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        found[key] = found.get(key, 0) + 1
    return found


def test_risk_is_shown_before_and_after_and_against_a_population(tmp_path: Path) -> None:
    """Every original visit has a day and an age that nobody shares; after the release at least three people do."""
    policy = make_clinic(
        tmp_path,
        risk={"population": {"people": 5000}, "seed": 1},
        attackers=[{"name": "neighbour", "knows": ["age", "sex"], "k": 4}],
        thresholds={"marketer_risk": "cell_size_3", "population_uniques": 0.01, "journalist_risk": 0.3},
    )
    outcome = run(policy)
    assert outcome.released, [metric for metric in metrics_of(outcome).values() if not metric.passed]
    risk = risk_of(outcome)
    assert risk["before"]["classes"]["k"] == 1
    assert risk["before"]["classes"]["maximum"] == 1.0
    assert risk["after"]["classes"]["k"] >= 3
    assert risk["after"]["classes"]["above"] == 0.0
    assert risk["before"]["uniques"]["share"] > 0.3 > risk["after"]["uniques"]["share"] == 0.0
    assert risk["before"]["copula"]["unique"] > risk["after"]["copula"]["unique"]
    neighbour = risk["attackers"][0]
    assert neighbour["before"]["k"] < 4 <= neighbour["after"]["k"]
    sizes = by_class(released(outcome), ["age", "sex"])
    assert neighbour["after"]["mean"] >= len(sizes) / sum(sizes.values()) - 1e-9  # rows; people are no more
    found = metrics_of(outcome)
    assert found["marketer risk"].threshold == pytest.approx(1 / 3)
    assert found["journalist risk"].value < risk["after"]["classes"]["maximum"]
    page = (Path(outcome.validated.path) / "report.html").read_text(encoding="utf-8")
    assert "Re-identification risk" in page
    assert "journalist, marketer" in page
    assert "5.00" not in page.split("Population uniques")[1][:200]


def test_a_table_of_the_population_is_counted_at_the_released_levels(tmp_path: Path) -> None:
    """Four voters for each visit: the journalist picks among four times as many rows."""
    picked = [(row[3], row[4], row[5], row[6]) for row in visits() * 4]
    write_csv(tmp_path / "voters" / "list.csv", picked, ("years", "gender", "place", "day"))
    limits = {"journalist_risk": 0.09, "marketer_risk": 0.09, "population_uniques": 0.0}
    outcome = run(make_clinic(tmp_path, risk={"population": {"table": TABLE}, "seed": 1}, thresholds=limits))
    found = metrics_of(outcome)
    assert outcome.released, [metric for metric in found.values() if not metric.passed]
    # suppressed visits have their voters, too, so that a class of n rows has at least 4 n
    sizes = by_class(released(outcome), NAMES)
    most = max(Fraction(1, 4 * n) for n in sizes.values())
    assert found["journalist risk"].value <= float(most) + 1e-12
    assert found["population uniques"].value == 0.0


def test_a_bound_of_the_population_refuses_the_release(tmp_path: Path) -> None:
    """A register of the very people who are in the data: the journalist is the prosecutor."""
    picked = [(row[3], row[4], row[5], row[6]) for row in visits()]
    write_csv(tmp_path / "voters" / "list.csv", picked, ("years", "gender", "place", "day"))
    outcome = run(
        make_clinic(
            tmp_path,
            risk={"population": {"table": TABLE}, "seed": 1},
            thresholds={"journalist_risk": "cell_size_20"},
        )
    )
    assert not outcome.released
    missed = [metric.name for metric in outcome.validated.assessment.missed()]
    assert missed == ["journalist risk"]
    assert not (Path(outcome.validated.path) / "data").exists()


@pytest.mark.parametrize(("limit", "passes"), [(0.25, True), (0.0, False)])
def test_known_rows_single_out_people_whose_rows_are_linked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: float,
    passes: bool,  # noqa: FBT001
) -> None:
    """Of linked rows k people share the whole set, so that no number of known rows singles anybody out; the interval does not reach 0."""
    monkeypatch.setenv("ANON_KEY_PEOPLE", KEY)
    policy = yaml.safe_load(POLICY)
    policy["columns"]["patient"]["treat"] = {"technique": "pseudonymize", "key": "people"}
    policy["privacy_unit"]["linked"] = True
    outcome = run(
        make_clinic(
            tmp_path,
            columns=policy["columns"],
            privacy_unit=policy["privacy_unit"],
            model=None,
            thresholds={"t": 0.5, "known_events_unique": limit},
            risk={"known_events": 4, "seed": 3},
        )
    )
    assert outcome.released is passes
    if not passes:
        missed = [metric.name for metric in outcome.validated.assessment.missed()]
        assert missed == ["unique by known events"]
        return
    risk = risk_of(outcome)
    assert [one["unique"] for one in risk["after"]["events"]] == [0.0] * len(risk["after"]["events"])
    assert risk["before"]["events"][0]["unique"] > 0.9
    assert [one["known"] for one in risk["before"]["events"]] == [1, 2, 3]
    page = (Path(outcome.validated.path) / "report.html").read_text(encoding="utf-8")
    assert "An attacker who knows several rows of one patient" in page

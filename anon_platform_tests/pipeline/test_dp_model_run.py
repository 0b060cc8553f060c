"""A differentially private model from source to catalog."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anon_platform.dp.models import predict
from anon_platform.errors import BudgetError, PolicyError
from anon_platform.ledger import Ledger
from anon_platform.ledger.balance import Balance
from anon_platform.ledger.budget import Budget
from anon_platform.pipeline import STAGES, run, verify
from anon_platform_tests.private_clinic import STATISTICS, SYNTHETIC, make_private_clinic

MODEL: dict[str, Any] = {
    "learner": "ebm",
    "target": {"column": "again", "positive": "yes"},
    "features": ["age", "sex", "stay"],
}


def make_model_clinic(folder: Path, model: dict[str, Any] | None = None, **changes: Any) -> Path:
    """The policy file of a model of who comes again."""
    return make_private_clinic(folder, trained_model=MODEL | (model or {}), statistics=[], **changes)


def release_of(file: Path) -> Path:
    outcome = run(file)
    assert outcome.released, outcome.validated.assessment
    return Path(outcome.validated.path)


def balance() -> Balance:
    with Ledger.open() as ledger:
        return Budget(ledger).balance("patients_of_the_clinic")


@pytest.mark.parametrize("learner", ["ebm", "logistic_regression"])
def test_a_model_leaves_with_its_card_and_is_paid_for(tmp_path: Path, learner: str) -> None:
    release = release_of(make_model_clinic(tmp_path, {"learner": learner}))
    assert sorted(file.name for file in (release / "data").iterdir()) == [
        "model.json",
        "model.onnx",
        "model_card.md",
    ]
    model = json.loads((release / "data" / "model.json").read_text())
    table = pl.DataFrame({"age": [3, 70, None], "sex": ["F", None, "M"], "stay": [1, 2, 3]})
    assert ((predict(model, table) > 0) & (predict(model, table) < 1)).all()
    manifest = json.loads((release / "manifest.json").read_text())
    assert 0.99 < manifest["privacy_loss"]["epsilon"] <= 1.0
    assert [each.state for each in balance().releases] == ["settled"]
    assert balance().overall.taken_epsilon <= 1.0
    assert verify(release).passed
    report = (release / "report.html").read_text()
    assert "sums of residuals by bin of each feature, 12 times" in report
    assert "model_card.md" in report


def test_a_retry_finds_the_model_and_spends_nothing(tmp_path: Path) -> None:
    file = make_model_clinic(tmp_path)
    first = release_of(file)
    content = (first / "data" / "model.json").read_bytes()
    before = balance().overall.spent
    assert release_of(file) == first
    assert (first / "data" / "model.json").read_bytes() == content
    assert balance().overall.spent == before


@pytest.mark.parametrize("what", ["bins", "card", "onnx", "file", "key", "missing"])
def test_what_is_neither_noisy_nor_public_refuses_the_release(
    tmp_path: Path, what: str, anon_home: Path
) -> None:
    file = make_model_clinic(tmp_path)
    for name in ("raw", "analyzed", "anonymized"):
        STAGES[name](file)
    (data,) = anon_home.glob("staging/clinic_numbers/*/anonymized/data")
    model = json.loads((data / "model.json").read_text())
    if what == "bins":
        model["features"][1]["values"] = ["Name7", "M"]
    elif what == "key":
        model["rows"] = 251
    elif what == "card":
        (data / "model_card.md").write_text("Trained on 251 rows.\n")
    elif what == "onnx":
        (data / "model.onnx").write_bytes((data / "model.onnx").read_bytes() + b"rows")
    elif what == "missing":
        (data / "model_card.md").unlink()
    else:
        (data / "model.pickle").write_bytes(b"rows")
    if what in {"bins", "key"}:
        (data / "model.json").write_text(json.dumps(model))
    report = STAGES["validated"](file)
    assert report.assessment is not None
    missed = {metric.check for metric in report.assessment.missed()}
    assert missed == ({"file_accounting"} if what in {"file", "missing"} else {"public_domains"})
    assert not list(anon_home.glob("releases/*/*"))
    with pytest.raises(BudgetError, match="was refused, and what it spent stays spent"):
        run(file)


def test_verify_finds_a_model_that_was_changed_afterwards(tmp_path: Path) -> None:
    release = release_of(make_model_clinic(tmp_path))
    model = json.loads((release / "data" / "model.json").read_text())
    model["features"][0]["from"][1] = 17.5
    (release / "data" / "model.json").write_text(json.dumps(model))
    failed = {finding.name for finding in verify(release).findings if not finding.passed}
    assert failed == {"files", "public domains"}


def test_a_model_that_is_not_good_enough_is_refused(tmp_path: Path) -> None:
    """Not even with noise do so few people show an area of 1."""
    outcome = run(make_model_clinic(tmp_path, thresholds={"area_under_curve": 1.0}))
    assert not outcome.released
    assert outcome.validated.assessment is not None
    assert [metric.check for metric in outcome.validated.assessment.missed()] == ["model_quality"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"synthetic": SYNTHETIC},
            r"say what is released: one of statistics: \[…\], synthetic: \{…\} and trained_model: \{…\}",
        ),
        (
            {"model": {"held_out": 0}, "thresholds": {"area_under_curve": 0.7}},
            r"thresholds.area_under_curve: only a model that is evaluated on people held out has one; remove it, or raise trained_model.held_out",
        ),
        (
            {"model": {"features": ["zip"]}},
            r"trained_model: model: the feature zip has no domain; the columns are again, age, sex, stay",
        ),
        ({"model": {"learner": "forest"}}, r"trained_model.learner"),
    ],
)
def test_wrong_policies_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        run(make_model_clinic(tmp_path, changes.pop("model", None), **changes))


def test_a_policy_names_one_kind_of_release(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="say what is released"):
        run(make_private_clinic(tmp_path, trained_model=MODEL, statistics=STATISTICS))

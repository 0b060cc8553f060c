"""Whole runs under HIPAA Safe Harbor: one that is released, and some that are refused for a clause."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from anon_platform.cli.show import plan_text, refusal, summary
from anon_platform.errors import PolicyError
from anon_platform.keys import create_key
from anon_platform.ledger import Ledger
from anon_platform.pipeline import plan, run, verify
from anon_platform.policy import load_policy
from anon_platform.publish import read_json
from anon_platform_tests.clinic import POLICY, make_clinic
from anon_platform_tests.pipeline.test_tables_run import policy_of, write

DOCS = Path(__file__).parents[2] / "docs" / "regulations.md"


def columns(**changes: Any) -> dict[str, Any]:
    """The clinic's columns, with the years and ZIP codes that Safe Harbor allows; `changes` replaces some."""
    found = yaml.safe_load(POLICY)["columns"]
    found["admitted"]["treat"]["hierarchy"]["levels"] = ["year"]
    found["zip"]["treat"]["hierarchy"] |= {"levels": ["zip3", "state"], "small_prefixes": "000"}
    return {**found, **changes}


def make_harbor(folder: Path, **changes: Any) -> Path:
    """The clinic under Safe Harbor, without a model."""
    limits = {"k": 3, "l": 2, "max_risk": 0.34, "suppressed_records": 0.9, "fidelity": 1.0}
    return rewritten(
        make_clinic(folder, model=None, columns=columns(**changes)),
        regulation="hipaa_safe_harbor",
        thresholds=limits,
    )


def rewritten(file: Path, **sections: Any) -> Path:
    """The policy with other sections."""
    policy = {**yaml.safe_load(file.read_text()), **sections}
    file.write_text(yaml.safe_dump(policy, sort_keys=False))
    return file


def verdicts(folder: Path) -> dict[str, str]:
    """By letter the verdict that the assessment in this folder holds."""
    (pack,) = read_json(folder / "assessment.json")["detail"]["regulations"]
    return {clause["letter"]: clause["verdict"] for clause in pack["clauses"]}


def shown(what: Any) -> str:
    """What a terminal shows, in one line."""
    console = Console(width=300)
    with console.capture() as capture:
        console.print(what)
    return " ".join(capture.get().split())


def test_a_sound_policy_is_released_with_a_verdict_for_every_clause(tmp_path: Path) -> None:
    """Eighteen pass, what somebody knows is left to whoever signs; the folder verifies."""
    report = run(make_harbor(tmp_path)).validated
    assert report.assessment is not None
    assert report.assessment.passed, report.assessment.missed()
    folder = Path(report.path)
    found = verdicts(folder)
    assert [letter for letter, verdict in found.items() if verdict == "pass"] == list("ABCDEFGHIJKLMNOPQR")
    assert found["ii"] == "needs a human"
    assert verify(folder).passed
    assert "clauses of regulations" in " ".join(verify(folder).rests_on_manifest)
    assert (
        "regulation HIPAA Safe Harbor, 45 CFR 164.514(b)(2): 18 of 19 clauses pass; for a human: (ii), see the report"
        in shown(summary(folder))
    )


KEYED = {"role": "direct_identifier", "treat": {"technique": "pseudonymize", "key": "clinic"}}
MONTHS = {
    "role": "insensitive",
    "type": "date",
    "treat": {
        "technique": "generalize",
        "level": "month",
        "hierarchy": {"kind": "dates", "levels": ["month"]},
    },
}
QUARTERS = {
    "role": "insensitive",
    "type": "date",
    "treat": {
        "technique": "generalize",
        "level": "quarter",
        "hierarchy": {"kind": "dates", "levels": ["quarter"]},
    },
}
OLD = {"role": "insensitive", "type": "integer"}
WHOLE = {
    "role": "insensitive",
    "treat": {"technique": "generalize", "level": "zip5", "hierarchy": {"kind": "zip", "levels": ["zip5"]}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "column", "letter", "reason"),
    [
        ("admitted", MONTHS, "C", r"admitted: a month, quarter, week or day in 12 distinct values; generalize it to the year"),
        ("admitted", QUARTERS, "C", r"admitted: a month, quarter, week or day in 4 distinct values; generalize it to the year"),
        ("age", OLD, "C", r"age: an age over 89 in \d+ distinct values; put all of them in one group of 90 or older, such as top: 90"),
        ("zip", WHOLE, "B", r"zip: more than three digits of a ZIP code, or another postcode, in 4 distinct values"),
        ("visit", KEYED, "R", r"visit: codes derived from the individual's information \(pseudonymize\), which 164\.514\(c\) does not permit; suppress it, or use random tokens"),
    ],
)  # fmt: skip
def test_a_clause_that_fails_refuses_the_release(
    tmp_path: Path, anon_home: Path, name: str, column: dict[str, Any], letter: str, reason: str
) -> None:
    """Its metric blocks as every other does; the refusal tells the column and the way out, and no value."""
    create_key("clinic")
    file = make_harbor(tmp_path, **{name: column})
    if name == "visit":
        rewritten(file, privacy_unit={"column": "patient", "name": "patient", "linked": True})
    outcome = run(file)
    assert not outcome.released
    assert not (anon_home / "releases").exists()
    folder = Path(outcome.validated.path)
    assert [one for one, verdict in verdicts(folder).items() if verdict == "fail"] == [letter]
    assert re.search(reason, shown(refusal(folder)))
    with Ledger.open() as ledger:
        (event,) = [event for event in ledger.events("clinic") if event.action == "release.refused"]
    assert any(f"({letter})" in missed for missed in event.details["missed"])


def test_a_policy_without_a_regulation_is_measured_as_before(tmp_path: Path) -> None:
    """Nobody looks at columns whose look no clause asks for."""
    report = run(rewritten(make_harbor(tmp_path), regulation=[])).validated
    assert report.assessment is not None
    assert "regulations" not in report.assessment.detail
    assert not any("CFR" in metric.name for metric in report.assessment.metrics)


@pytest.mark.parametrize("written", [["csv"], ["csv", "parquet"]])
def test_every_format_is_judged(tmp_path: Path, written: list[str]) -> None:
    """The bytes that leave are looked at, whatever they are written in."""
    publish = {"formats": written, "recipient": "tests", "purpose": "tests"}
    outcome = run(rewritten(make_harbor(tmp_path, admitted=MONTHS), publish=publish))
    assert [one for one, said in verdicts(Path(outcome.validated.path)).items() if said == "fail"] == ["C"]


def test_the_plan_names_the_regulation(tmp_path: Path) -> None:
    """Before a row is read."""
    text = shown(plan_text(plan(make_harbor(tmp_path))))
    assert "regulation: HIPAA Safe Harbor, 45 CFR 164.514(b)(2), 19 clauses, each of them checked" in text


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("hipaa_safe_harbor", ("hipaa_safe_harbor",)),
        (["hipaa_safe_harbor"], ("hipaa_safe_harbor",)),
        ([], ()),
    ],
)
def test_a_policy_names_one_regulation_or_a_list(
    tmp_path: Path, said: object, names: tuple[str, ...]
) -> None:
    """Both ways of writing it mean one thing."""
    assert load_policy(make_clinic(tmp_path, regulation=said)).regulation == names


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("hipaa", "regulation: write hipaa_safe_harbor"),
        (["hipaa_safe_harbor", "hipaa_safe_harbor"], "regulation: a regulation stands twice; keep one"),
        (7, "regulation: write hipaa_safe_harbor"),
    ],
)
def test_a_regulation_that_is_none_is_a_fault(tmp_path: Path, said: object, fault: str) -> None:
    """A misspelt rule would guard nothing."""
    with pytest.raises(PolicyError) as caught:
        load_policy(make_clinic(tmp_path, regulation=said))
    assert fault in str(caught.value)


def test_the_example_of_the_page_is_released(tmp_path: Path) -> None:
    """Who copies it begins with a policy that passes."""
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    make_clinic(tmp_path)
    file = tmp_path / "clinic.yaml"
    file.write_text(example, encoding="utf-8")
    assert run(file).released


def test_tables_are_judged_one_by_one_and_held_back_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that join tables leave as pseudonyms, which Safe Harbor does not take; the refusal says in which table."""
    for name in ("CODES", "SHIFTS"):
        monkeypatch.setenv(f"ANON_KEY_{name}", bytes(range(32)).hex())
    outcome = run(write(tmp_path, policy_of(regulation="hipaa_safe_harbor")))
    assert not outcome.released
    folder = Path(outcome.validated.path)
    failed = {
        pack["table"]: [clause["letter"] for clause in pack["clauses"] if clause["verdict"] == "fail"]
        for pack in read_json(folder / "assessment.json")["detail"]["regulations"]
    }
    assert failed == {"patients": ["R"], "visits": ["C", "R"], "findings": ["C", "R"]}
    assert "visits: 45 CFR 164.514(b)(2)(i)(R)" in shown(refusal(folder))
    report = (folder / "tables" / "visits" / "report.html").read_text(encoding="utf-8")
    assert "shifted dates are dates all the same" in report

"""Whole runs under several regulation packs at once: released with its verdicts, refused for a clause, over tables."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from anon_platform.cli.show import refusal, summary
from anon_platform.errors import PolicyError
from anon_platform.pipeline import plan, run, verify
from anon_platform.policy import load_policy
from anon_platform.publish import read_json
from anon_platform_tests.clinic import make_clinic
from anon_platform_tests.pipeline.test_attacks_run import LINKAGE, voter_list
from anon_platform_tests.pipeline.test_tables_run import policy_of, write

LIMITS = {"k": 3, "l": 2, "max_risk": 0.34, "suppressed_records": 0.9, "fidelity": 1.0}
STATED: dict[str, Any] = {
    "expert": {"name": "A. Expert", "qualification": "PhD in statistics", "measure": "maximum risk", "very_small": 0.34, "valid_days": 365},
    "original_retained": False,
    "sharing_model": "agreement",
    "contract_forbids_reidentification": True,
}  # fmt: skip
SOUND = [
    "hipaa_expert_determination",
    "gdpr_wp29",
    "ico_motivated_intruder",
    "ccpa_deidentified",
    "nist_sp_800_188",
]


def make(folder: Path, *names: str, k: int = 3, statements: dict[str, Any] | None = None) -> Path:
    """The clinic under these packs, without a model."""
    limits = {**LIMITS, "k": k, "max_risk": 1 / k + 0.001}
    sections = {"statements": STATED if statements is None else statements}
    return make_clinic(folder, model=None, regulation=list(names), thresholds=limits, **sections)


def verdicts(folder: Path) -> dict[str, dict[str, str]]:
    """By pack and letter the verdicts in this folder's assessment."""
    return {
        pack["name"]: {clause["letter"]: clause["verdict"] for clause in pack["clauses"]}
        for pack in read_json(folder / "assessment.json")["detail"]["regulations"]
    }


def shown(what: Any) -> str:
    """What a terminal shows, in one line."""
    console = Console(width=300)
    with console.capture() as capture:
        console.print(what)
    return " ".join(capture.get().split())


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A release under five packs."""
    report = run(make(tmp_path, *SOUND)).validated
    assert report.assessment is not None
    assert report.assessment.passed, report.assessment.missed()
    return Path(report.path)


def test_a_release_is_judged_by_every_pack_on_what_the_run_measured(released: Path) -> None:
    """The expert's number holds, the three criteria need a human, and nobody looked at columns for it."""
    found = verdicts(released)
    assert list(found) == SOUND
    assert found["hipaa_expert_determination"] == {
        "b1": "pass",
        "i": "pass",
        "ii": "needs a human",
        "expiry": "pass",
    }
    assert found["gdpr_wp29"] == {"1": "pass", "2": "needs a human", "3": "needs a human", "original": "pass"}
    assert found["ccpa_deidentified"]["m.3"] == "pass"
    (statement,) = [
        pack["statement"]
        for pack in read_json(released / "assessment.json")["detail"]["regulations"]
        if pack["statement"]
    ]
    assert "I, A. Expert, PhD in statistics," in statement[0]
    k = next(m["value"] for m in read_json(released / "manifest.json")["metrics"] if m["name"] == "k")
    assert f"k {k:g}, maximum risk {1 / k:.4g}" in statement[3]
    assert "Statement of the expert" in (released / "report.html").read_text(encoding="utf-8")
    assert (
        "regulation GDPR, three criteria of anonymisation (WP216): 2 of 4 clauses pass; for a human: (2), (3), see the report"
        in shown(summary(released))
    )


def test_a_determination_that_is_over_is_a_finding(released: Path) -> None:
    """The files are what they were; the expert's word is not."""
    made = dt.datetime.fromisoformat(read_json(released / "manifest.json")["created_at"]).date()
    last = made + dt.timedelta(days=365)
    assert verify(released).passed
    assert verify(released, today=last).passed
    after = verify(released, today=last + dt.timedelta(days=1))
    (finding,) = [finding for finding in after.findings if not finding.passed]
    assert finding.name == "expert determination"
    assert finding.text == (
        f"made on {made.isoformat()}, holds until {last.isoformat()}; it is over: an expert has to determine the risk anew"
    )


@pytest.mark.parametrize(
    ("pack", "letter", "reason"),
    [
        ("ema_policy_0070", "risk", "at most 0.09 allowed"),
        ("cms_cell_size", "1", "at least 11 are demanded"),
        ("nist_sp_800_226", "epsilon", "no differentially private mechanism"),
        ("hipaa_expert_determination", "i", "the expert holds at most 0.05 to be very small"),
    ],
)
def test_a_clause_that_fails_refuses_the_release(
    tmp_path: Path, anon_home: Path, pack: str, letter: str, reason: str
) -> None:
    """Classes of three people meet the policy's own k, and not what the rule asks; nothing is published."""
    expert = {**STATED["expert"], "very_small": 0.05}
    outcome = run(make(tmp_path, "gdpr_wp29", pack, statements={**STATED, "expert": expert}))
    assert not outcome.released
    assert not (anon_home / "releases").exists()
    folder = Path(outcome.validated.path)
    assert verdicts(folder)[pack][letter] == "fail"
    assert "fail" not in verdicts(folder)["gdpr_wp29"].values()
    assert reason in shown(refusal(folder))


def test_classes_of_twelve_meet_the_agencies(tmp_path: Path) -> None:
    """What fails with three passes with twelve, by the thresholds of the policy."""
    names = ("ema_policy_0070", "health_canada_prci", "cms_cell_size")
    report = run(make(tmp_path, *names, k=12)).validated
    assert report.assessment is not None
    assert report.assessment.passed, report.assessment.missed()
    found = verdicts(Path(report.path))
    assert (
        found["ema_policy_0070"]["risk"]
        == found["health_canada_prci"]["risk"]
        == found["cms_cell_size"]["1"]
        == "pass"
    )


def test_the_three_criteria_are_judged_by_the_attacks_of_the_run(tmp_path: Path) -> None:
    """By the names that a real run gives its attacks; a secret that nothing was tried on is left to a human."""
    voter_list(tmp_path)
    tried = {"attempts": 100, "at_most": 1.0}
    attacks = {
        "seed": 1,
        "linkage": [LINKAGE],
        "singling_out": {**tried, "columns": ["age", "sex", "zip", "diagnosis"]},
        "linkability": {**tried, "one": ["age", "sex"], "other": ["zip", "diagnosis"]},
        "inference": {**tried, "known": ["age", "sex", "zip"], "secrets": ["diagnosis"]},
    }
    names = ["gdpr_wp29", "ico_motivated_intruder", "ema_policy_0070", "nist_sp_800_188"]
    limits = {**LIMITS, "k": 12, "max_risk": 0.09}
    file = make_clinic(tmp_path, model=None, regulation=names, thresholds=limits, attacks=attacks)
    report = run(file).validated
    assert report.assessment is not None
    assert report.assessment.passed, report.assessment.missed()
    found = verdicts(Path(report.path))
    assert found["gdpr_wp29"] == {"1": "pass", "2": "pass", "3": "needs a human", "original": "needs a human"}
    assert found["ico_motivated_intruder"]["a"] == found["ico_motivated_intruder"]["c"] == "pass"
    assert found["ema_policy_0070"]["attacks"] == found["nist_sp_800_188"]["study"] == "pass"
    told = {
        clause["check"]: clause
        for pack in report.assessment.detail["regulations"]
        for clause in pack["clauses"]
    }
    assert told["ema_policy_0070_attacks_adversaries"]["looked_at"] == (
        "the policy assumes a holder of the file voter list"
    )
    assert told["gdpr_wp29_3_inference"]["reasons"][0].startswith("result: no attack was run;")
    assert "inference of diagnosis" in told["gdpr_wp29_3_inference"]["looked_at"]


def test_tables_are_judged_one_by_one_by_what_was_measured_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements hold for all tables; each has rulings, and a statement of its own."""
    for name in ("CODES", "SHIFTS"):
        monkeypatch.setenv(f"ANON_KEY_{name}", bytes(range(32)).hex())
    said = {
        "keys_kept_apart": True,
        "keys_for_this_recipient_only": False,
        "expert": {"name": "A", "qualification": "B"},
    }
    outcome = run(
        write(
            tmp_path,
            policy_of(regulation=["edpb_pseudonymisation", "hipaa_expert_determination"], statements=said),
        )
    )
    assert not outcome.released
    folder = Path(outcome.validated.path)
    packs = read_json(folder / "assessment.json")["detail"]["regulations"]
    found = {
        (pack["table"], pack["name"]): {clause["letter"]: clause["verdict"] for clause in pack["clauses"]}
        for pack in packs
    }
    assert len(found) == 6
    tables = ("patients", "visits", "findings")
    assert {found[table, "edpb_pseudonymisation"]["4.5"] for table in tables} == {"pass"}
    assert {found[table, "edpb_pseudonymisation"]["3.3"] for table in tables} == {"fail"}
    assert {found[table, "hipaa_expert_determination"]["b1"] for table in tables} == {"pass"}
    assert "visits: EDPB Guidelines 01/2025, section 3.3" in shown(refusal(folder))


def test_a_fault_in_a_statement_is_told_where_it_stands(tmp_path: Path) -> None:
    """Before a row is read; a pack that is misspelt is told with all names there are."""
    with pytest.raises(PolicyError) as caught:
        load_policy(
            make(tmp_path, "gdpr_wp29", statements={"expert": {"name": "A"}, "original_deleted": True})
        )
    assert "statements.expert.qualification: missing" in str(caught.value)
    assert "statements.original_deleted: unknown key; did you mean original_retained?" in str(caught.value)
    with pytest.raises(PolicyError) as caught:
        load_policy(make(tmp_path, "gdpr"))
    assert "gdpr_wp29" in str(caught.value)


def test_the_plan_names_every_pack(tmp_path: Path) -> None:
    """With the number of its clauses."""
    from anon_platform.cli.show import plan_text

    text = shown(plan_text(plan(make(tmp_path, *SOUND))))
    assert (
        "regulation: UK ICO, record of the motivated intruder test, 6 clauses, each of them checked" in text
    )

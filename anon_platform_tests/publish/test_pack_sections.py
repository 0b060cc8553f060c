"""The sections of packs that rest on measures, as a reader sees them, and the statement that an expert signs."""

import json
from pathlib import Path

import pytest

from anon_platform.policy.regulations import RegulationName, pack_of
from anon_platform.publish.report import page
from anon_platform.validate.regulations.hipaa_expert_determination import statement
from anon_platform.validate.regulations.judging import ON_MEASURES, Judged, metrics_of
from anon_platform_tests.publish.releases import Values, released
from anon_platform_tests.publish.test_regulation_section import section
from anon_platform_tests.validate.packs.dossiers import attack, classes, dossier

SAID = {
    "expert": {"name": "A. Expert", "qualification": "PhD in statistics", "measure": "maximum risk", "very_small": 0.09, "valid_days": 365},
    "original_retained": True,
}  # fmt: skip


def judged(*names: RegulationName, k: int = 12) -> tuple[Values, Values]:
    """A release whose smallest class has k people, judged by these packs."""
    case = dossier([*classes(k), attack("inference")], SAID)
    found = []
    for name in names:
        pack = pack_of(name)
        rulings = tuple((clause, ON_MEASURES[name][clause.letter](case)) for clause in pack.clauses)
        signed = tuple(statement(case)) if name == "hipaa_expert_determination" else ()
        found.append(Judged(pack, rulings, signed))
    manifest, assessment = released()
    assessment["detail"]["regulations"] = [one.as_json() for one in found]
    metrics = [metric.model_dump(mode="json") for metric in metrics_of(found)]
    manifest["metrics"] += metrics
    manifest["passed"] = all(metric["passed"] for metric in manifest["metrics"])
    return json.loads(json.dumps(manifest)), json.loads(json.dumps(assessment))


@pytest.mark.parametrize("name", ["hipaa_expert_determination", "gdpr_wp29"])
def test_the_section_of_a_pack_reads_as_it_should(name: RegulationName) -> None:
    """Clause, citation, verdict, why and what was looked at; then what a human decides. Read the file when it changes."""
    golden = Path(__file__).with_name(f"{name}_section.txt")
    assert section(judged("hipaa_expert_determination", "gdpr_wp29"), name) == golden.read_text(
        encoding="utf-8"
    )


def test_nobody_is_asked_to_sign_a_statement_on_a_release_that_was_refused() -> None:
    """The risk is not what the expert holds to be very small, and the text would say that it is."""
    assert "Statement of the expert" in page(*judged("hipaa_expert_determination"))
    refused = judged("hipaa_expert_determination", k=11)
    assert not refused[0]["passed"]
    assert "Statement of the expert" not in page(*refused)
    assert "maximum risk 0.09091, and the expert holds at most 0.09 to be very small" in page(*refused)


def test_every_pack_has_a_section_of_its_own_and_no_row_among_the_checks() -> None:
    """Ten packs at once: titles in the policy's order, and the table of measures as short as before."""
    text = page(*judged(*ON_MEASURES))
    places = [text.index(f'<h2 id="{name}">') for name in ON_MEASURES]
    assert places == sorted(places)
    assert "reasons to fail" not in text.split('<h2 id="checks">')[1].split("</section>")[0]

"""The packs as data: names that Dagster and the metrics can tell apart, editions, sources; the expert's statement."""

import datetime as dt
import re
from typing import Any

import pytest
from pydantic import ValidationError

from anon_platform.ledger.audit import SHORT_TEXT
from anon_platform.policy.regulations import PACKS, looks_at_columns, pack_of
from anon_platform.policy.statements import Statements
from anon_platform.validate.regulations.hipaa_expert_determination import expires, statement
from anon_platform_tests.validate.packs.dossiers import PLAIN, attack, classes, dossier

EXPERT = {
    "name": "A. Expert",
    "qualification": "PhD in statistics",
    "measure": "maximum risk",
    "very_small": 0.09,
    "valid_days": 365,
}


def test_names_of_checks_and_metrics_are_unique_over_all_packs() -> None:
    """A policy may name all of them; Dagster takes letters, digits and underscores only."""
    clauses = [(pack, clause) for pack in PACKS for clause in pack.clauses]
    checks = [pack.check(clause) for pack, clause in clauses]
    metrics = [f"{clause.citation}: {clause.title}" for _, clause in clauses]
    assert len(set(checks)) == len(checks) == len(set(metrics))
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", check) for check in checks)


def test_names_of_metrics_fit_into_the_ledger() -> None:
    """A refusal names the measures that missed, with the table before them: 200 characters, or the run ends in an error."""
    table = "x" * 31 + ": "
    names = [f"{table}{clause.citation}: {clause.title}" for pack in PACKS for clause in pack.clauses]
    assert not [name for name in names if not SHORT_TEXT.fullmatch(name)]


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_pack_says_its_edition_its_source_and_once_each_letter(pack: Any) -> None:
    """Who signs has to know which text was followed: a year at least."""
    letters = [clause.letter for clause in pack.clauses]
    assert len(set(letters)) == len(letters)
    assert re.search(r"\b20\d\d\b", pack.version)
    assert pack.source
    assert pack_of(pack.name) == pack


def test_only_safe_harbor_takes_a_look_at_every_column() -> None:
    """The others rest on what was measured anyway, so that a run of theirs takes no longer."""
    assert [pack.name for pack in PACKS if looks_at_columns((pack.name,))] == ["hipaa_safe_harbor"]
    assert not looks_at_columns(())


def test_the_statement_of_the_expert_is_filled_with_what_was_measured() -> None:
    """Whom, what, by which methods, with which results, until when; read it as it will be signed."""
    case = dossier(
        [*classes(12), attack("linkage")],
        {"expert": EXPERT},
        attackers=({"name": "neighbour", "knows": ("age",), "k": 3},),
    )
    assert statement(case) == [
        (
            "I, A. Expert, PhD in statistics, have appropriate knowledge of and experience with generally accepted statistical"
            " and scientific principles and methods for rendering information not individually identifiable."
        ),
        "The information is Visits (visits): 960 records of 700 patients. It goes to research team, for a model.",
        (
            "Applying such principles and methods I looked at: classes of patients who share age (prosecutor risk); an attacker:"
            " neighbour, who knows age; an attacker: a holder of the file voter list; attacks that were run: linkage."
        ),
        (
            "Measured on the bytes that leave: k 12, maximum risk 0.08333, mean risk 0.04167, sample uniques 0; certain"
            " re-identification by voter list 0.01, at most 0.05 allowed."
        ),
        (
            "I determine that the risk is very small (by maximum risk, at most 0.09) that the information could be used, alone or"
            " in combination with other reasonably available information, by an anticipated recipient to identify an individual"
            " who is a subject of it."
        ),
        "Made on 2026-03-04. This determination holds until 2027-03-04; after that day it is made anew.",
    ]


def test_without_an_expert_the_statement_has_lines_to_fill_in() -> None:
    """Nothing is invented; few people are not counted out."""
    case = dossier([], None, PLAIN, suppressed=993)
    text = " ".join(statement(case))
    assert "I, the undersigned, ____________________, have appropriate knowledge" in text
    assert "fewer than 11 records of 700 patients" in text
    assert "I looked at: nothing: no quasi-identifier leaves, and no attack was run." in text
    assert "Measured on the bytes that leave: nothing." in text
    assert "holds until ____________________;" in text


@pytest.mark.parametrize(
    ("days", "last"), [(1, dt.date(2026, 3, 5)), (365, dt.date(2027, 3, 4)), (10**9, dt.date.max)]
)
def test_a_determination_holds_for_the_days_that_the_expert_says(days: int, last: dt.date) -> None:
    """From the day of the judgement; a span beyond the calendar ends with it."""
    assert expires(dossier(statements={"expert": {**EXPERT, "valid_days": days}})) == last


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"expert": {"name": "A", "qualification": "B", "very_small": 0.1}}, "measure and very_small go together"),
        ({"expert": {"name": "", "qualification": "B"}}, "at least 1 character"),
        ({"intruder_test": {"held_on": "2026-02-03", "by": "us", "attempts": 5, "identified": 6}}, "identified is above attempts"),
        ({"intruder_test": {"held_on": "yesterday", "by": "us", "attempts": 5, "identified": 0}}, "valid date"),
        ({"keys_kept_apart": "yes"}, "valid boolean"),
        ({"approved": True}, "Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_a_statement_that_says_nothing_sure_is_a_fault(said: dict[str, Any], fault: str) -> None:
    """What decides a clause is written in full."""
    with pytest.raises(ValidationError) as caught:
        Statements.model_validate(said)
    assert fault in str(caught.value)


def test_nothing_is_stated_unless_it_is_written() -> None:
    """No default decides a clause."""
    assert set(Statements().model_dump().values()) == {None}

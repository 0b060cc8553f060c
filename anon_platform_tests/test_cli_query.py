"""`anon query` as it is typed: nothing is spent unasked, nothing is answered over budget, nothing unsafe is read."""

import json
from functools import partial
from pathlib import Path

import pytest

from anon_platform.cli import Exit
from anon_platform.ledger import Budget, Ledger
from anon_platform_tests.private_clinic import make_private_clinic
from anon_platform_tests.typed import Typed

SQL = "SELECT sex, COUNT(*) AS visits FROM clinic_numbers GROUP BY sex"
ASKED = ("--epsilon", 0.5, "--delta", 1e-6, "--purpose", "visits by sex")


@pytest.fixture
def typed(typed: Typed) -> Typed:
    """`anon query`, typed."""
    return partial(typed, "query")


def releases() -> list[str]:
    """States of all releases that took of the budget."""
    with Ledger.open() as ledger:
        return [each.state for balance in Budget(ledger).balances() for each in balance.releases]


def test_a_plan_says_how_exact_it_would_be_and_spends_nothing(tmp_path: Path, typed: Typed) -> None:
    file = make_private_clinic(tmp_path)
    code, said, _ = typed(file, SQL, *ASKED, "--plan")
    assert code == 0
    assert "visits" in said
    assert "Gaussian, deviation" in said
    code, said, _ = typed(file, SQL, *ASKED, "--plan", "--json")
    told = json.loads(said)
    assert told["fits"]
    assert told["expected"][0]["half_width"] > 0
    assert releases() == []


def test_json_spends_only_when_it_is_told_to(tmp_path: Path, typed: Typed) -> None:
    """Nobody was shown the expected error, and nobody was asked."""
    code, said, complaint = typed(make_private_clinic(tmp_path), SQL, *ASKED, "--json")
    assert code == Exit.POLICY
    assert said == ""
    assert "add --yes to spend" in complaint
    assert releases() == []


def test_who_says_no_spends_nothing(tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", asked.append)
    code, said, complaint = typed(make_private_clinic(tmp_path), SQL, *ASKED)
    assert (code, asked) == (0, ["Spend ε = 0.5?"])
    assert "±" in said
    assert "nothing was spent" in complaint
    assert releases() == []


def test_the_same_question_is_answered_again_for_nothing(tmp_path: Path, typed: Typed) -> None:
    file = make_private_clinic(tmp_path)
    answers = [json.loads(typed(file, SQL, *ASKED, "--yes", "--json")[1]) for _ in range(2)]
    assert answers[0] == answers[1]
    rows = answers[0]["answers"]["visits"]
    assert [row["sex"] for row in rows] == ["F", "M", None]
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
    assert releases() == ["settled"]
    code, said, _ = typed(file, SQL, *ASKED, "--yes")
    assert code == 0
    assert "95 % interval" in said
    assert releases() == ["settled"]


def test_over_budget_it_is_refused_and_says_what_is_left(tmp_path: Path, typed: Typed) -> None:
    """The recipient's cap is 2: one of 1.5 leaves too little for another; a plan says so too."""
    file = make_private_clinic(tmp_path)
    much = ("--epsilon", 1.9, "--delta", 1e-6, "--yes", "--purpose")
    assert typed(file, SQL, *much, "first")[0] == 0
    code, said, complaint = typed(file, SQL, *much, "second")
    assert code == Exit.REFUSED
    assert said == ""
    assert "is left for tests of ε = 2" in " ".join(complaint.split())
    code, said, _ = typed(file, SQL, *much, "second", "--plan")
    assert code == 0
    assert "It does not fit: population patients_of_the_clinic" in said
    assert releases() == ["settled"]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT name FROM clinic_numbers", "column name of single rows"),
        ("SELECT COUNT(*) FROM elsewhere", "write FROM clinic_numbers"),
        ("DROP TABLE clinic_numbers", "does not begin with SELECT"),
        ("SELECT COUNT(*) FROM clinic_numbers WHERE name = 'Name7'", "column name has no domain"),
        ("SELECT COUNT(*) FROM clinic_numbers ORDER BY 1", "ORDER BY"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_anything_is_spent(
    tmp_path: Path, typed: Typed, sql: str, told: str
) -> None:
    code, said, complaint = typed(make_private_clinic(tmp_path), sql, *ASKED, "--yes")
    assert code == Exit.POLICY
    assert said == ""
    assert told in " ".join(complaint.split())
    assert "Name7" not in complaint
    assert releases() == []

"""`anon budget` as it is typed, and what it draws."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anon_platform.ledger import Budget, Cap, Ledger
from anon_platform.publish.plots.budget import MOST, Stair, budget_png, budget_svg
from anon_platform_tests.budget_requests import request
from anon_platform_tests.typed import Typed

CAP, OWN = Cap(1.0, 0.0), Cap(0.3, 0.0)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve releases of 0.05 on patients, one of them refused, one reserved only, one given back; and one on staff."""
    monkeypatch.setenv("ANON_ACTOR", "m.curie")
    with Ledger.open() as ledger:
        budget = Budget(ledger)
        for number in range(12):
            team = f"team {number % 2}"
            budget.reserve(request(f"r{number:02d}", 0.05, CAP, own=OWN, recipient=team))
            if number == 0:
                budget.give_back("r00")
            elif number != 11:
                budget.spend(f"r{number:02d}")
                budget.settle(f"r{number:02d}", "refused" if number == 5 else "ok")
        budget.reserve(request("s1", 0.2, Cap(0.2, 0.0), population="staff"))


def lines(text: str) -> list[str]:
    """Lines with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_without_any_release_it_says_how_an_account_begins(typed: Typed) -> None:
    assert typed("budget") == (
        0,
        "no privacy budget yet; the first differentially private release of a population opens its account\n",
        "",
    )


@pytest.mark.usefixtures("account")
def test_the_table_says_what_is_spent_by_whom_and_what_is_left(typed: Typed) -> None:
    """Spent is rounded up, left is rounded down; lines are not cut."""
    code, out, err = typed("budget", "patients")
    assert (code, err) == (0, "")
    told = lines(out)
    assert told[:6] == [
        "patients",
        "cap ε at δ used spent reserved left basic composition",
        "all recipients 1 0 █████░░░░░ 55% 0.5 0.05 0.45 ε = 0.55",
        "team 0 0.3 0 ████████░░ 83% 0.25 0 0.05 ε = 0.25",
        "team 1 0.3 0 ██████████ 100% 0.25 0.05 0 ε = 0.3",
        "ε is added up.",
    ]
    assert len([line for line in told if " a study 0.05 0 " in line]) == 12
    assert told[8].endswith("r00 visits team 0 a study 0.05 0 returned m.curie")
    assert next(line for line in told if "r05" in line).endswith("settled, refused m.curie")
    assert max(map(len, out.splitlines())) < 140


@pytest.mark.usefixtures("account")
def test_all_populations_are_shown_with_their_newest_releases(typed: Typed) -> None:
    """The list of one is complete when it is named."""
    told = lines(typed("budget")[1])
    assert "and 2 before; see: anon budget patients" in told
    assert not [line for line in told if " r01 " in line]
    assert "staff" in told
    assert [line for line in told if line.endswith(" s1 visits team a a study 0.2 0 reserved m.curie")]


@pytest.mark.usefixtures("account")
def test_json_holds_the_units(typed: Typed) -> None:
    """For machines that add up."""
    code, out, err = typed("budget", "--json")
    assert (code, err) == (0, "")
    patients, staff = json.loads(out)
    assert patients["overall"]["spent"]["units"] == 500_000_000
    assert [share["left"]["units"] for share in patients["recipients"]] == [50_000_000, 0]
    assert patients["caps"][0]["cap"] == {"epsilon": 1.0, "delta": 0.0, "keys_delta": 0.0}
    assert [each["state"] for each in staff["releases"]] == ["reserved"]


@pytest.mark.usefixtures("account")
def test_a_cap_is_raised_with_a_reason_and_shown(typed: Typed) -> None:
    """Without one the call is faulty; a cap that is not higher is refused."""
    raising = ("budget", "raise", "patients", "--epsilon", 2, "--delta", 0)
    assert typed(*raising)[0] == 2
    code, out, _ = typed(*raising, "--reason", "board, 3 May")
    assert (code, lines(out)[2]) == (0, "all recipients 2 0 ██░░░░░░░░ 28% 0.5 0.05 1.45 ε = 0.55")
    code, _, err = typed(*raising, "--reason", "again")
    assert (code, err) == (
        1,
        "error population patients holds ε = 2 at δ = 0 already, which is not below ε = 2 at δ = 0; a policy lowers it\n",
    )
    told = typed(*raising, "--recipient", "team 1", "--reason", "board", "--json")[1]
    change = json.loads(told)["caps"][-1]
    assert (change["recipient"], change["reason"], change["actor"]) == ("team 1", "board", "m.curie")


@pytest.mark.usefixtures("account")
def test_the_plot_is_a_file_of_its_own(typed: Typed, tmp_path: Path) -> None:
    """As SVG with a typeface, or as PNG; of one population."""
    svg, png = tmp_path / "budget.svg", tmp_path / "budget.png"
    assert typed("budget", "patients", "--plot", svg)[0] == typed("budget", "patients", "--plot", png)[0] == 0
    root = ET.fromstring(svg.read_text())  # noqa: S314 - just written
    assert root.attrib["aria-label"] == (
        "ε spent over time; all recipients: ε 0.5 of 1; team 0: ε 0.25 of 0.3; team 1: ε 0.25 of 0.3"
    )
    assert "font-family" in root.attrib["style"]
    assert "team 1: cap ε = 0.3" in svg.read_text()
    assert png.read_bytes().startswith(b"\x89PNG")
    assert typed("budget", "--plot", svg)[0] == 2
    assert typed("budget", "patients", "--plot", tmp_path / "budget.gif")[0] == 2
    assert typed("budget", "patients", "--plot", tmp_path / "missing" / "budget.svg")[0] == 5


def test_the_plot_draws_those_who_had_the_most() -> None:
    """A figure of fifty recipients nobody can read; equal input gives equal bytes."""
    now = datetime(2026, 5, 3, tzinfo=UTC)

    def stair(name: str, height: float) -> Stair:
        at = [now - timedelta(days=1)]
        return Stair(name=name, at=at, epsilon=[height], basic=[height], cap=1.0, delta=0.0)

    stairs = [stair("all", 1.0), *(stair(f"team-{number:02d}", number / 20) for number in range(20))]
    text = budget_svg(stairs, now)
    assert [f"team-{number:02d}: cap" in text for number in range(20)] == [False] * (20 - MOST) + [
        True
    ] * MOST
    assert text == budget_svg(stairs, now)
    empty = Stair(name="all", at=[], epsilon=[], basic=[], cap=1.0, delta=0.0)
    assert budget_png([empty], now).startswith(b"\x89PNG")

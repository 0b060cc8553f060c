"""Random histories of the privacy budget beside a slow account in fractions that a reader can check."""

import math
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp import Loss, epsilon_of, loss_of
from anon_platform.errors import AnonError
from anon_platform.ledger import Budget, Cap, Ledger
from anon_platform_tests.budget_requests import request

UNIT = Fraction(1, 10**9)
EPSILONS = ("0.1", "0.2", "0.3", "0.55")
PEOPLE = ("patients", "staff")
TEAMS = ("a", "b")
DELTA = 1e-6

steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "reserve", "spend", "settle", "give_back"]),
        st.integers(0, 5),
        st.sampled_from(EPSILONS),
        st.sampled_from(PEOPLE),
        st.sampled_from(TEAMS),
    ),
    max_size=25,
)


class Oracle:
    """What may happen, said once more: a table of releases, summed anew for every question."""

    def __init__(self, cap: Fraction, own: Fraction, cost: Callable[[str], Fraction]) -> None:
        self.cap, self.own, self.cost = cap, own, cost
        self.rows: dict[int, dict[str, str]] = {}

    def total(self, population: str, team: str | None = None) -> Fraction:
        """What the people lost, in all or to one team."""
        total = Fraction(0)
        for row in self.rows.values():
            if row["population"] == population and team in (None, row["team"]):
                total += self.cost(row["epsilon"])
        return total

    def reserve(self, number: int, epsilon: str, population: str, team: str) -> bool:
        """Whether it fits, or is there already."""
        if number in self.rows:
            row = self.rows[number]
            return (row["epsilon"], row["population"], row["team"]) == (epsilon, population, team)
        if self.total(population) + self.cost(epsilon) > self.cap:
            return False
        if self.total(population, team) + self.cost(epsilon) > self.own:
            return False
        self.rows[number] = {"epsilon": epsilon, "population": population, "team": team, "state": "reserved"}
        return True

    def spend(self, number: int) -> bool:
        """Whether it was reserved."""
        return self._move(number, "reserved", "spent")

    def settle(self, number: int) -> bool:
        """Whether it was spent, or is settled already."""
        return self._move(number, "spent", "settled") or self.rows.get(number, {}).get("state") == "settled"

    def give_back(self, number: int) -> bool:
        """Whether it was reserved; then it is gone."""
        if self.rows.get(number, {}).get("state") != "reserved":
            return False
        del self.rows[number]
        return True

    def _move(self, number: int, before: str, after: str) -> bool:
        if self.rows.get(number, {}).get("state") != before:
            return False
        self.rows[number]["state"] = after
        return True


def went(act: Callable[[], object]) -> bool:
    """Whether it did not raise."""
    try:
        act()
    except AnonError:
        return False
    return True


def slow_epsilon(rho: float, delta: float) -> float:
    """Least ε over a grid of orders: Canonne, Kamath and Steinke 2020, Proposition 7, with D_α ≤ ρα."""
    orders = [1 + 10 ** (power / 300) for power in range(-500, 1500)]
    return min(
        rho * a + (math.log(1 / (a * delta)) + (a - 1) * math.log(1 - 1 / a)) / (a - 1) for a in orders
    )


def replayed(history: list[tuple[str, int, str, str, str]], cap: Cap, own: Cap, oracle: Oracle) -> None:
    """Takes each step in the ledger and in the oracle, and compares what they allowed and what is left."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.dict("os.environ", {"ANON_HOME": folder}),
        Ledger.open(f"sqlite:///{Path(folder) / 'ledger.db'}") as ledger,
    ):
        budget = Budget(ledger)
        for what, number, epsilon, population, team in history:
            name = f"r{number}"
            if what == "reserve":
                wanted = request(
                    name,
                    float(epsilon),
                    cap,
                    own=own,
                    loss=Cap(float(epsilon), cap.delta).loss,
                    population=population,
                    recipient=team,
                )
                assert went(lambda wanted=wanted: budget.reserve(wanted)) == oracle.reserve(
                    number, epsilon, population, team
                )
            else:
                step = getattr(budget, what)
                assert went(lambda step=step, name=name: step(name)) == getattr(oracle, what)(number)
        agree(budget, cap, own, oracle)
        assert ledger.verify().ok


def agree(budget: Budget, cap: Cap, own: Cap, oracle: Oracle) -> None:
    """What is taken and left is the same in both, and converts to no more than the caps."""
    for balance in budget.balances():
        overall = balance.overall
        taken = oracle.total(balance.population)
        assert (overall.spent + overall.reserved).units * UNIT == taken
        assert overall.left.units * UNIT == oracle.cap - taken >= 0
        assert overall.taken_epsilon <= cap.epsilon
        for share in balance.recipients:
            rest = oracle.own - oracle.total(balance.population, share.recipient)
            assert share.left.units * UNIT == rest >= 0
            assert share.taken_epsilon <= own.epsilon


@settings(max_examples=60)
@given(steps)
def test_pure_budgets_do_what_a_table_in_fractions_does(
    history: list[tuple[str, int, str, str, str]],
) -> None:
    """Tenths add up to tenths, exactly."""
    oracle = Oracle(Fraction(1), Fraction(6, 10), Fraction)
    replayed(history, Cap(1.0, 0.0), Cap(0.6, 0.0), oracle)


@settings(max_examples=15)
@given(steps)
def test_zcdp_budgets_do_what_a_table_in_fractions_does(
    history: list[tuple[str, int, str, str, str]],
) -> None:
    """Sums of ρ, of which the conversion to ε at δ is never above the cap."""

    @cache
    def rho(epsilon: str) -> Fraction:
        return loss_of(float(epsilon), DELTA).units * UNIT

    oracle = Oracle(rho("1.0"), rho("0.6"), rho)
    replayed(history, Cap(1.0, DELTA), Cap(0.6, DELTA), oracle)


@pytest.mark.parametrize("delta", [1e-5, 1e-9])
@pytest.mark.parametrize("epsilon", [0.01, 0.5, 3.0])
def test_the_sum_of_rho_under_a_cap_converts_to_its_epsilon_by_the_published_formula(
    epsilon: float, delta: float
) -> None:
    """Slow, over many orders; a unit more is above the cap."""
    loss = Cap(epsilon, delta).loss
    assert slow_epsilon(loss.amount, delta) == pytest.approx(epsilon, rel=1e-3)
    assert epsilon_of(loss, delta) <= epsilon < epsilon_of(Loss("zcdp", loss.units + 1), delta)

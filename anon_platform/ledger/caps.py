"""What the people of a population may lose at most, and what a release asks for.

A cap is a filter: releases may be chosen one after the other, each in the light of all results before, and together they
stay within it. That is proved for a sum of ε under pure differential privacy (Rogers, Roth, Ullman and Vadhan 2016), and
under zCDP for a sum of ρ that ends at a bound beside a sum of δ that ends at a bound of its own (Feldman and Zrnic 2021;
Whitehouse, Ramdas, Rogers and Wu 2023). It does not hold for a δ that later releases may move between keys and ρ: who sees
that the noise ran against them takes the δ, else the ρ, and wins more than δ (docs/decisions/012-privacy-budget.md has the
numbers); nor is a change between the two rules covered. So a population has one rule for ever, and a cap says how much of
its δ is for keys.
"""

from dataclasses import dataclass
from functools import lru_cache

from anon_platform.dp import Loss, Measure, epsilon_of, loss_of
from anon_platform.errors import BudgetError
from anon_platform.ledger.audit import require_short_text

MOST_UNITS = 2**63
"""Databases and other readers of JSON hold no more."""


@dataclass(frozen=True)
class Cap:
    """At most (ε, δ), counted in ρ of zCDP; at δ = 0 in ε of pure differential privacy."""

    epsilon: float
    delta: float
    keys_delta: float = 0.0
    """The part of δ that is for keys which the data names; nothing else can use it."""

    def __post_init__(self) -> None:
        for name in ("epsilon", "delta", "keys_delta"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.loss.units >= MOST_UNITS:
            raise BudgetError("a cap of that much ε protects nobody; write a smaller one, such as 1.0")

    @property
    def rule(self) -> Measure:
        """How losses add up under the cap."""
        return "zcdp" if self.delta else "pure"

    @property
    def loss(self) -> Loss:
        """The greatest loss within the cap: its units, and its δ for keys, are each the bound of a sum."""
        return _greatest(self.epsilon, self.delta, self.keys_delta)

    def epsilon_of(self, loss: Loss) -> float:
        """The ε of a loss at the δ of the cap, less the part for keys. Never above the cap's ε for what is within it."""
        if not loss.units:
            return 0.0
        return epsilon_of(Loss(loss.measure, loss.units, self.loss.delta_units), self.delta)

    def is_within(self, other: "Cap") -> bool:
        """Whether the cap allows nothing that the other one does not."""
        return (
            self.epsilon <= other.epsilon and self.delta <= other.delta and is_within(self.loss, other.loss)
        )

    def __str__(self) -> str:
        keys = f", of it {self.keys_delta:g} for keys" if self.keys_delta else ""
        return f"ε = {self.epsilon:g} at δ = {self.delta:g}{keys}"


@dataclass(frozen=True)
class Caps:
    """What a policy states: a cap for all recipients together, and one for its own recipient."""

    overall: Cap
    recipient: Cap

    def __post_init__(self) -> None:
        if self.overall.rule != self.recipient.rule:
            raise BudgetError(
                "the caps overall and of the recipient count in one way: δ is 0 in both, or above 0 in both"
            )


@dataclass(frozen=True, kw_only=True)
class Request:
    """A release that asks for a part of the budget."""

    population: str
    """The declared name of the people: policies that name the same people spend from one account, whatever their dataset."""
    dataset: str
    recipient: str
    release_id: str
    purpose: str
    caps: Caps
    loss: Loss
    epsilon: float
    """What the policy states, so that basic composition can be shown; the loss is within it."""
    delta: float

    def __post_init__(self) -> None:
        for name in ("population", "dataset", "recipient", "release_id"):
            require_short_text(getattr(self, name), name)
            if not getattr(self, name).strip():
                raise BudgetError(f"a request names its {name.replace('_', ' ')}; the name is empty")
        require_short_text(self.purpose, "purpose")
        object.__setattr__(self, "epsilon", float(self.epsilon))
        object.__setattr__(self, "delta", float(self.delta))
        if not 0 < self.loss.units < MOST_UNITS or self.loss.delta_units >= MOST_UNITS:
            raise BudgetError(
                "a request asks for at least one unit and for fewer than 2^63; state a sensible ε"
            )
        if epsilon_of(self.loss, self.delta) > self.epsilon:
            raise BudgetError(
                f"release {self.release_id} loses more than the ε = {self.epsilon:g} at δ = {self.delta:g} that it states"
            )


def is_within(loss: Loss, bound: Loss) -> bool:
    """Whether both parts of the loss are."""
    return loss.units <= bound.units and loss.delta_units <= bound.delta_units


def less(loss: Loss, taken: Loss) -> Loss:
    """What is left of the loss: nothing where more was taken, as after a cap was lowered."""
    return Loss(loss.measure, max(0, loss.units - taken.units), max(0, loss.delta_units - taken.delta_units))


@lru_cache(1024)
def _greatest(epsilon: float, delta: float, keys_delta: float) -> Loss:
    return loss_of(epsilon, delta, keys_delta=keys_delta)

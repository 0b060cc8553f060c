"""How much a release may tell of anybody, and how much all releases about the same people may tell together."""

from typing import Literal, Self

from pydantic import Field, model_validator

from anon_platform.dp import Loss, loss_of
from anon_platform.spec import Spec

NAME = r"^[a-z][a-z0-9_]{0,62}$"


class Cap(Spec):
    """The most that several releases together may lose."""

    epsilon: float = Field(gt=0, allow_inf_nan=False)
    delta: float = Field(ge=0, lt=1)
    keys_delta: float = Field(default=0, ge=0, lt=1)
    """The part of δ that is left to categories which are found in the data; nothing else can use it."""


class Caps(Spec):
    """What all releases about these people together may lose, over all policies, runs and years."""

    overall: Cap
    """Everything that ever left, whoever has it: recipients may meet."""
    recipient: Cap
    """What one recipient was given."""


class PrivacyLoss(Spec):
    """The privacy loss of one release, and the account that it is taken from. Nothing here has a default."""

    population: str = Field(pattern=NAME)
    """The people whom the data is about. Policies about the same people write the same name, whatever their dataset is called: they spend from one account."""
    people: int = Field(ge=1)
    """About how many they are, from public knowledge; δ is at most one in so many."""
    epsilon: float = Field(gt=0, allow_inf_nan=False)
    """ε of this release."""
    delta: float = Field(ge=0, lt=1)
    """δ of this release: 0 for pure differential privacy, with Laplace noise; above 0 for Gaussian noise, which is less where much is measured."""
    keys_delta: float = Field(default=0, ge=0, lt=1)
    """The part of δ that is left to categories which are found in the data; without it none can be found."""
    contribution: int = Field(ge=1, le=2**20)
    """Rows of a person that count; of those with more, so many are drawn at random."""
    neighbours: Literal["add_or_remove_person", "change_person"]
    """Which tables are told apart no better than ε allows: with or without a person, or with one person's rows changed at will."""
    caps: Caps

    @property
    def loss(self) -> Loss:
        """The loss of this release, as it is counted."""
        return loss_of(self.epsilon, self.delta, keys_delta=self.keys_delta)

    @property
    def rows_that_differ(self) -> int:
        """How many rows at most tell neighbouring tables apart."""
        return self.contribution * (2 if self.neighbours == "change_person" else 1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        caps = {"overall": self.caps.overall, "recipient": self.caps.recipient}
        if self.keys_delta > 0 and self.keys_delta >= self.delta:
            raise ValueError("keys_delta is a part of delta; write less than delta, such as a half of it")
        for said in (self.delta, *(cap.delta for cap in caps.values())):
            if said > 1 / self.people:
                raise ValueError(
                    f"δ above 1 in {self.people} people may give away a whole person; write at most {1 / self.people:.1g}"
                )
        for name, cap in caps.items():
            if (cap.delta == 0) != (self.delta == 0):
                raise ValueError(
                    f"caps.{name}: δ is 0 here or there only, but losses of both kinds have no common sum; write 0 in all, or in none"
                )
            if cap.keys_delta > 0 and cap.keys_delta >= cap.delta:
                raise ValueError(f"caps.{name}: keys_delta is a part of delta; write less than delta")
            if cap.epsilon < self.epsilon or cap.delta < self.delta or cap.keys_delta < self.keys_delta:
                raise ValueError(
                    f"caps.{name} is below the loss of this one release; raise it, or lower ε or δ"
                )
        return self

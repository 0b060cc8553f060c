"""Bounds of risk with the names they have in practice, and against whom risk is measured."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from anon_platform.policy.source import Population
from anon_platform.spec import Spec

PRESETS: dict[str, tuple[float, str]] = {
    "cell_size_3": (1 / 3, "El Emam 2013, Guide to the De-Identification of Personal Health Information, chapter 15: custodians who share with trusted recipients"),
    "cell_size_5": (1 / 5, "the same: the rule of most health data custodians"),
    "cell_size_11": (1 / 11, "the same: public data in the United States; CMS cell size suppression policy"),
    "ema_policy_0070": (0.09, "European Medicines Agency, External guidance on the implementation of Policy 0070, section 5.4"),
    "health_canada_prci": (0.09, "Health Canada, Public Release of Clinical Information: guidance document, section 6"),
    "cell_size_20": (1 / 20, "El Emam 2013, chapter 15: public data in Canada and the United States"),
}  # fmt: skip
"""By name the bound and its source. The names of agencies have the bound as these write it: 0.09 asks for 12 people, not 11."""

PresetName = Literal[
    "cell_size_3", "cell_size_5", "cell_size_11", "ema_policy_0070", "health_canada_prci", "cell_size_20"
]


def _number(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in PRESETS:
        raise ValueError(f"write a number without quotes, or one of {', '.join(PRESETS)}")
    return PRESETS[value][0]


RiskBound = Annotated[
    float, BeforeValidator(_number, json_schema_input_type=float | PresetName), Field(ge=0, le=1)
]
"""A probability, or the name of a preset."""


class RiskPopulation(Spec):
    """Of whom the people in the data are a random sample, or a table of everybody. Exactly one of the three."""

    people: int | None = Field(default=None, ge=1)
    """How many people, such as the inhabitants of the hospitals' region."""
    sampling_fraction: float | None = Field(default=None, gt=0, le=1)
    """Share of them that is in the data."""
    table: Population | None = None
    """Everybody, one row a person, such as a register."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(one is not None for one in (self.people, self.sampling_fraction, self.table)) != 1:
            raise ValueError("say which population, once: people: …, sampling_fraction: … or table: {…}")
        return self

    def fraction(self, people: int) -> float | None:
        """Share of the population that is in the data, at most 1; None with a table. people: in the source."""
        if self.people is not None:
            return min(1.0, people / self.people)
        return self.sampling_fraction


class Risk(Spec):
    """How risk is measured beside the classes of the data; thresholds bound it."""

    population: RiskPopulation | None = None
    """For journalist and marketer risk and for population uniques."""
    known_events: int | None = Field(default=None, ge=1, le=20)
    """Rows of a person that an attacker may know, at most, where a pseudonym links rows: measured from 1 to so many."""
    seed: int = Field(ge=0, le=2**32 - 1)
    """For draws of records and people."""

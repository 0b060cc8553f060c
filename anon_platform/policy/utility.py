"""What the data is for, and how much of its use may be lost."""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from anon_platform.spec import Spec

Share = Annotated[float, Field(ge=0, le=1)]

Cell = str | int | float | bool


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise ValueError("write a date, such as 2020-12-31") from None
    return value


Day = Annotated[dt.date, BeforeValidator(_day)]

ANALYTICS = (
    "fidelity",
    "information_loss",
    "detail_distance",
    "pair_difference",
    "k_marginal",
    "pmse_ratio",
    "query_error",
)
"""Limits that refuse a release for analytics …"""

MODEL_TRAINING = ("model_loss", "group_loss", "calibration_error")
"""… and those that refuse one for training models. fidelity and model_loss stand below thresholds."""


class Condition(Spec):
    """Which records a query looks at, by original values of one column: one of a list, or a range."""

    values: tuple[Cell, ...] = Field(default=(), strict=False)
    """Any of these values."""
    at_least: int | float | None = None
    """Numbers from it on."""
    below: int | float | None = None
    """Numbers below it."""
    since: Day | None = None
    """Dates from it on."""
    before: Day | None = None
    """Dates before it."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        numbers = (self.at_least, self.below) != (None, None)
        dates = (self.since, self.before) != (None, None)
        if [bool(self.values), numbers, dates].count(True) != 1:
            raise ValueError("write values: […], or at_least and below, or since and before")
        return self


class Query(Spec):
    """A question that analysts ask of the data: how many records, or the average of a column, by groups or not."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,62}$")
    """What the report calls it; values are never shown."""
    average: str | None = None
    """The number whose average is asked; the number of records when left out."""
    where: dict[str, Condition] = Field(default_factory=dict)
    """By released column, which records count; all of these must hold."""
    group_by: str | None = None
    """The released column whose original values have an answer each."""


class Utility(Spec):
    """How useful the release must be. Every measure is taken and shown; a limit that is given refuses releases.

    With a mode only its limits refuse: those of columns, pairs and queries for analytics, those of models for model_training.
    """

    mode: Literal["analytics", "model_training"] | None = None
    """What the data is for; when left out every limit that is given refuses a release."""
    information_loss: Share | None = None
    """Loss of an average record over the quasi-identifiers (Iyengar, as ARX has it), at most."""
    detail_distance: Share | None = None
    """Total variation distance of any column at its original detail, labels spread over what they cover, at most."""
    pair_difference: Share | None = None
    """Change of the association of two columns, on average over all pairs, at most."""
    k_marginal: float | None = Field(default=None, ge=0, le=1000)
    """NIST's score of three columns together at original detail, at least: 1000 for nothing changed."""
    pmse_ratio: float | None = Field(default=None, gt=0)
    """How much better released records are told from original ones than by chance (pMSE over its expectation), at most."""
    query_error: float | None = Field(default=None, ge=0)
    """Relative error of the median query, at most."""
    group_loss: float | None = Field(default=None, ge=0)
    """Area under the curve that any group of model.groups may lose beyond what everybody loses, at most."""
    calibration_error: Share | None = None
    """Expected calibration error of the model trained on released rows, at most."""
    queries: tuple[Query, ...] = Field(default=(), strict=False)
    """What analysts ask; when left out, a workload is made from the columns."""
    workload: int = Field(default=200, ge=1, le=5000)
    """Queries of a workload that is made."""
    marginals: int = Field(default=100, ge=1, le=2000)
    """Combinations of three columns that are drawn for k_marginal; all of them where there are fewer."""
    seed: int = Field(default=7, ge=0, le=2**32 - 1)
    """For what is drawn: combinations, queries and samples."""

    def refuses(self, limit: str) -> bool:
        """Whether a limit that is missed refuses the release."""
        if self.mode is None:
            return True
        return limit in (ANALYTICS if self.mode == "analytics" else MODEL_TRAINING)

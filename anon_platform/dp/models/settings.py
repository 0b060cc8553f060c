"""How a differentially private model is trained, as the policy says it."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from anon_platform.dp.domain import Category
from anon_platform.spec import Spec


def _several(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class Target(Spec):
    """What the model predicts: whether a column of categories holds one of some."""

    column: str
    positive: Annotated[
        tuple[Category, ...],
        BeforeValidator(_several, json_schema_input_type=Category | tuple[Category, ...]),
    ] = Field(min_length=1)
    """The category, or a list of them, whose probability is predicted."""


class ModelRelease(Spec):
    """A model trained on noisy sums: one score per bin or category of each feature, added up.

    Everybody counts once: the rows of a person are averaged. Rows without a target are left out.
    """

    learner: Literal["ebm", "logistic_regression"]
    """`ebm`: a score for each bin, an explainable boosting machine without pairs. `logistic_regression`: one coefficient for a column of numbers or dates, by the number of the bin, and one for each category."""
    target: Target
    features: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(min_length=1)
    """Columns that the model may look at; each has a domain that is named in full."""
    held_out: float = Field(default=0.2, ge=0, le=0.5)
    """Share of the people on whom the model is not trained but evaluated, with noise; at 0 nothing is said of its quality. It costs no ε, since nobody is on both sides."""
    rounds: int | None = Field(default=None, ge=1, le=1000)
    """Noisy gradients that are measured; when left out, 12, or 6 at δ = 0. More rounds have more noise each."""
    clip: float = Field(default=0.5, gt=0, le=1)
    """A person moves a gradient by at most this much. It bounds what anybody can do to the model, and noise grows with it; privacy does not depend on it."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.features)) < len(self.features):
            raise ValueError("a feature stands twice; keep one")
        if self.target.column in self.features:
            raise ValueError("the target cannot be a feature; remove it from the features")
        return self

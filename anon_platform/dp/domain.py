"""What a column may hold, as the policy says it in public: the frame that noisy counts are taken in.

A domain that was read off the data would tell of it, before any noise: so it is written in the policy, from knowledge
that is public, or the policy pays for finding it.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from anon_platform.spec import Day, Spec

Category = StrictStr | StrictBool | StrictInt
"""A category as the source holds it: text, a whole number or a truth value."""

MOST_BINS = 1000
MOST_STEPS = 2**40
"""So many steps of up to 2^20 rows a person are far from what 64 bits hold."""


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class Categories(Spec):
    """Named categories. A value that is not named counts as missing, or as `other`."""

    kind: Literal["categories"]
    values: Annotated[tuple[Category, ...] | Literal["found"], BeforeValidator(_listed)]
    """All categories, from public knowledge; or `found`: those of enough people are found, which takes a part of ε and needs δ."""
    other: str | None = None
    """The category that stands for all that are not named; when left out, they count as missing."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.values == "found":
            return self
        if not self.values:
            raise ValueError("a domain has at least one category; name them, or write values: found")
        if len({type(value) for value in self.values}) > 1:
            raise ValueError(
                'categories are all text, all whole numbers or all truth values; write numbers as text ("1") or none'
            )
        if len(set(self.values)) < len(self.values) or self.other in self.values:
            raise ValueError("a category stands twice; keep one")
        return self


class Numbers(Spec):
    """Numbers between two bounds; what is beyond counts as the bound."""

    kind: Literal["numbers"]
    bounds: tuple[float, float] = Field(strict=False)
    """Least and greatest value, from public knowledge."""
    step: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Values are rounded to whole steps: 1 for whole numbers, 0.01 for cents."""
    bins: Annotated[StrictInt | tuple[float, ...] | Literal["found"], BeforeValidator(_listed)] = 16
    """So many bins of equal width, or the lower ends of all bins but the first; `found`: bins of about equal share, which takes a part of ε."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        low, high = self.bounds
        if not (abs(low) < float("inf") and abs(high) < float("inf") and low < high):
            raise ValueError("bounds are two finite numbers, the least value first")
        if (high - low) / self.step > MOST_STEPS:
            raise ValueError("there are too many steps between the bounds; write a coarser step")
        if isinstance(self.bins, int) and not 1 <= self.bins <= MOST_BINS:
            raise ValueError(f"write 1 to {MOST_BINS} bins")
        ends = [low, *self.bins, high] if isinstance(self.bins, tuple) else []
        if any(left >= right for left, right in pairwise(ends)):
            raise ValueError("bins begin one after the other, between the bounds")
        return self


class Dates(Spec):
    """Days or times between two days; what is beyond counts as the bound."""

    kind: Literal["dates"]
    bounds: tuple[Day, Day] = Field(strict=False)
    """First and last day, from public knowledge."""
    every: Literal["day", "week", "month", "quarter", "year"] = "month"
    """Width of a bin; within it a day is drawn at random."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.bounds[0] >= self.bounds[1]:
            raise ValueError("bounds are two days, the first one first")
        return self


Domain = Annotated[Categories | Numbers | Dates, Field(discriminator="kind")]

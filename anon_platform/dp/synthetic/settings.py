"""How a differentially private synthetic table is made, as the policy says it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, StrictInt, Tag, model_validator

from anon_platform.dp.domain import Category
from anon_platform.spec import Spec


def _several(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            column: tuple(cell) if isinstance(cell, list | tuple) else (cell,)
            for column, cell in value.items()
        }
    return value


Cells = Annotated[dict[str, tuple[Category | None, ...]], BeforeValidator(_several)]
"""Per column the categories it may have, one or a list of them; null stands for a missing value, of any column."""


class AtMost(Spec):
    """No row has more in `column` than in `at_most`, two columns of numbers or two of dates; where one is missing, all goes."""

    column: str
    at_most: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.column == self.at_most:
            raise ValueError("a column is never more than itself; name two columns")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """What it is about."""
        return self.column, self.at_most


class Implies(Spec):
    """Rows that have all of `if` have all of `then` too."""

    when: Cells = Field(alias="if", min_length=1)
    then: Cells = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if both := set(self.when) & set(self.then):
            raise ValueError(
                f"column {', '.join(sorted(both))} stands under if and under then; keep it in one of them"
            )
        if any(not cells for cells in (*self.when.values(), *self.then.values())):
            raise ValueError("a list of categories is empty; name at least one, or null for a missing value")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """What it is about."""
        return *self.when, *self.then


def _kind(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Spec):
        return "if" if isinstance(value, Implies) else "at_most"
    return "if" if isinstance(value, Mapping) and ("if" in value or "then" in value) else "at_most"


Constraint = Annotated[
    Annotated[AtMost, Tag("at_most")] | Annotated[Implies, Tag("if")], Discriminator(_kind)
]
"""What holds in every row, from public knowledge: rows of the source that break it count as if they did not."""


class Synthesis(Spec):
    """A synthetic table drawn from a model of noisy marginals.

    Each row is drawn anew; nothing of a row of the source is kept. What may be learned from all rows together is bounded
    by the privacy loss, whatever the method.
    """

    rows: Annotated[StrictInt, Field(ge=0, le=100_000_000)] | Literal["noisy"]
    """So many rows, a number that is public; or `noisy`: as many as the noisy marginals say that there are."""
    method: Literal["light", "mst", "aim"] = "light"
    """`light` needs no further library; `mst` and `aim` are those of OpenDP and need the extra `mbi`."""
    target: str | None = None
    """The column that models of the table will predict: its relation to every other column is measured first."""
    constraints: Annotated[
        tuple[Constraint, ...], BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v)
    ] = ()
    """What holds in every row of the table."""
    effort: Literal["fast", "best"] = "fast"
    """`best` allows larger tables of the model and more rounds of measurement, and takes some ten times as long."""

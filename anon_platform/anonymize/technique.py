"""What a column technique is: settings that fit themselves to a column and give a function of its values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

    from anon_platform.anonymize.order import Draws


Treat = Callable[["pl.Series"], "pl.Series"]
"""A function of the values of one column: same name, length and order, equal values give equal results, null stays null.

Since it looks at single values only, it may run on the frequency table as well as on the rows, and a
step that counts a treated column needs no pass of its own.
"""

TreatRows = Callable[["pl.Series", "pl.Series"], "pl.Series"]
"""A function of the values of one column and of the ROW number of each: equal values may give different results.

It runs on rows only, in batches of any size and order, and gives each row the same result in all of them.
"""


TreatPeople = Callable[["pl.Series", "pl.Series"], "pl.Series"]
"""A function of the values of one column and of the TOKEN of each row's person: everybody's values are treated alike.

It runs on rows only, and gives a value of a person the same result in every batch, table and release.
"""


TreatRecords = Callable[["pl.DataFrame"], "pl.Series"]
"""A function of whole rows: of the column, and of the columns beside it that the technique names.

Each row's result depends on that row alone. It is dear, so it runs once, on the rows that leave.
"""


def has_text(dtype: "pl.DataType") -> bool:
    """Whether values of this type can be written as text: lists, structs and bytes cannot."""
    import polars as pl

    return not (dtype.is_nested() or dtype in (pl.Binary, pl.Object))


def text_fault(dtype: "pl.DataType") -> str | None:
    """What is wrong with a column whose values are compared as text but have none; None when they have."""
    return None if has_text(dtype) else "lists, structs and bytes have no text; suppress or unpack the column"


def looked_up(values: "pl.Series", distinct: "pl.Series", codes: list[str]) -> "pl.Series":
    """`values` with each of the `distinct` ones replaced by its code, as text; null stays null."""
    import polars as pl

    table = pl.DataFrame({"value": distinct, "code": pl.Series(codes, dtype=pl.String)})
    frame = pl.DataFrame({"value": values})
    found = frame.join(table, on="value", how="left", maintain_order="left")["code"]
    return found.alias(values.name)


@dataclass(frozen=True)
class WholeColumn:
    """What a technique may ask of its column beyond single values; nothing is counted or read before it is asked for.

    counts: the distinct values (`value`, null included) with `n` records and `people`. Nobody counts as a person at
        two values, so that people add up and are never too many: who has several is counted at one of them.
    in_order: all values, by ROW.
    draws: one secret 64-bit number a row for a purpose, the same for every engine, batch size and process.
    """

    name: str
    dtype: "pl.DataType"
    counts: "Callable[[], pl.DataFrame]"
    in_order: "Callable[[], pl.Series]"
    draws: "Callable[[str], Draws]"


class ColumnTechnique(Protocol):
    """The part every technique has in common; the class itself is the frozen settings."""

    @property
    def technique(self) -> str:
        """Its name in the policy."""
        ...

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Why a column of this type cannot be treated so, and what to write instead; None when it can."""
        ...


@runtime_checkable
class OfValues(ColumnTechnique, Protocol):
    """A technique that needs nothing but the value: most are."""

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The function that treats the column's values."""
        ...


@runtime_checkable
class OfCounts(ColumnTechnique, Protocol):
    """A technique that fits itself to the counts of its column and is a function of values then."""

    def fit_counts(self, column: WholeColumn) -> Treat:
        """The function that treats the column's values."""
        ...


@runtime_checkable
class OfRows(ColumnTechnique, Protocol):
    """A technique that treats equal values differently, by secret draws of the rows."""

    def fit_rows(self, column: WholeColumn) -> TreatRows:
        """The function that treats the column's values by ROW."""
        ...


@runtime_checkable
class OfPeople(ColumnTechnique, Protocol):
    """A technique that treats equal values of different people differently, by a secret key."""

    def fit_people(self, column: str) -> TreatPeople:
        """The function that treats the column's values by TOKEN."""
        ...


@runtime_checkable
class OfRecords(ColumnTechnique, Protocol):
    """A technique that looks at other columns of the same row, which need not leave."""

    @property
    def known_from(self) -> tuple[str, ...]:
        """The columns beside it, of the source."""
        ...

    def fit_records(self, column: str) -> TreatRecords:
        """The function that treats the rows."""
        ...

"""What a column technique is: settings that fit themselves to a column and give a function of its values."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


Treat = Callable[["pl.Series"], "pl.Series"]
"""A function of the values of one column: same name, length and order, equal values give equal results, null stays null.

Since it looks at single values only, it may run on the frequency table as well as on the rows, and a
step that counts a treated column needs no pass of its own.
"""


def has_text(dtype: "pl.DataType") -> bool:
    """Whether values of this type can be written as text: lists, structs and bytes cannot."""
    import polars as pl

    return not (dtype.is_nested() or dtype in (pl.Binary, pl.Object))


class ColumnTechnique(Protocol):
    """The part every technique has in common; the class itself is the frozen settings."""

    technique: str

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Why a column of this type cannot be treated so, and what to write instead; None when it can."""
        ...

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The function that treats the column's values."""
        ...

"""A hierarchy of one step: the value itself, or `*`."""

from typing import TYPE_CHECKING, Literal

from anon_platform.anonymize.technique import text_fault
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Flat(Spec):
    """The value is kept or suppressed, nothing in between; for columns with few values, such as sex."""

    kind: Literal["flat"]

    @property
    def level_names(self) -> tuple[str, ...]:
        """One level: the value."""
        return ("value",)

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Values are compared as text, so they need one."""
        return text_fault(dtype)

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """The values as text."""
        import polars as pl

        return [values.cast(pl.String)]

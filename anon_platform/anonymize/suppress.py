"""Suppression of whole columns."""

from typing import TYPE_CHECKING, Literal

from anon_platform.anonymize.technique import Treat
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Suppress(Spec):
    """The column is left out of the release; its values are not even copied to staging, unless a text is searched for them (`known_from`)."""

    technique: Literal["suppress"]

    def fault(self, dtype: "pl.DataType") -> str | None:
        """None: every column can be left out."""
        del dtype
        return None

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """All values null. The pipeline drops the column before this is ever needed."""
        import polars as pl

        del column, dtype
        return lambda values: pl.Series(values.name, [None] * len(values), dtype=values.dtype)

"""Masking: a few characters stay, the rest becomes a fixed run of asterisks."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from anon_platform.anonymize.technique import Treat
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

STARS = "****"


class Mask(Spec):
    """Keeps the first or last characters of a text; `****` stands for the rest, whatever its length.

    A value of which more than half would stay is masked whole, so that short values are never shown.
    """

    technique: Literal["mask"]
    keep_first: int = Field(default=0, ge=0)
    keep_last: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.keep_first + self.keep_last == 0:
            raise ValueError(
                "say what stays: keep_first or keep_last, at least 1; to keep nothing use suppress"
            )
        return self

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Masks are for text."""
        import polars as pl

        return None if dtype == pl.String else "mask works on text; declare type: string"

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The masked values, null for null.

        >>> import polars as pl
        >>> Mask(technique="mask", keep_last=4).fit("phone", pl.String())(pl.Series(["312-555-0199", "1"])).to_list()
        ['****0199', '****']
        """
        import polars as pl

        del column, dtype
        first, last = self.keep_first, self.keep_last

        def treat(values: "pl.Series") -> "pl.Series":
            value = pl.col("value")
            short = value.str.len_chars() < 2 * (first + last)
            tail = value.str.slice(-last) if last else pl.lit("")
            masked = pl.concat_str(value.str.slice(0, first), pl.lit(STARS), tail)
            known = value.is_not_null()
            frame = pl.DataFrame({"value": values})
            shown = pl.when(known & short).then(pl.lit(STARS)).when(known).then(masked)
            return frame.select(shown.alias(values.name)).to_series()

        return treat

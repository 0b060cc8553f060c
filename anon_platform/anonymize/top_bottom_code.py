"""Top and bottom coding: extreme numbers, which identify, are pulled in to a bound."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import FiniteFloat, model_validator

from anon_platform.anonymize.technique import Treat
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class TopBottomCode(Spec):
    """Numbers above `top` become `top`, numbers below `bottom` become `bottom`.

    Source: Hundepool et al. 2012, Statistical Disclosure Control, section 3.3.3.
    """

    technique: Literal["top_bottom_code"]
    top: FiniteFloat | None = None
    bottom: FiniteFloat | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.top is None and self.bottom is None:
            raise ValueError("say a bound: top, bottom or both")
        if self.top is not None and self.bottom is not None and self.bottom >= self.top:
            raise ValueError("bottom must be below top")
        return self

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Bounds need numbers, whole numbers need whole bounds, and the type has to hold them."""
        import polars as pl

        if not dtype.is_numeric():
            return "top_bottom_code needs a numeric column; declare type: integer or number"
        bounds = [bound for bound in (self.top, self.bottom) if bound is not None]
        if dtype.is_integer() and any(bound != int(bound) for bound in bounds):
            return "the column holds whole numbers; write whole numbers for top and bottom"
        if pl.Series(bounds, dtype=pl.Float64).cast(dtype, strict=False).null_count():
            return (
                f"a bound is no {str(dtype).lower()}, the type of the column; declare type: integer or number"
            )
        return None

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The bounded values, of the same type.

        >>> import polars as pl
        >>> TopBottomCode(technique="top_bottom_code", top=90).fit("age", pl.Int64())(pl.Series([34, 97])).to_list()
        [34, 90]
        """
        import polars as pl

        del column

        def treat(values: "pl.Series") -> "pl.Series":
            lower = None if self.bottom is None else pl.lit(self.bottom).cast(dtype)
            upper = None if self.top is None else pl.lit(self.top).cast(dtype)
            return pl.select(pl.lit(values).clip(lower, upper)).to_series().alias(values.name)

        return treat

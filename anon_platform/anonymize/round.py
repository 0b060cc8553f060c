"""Rounding: numbers become the nearest multiple of a step."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.technique import Treat
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Round(Spec):
    """Numbers become the nearest multiple of `to`; halfway between two, the even one (IEEE 754)."""

    technique: Literal["round"]
    to: float = Field(gt=0, allow_inf_nan=False)
    """The step, such as 10 or 0.5; whole for columns of whole numbers."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Only numbers have multiples near them."""
        if not dtype.is_numeric():
            return "round needs a numeric column; declare type: integer or number"
        if dtype.is_integer() and self.to != int(self.to):
            return "the column holds whole numbers; write a whole number for to"
        return None

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The rounded numbers, of the column's type; null for null, NaN and infinity as they are.

        >>> import polars as pl
        >>> Round(technique="round", to=10).fit("x", pl.Int64())(pl.Series([4, 5, 15, -26, None])).to_list()
        [0, 0, 20, -30, None]
        """
        import polars as pl

        del column
        if dtype.is_integer():
            step = int(self.to)
            value = pl.col("value").cast(pl.Int128)
            down, rest = value // step, value % step
            up = (2 * rest > step) | ((2 * rest == step) & (down % 2 != 0))
            rounded = ((down + up.cast(pl.Int128)) * step).cast(dtype)
        else:
            rounded = ((pl.col("value") / self.to).round(mode="half_to_even") * self.to).cast(dtype)

        def treat(values: "pl.Series") -> "pl.Series":
            return pl.DataFrame({"value": values}).select(rounded.alias(values.name)).to_series()

        return treat

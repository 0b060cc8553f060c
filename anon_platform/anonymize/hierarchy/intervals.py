"""Numeric intervals of growing width."""

from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from anon_platform.spec import Spec


class Intervals(Spec):
    """Half-open intervals `[70, 75)`, wider at every level, with open ends below `bottom` and from `top` on."""

    kind: Literal["intervals"]
    widths: tuple[float, ...] = Field(min_length=1, strict=False)
    """Interval widths, ascending, each a multiple of the one before."""
    origin: float = Field(default=0, strict=False)
    """Where an interval of every width begins."""
    bottom: float | None = Field(default=None, strict=False)
    """Values below it become one label, `<18`."""
    top: float | None = Field(default=None, strict=False)
    """Values from it on become one label, `90+` (HIPAA: ages over 89)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if any(width <= 0 for width in self.widths):
            raise ValueError("widths must be positive, such as widths: [5, 10, 20]")
        for narrow, wide in zip(self.widths, self.widths[1:], strict=False):
            if wide <= narrow or abs(wide / narrow - round(wide / narrow)) > 1e-9:  # noqa: PLR2004
                raise ValueError(
                    "widths must ascend, each a multiple of the one before, such as widths: [5, 10, 20]"
                )
        if self.bottom is not None and self.top is not None and self.bottom >= self.top:
            raise ValueError("bottom must be below top")
        return self

    @property
    def level_names(self) -> tuple[str, ...]:
        """One level a width, named by it."""
        return tuple(f"{width:g}" for width in self.widths)

    def fault(self, dtype: pl.DataType) -> str | None:
        """Intervals need numbers."""
        return (
            None if dtype.is_numeric() else "intervals need a numeric column; declare type: integer or number"
        )

    def labels(self, values: pl.Series) -> list[pl.Series]:
        """One series of interval labels a width; NaN counts as null."""
        frame = pl.DataFrame({"value": values.cast(pl.Float64).fill_nan(None)})
        return [frame.select(self._label(width)).to_series() for width in self.widths]

    def _label(self, width: float) -> pl.Expr:
        value = pl.col("value")
        lower = ((value - self.origin) / width).floor() * width + self.origin
        upper = lower + width
        # an interval ends where an open end begins, so that open ends stay one label at every level
        if self.bottom is not None:
            lower = pl.max_horizontal(lower, pl.lit(self.bottom, pl.Float64))
        if self.top is not None:
            upper = pl.min_horizontal(upper, pl.lit(self.top, pl.Float64))
        label = pl.concat_str(pl.lit("["), _text(lower), pl.lit(", "), _text(upper), pl.lit(")"))
        if self.bottom is not None:
            label = pl.when(value < self.bottom).then(pl.lit(f"<{self.bottom:g}")).otherwise(label)
        if self.top is not None:
            label = pl.when(value >= self.top).then(pl.lit(f"{self.top:g}+")).otherwise(label)
        return pl.when(value.is_null()).then(None).otherwise(label)


def _text(number: pl.Expr) -> pl.Expr:
    """Whole numbers without a decimal point."""
    whole = number == number.floor()
    return (
        pl.when(whole)
        .then(number.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(number.round(9).cast(pl.String))
    )

"""Calendar dates: day, month, quarter, year."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.hierarchy.order import in_order
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

DateLevel = Literal["day", "month", "quarter", "year"]
ORDER: tuple[DateLevel, ...] = ("day", "month", "quarter", "year")


class Dates(Spec):
    """Dates and timestamps cut to the allowed levels; the first one listed is the finest ever released."""

    kind: Literal["dates"]
    levels: tuple[DateLevel, ...] = Field(min_length=1)
    """From finest to coarsest, out of day, month, quarter, year."""

    _check = in_order(ORDER)

    @property
    def level_names(self) -> tuple[str, ...]:
        """The allowed levels."""
        return self.levels

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Dates need a date or a timestamp."""
        import polars as pl

        return (
            None
            if dtype in (pl.Date, pl.Datetime)
            else "dates need a date column; declare type: date or type: datetime"
        )

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """`2004-03-17`, `2004-03`, `2004-Q1` or `2004`; of a timestamp the day in its own time zone."""
        import polars as pl

        frame = pl.DataFrame({"value": values.dt.date()})
        value = pl.col("value")
        texts = {
            "day": value.dt.strftime("%Y-%m-%d"),
            "month": value.dt.strftime("%Y-%m"),
            "quarter": pl.concat_str(
                value.dt.strftime("%Y"), pl.lit("-Q"), value.dt.quarter().cast(pl.String)
            ),
            "year": value.dt.strftime("%Y"),
        }
        return [frame.select(texts[level]).to_series() for level in self.levels]

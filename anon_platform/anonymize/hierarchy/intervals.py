"""Numeric intervals: of growing width, between given cuts, or between cuts that lose least."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from anon_platform.anonymize.hierarchy.cuts import labels_between, optimal_cuts, spelled
from anon_platform.errors import PolicyError
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Optimal(Spec):
    """Cuts that are found in the data: the finest intervals that hold enough people, and coarser ones made of them."""

    least: int = Field(ge=2)
    """People in an interval of the finest level, at least; twice as many at every coarser level."""
    levels: int = Field(ge=1, le=12)
    """Levels of intervals."""


class Intervals(Spec):
    """Half-open intervals `[70, 75)`, wider at every level: of `widths`, between `cuts`, or between `optimal` cuts."""

    kind: Literal["intervals"]
    widths: tuple[FiniteFloat, ...] = ()
    """Interval widths, ascending, each a multiple of the one before."""
    cuts: tuple[tuple[FiniteFloat, ...], ...] = ()
    """Where intervals begin, a list a level, such as [[18, 40, 65], [40]]; a coarser level keeps some of them."""
    optimal: Optimal | None = None
    """Cuts computed from the number of people at each value, so that the least detail is lost."""
    origin: FiniteFloat = 0
    """Where an interval of every width begins."""
    bottom: FiniteFloat | None = None
    """Values below it become one label, `<18`."""
    top: FiniteFloat | None = None
    """Values from it on become one label, `90+` (HIPAA: ages over 89)."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if [bool(self.widths), bool(self.cuts), self.optimal is not None].count(True) != 1:
            raise ValueError(
                "say where intervals begin: widths: [5, 10, 20], cuts: [[18, 40, 65], [40]]"
                " or optimal: {least: …, levels: …}"
            )
        if not self.widths and (self.origin, self.bottom, self.top) != (0, None, None):
            raise ValueError(
                "origin, bottom and top go with widths; the first and the last interval are open"
            )
        for finer, coarser in zip(self.cuts, self.cuts[1:], strict=False):
            if not set(coarser) <= set(finer):
                raise ValueError(
                    "a coarser level of cuts keeps some of the cuts of the level before, and adds none"
                )
        if any(list(level) != sorted(set(level)) for level in self.cuts):
            raise ValueError("cuts ascend, each once, such as cuts: [[18, 40, 65], [40]]")
        return self

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
        """One level a width, named by it; `level 1` … of cuts."""
        if self.widths:
            return tuple(spelled(width) for width in self.widths)
        levels = self.optimal.levels if self.optimal is not None else len(self.cuts)
        return tuple(f"level {i + 1}" for i in range(levels))

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Intervals need numbers."""
        return (
            None if dtype.is_numeric() else "intervals need a numeric column; declare type: integer or number"
        )

    @property
    def needs_counts(self) -> bool:
        """Whether the cuts are found in the data."""
        return self.optimal is not None

    def fitted(self, values: "pl.Series", counts: "pl.Series") -> "Intervals":
        """The intervals with optimal cuts written out; intervals that the policy fixes stay. counts: people a value."""
        if self.optimal is None:
            return self
        return Intervals(kind="intervals", cuts=optimal_cuts(values, counts, **self.optimal.model_dump()))

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """One series of interval labels a width; NaN counts as null, infinity too unless an open end takes it."""
        import polars as pl

        if self.optimal is not None:
            raise PolicyError("optimal intervals are known when the column was counted; fit them first")
        if self.cuts:
            return [labels_between(values, level) for level in self.cuts]
        frame = pl.DataFrame({"value": values.cast(pl.Float64).fill_nan(None)})
        frame = frame.with_columns(number=self._number())
        return [frame.select(self._label(width)).to_series() for width in self.widths]

    def _number(self) -> "pl.Expr":
        """The number of the narrowest interval that holds the value, 0 for the one that begins at the origin."""
        import polars as pl

        value, narrowest = pl.col("value"), self.widths[0]
        steps = (value - self.origin) / narrowest
        nearest = steps.round()
        # a value on a bound belongs to the interval that begins there, also where 0.3 / 0.1 is a hair below 3
        hair = (value.abs() + abs(self.origin)) / narrowest * 1e-15
        on_bound = (steps - nearest).abs() <= hair
        return pl.when(on_bound).then(nearest).otherwise(steps.floor()).cast(pl.Int64, strict=False)

    def _label(self, width: float) -> "pl.Expr":
        import polars as pl

        value = pl.col("value")
        # wide intervals are made of whole narrow ones, so that every label has one parent
        ratio = round(width / self.widths[0])
        first = pl.col("number") // ratio * ratio
        lower = first * self.widths[0] + self.origin
        upper = (first + ratio) * self.widths[0] + self.origin
        # an interval ends where an open end begins, so that open ends stay one label at every level
        if self.bottom is not None:
            lower = pl.max_horizontal(lower, pl.lit(self.bottom, pl.Float64))
        if self.top is not None:
            upper = pl.min_horizontal(upper, pl.lit(self.top, pl.Float64))
        label = pl.concat_str(pl.lit("["), _text(lower), pl.lit(", "), _text(upper), pl.lit(")"))
        if self.bottom is not None:
            label = pl.when(value < self.bottom).then(pl.lit(f"<{spelled(self.bottom)}")).otherwise(label)
        if self.top is not None:
            label = pl.when(value >= self.top).then(pl.lit(f"{spelled(self.top)}+")).otherwise(label)
        return pl.when(value.is_null()).then(None).otherwise(label)


def _text(number: "pl.Expr") -> "pl.Expr":
    """Whole numbers without a decimal point."""
    import polars as pl

    whole = number.round()
    return (
        pl.when((number - whole).abs() < 5e-10)  # noqa: PLR2004 - half of the ninth decimal
        .then(whole.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(number.round(9).cast(pl.String))
    )

"""Redaction of characters from one end: codes of any kind, coarser with every character that goes."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Prefix(Spec):
    """Codes of which a few characters stay, the rest a star each: `12345`, `1234*`, `123**`.

    At least one character goes at every level of `keep`, so that a short code is not shown by accident.
    """

    kind: Literal["prefix"]
    keep: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    """Characters that stay, from finest to coarsest, such as [4, 3, 2]."""
    whole: bool = False
    """Whether the code itself is the finest level."""
    redact: Literal["right", "left"] = "right"
    """The end from which characters go."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if list(self.keep) != sorted(set(self.keep), reverse=True):
            raise ValueError("keep goes from fine to coarse, each once, such as keep: [4, 3, 2]")
        return self

    @property
    def level_names(self) -> tuple[str, ...]:
        """`whole`, `first 4`, `first 3` …; `last 4` … where characters go from the left."""
        side = "first" if self.redact == "right" else "last"
        return (*(["whole"] if self.whole else []), *(f"{side} {kept}" for kept in self.keep))

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Codes are text: as numbers they lose their leading zeros."""
        import polars as pl

        return (
            None if dtype == pl.String else "codes are text; declare type: string, so that leading zeros stay"
        )

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """One series a level; an empty text stays empty."""
        import polars as pl

        frame = pl.DataFrame({"value": values.cast(pl.String)})
        cut = [frame.select(self._label(kept)).to_series() for kept in self.keep]
        return [frame["value"], *cut] if self.whole else cut

    def _label(self, kept: int) -> "pl.Expr":
        import polars as pl

        value = pl.col("value")
        length = value.str.len_chars().cast(pl.Int64)
        stays = pl.min_horizontal(pl.lit(kept, pl.Int64), length - 1).clip(lower_bound=0)
        stars = pl.lit("*").repeat_by(length - stays).list.join("")
        if self.redact == "right":
            label = pl.concat_str(value.str.head(stays), stars)
        else:
            label = pl.concat_str(stars, value.str.tail(stays))
        return pl.when(value.is_not_null()).then(label)

"""A hierarchy that is built from the data, since the policy says so."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.hierarchy.dates import ORDER as DATE_LEVELS
from anon_platform.anonymize.hierarchy.dates import Dates
from anon_platform.anonymize.hierarchy.intervals import Intervals, Optimal
from anon_platform.anonymize.hierarchy.levels import LevelLabels
from anon_platform.anonymize.hierarchy.prefix import Prefix
from anon_platform.anonymize.technique import text_fault
from anon_platform.errors import PolicyError
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

OTHER = "other"
LONGEST_CODE = 12
"""Longer texts are no codes whose first characters mean something."""


@dataclass(frozen=True)
class Choice:
    """The hierarchy that was chosen for a column; words: what was chosen and why, without values."""

    hierarchy: LevelLabels
    words: str

    @property
    def level_names(self) -> tuple[str, ...]:
        """The levels of the chosen hierarchy."""
        return self.hierarchy.level_names

    def fault(self, dtype: "pl.DataType") -> str | None:
        """What the chosen hierarchy says of another type."""
        return self.hierarchy.fault(dtype)

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """The labels of the chosen hierarchy."""
        return self.hierarchy.labels(values)

    def in_words(self) -> str:
        """What was chosen and why, without values."""
        return self.words


@dataclass(frozen=True)
class Frequent:
    """Frequent values alone, all others together as `other`; fewer stay alone at every coarser level.

    kept: for each level the values (as text) that stay; each a part of the one before.
    """

    kept: tuple[frozenset[str], ...]

    @property
    def level_names(self) -> tuple[str, ...]:
        """`level 1` …."""
        return tuple(f"level {i + 1}" for i in range(len(self.kept)))

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Values are compared as text, so they need one."""
        return text_fault(dtype)

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """The value as text, or `other`."""
        import polars as pl

        frame = pl.DataFrame({"value": values.cast(pl.String)})
        value = pl.col("value")
        return [
            frame.select(
                pl.when(value.is_null() | value.is_in(sorted(stay))).then(value).otherwise(pl.lit(OTHER))
            ).to_series()
            for stay in self.kept
        ]


class Inferred(Spec):
    """Built from the values of the column and the people at each, the same for the same counts.

    Numbers become intervals with optimal cuts, dates days to years, codes of one length with common first
    characters are cut from the right; of all else the frequent values stay alone and the rare ones are `other`.
    """

    kind: Literal["inferred"]
    least: int = Field(ge=2)
    """People that a label of the finest level stands for, at least, where labels are made by counts."""
    levels: int = Field(ge=1, le=12)
    """Levels of intervals and of groups by frequency; each wants twice the people of the one before."""

    @property
    def level_names(self) -> tuple[str, ...]:
        """One name for the levels, which are known when the column was counted."""
        return ("inferred",)

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Anything with a text or an order will do."""
        return text_fault(dtype)

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """None before the column was counted: raises `PolicyError`."""
        del values
        raise PolicyError("an inferred hierarchy is known when the column was counted; fit it first")

    @property
    def needs_counts(self) -> bool:
        """Always."""
        return True

    def fitted(self, values: "pl.Series", counts: "pl.Series") -> Choice:
        """The hierarchy for these distinct values with so many people each."""
        import polars as pl

        if values.dtype.is_numeric():
            return self._intervals(values, counts)
        if values.dtype in (pl.Date, pl.Datetime):
            return Choice(Dates(kind="dates", levels=DATE_LEVELS), "dates: day, month, quarter, year")
        if values.dtype == pl.String and (keep := _code_levels(values)):
            first = ", ".join(str(kept) for kept in keep)
            words = f"codes of one length with common beginnings: whole, or the first {first}"
            return Choice(Prefix(kind="prefix", keep=keep, whole=True), words)
        return self._frequent(values, counts)

    def _intervals(self, values: "pl.Series", counts: "pl.Series") -> Choice:
        optimal = Optimal(least=self.least, levels=self.levels)
        cuts = Intervals(kind="intervals", optimal=optimal).fitted(values, counts)
        found = ", ".join(str(len(level) + 1) for level in cuts.cuts)
        return Choice(cuts, f"numbers: intervals with optimal cuts, {found} of them from fine to coarse")

    def _frequent(self, values: "pl.Series", counts: "pl.Series") -> Choice:
        import polars as pl

        people = pl.DataFrame({"value": values.cast(pl.String), "n": counts}).drop_nulls("value")
        kept = tuple(
            frozenset(people.filter(pl.col("n") >= self.least * 2**level)["value"])
            for level in range(self.levels)
        )
        alone = ", ".join(str(len(stay)) for stay in kept)
        return Choice(
            Frequent(kept),
            f"frequent values alone, the rest together: {alone} stay alone from fine to coarse",
        )


def _code_levels(values: "pl.Series") -> tuple[int, ...]:
    """What to keep of codes: texts of one length (3 to 12) without spaces, half or more of them with a neighbour.

    Empty when the texts are no such codes.
    """
    texts = values.drop_nulls().unique()
    lengths = texts.str.len_chars().unique()
    if len(texts) < 2 or len(lengths) != 1 or not 3 <= int(lengths[0]) <= LONGEST_CODE:  # noqa: PLR2004
        return ()
    if texts.str.contains(r"\s").any() or not texts.str.contains(r"\d").all():
        return ()
    length = int(lengths[0])
    beginnings = [texts.str.head(kept).n_unique() for kept in range(length - 1, 0, -1)]
    if 2 * beginnings[0] > len(texts):
        return ()
    # a cut that joins nothing more is no level of its own
    return tuple(
        length - 1 - i for i, (more, less) in enumerate(pairwise([len(texts), *beginnings])) if less < more
    )

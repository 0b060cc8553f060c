"""Generalization of one column to a level of its hierarchy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.hierarchy import (
    Hierarchy,
    Inferred,
    Ladder,
    LevelLabels,
    ladder,
    needs_counts,
    resolved,
)
from anon_platform.anonymize.technique import Treat, WholeColumn
from anon_platform.errors import SourceError
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Generalize(Spec):
    """Values become labels of a hierarchy: at a fixed `level`, or at the level the k-anonymity search finds."""

    technique: Literal["generalize"]
    hierarchy: Hierarchy
    level: str | None = None
    """A level's name; left out (quasi-identifiers only), the search picks the one that loses least."""
    weight: float | None = Field(default=None, ge=0)
    """What the search counts a loss of detail here, against 1 in other columns: more keeps more detail."""
    coarsest: str | None = None
    """The coarsest level that the search may pick; any, and `*`, when left out."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """A wrong type for the hierarchy, or a level that it does not have."""
        if self.level is not None and isinstance(self.hierarchy, Inferred):
            return (
                "an inferred hierarchy has no level to name before the data is counted; write the hierarchy"
            )
        if self.level is not None and (self.weight is not None or self.coarsest is not None):
            return "weight and coarsest are for the search; remove them, or level"
        if self.coarsest is not None and isinstance(self.hierarchy, Inferred):
            return "an inferred hierarchy has no level to name before the data is counted; remove coarsest"
        if self.coarsest is not None and self.coarsest not in self.hierarchy.level_names:
            return f"coarsest {self.coarsest} is unknown; this hierarchy has {', '.join(self.hierarchy.level_names)}"
        if self.level is not None and self.level not in self.hierarchy.level_names:
            return (
                f"level {self.level} is unknown; this hierarchy has {', '.join(self.hierarchy.level_names)}"
            )
        return self.hierarchy.fault(dtype)

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The labels of the fixed level."""
        del dtype
        return self._at_level(column, self.hierarchy)

    def fit_counts(self, column: WholeColumn) -> Treat:
        """The labels of the fixed level, of a hierarchy that is counted first where it has to be."""
        if not needs_counts(self.hierarchy):
            return self.fit(column.name, column.dtype)
        counts = column.counts()
        return self._at_level(column.name, resolved(self.hierarchy, counts["value"], counts["people"]))

    def _at_level(self, column: str, hierarchy: LevelLabels) -> Treat:
        level = hierarchy.level_names.index(str(self.level))

        def treat(values: "pl.Series") -> "pl.Series":
            built = ladder(hierarchy, values.unique(), column=column)
            return relabel(values, built, level)

        return treat


def relabel(values: "pl.Series", built: Ladder, level: int) -> "pl.Series":
    """`values` as labels of `level`; a value that is no leaf of `built` raises `SourceError`."""
    import polars as pl

    codes = pl.Series(built.codes[level].astype("uint32"))
    table = pl.DataFrame({"value": built.values, "code": codes, "label": built.labels[level].gather(codes)})
    frame = pl.DataFrame({"value": values})
    found = frame.join(table, on="value", how="left", nulls_equal=True, maintain_order="left")
    if found["code"].null_count():
        raise SourceError(
            f"column {values.name}: {found['code'].null_count()} values were not there when the table was counted;"
            " run again on a source that does not change meanwhile"
        )
    return found["label"].alias(values.name)


def to_levels(ladders: Mapping[str, Ladder], chosen: Mapping[str, str]) -> dict[str, Treat]:
    """For each quasi-identifier the function that gives its label at the chosen level; `*` drops to one label."""

    def at(name: str) -> Treat:
        built = ladders[name]
        level = built.names.index(chosen[name])
        return lambda values: relabel(values, built, level)

    return {name: at(name) for name in chosen}

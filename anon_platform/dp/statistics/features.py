"""Results as features for model training: released once, joined to any rows by their groups, at no further loss."""

from dataclasses import dataclass

import polars as pl

from anon_platform.dp.statistics.axes import plain
from anon_platform.dp.statistics.measure import Result
from anon_platform.dp.statistics.plan import Plan, Planned
from anon_platform.errors import PolicyError

_CODE = "__code_{}__"


@dataclass(frozen=True)
class Features:
    """A feature table: one row a group of `by`, one column a feature, and how rows find their group."""

    table: pl.DataFrame
    by: tuple[str, ...]
    planned: Planned

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that are joined to rows."""
        return tuple(name for name in self.table.columns if name not in self.by)

    def joined(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows in their order with the features of their groups; null where a found key was not found.

        rows: with the columns of `by`, of the types that the statistic was measured on, and none that is called as a feature.
        """
        if taken := sorted(set(self.names) & set(rows.columns)):
            raise PolicyError(f"features: the rows have a column {taken[0]} already; rename the statistic")
        if missing := sorted(set(self.by) - set(rows.columns)):
            raise PolicyError(f"features: the rows have no column {missing[0]}, which names their group")
        if self.planned.threshold is not None:
            keys = rows.select(
                plain(axis.column, axis.domain).alias(axis.column) for axis in self.planned.axes
            )
            found = keys.join(
                self.table, on=list(self.by), how="left", nulls_equal=True, maintain_order="left"
            )
            return rows.hstack(found.select(self.names))
        cell = pl.lit(0, pl.Int64)
        for axis in self.planned.axes:
            cell = cell * axis.size + axis.code()
        # a feature table of public groups has them in the order of their numbers
        at = rows.select(cell.alias("cell"))["cell"] if rows.height else pl.Series("cell", [], pl.Int64)
        return rows.hstack(self.table.select(self.names)[at.to_list()])


def features(plan: Plan, results: list[Result]) -> tuple[Features, ...]:
    """A feature table for each statistic that answers single groups: counts, means, quantiles, target encodings.

    A feature is called as its statistic; a quantile with its share, as in `stay_0.5`. Statistics without groups, histograms
    and those with totals are no features.
    """
    found = []
    for planned, result in zip(plan.statistics, results, strict=True):
        statistic = planned.statistic
        if not statistic.by or statistic.measure == "histogram" or len(planned.levels) > 1:
            continue
        found.append(Features(_table(planned, result), statistic.by, planned))
    return tuple(found)


def _table(planned: Planned, result: Result) -> pl.DataFrame:
    by, name = list(planned.statistic.by), result.name
    if planned.statistic.measure != "quantiles":
        return result.frame.select(*by, pl.col("value").alias(name))
    first, *others = (
        result.frame.filter(pl.col("quantile") == share).select(
            *by, pl.col("value").alias(f"{name}_{share:g}")
        )
        for share in planned.statistic.quantiles
    )
    return pl.concat([first, *(other.select(other.columns[-1:]) for other in others)], how="horizontal")

"""Microaggregation of one column: neighbours in groups of k people, and one number for each group."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.partition import best_starts
from anon_platform.anonymize.technique import Treat, WholeColumn
from anon_platform.errors import PolicyError, SourceError
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


class Microaggregate(Spec):
    """Numbers become the mean, median or mode of a group of neighbours that holds at least `k` people.

    Of all ways to group the sorted values it takes the one with the least sum of squared errors. Equal values stay
    together, so that the result is a function of the value: the optimum is that under this restriction, and a group
    may be larger than 2k − 1. People who have several values count at the least of them, so that a group never holds
    fewer than `k`; nulls (and NaN) stay as they are and are in no group.
    Sources: Domingo-Ferrer, Mateo-Sanz 2002 (k-partitions); Hansen, Mukherjee 2003 (the optimum as a shortest path).
    """

    technique: Literal["microaggregate"]
    k: int = Field(ge=2)
    """People in a group, at least. No default: it is a policy decision."""
    replace_by: Literal["mean", "median", "mode"]
    """What stands for the group: mean (a decimal number), or the median or most frequent of its values."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Neighbours need numbers."""
        return (
            None
            if dtype.is_numeric()
            else "microaggregate needs a numeric column; declare type: integer or number"
        )

    def fit_counts(self, column: WholeColumn) -> Treat:
        """The number of each value's group; fewer than `k` people with a value raise `PolicyError`."""
        import polars as pl

        known = pl.col("value").is_not_null()
        if column.dtype.is_float():
            known &= pl.col("value").is_not_nan()
        counts = column.counts().filter(known).sort("value")
        people = int(counts["people"].sum())
        if counts.height and people < self.k:
            raise PolicyError(
                f"column {column.name}: microaggregate wants {self.k} people in a group, {people} have a value;"
                f" write k: {people} or less, or suppress the column"
            )
        starts = optimal_groups(
            counts["value"].cast(pl.Float64).to_numpy(),
            _whole(counts["n"]),
            _whole(counts["people"]),
            k=self.k,
        )
        return _replaced(self._numbers(counts, starts, column.dtype))

    def _numbers(self, counts: "pl.DataFrame", starts: "Ints", dtype: "pl.DataType") -> "pl.DataFrame":
        """Each value with the number that stands for its group."""
        import numpy as np
        import polars as pl

        sizes = np.diff(np.append(starts, counts.height))
        groups = counts.with_columns(
            group=pl.Series(np.repeat(np.arange(len(starts)), sizes), dtype=pl.Int64)
        )
        value, n = pl.col("value"), pl.col("n").cast(pl.Int64)
        if self.replace_by == "mean":
            number = (value.cast(pl.Float64) * n).sum() / n.sum()
        elif self.replace_by == "median":
            # the lower median: the first value up to which half the records lie
            number = value.filter(2 * n.cum_sum() >= n.sum()).first()
        else:
            number = value.filter(n == n.max()).first()
        released = pl.Float64() if self.replace_by == "mean" else dtype
        found = groups.group_by("group", maintain_order=True).agg(number.cast(released).alias("number"))
        return groups.join(found, on="group", maintain_order="left").select("value", "number")


def optimal_groups(values: "Floats", records: "Ints", people: "Ints", *, k: int) -> "Ints":
    """Indices at which the groups with the least sum of squared errors begin, 0 first; each holds `k` people or more.

    values: sorted and distinct, with `records` and `people` at each. With one record and one person a value these are
    the optimal groups of Hansen and Mukherjee 2003, of k to 2k − 1 records.
    """
    import numpy as np

    # centred first: the squares of large numbers would eat the differences
    centred = values - (np.average(values, weights=records) if len(values) else 0.0)
    n = np.concatenate([[0], np.cumsum(records)])
    first = np.concatenate([[0.0], np.cumsum(records * centred)])
    second = np.concatenate([[0.0], np.cumsum(records * centred**2)])

    def squared_error(starts: "Ints", end: int) -> "Floats":
        held = n[end] - n[starts]
        return np.asarray((second[end] - second[starts]) - (first[end] - first[starts]) ** 2 / held)

    return best_starts(people, squared_error, least=k)


def _whole(numbers: "pl.Series") -> "Ints":
    import numpy as np

    return np.asarray(numbers.to_numpy(), np.int64)


def _replaced(table: "pl.DataFrame") -> Treat:
    """The function that looks up `number` by `value`."""

    def treat(values: "pl.Series") -> "pl.Series":
        import polars as pl

        known = values.fill_nan(None) if values.dtype.is_float() else values
        frame = pl.DataFrame({"value": known})
        found = frame.join(table, on="value", how="left", maintain_order="left")["number"]
        if found.null_count() != known.null_count():
            raise SourceError(
                f"column {values.name}: {found.null_count() - known.null_count()} values were not there when the"
                " column was counted; run again on a source that does not change meanwhile"
            )
        return found.alias(values.name)

    return treat

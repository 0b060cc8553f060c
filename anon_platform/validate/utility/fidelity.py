"""How far each column's distribution moved, and how much detail it lost."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

MANY = 200
"""Above so many distinct numbers a column is compared in bins of equal size."""

BINS = 50


@dataclass(frozen=True)
class ColumnFidelity:
    """distance: total variation between original (at released detail) and released distribution, 0 to 1.

    distinct_before, distinct_after: values told apart, the empty one included.
    """

    name: str
    distance: float
    distinct_before: int
    distinct_after: int


def fidelity_of(
    name: str, distinct_before: int, expected: pl.DataFrame, released: pl.DataFrame
) -> ColumnFidelity:
    """Of one column. expected: frequency table over `name` of the source at released detail; released: what leaves.

    Original values went through the column's treatment first, so that a label is compared with the same label: the
    distance shows what suppression of records did, the distinct values what generalization did.
    """
    return ColumnFidelity(name, total_variation(expected, released, name), distinct_before, released.height)


def total_variation(left: pl.DataFrame, right: pl.DataFrame, name: str) -> float:
    """Half the sum of |p − q| over the values of `name`; 1 where one side is empty. Nulls are a value.

    left, right: frequency tables of `name` and `n`. Numbers with many values are compared in 50 bins
    that hold equal shares of `left`. Source: Levin, Peres 2017, Markov Chains and Mixing Times, section 4.1.

    >>> a = pl.DataFrame({"x": ["u", "v"], "n": [3, 1]})
    >>> b = pl.DataFrame({"x": ["u", "w"], "n": [1, 1]})
    >>> total_variation(a, b, "x")
    0.5
    """
    if not left["n"].sum() or not right["n"].sum():
        return 1.0
    if left.schema[name].is_numeric() and left.height > MANY:
        edges = _edges(left, name)
        left, right = (_binned(side, name, edges) for side in (left, right))
    p = left.select(pl.col(name).alias("value"), p=pl.col("n") / pl.col("n").sum())
    q = right.select(pl.col(name).alias("value"), q=pl.col("n") / pl.col("n").sum())
    joined = p.join(q, on="value", how="full", nulls_equal=True).fill_null(0.0)
    return math.fsum((joined["p"] - joined["q"]).abs().to_list()) / 2


def _edges(counts: pl.DataFrame, name: str) -> list[float]:
    known = counts.drop_nulls(name).sort(name)
    shares = np.cumsum(known["n"].to_numpy()) / known["n"].sum()
    positions = np.searchsorted(shares, np.arange(1, BINS) / BINS)
    return sorted({float(value) for value in known[name].to_numpy()[positions]})


def _binned(counts: pl.DataFrame, name: str, edges: list[float]) -> pl.DataFrame:
    bins = np.searchsorted(np.array(edges), counts[name].cast(pl.Float64).fill_null(np.nan).to_numpy())
    known = counts[name].is_not_null()
    numbers = pl.DataFrame({"bin": bins.astype(np.int64), "known": known, "n": counts["n"]})
    return numbers.group_by(pl.when("known").then("bin").alias(name)).agg(pl.col("n").sum())

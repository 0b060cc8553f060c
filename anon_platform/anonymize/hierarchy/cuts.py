"""Intervals between cuts, and the cuts that lose least: a shortest path over the sorted values."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from anon_platform.anonymize.partition import best_starts

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Ints = npt.NDArray[np.int64]


def labels_between(values: "pl.Series", cuts: Sequence[float]) -> "pl.Series":
    """`<18`, `[18, 40)`, `40+` for cuts 18 and 40; null for null and NaN; `any number` where there is no cut."""
    import numpy as np
    import polars as pl

    numbers = values.cast(pl.Float64).fill_nan(None)
    spelt = [spelled(cut) for cut in cuts]
    inner = [f"[{low}, {high})" for low, high in pairwise(spelt)]
    names = [f"<{spelt[0]}", *inner, f"{spelt[-1]}+"] if spelt else ["any number"]
    at = np.searchsorted(np.array(cuts, np.float64), numbers.fill_null(0.0).to_numpy(), side="right")
    found = pl.Series(names, dtype=pl.String).gather(pl.Series(at, dtype=pl.UInt32))
    frame = pl.DataFrame({"number": numbers, "label": found})
    return frame.select(pl.when(pl.col("number").is_not_null()).then("label").alias("label")).to_series()


def optimal_cuts(
    values: "pl.Series", counts: "pl.Series", *, least: int, levels: int
) -> tuple[tuple[float, ...], ...]:
    """For each level the cuts with at least `least`, 2 · `least`, 4 · `least` … people between them.

    values: distinct numbers, nulls and NaN are left out; counts: people at each. Every coarser level is made of
    whole intervals of the finer one, and each level loses the least that this allows: the sum over people of
    (distinct values in the interval − 1), as `Ladder.loss` counts it. With fewer people than a level needs
    there is one interval. The same counts give the same cuts, in whatever order they come.
    """
    import numpy as np
    import polars as pl

    frame = pl.DataFrame({"value": values.cast(pl.Float64).fill_nan(None), "n": counts.cast(pl.Int64)})
    frame = frame.drop_nulls("value").group_by("value").agg(pl.col("n").sum()).sort("value")
    numbers, people = frame["value"].to_numpy(), frame["n"].to_numpy()
    starts = np.arange(len(numbers), dtype=np.int64)
    found = []
    for level in range(levels):
        widths = np.diff(np.append(starts, len(numbers)))
        held = np.add.reduceat(people, starts) if len(starts) else people
        starts = starts[optimal_starts(held, widths, least=least * 2**level)]
        found.append(tuple(float(number) for number in numbers[starts[1:]]))
    return tuple(found)


def optimal_starts(people: "Ints", widths: "Ints", *, least: int) -> "Ints":
    """Indices at which the intervals of least loss begin, 0 first.

    people, widths: people and distinct values of each element, in order. An interval costs people · (values − 1).
    """
    import numpy as np

    total = np.concatenate([[0], np.cumsum(people)])
    values = np.concatenate([[0], np.cumsum(widths)])
    return best_starts(
        people,
        lambda starts, end: (total[end] - total[starts]) * (values[end] - values[starts] - 1),
        least=least,
    )


def spelled(number: float) -> str:
    """The number in full, `1000000` and not `1e+06`; whole numbers without a decimal point."""
    text = (
        f"{Decimal(repr(number + 0.0)):f}"  # + 0.0: no "-0"; repr: the shortest digits that mean this number
    )
    return text.rstrip("0").rstrip(".") if "." in text else text

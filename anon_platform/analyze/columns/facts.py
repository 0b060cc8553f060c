"""What is counted of a column: types, missing and distinct values, shape of the texts, range of the numbers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from anon_platform.analyze.columns.dates import DateReading, read_dates

MARKS = (
    "?",
    "NA",
    "N/A",
    "n/a",
    "NULL",
    "null",
    "None",
    "none",
    "NaN",
    "nan",
    "-",
    ".",
    "",
    "unknown",
    "Unknown",
)
"""Texts that often mean that there is no value; compared after spaces are cut."""

SURE_MARKS = frozenset({"?", "NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", "-", "."})
"""Those that mean it wherever they stand. `None` and `unknown` may be answers."""


@dataclass(frozen=True)
class Facts:
    """A column as its frequency table shows it.

    name, dtype: as in the source. rows: records. missing: records without a value, marks such as `?` counted.
    values: the distinct values that are none of these, as text without spaces around; None where they have no text.
    n: records at each of `values`. marks: the marks of SURE_MARKS that stand in it. as_found: whether no
    value has spaces around it and none may mean nothing without being sure to; either keeps it from being read as a
    number or a date.
    """

    name: str
    dtype: pl.DataType
    rows: int
    missing: int
    values: pl.Series
    n: pl.Series
    marks: tuple[str, ...] = ()
    as_found: bool = True

    @property
    def filled(self) -> int:
        """Records with a value."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int:
        """Distinct values."""
        return len(self.values)

    @property
    def uniqueness(self) -> float:
        """Distinct values over records with a value, 0 to 1; 0 where there is none."""
        return self.distinct / self.filled if self.filled else 0.0

    @property
    def nested(self) -> bool:
        """Whether values have no text."""
        return textless(self.dtype)

    @property
    def text(self) -> bool:
        """Whether the source holds it as text."""
        return isinstance(self.dtype, (pl.String, pl.Categorical, pl.Enum))

    @cached_property
    def length(self) -> float:
        """Characters of a distinct value, on average."""
        return _mean(self.values.str.len_chars())

    @cached_property
    def words(self) -> float:
        """Words of a distinct value, on average."""
        return _mean(self.values.str.count_matches(r"\S+"))

    @cached_property
    def numbers(self) -> pl.Series:
        """The distinct values as numbers, null where one is none."""
        return self.values.cast(pl.Float64, strict=False).fill_nan(None)

    @cached_property
    def numeric(self) -> float:
        """Share of the distinct values that are numbers."""
        return 1 - self.numbers.null_count() / self.distinct if self.distinct else 0.0

    @cached_property
    def whole(self) -> bool:
        """Whether all are whole numbers; leading zeros make a code of a number."""
        if self.dtype.is_float() or self.numeric < 1 or not self.distinct:
            return self.dtype.is_integer()
        return bool(self.values.str.contains(r"^-?(0|[1-9][0-9]{0,17})$").all())

    @cached_property
    def number_type(self) -> str | None:
        """`integer` or `number` when every value can be read so, whatever the source holds; else None."""
        if self.dtype.is_numeric():
            return "integer" if self.dtype.is_integer() else "number"
        if not self.distinct or self.numeric < 1 or not self.text:
            return None
        if self.whole:
            return "integer" if self.as_found else None
        plain = self.values.str.contains(r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$").all()
        zeros = self.values.str.contains(r"^0[0-9]").any()
        return "number" if plain and not zeros and self.as_found else None

    @cached_property
    def span(self) -> tuple[float, float]:
        """The 0.5 and the 99.5 percentile of the numbers over records: never the extremes, which are somebody's."""
        known = self.numbers.is_not_null()
        if not known.any():
            return (0.0, 0.0)
        order = self.numbers.filter(known).arg_sort()
        sorted_, n = self.numbers.filter(known).gather(order), self.n.filter(known).gather(order)
        shares = np.cumsum(n.to_numpy()) / n.sum()
        low, high = np.searchsorted(shares, [0.005, 0.995]).clip(0, len(sorted_) - 1)
        return (float(sorted_[int(low)]), float(sorted_[int(high)]))

    @cached_property
    def rarest(self) -> int:
        """Records at the rarest value; 0 where there is none."""
        return min(self.n.to_list()) if self.distinct else 0

    @cached_property
    def dates(self) -> DateReading | None:
        """How the values can be read as dates, if at all."""
        return read_dates(self.dtype, self.values)


def textless(dtype: pl.DataType) -> bool:
    """Whether values of this type have no text that could be released."""
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object) or isinstance(dtype, pl.Duration)


def facts_of(name: str, dtype: pl.DataType, counts: pl.DataFrame) -> Facts:
    """The facts of a column. counts: its frequency table, the values and `n`; of a nested one one row without value."""
    rows = int(counts["n"].sum())
    values = counts.to_series(0)
    if textless(values.dtype) or values.dtype == pl.Null:
        missing = rows if values.dtype == pl.Null else 0
        return Facts(
            name, dtype, rows, missing, pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.UInt32)
        )
    raw = values.cast(pl.String)
    spaced = raw.str.contains(r"^\s|\s$")
    unsure = raw.is_in(sorted(set(MARKS) - SURE_MARKS - {""}))
    frame = pl.DataFrame({"v": raw.str.strip_chars(), "n": counts["n"]})
    known = frame.filter(pl.col("v").is_not_null() & ~pl.col("v").is_in(MARKS))
    of_values = known.group_by("v").agg(pl.col("n").sum()).sort("v")
    found = set(frame.filter(pl.col("v").is_in(sorted(SURE_MARKS)))["v"]) if dtype != pl.Boolean else set()
    return Facts(
        name, dtype, rows, rows - int(of_values["n"].sum()), of_values["v"], of_values["n"], tuple(sorted(found)),
        as_found=not bool((spaced | unsure).any()),
    )  # fmt: skip


def _mean(numbers: pl.Series) -> float:
    return int(numbers.sum()) / len(numbers) if len(numbers) else 0.0

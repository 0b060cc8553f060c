"""The public groups of a column: their labels, and the number of its group for every row."""

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.errors import PolicyError

if TYPE_CHECKING:  # a plan is made by programs that never count
    import polars as pl

MOST_BINS = 10_000


@dataclass(frozen=True)
class Axis:
    """A column and what its domain makes of it: groups in order, the last one for missing values."""

    column: str
    domain: Domain

    @cached_property
    def labels(self) -> tuple[Any, ...]:
        """Categories; lower ends of the bins of numbers; first days of periods; None for missing values."""
        if isinstance(self.domain, Categories):
            known: list[Any] = list(self.domain.values)
            if self.domain.other is not None:
                known = [*(_text(value) for value in known), self.domain.other]
            return (*known, None)
        if isinstance(self.domain, Numbers):
            return (*_lower_ends(self.domain, self.column), None)
        return (*_periods(self.domain, self.column), None)

    @property
    def size(self) -> int:
        """Groups, that of missing values among them."""
        return len(self.labels)

    @property
    def dtype(self) -> "pl.DataType":
        """Type of the labels."""
        import polars as pl

        known = self.labels[0]
        if isinstance(known, dt.date):
            return pl.Date()
        kinds: dict[type, pl.DataType] = {
            str: pl.String(), bool: pl.Boolean(), int: pl.Int64(), float: pl.Float64(),
        }  # fmt: skip
        return kinds[type(known)]

    def code(self) -> "pl.Expr":
        """Number of each row's group, as Int32."""
        import polars as pl

        value, missing = plain(self.column, self.domain), pl.lit(self.size - 1, pl.Int32)
        if isinstance(self.domain, Categories):
            known = self.labels[:-1]
            return value.replace_strict(
                list(known), list(range(len(known))), default=None, return_dtype=pl.Int32
            ).fill_null(missing)
        if isinstance(self.domain, Numbers):
            low, step = self.domain.bounds[0], self.domain.step
            whole = low + step * ((value - low) / step).round()
            return _bin(whole, list(self.labels[1:-1])).fill_null(missing)
        starts = list(self.labels[:-1])
        found = value.dt.truncate(_WIDTHS[self.domain.every])
        return found.replace_strict(
            starts, list(range(len(starts))), default=None, return_dtype=pl.Int32
        ).fill_null(missing)


_WIDTHS = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}


def plain(column: str, domain: Domain) -> "pl.Expr":
    """The column as its domain sees it: clipped to the bounds, not named categories `other` or null; NaN, ±∞ are null."""
    import polars as pl

    cell = pl.col(column)
    if isinstance(domain, Numbers):
        number = cell.cast(pl.Float64)
        return pl.when(number.is_finite()).then(number.clip(*domain.bounds))
    if isinstance(domain, Dates):
        return cell.cast(pl.Date).clip(*(pl.lit(day, pl.Date) for day in domain.bounds))
    if domain.values == "found":
        return cell
    # by its text or as 64 bits: what does not fit in them is not named either
    held = {str: pl.String(), int: pl.Int64(), bool: pl.Boolean()}[type(domain.values[0])]
    cell = cell.cast(held, strict=False)
    named = cell.is_in(list(domain.values))
    if domain.other is None:
        return pl.when(named).then(cell)
    text = pl.when(cell.is_not_null()).then(pl.lit(domain.other))
    return pl.when(named).then(cell.cast(pl.String)).otherwise(text)


def fitting(domain: Domain, dtype: "pl.DataType") -> str | None:
    """What a column of this type is missing to hold the domain; None where it fits."""
    import polars as pl

    if isinstance(domain, Numbers):
        return None if dtype.is_numeric() else "numbers need type: integer or number"
    if isinstance(domain, Dates):
        return None if dtype in (pl.Date, pl.Datetime) else "dates need type: date or timestamp"
    if domain.values == "found":
        good = dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum) or dtype.is_integer()
        return None if good else "categories are found in columns of text, whole numbers or truth values"
    held = type(domain.values[0])
    if held is bool:
        return None if dtype == pl.Boolean else "categories true and false need type: boolean"
    if held is int:
        return None if dtype.is_integer() else "categories that are whole numbers need type: integer"
    return (
        None if dtype in (pl.String, pl.Categorical, pl.Enum) else "categories that are text need type: text"
    )


def _text(value: object) -> str:
    """As Polars writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bin(value: "pl.Expr", ends: list[float]) -> "pl.Expr":
    """The number of lower ends (but the first) that are not above the value; null stays null."""
    import numpy as np
    import polars as pl

    edges = np.asarray(ends)

    def found(values: "pl.Series") -> "pl.Series":
        places = np.searchsorted(edges, values.fill_null(0.0).to_numpy(), side="right").astype(np.int32)
        return pl.Series(values.name, places)

    return pl.when(value.is_not_null()).then(
        value.map_batches(found, return_dtype=pl.Int32, is_elementwise=True)
    )


def _lower_ends(domain: Numbers, column: str) -> list[float]:
    low, high = domain.bounds
    if domain.bins == "found":
        raise PolicyError(
            f"column {column}: groups need bins that are public; write a number of bins, or their lower ends"
        )
    if isinstance(domain.bins, tuple):
        return [low, *(float(end) for end in domain.bins)]
    steps = math.floor((high - low) / domain.step + 1e-9)
    if steps < domain.bins:  # a bin narrower than a step would hold nothing
        return [low + domain.step * step for step in range(steps + 1)]
    return [low + (high - low) * number / domain.bins for number in range(domain.bins)]


def _periods(domain: Dates, column: str) -> list[dt.date]:
    first, last = domain.bounds
    day = _start(first, domain.every)
    found = [day]
    while (day := _next(day, domain.every)) <= last:
        found.append(day)
        if len(found) > MOST_BINS:
            raise PolicyError(
                f"column {column}: more than {MOST_BINS:,} periods; write a longer period under every"
            )
    return found


def _start(day: dt.date, every: str) -> dt.date:
    if every == "day":
        return day
    if every == "week":
        return day - dt.timedelta(days=day.weekday())
    months = {"month": 1, "quarter": 3, "year": 12}[every]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def _next(day: dt.date, every: str) -> dt.date:
    if every in ("day", "week"):
        return day + dt.timedelta(days=1 if every == "day" else 7)
    months = {"month": 1, "quarter": 3, "year": 12}[every]
    at = day.year * 12 + day.month - 1 + months
    return dt.date(at // 12, at % 12 + 1, 1)

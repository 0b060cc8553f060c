"""Columns as whole numbers from 0, by their public domains, and back."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.errors import PolicyError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Codes = NDArray[np.int32]

DAY = 86_400
"""Seconds."""

HAIR = 1e-9
"""Bounds that are whole steps but for the rounding of floats are whole steps."""


@dataclass(frozen=True)
class Named:
    """A column of categories. Codes are places in `values`, then that of `other` where there is one, then missing."""

    name: str
    dtype: "pl.DataType"
    values: tuple[str | bool | int, ...]
    other: str | None
    required: bool

    @property
    def labels(self) -> tuple[str | bool | int, ...]:
        """The category of each code but missing."""
        return self.values if self.other is None else (*self.values, self.other)

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.labels) + (not self.required)

    @property
    def missing(self) -> int | None:
        """The code of a missing value."""
        return None if self.required else self.size - 1

    def encoded(self, values: "pl.Series") -> "Codes":
        """A code a value. What is missing in a required column counts as the first category."""
        import polars as pl

        unknown = len(self.values) if self.other is not None else self.missing or 0
        if self.dtype.is_float():
            values = values.fill_nan(None)
        plain, names = values, list(self.values)
        if isinstance(names[0], str):
            plain = values.cast(pl.String)
        elif not isinstance(names[0], bool):
            # of a type that holds all categories; whole numbers in floats stay what they are
            wide = pl.Float64 if self.dtype.is_float() else pl.Int64
            plain, names = values.cast(wide), pl.Series(names).cast(wide).to_list()
        known = plain.replace_strict(names, list(range(len(names))), default=unknown, return_dtype=pl.Int32)
        known = pl.select(pl.when(values.is_null()).then(self.missing or 0).otherwise(known)).to_series()
        return known.cast(pl.Int32).to_numpy()

    def decoded(self, codes: "Codes") -> "pl.Series":
        """The categories, in the type of the source; categorical types become text."""
        import polars as pl

        labels = pl.Series(self.name, [*self.labels, *([] if self.required else [None])])
        dtype = pl.String if self.dtype in (pl.Categorical, pl.Enum) else self.dtype
        return labels.cast(dtype).gather(codes)


@dataclass(frozen=True)
class Stepped:
    """A column of numbers or dates in bins of whole steps. Codes are bins, then missing.

    step: value of one step; of dates in seconds. starts: first step of each bin. end: last step of the last bin.
    """

    name: str
    dtype: "pl.DataType"
    step: float
    starts: "NDArray[np.int64]"
    end: int
    required: bool

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.starts) + (not self.required)

    @property
    def missing(self) -> int | None:
        """The code of a missing value."""
        return None if self.required else self.size - 1

    @property
    def ends(self) -> "NDArray[np.int64]":
        """Last step of each bin."""
        import numpy as np

        return np.append(self.starts[1:] - 1, self.end)

    def encoded(self, values: "pl.Series") -> "Codes":
        """A code a value. NaN and infinities are missing; what is missing in a required column counts as the least value."""
        import numpy as np
        import polars as pl

        if self.dtype.is_temporal():
            unit = pl.Datetime("us")
            seconds = values.dt.replace_time_zone(None) if isinstance(self.dtype, pl.Datetime) else values
            whole = seconds.cast(unit).cast(pl.Int64).to_numpy() // (1_000_000 * int(self.step))
        else:
            number = values.cast(pl.Float64).to_numpy()
            finite = np.where(np.isfinite(number), number, 0.0)
            low, high = self.starts[0] * self.step, self.end * self.step
            whole = np.rint(np.clip(finite, low, high) / self.step).astype(np.int64)
        whole = np.nan_to_num(whole).astype(np.int64)
        codes = np.searchsorted(self.starts, np.clip(whole, self.starts[0], self.end), side="right") - 1
        absent = values.is_null().to_numpy()
        if not self.dtype.is_temporal():
            absent = absent | ~np.isfinite(number)
        return np.where(absent, self.missing or 0, codes).astype(np.int32)

    def decoded(self, steps: "NDArray[np.int64]", absent: "NDArray[np.bool_]") -> "pl.Series":
        """The values at these steps, null where absent; in the type of the source."""
        import numpy as np
        import polars as pl

        if self.dtype.is_temporal():
            at = pl.Series(self.name, steps * int(self.step) * 1_000_000).cast(pl.Datetime("us"))
            if isinstance(self.dtype, pl.Datetime) and (zone := self.dtype.time_zone) is not None:
                # an hour that clocks skip is the hour after it
                after = (at + dt.timedelta(hours=1)).dt.replace_time_zone(
                    zone, ambiguous="earliest", non_existent="null"
                )
                at = at.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").fill_null(after)
            found = at.cast(self.dtype)
        else:
            number = np.round(steps * self.step, 12)
            found = pl.Series(self.name, number if self.dtype.is_float() else np.rint(number)).cast(
                self.dtype
            )
        mask = pl.Series("absent", absent)
        return pl.select(pl.when(~mask).then(found).alias(self.name)).to_series()


Column = Named | Stepped


def columns_of(
    schema: "Mapping[str, pl.DataType]", domains: Mapping[str, Domain], required: AbstractSet[str]
) -> tuple[Column, ...]:
    """How each column of the domains is coded, in their order. Domains that are to be found have been found before.

    A column that the schema has not, or that holds another type than its domain, raises `PolicyError`.
    """
    found: list[Column] = []
    for name, domain in domains.items():
        if name not in schema:
            raise PolicyError(
                f"column {name} has a domain, but the table has no such column; remove its domain"
            )
        dtype = schema[name]
        if fault := _fault(domain, dtype):
            raise PolicyError(f"column {name}: {fault}")
        if isinstance(domain, Categories):
            assert domain.values != "found"
            found.append(Named(name, dtype, domain.values, domain.other, name in required))
        elif isinstance(domain, Numbers):
            found.append(_of_numbers(name, dtype, domain, required=name in required))
        else:
            found.append(_of_dates(name, dtype, domain, required=name in required))
    return tuple(found)


def _fault(domain: Domain, dtype: "pl.DataType") -> str | None:
    """Why values of this type do not fit the domain."""
    import polars as pl

    if isinstance(domain, Numbers):
        return None if dtype.is_numeric() else "its domain is numbers, but it does not hold numbers"
    if isinstance(domain, Dates):
        fits = dtype == pl.Date or isinstance(dtype, pl.Datetime)
        return None if fits else "its domain is dates, but it does not hold dates or times"
    assert domain.values != "found"
    kind = type(domain.values[0])
    text = dtype in (pl.String, pl.Categorical, pl.Enum)
    if domain.other is not None and not text:
        return f"it does not hold text, so that {domain.other!r} cannot stand in it; leave out other"
    if kind is int and dtype.is_numeric() and not _holds(dtype, domain.values):
        return "it cannot hold some of its categories; correct them or its type"
    fits = {str: text, bool: dtype == pl.Boolean, int: dtype.is_numeric()}[kind]
    words = {str: "text", bool: "truth values", int: "whole numbers"}
    return None if fits else f"its categories are {words[kind]}, but it does not hold {words[kind]}"


def _holds(dtype: "pl.DataType", values: Sequence[object]) -> bool:
    """Whether a column of this type can hold the values."""
    import polars as pl

    return pl.Series(values).cast(dtype, strict=False).null_count() == 0


def _of_numbers(name: str, dtype: "pl.DataType", domain: Numbers, *, required: bool) -> Stepped:
    import numpy as np

    low, high = domain.bounds
    first, last = math.ceil(low / domain.step - HAIR), math.floor(high / domain.step + HAIR)
    if first > last:
        raise PolicyError(
            f"column {name}: no whole step of {domain.step:g} is between its bounds; write a finer step"
        )
    if dtype.is_integer() and domain.step != int(domain.step):
        raise PolicyError(f"column {name}: it holds whole numbers; write a whole step")
    if dtype.is_integer() and not _holds(dtype, [round(first * domain.step), round(last * domain.step)]):
        raise PolicyError(
            f"column {name}: its type cannot hold its bounds; write narrower ones or correct its type"
        )
    assert domain.bins != "found"
    if isinstance(domain.bins, int):
        edges = low + (high - low) / domain.bins * np.arange(1, domain.bins)
    else:
        edges = np.asarray(domain.bins, float)
    inner = np.ceil(edges / domain.step - HAIR).astype(np.int64)
    starts = np.unique(np.concatenate([[first], inner[(inner > first) & (inner <= last)]]))
    return Stepped(name, dtype, domain.step, starts, last, required)


def _of_dates(name: str, dtype: "pl.DataType", domain: Dates, *, required: bool) -> Stepped:
    import polars as pl

    first, last = domain.bounds
    every = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}[domain.every]
    days = pl.date_range(first, last, "1d", eager=True)
    starts = days.dt.truncate(every).unique().sort().cast(pl.Int32).cast(pl.Int64).to_numpy().copy()
    starts[0] = days.cast(pl.Int32)[0]
    end = int(days.cast(pl.Int32)[-1])
    if dtype == pl.Date:
        return Stepped(name, dtype, DAY, starts, end, required)
    return Stepped(name, dtype, 1, starts * DAY, end * DAY + DAY - 1, required)

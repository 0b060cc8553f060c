"""Values read as the type that the policy declares; what has another type becomes null, and the caller says so."""

import re
from collections.abc import Sequence

import polars as pl

from anon_platform.policy.model import SourceColumn

_TRUE, _FALSE = ("true", "t", "yes", "1"), ("false", "f", "no", "0")
_ZONE = r"\s*(?:Z|[+-]\d{2}(?::?\d{2})?)$"
_ISO = r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(\.\d{1,9})?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?$"
"""A day, with or without a time, seconds, their fraction and a distance from UTC."""


def as_text(values: pl.Series) -> pl.Series:
    """Categories as the texts they stand for, everything else as it is."""
    return values.cast(pl.String) if isinstance(values.dtype, (pl.Categorical, pl.Enum)) else values


def without_missing(values: pl.Series, marks: Sequence[str]) -> pl.Series:
    """The values, null for texts that mean "no value"."""
    values = as_text(values)
    if values.dtype != pl.String:
        return values
    missing = values.is_in(pl.Series(marks, dtype=pl.String).implode())
    return pl.DataFrame({"v": values}).select(pl.when(~missing).then("v")).to_series()


def typed(values: pl.Series, column: SourceColumn, dtype: pl.DataType) -> pl.Series:
    """The values as `dtype`; null where a value cannot be read so.

    >>> typed(pl.Series(["7", "seven"]), SourceColumn(role="insensitive", type="integer"), pl.Int64()).to_list()
    [7, None]
    """
    found = values.dtype
    if found == dtype:
        return values
    value = pl.col("v")
    if found == pl.String and dtype == pl.Date():
        value = value.str.to_date(column.date_format or "%Y-%m-%d", strict=False)
    elif found == pl.String and isinstance(dtype, pl.Datetime):
        value = _timestamp(value, column.date_format)
    elif found == pl.String and dtype == pl.Boolean():
        low = value.str.to_lowercase()
        value = pl.when(low.is_in(_TRUE)).then(True).when(low.is_in(_FALSE)).then(False)  # noqa: FBT003
    elif isinstance(found, pl.Datetime) and dtype.is_temporal():
        value = value.dt.replace_time_zone(None).cast(
            dtype, strict=False
        )  # the day of the value's own time zone
    elif dtype.is_integer() and found.is_numeric() and not found.is_integer():
        value = pl.when(value == value.floor()).then(value).cast(dtype, strict=False)
    else:
        value = value.cast(dtype, strict=False)
    return pl.DataFrame({"v": values}).select(value).to_series()


def _timestamp(text: pl.Expr, date_format: str | None) -> pl.Expr:
    """The time that a clock on the wall showed: a distance from UTC is left out, not converted.

    Without a format of ours Polars would guess one from the first values, another one for the next batch.
    """
    if date_format is not None:
        zoneless = re.sub(r"\s*%[:#]?z$", "", date_format)
        text = text if zoneless == date_format else text.str.replace(_ZONE, "")
        return text.str.to_datetime(zoneless, strict=False, time_unit="us").dt.replace_time_zone(None)
    parts = text.str.extract_groups(_ISO).struct
    clock = (
        parts.field("2").fill_null("00:00"),
        parts.field("3").fill_null(":00"),
        parts.field("4").fill_null(".0"),
    )
    iso = pl.concat_str(parts.field("1"), pl.lit(" "), *clock)
    return iso.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")

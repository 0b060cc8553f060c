"""Timestamps as an attacker knows them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


def by_day(counts: "pl.DataFrame", names: Sequence[str]) -> "pl.DataFrame":
    """The frequency table with timestamps of `names` cut to days, which may then stand in several of its rows.

    An attacker knows the day of an admission, hardly the minute.
    """
    import polars as pl

    stamps = [name for name in names if isinstance(counts.schema[name], pl.Datetime)]
    return counts.with_columns(pl.col(name).dt.date() for name in stamps)

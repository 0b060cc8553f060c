"""Days and times as they are measured: no value of one person may stop a run, or count on another day than it shows."""

import datetime as dt

import polars as pl

EPOCH = dt.date(1970, 1, 1)
FIRST, LAST = (dt.date.min - EPOCH).days, (dt.date.max - EPOCH).days
DAY = 86_400
PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
MOST = 2**63 - 1


def on_the_wall(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with days and times as a clock on the wall showed them, without a zone.

    What is outside of the years 1 to 9999 counts as the first or last moment of them: Polars fails on zones of years beyond
    262,000, so that a single row would decide whether there is a release. Bounds of domains are within these years.
    """
    return rows.with_columns(
        [_plain(name, dtype) for name, dtype in rows.schema.items() if dtype in (pl.Date, pl.Datetime)]
    )


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name).to_physical()
    if not isinstance(dtype, pl.Datetime):
        return value.clip(FIRST, LAST).cast(dtype)
    second = PER_SECOND[dtype.time_unit]
    low, high = max(FIRST * DAY * second, -MOST), min((LAST + 1) * DAY * second - 1, MOST)
    return value.clip(low, high).cast(dtype).dt.replace_time_zone(None)

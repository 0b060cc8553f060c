"""Shares of truth values."""

import polars as pl


def share(passed: pl.Series) -> float:
    """Share of the values that are true, 0 to 1; a null is not true, and of no values it is 0.

    >>> share(pl.Series([True, False, None, True]))
    0.5
    """
    return int(passed.sum()) / len(passed) if len(passed) else 0.0

"""A column with its rows and people in memory, as a technique may ask for it, for tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from anon_platform.anonymize import WholeColumn
from anon_platform.anonymize.order import secret_draws
from anon_platform.keys import Key
from anon_platform.pipeline.treatments import people_by_value
from anon_platform.table import PERSON

KEY = Key("test", bytes(range(32)))


def whole(
    values: Sequence[Any], dtype: pl.DataType | None = None, people: Sequence[int] | None = None
) -> WholeColumn:
    """The column of these values in ROW order; people: who has each row, otherwise each row is a person."""
    column = pl.Series("column", values, dtype=dtype)
    who = pl.Series(PERSON, np.arange(len(column)) if people is None else people, dtype=pl.UInt32)
    pairs = pl.DataFrame({"value": column, PERSON: who}).group_by("value", PERSON).agg(n=pl.len())
    return WholeColumn(
        "column",
        column.dtype,
        lambda: people_by_value(pairs),
        lambda: column,
        lambda purpose: secret_draws(KEY, purpose, len(column)),
    )

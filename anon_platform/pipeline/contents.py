"""The columns that leave as they look to the classifier of columns: the released bytes, and what they were made of."""

from pathlib import Path

import polars as pl

from anon_platform.analyze.columns import Looked, look_at
from anon_platform.analyze.columns.content import SURE
from anon_platform.analyze.columns.facts import textless
from anon_platform.policy import Policy
from anon_platform.table import Table
from anon_platform.validate import Content, Seen
from anon_platform.validate.files import read_released


def seen_columns(policy: Policy, data: Path, source: Table) -> dict[str, Seen]:
    """Every released column, one at a time. data: the folder of the files that leave. source: the snapshot."""
    return {
        name: Seen(content_of(name, _counts(read_released(data, [name]))), _original(name, source))
        for name in policy.released
    }


def content_of(name: str, counts: pl.DataFrame) -> Content:
    """What the column holds. counts: its frequency table, the values and then `n`."""
    looked = look_at(name, counts)
    if not looked.facts.distinct and not looked.facts.nested:
        return Content("empty", "no value in any row")
    return Content(
        looked.kind,
        looked.words,
        "; ".join(looked.why),
        looked.by_values,
        looked.carried,
        looked.facts.distinct,
        _decimals(looked),
        looked.likelihood >= SURE,
    )


def _original(name: str, source: Table) -> Content:
    dtype = source.schema[name]
    return content_of(name, _without_text(dtype, source.rows) if textless(dtype) else source.counts([name]))


def _counts(released: pl.DataFrame) -> pl.DataFrame:
    values = released.to_series(0)
    if textless(values.dtype):
        return _without_text(values.dtype, len(values))
    return values.to_frame("value").group_by("value").agg(n=pl.len())


def _without_text(dtype: pl.DataType, rows: int) -> pl.DataFrame:
    """The frequency table of values that have no text, and so are not told apart."""
    return pl.DataFrame([pl.Series("value", [None], dtype=dtype), pl.Series("n", [rows])])


def _decimals(looked: Looked) -> bool:
    return looked.facts.number_type == "number" and not looked.facts.whole

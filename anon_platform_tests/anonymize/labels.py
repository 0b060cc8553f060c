"""Labels of a hierarchy as plain lists, for tests."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from anon_platform.anonymize.hierarchy.levels import LevelLabels


def labels_of(kind: LevelLabels, values: Sequence[Any], dtype: pl.DataType | None = None) -> list[list[Any]]:
    """The labels of each value, from fine to coarse; one list a value."""
    series = pl.Series("column", values, dtype=dtype)
    found = [level.to_list() for level in kind.labels(series)]
    assert len(found) == len(kind.level_names)
    return [list(of_value) for of_value in zip(*found, strict=True)]

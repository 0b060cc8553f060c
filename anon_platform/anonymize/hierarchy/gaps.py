"""The check that a hierarchy names every value of the data."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from anon_platform.errors import HierarchyGapError

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

SHOWN = 10
"""Missing values that the error carries, for an interactive command line."""


def require_named(text: "pl.Series", leaves: Collection[str], hierarchy: str) -> None:
    """Values (as text, nulls aside) outside `leaves` raise `HierarchyGapError`: their number in words, ten attached."""
    import polars as pl

    present = text.drop_nulls().unique()
    missing = present.filter(~present.is_in(pl.Series(list(leaves), dtype=pl.String).implode())).sort()
    if len(missing):
        raise HierarchyGapError(
            f"{hierarchy} does not name {len(missing)} of the column's values;"
            " add a line for each, or a cleaning step before",
            tuple(missing.head(SHOWN)),
        )

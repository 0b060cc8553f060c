"""Rows of a synthetic table that break what the policy says of every row."""

from collections.abc import Sequence

import polars as pl

from anon_platform.dp.synthetic.settings import AtMost, Constraint, Implies


def broken_rows(frame: pl.DataFrame, constraints: Sequence[Constraint]) -> int:
    """How many rows break at least one constraint; a missing value is a value of its own under `if` and `then`.

    >>> frame = pl.DataFrame({"stay": [3, 9, None], "limit": [5, 5, 5]})
    >>> broken_rows(frame, [AtMost(column="stay", at_most="limit")])
    1
    """
    if not constraints or frame.is_empty():
        return 0
    return frame.filter(pl.any_horizontal([_breaks(one) for one in constraints])).height


def _breaks(one: Constraint) -> pl.Expr:
    if isinstance(one, AtMost):
        return (pl.col(one.column) > pl.col(one.at_most)).fill_null(value=False)
    return _has(one, then=False) & ~_has(one, then=True)


def _has(one: Implies, *, then: bool) -> pl.Expr:
    cells = one.then if then else one.when
    return pl.all_horizontal(
        [
            pl.any_horizontal([pl.col(column).eq_missing(pl.lit(cell)) for cell in values])
            for column, values in cells.items()
        ]
    )

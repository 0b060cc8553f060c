"""Contribution bounding: of each person at most so many rows are kept, once per version of a dataset.

Every proof of ours rests on it: neighbouring tables differ by one person, and so by at most `contribution` rows. Which of a
person's rows are kept depends on that person's rows only, so that removing a person leaves everybody else's as they were.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.errors import BudgetError, PolicyError

_PLACE, _DRAWN = "__place__", "__drawn__"


@dataclass(frozen=True)
class Bounded:
    """Rows of which every person has at most `contribution`; made by `bounded` only."""

    rows: pl.DataFrame
    person: str
    """Column that names the person."""
    contribution: int
    """Most rows of one person; ≥ 1."""


def bounded(rows: pl.DataFrame, person: str, contribution: int, rng: np.random.Generator) -> Bounded:
    """At most `contribution` rows of each person, drawn at random, in the order of the table.

    A row without a person (null, or NaN) is dropped: nobody answers for it, so nothing bounds how many such rows one
    person has. A person's first rows are not preferred: they are often the oldest. The draw is a hash of the person, the
    number of the row among the person's and four seeds from `rng`; equal seeds and rows give equal draws. The seeds need
    not be secret, since the proof holds for every one of them.

    >>> visits = pl.DataFrame({"person": ["a", "a", "a", "b", None]})
    >>> bounded(visits, "person", 2, np.random.default_rng(1)).rows["person"].to_list()
    ['a', 'a', 'b']
    """
    if contribution < 1:
        raise BudgetError("a person has at least 1 row; state the contribution bound")
    if person not in rows.columns:
        raise PolicyError(f"contribution bounding: no column {person}; name the column of the privacy unit")
    seeds = [int(seed) for seed in rng.integers(0, 2**63, 4)]
    known = pl.col(person).is_not_null()
    if rows.schema[person].is_float():
        known &= pl.col(person).is_not_nan()
    answered = rows.filter(known)
    # most people have few rows: only the others' are drawn from
    many = answered.group_by(person).len("__rows__").filter(pl.col("__rows__") > contribution)
    if many.is_empty():
        return Bounded(answered, person, contribution)
    numbered = answered.select(person).with_row_index(_PLACE)
    drawn = (
        numbered.join(many.select(person), on=person, how="semi", maintain_order="left")
        .with_columns(__nth__=pl.int_range(pl.len()).over(person))
        .with_columns(pl.struct(person, "__nth__").hash(*seeds).alias(_DRAWN))
        .sort(_DRAWN, "__nth__")
    )
    left = drawn.filter(pl.int_range(pl.len()).over(person) >= contribution)
    kept = np.ones(answered.height, bool)
    kept[left[_PLACE].to_numpy()] = False
    return Bounded(answered.filter(pl.Series(kept)), person, contribution)

"""Rows of people in whole numbers: everybody counts once, and on one side only."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

UNIT = 1 << 16
"""A person, in parts: residuals and weights are whole numbers of them."""


@dataclass(frozen=True)
class People:
    """Rows of one side. codes: a line a feature; positive: the target, 0 or 1; who: the number of the row's person."""

    codes: "NDArray[np.int32]"
    positive: "Whole"
    who: "Whole"

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.positive)

    @property
    def people(self) -> int:
        """Number of people."""
        return int(self.who.max()) + 1 if self.rows else 0

    def rows_each(self) -> "Whole":
        """Per row how many its person has."""
        import numpy as np

        return np.bincount(self.who, minlength=self.people).astype(np.int64)[self.who]

    def weights(self) -> "Whole":
        """Per row a part of its person: those of a person add up to at most `UNIT`."""
        return UNIT // self.rows_each()


def averaged(people: People, residuals: "Whole", limit: int) -> "Whole":
    """The residuals (in units) over the rows of their person, so that nobody's add up to more than `limit` units.

    In whole numbers, rounded towards 0: Σ |r| · limit // max(Σ |r|, rows · limit) ≤ limit. What becomes of a row depends on
    rows of the same person only.
    """
    import numpy as np

    size = np.abs(residuals)
    # sums of so few whole numbers are exact in floats
    total = np.bincount(people.who, size, minlength=people.people).astype(np.int64)[people.who]
    part: Whole = size * limit // np.maximum(total, people.rows_each() * limit)
    return np.where(residuals < 0, -part, part)


def held_out(persons: "pl.Series", share: float, rng: "np.random.Generator") -> "NDArray[np.bool_]":
    """Per row whether its person is held out: by a hash of the person, so that nobody's side depends on anybody else.

    The seeds need not be secret: the proof holds for every one of them.
    """
    import polars as pl

    seeds = [int(seed) for seed in rng.integers(0, 2**63, 4)]
    hashed = pl.select(pl.struct(persons.alias("person")).hash(*seeds)).to_series()
    return ((hashed % 2**32) < round(share * 2**32)).to_numpy()

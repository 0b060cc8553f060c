"""Rank swapping: two records of similar rank exchange their numbers, so that none can be trusted to be its own."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.technique import TreatRows, WholeColumn
from anon_platform.errors import PolicyError
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from anon_platform.anonymize.order import Draws

    Ints = npt.NDArray[np.int64]


class RankSwap(Spec):
    """Every number is exchanged with one whose rank is at most `percent` % of all ranks away.

    The numbers of the column stay, and with them all its statistics; which record has which does not. Nulls (and NaN)
    stay where they are and have no rank; with an odd number of records one keeps its number. Records are swapped, not
    people: two records of one person may exchange theirs. The partners come from secret draws of the rows.
    Source: Moore 1996, Controlled Data-Swapping Techniques for Masking Public Use Microdata Sets.
    """

    technique: Literal["rank_swap"]
    percent: float = Field(gt=0, le=100)
    """The largest distance of two partners, in percent of the ranks. No default: it is a policy decision."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Ranks need numbers."""
        return (
            None
            if dtype.is_numeric()
            else "rank_swap needs a numeric column; declare type: integer or number"
        )

    def fit_rows(self, column: WholeColumn) -> TreatRows:
        """The number of each row's partner; where nobody is near enough to swap with it raises `PolicyError`."""
        import numpy as np
        import polars as pl

        values = column.in_order()
        known = values.fill_nan(None).is_not_null() if values.dtype.is_float() else values.is_not_null()
        rows = np.flatnonzero(known.to_numpy())
        furthest = int(len(rows) * self.percent / 100 + 1e-9)
        if len(rows) and furthest < 1:
            least = 100 / len(rows)
            raise PolicyError(
                f"column {column.name}: {self.percent:g} % of {len(rows)} ranks is less than one, so that nothing would"
                f" be swapped; write percent: {least:.2g} or more"
            )
        ties, places = column.draws("ties")[rows], column.draws("places")[rows]
        ranked = np.lexsort((ties, values.gather(pl.Series(rows, dtype=pl.UInt32)).rank("dense").to_numpy()))
        partner = np.arange(len(values))
        partner[rows[ranked]] = rows[ranked[partners(places[ranked], furthest)]]
        swapped = values.gather(pl.Series(partner, dtype=pl.UInt32))

        def treat(of_batch: "pl.Series", at: "pl.Series") -> "pl.Series":
            return swapped.gather(at).alias(of_batch.name)

        return treat


def partners(draws: "Draws", furthest: int) -> "Ints":
    """For each rank the rank of its partner, at most `furthest` (≥ 1) away; the last of an odd number is its own.

    draws: one secret 64-bit number a rank. The ranks are cut into blocks of furthest + 1 (one less where that is odd),
    the first of them shorter by a secret even number; within a block partners are drawn at random, each pairing as
    likely. Moore picks each partner in turn from the `furthest` ranks above; blocks give everybody a partner, and all
    pairs at once.
    """
    import numpy as np

    size, block = len(draws), (furthest + 1) // 2 * 2
    shift = int(np.bitwise_xor.reduce(draws)) % (block // 2) * 2 if size else 0
    order = np.lexsort((draws, (np.arange(size) + shift) // block))
    found = np.arange(size)
    even = size // 2 * 2
    found[order[0:even:2]], found[order[1:even:2]] = order[1:even:2], order[0:even:2]
    return found

"""The frequency table of a release, and what tells its classes apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from anon_platform.frequency import SEQUENCE, sequence_classes


@dataclass(frozen=True)
class ReleasedCounts:
    """What the released files hold, as a frequency table over quasi-identifiers, sensitive columns and person.

    names: what tells the classes apart. Where a pseudonym links a person's rows these are SEQUENCE and the
    quasi-identifiers, since whoever knows all rows of a target knows which of them is which.
    person: the column that tells people apart; None where every row counts as a person.
    """

    counts: pl.DataFrame
    names: tuple[str, ...]
    person: str | None


def with_sequences(counts: pl.DataFrame, names: Sequence[str], person: str) -> ReleasedCounts:
    """The counts with the number of each person's sequence of rows over `names`."""
    sequences = sequence_classes(counts, names, person, "n")
    return ReleasedCounts(counts.join(sequences, on=person, how="left"), (SEQUENCE, *names), person)

"""Classes beside a population that an attacker may take a target from: k-map and δ-presence.

The people of a population add up when classes merge, as the records of a sensitive value do; so each population is
one more of `Grouped.values`, with a single value. Classes that nobody of the data is in have no records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from anon_platform.anonymize.hierarchy import Ladder, LevelLabels, ladder
from anon_platform.anonymize.k_anonymity.grouped import Codes, Grouped, Ints
from anon_platform.anonymize.k_anonymity.linked import Good
from anon_platform.errors import PolicyError
from anon_platform.frequency import presence

HAIR = 1e-9
"""The highest presence may miss its bound by so much, as the validator has it."""


@dataclass(frozen=True)
class Crowd:
    """What classes must have beside a population.

    least: people of the population in a class, at least (k-map; Sweeney 2002).
    presence: bounds on people of the data over people of the population, in every class of either (δ-presence;
    Nergiz, Atzori, Clifton 2007); None without.
    """

    least: int = 1
    presence: tuple[float, float] | None = None

    @property
    def closed(self) -> bool:
        """Whether a class that joins another one of whatever kind is never worse."""
        return self.presence is None

    @property
    def monotone(self) -> bool:
        """Whether two classes that meet it meet it together: of the lower bound a person in both counts once only."""
        return self.presence is None or self.presence[0] == 0

    def met(self, people: Ints, population: Ints) -> Good:
        """For each class whether it may leave. people: of the data in the class; population: of the population."""
        good = population >= self.least
        if self.presence is not None:
            likely = presence(people, population)
            good &= (likely >= self.presence[0]) & (likely <= min(self.presence[1] + HAIR, 1.0))
        return good

    def stands(self, good: Good, population: Ints) -> bool:
        """Whether a release of these classes holds: a class that does not leave has presence 0."""
        return self.monotone or bool(good[population > 0].all())

    def impossible(self, everybody: int, people: int, classes: Grouped, suppressed: int) -> str | None:
        """Why no generalization of the finest classes can meet it, and what is possible; None when one may.

        everybody: people of the population; people: of the data. suppressed: records that may be left out; each takes
        one person away, at most.
        """
        if self.least > everybody:
            return (
                f"thresholds.k_map: {self.least} people of the population a class demanded, it has {everybody};"
                f" write k: {everybody} or less"
            )
        if self.presence is None:
            return None
        lower, upper = self.presence
        # a person counts once a class, so that finer classes add up to more people
        most = int(classes.people().sum())
        if lower * everybody > most:
            return (
                f"thresholds.delta_presence: a lower bound of {lower:g} for {everybody} people of the population, of"
                f" whom {most} at most are in the data; write lower: {_floor(most / everybody)} or less"
            )
        least = people - suppressed
        if least > (upper + HAIR) * everybody:
            return (
                f"thresholds.delta_presence: an upper bound of {upper:g} for {everybody} people of the population, of"
                f" whom {least} at least leave; write upper: {_ceil(least / max(everybody, 1))} or more, or allow more"
                " suppression (thresholds.suppressed_records)"
            )
        return None


def _floor(share: float) -> str:
    """Three decimals, rounded down, so that writing it is enough."""
    return f"{int(share * 1000) / 1000:g}"


def _ceil(share: float) -> str:
    return f"{-int(-share * 1000 // 1) / 1000:g}"


def beside(bottom: Grouped, populations: Sequence[tuple[Codes, Ints]]) -> Grouped:
    """The finest classes with each population as one more of `values`.

    populations: codes, d × rows, on the levels of `bottom`, and the people of each row.
    """
    codes, values, height = [bottom.codes], list(bottom.values), bottom.height
    for theirs, people in populations:
        of_class = np.arange(height, height + len(people), dtype=np.int32)
        values.append((of_class, np.zeros(len(people), np.int32), people.astype(np.int64)))
        codes.append(theirs)
        height += len(people)
    nobody = np.zeros(height - bottom.height, np.int64)
    wide = replace(
        bottom,
        codes=np.concatenate(codes, axis=1),
        records=np.concatenate([bottom.records, nobody]),
        alone=np.concatenate([bottom.alone, nobody]),
        values=tuple(values),
    )
    return wide.roll_up([None] * len(bottom.codes))


def widened(own: Ladder, kind: LevelLabels, others: Sequence[pl.Series], *, column: str) -> Ladder:
    """The ladder of the data's values with codes for other values, too; what a label of the data loses stays.

    A hierarchy that gives the data other labels as soon as others are there raises `PolicyError`: then nobody could
    count the population beside the data. A value that the hierarchy lacks raises what the hierarchy raises.
    """
    if not others:
        return own
    new = pl.concat([values.alias(own.values.name) for values in others]).unique()
    new = new.filter(~new.is_in(own.values.implode(), nulls_equal=True))
    both = ladder(kind, pl.concat([own.values, new]), column=column)
    share = []
    for level, labels in enumerate(own.labels):
        of_data = both.codes[level, : len(own.values)]
        seen = both.labels[level].gather(pl.Series(of_data.astype(np.uint32)))
        if not seen.equals(labels.gather(pl.Series(own.codes[level].astype(np.uint32))), null_equal=True):
            raise PolicyError(
                f"column {column}: its hierarchy labels values by the others that occur, so that a population cannot be"
                " counted beside the data; name the intervals or groups in the policy"
            )
        # a label that no record has weighs nothing
        found = np.full(len(both.labels[level]), 1 / max(own.leaves, 1))
        found[of_data] = own.share[level][own.codes[level]]
        share.append(found)
    return replace(both, share=tuple(share), leaves=own.leaves)

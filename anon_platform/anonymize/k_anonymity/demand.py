"""What classes must have to leave, and which of them may: models of each class, of what attackers know, of the whole."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.k_anonymity.grouped import Floats, Grouped
from anon_platform.frequency import Cells, ClassModel, DistinctL

Good = npt.NDArray[np.bool_]

HAIR = 1e-9
"""A share may miss its bound by so much, as the validator has it."""


@dataclass(frozen=True)
class Sensitive:
    """The models of one sensitive attribute. overall: by value code its share of all records, before suppression."""

    models: tuple[ClassModel, ...]
    overall: Floats


@dataclass(frozen=True)
class Known:
    """An attacker. columns: indices of the quasi-identifiers that are known; people: in a class over these, at least."""

    columns: tuple[int, ...]
    people: int


@dataclass(frozen=True)
class Demand:
    """What every class must have, and how many records may be suppressed to reach it."""

    k: int
    """People in a class, at least."""
    suppressed: int
    """Records that may be suppressed."""
    sensitive: tuple[Sensitive, ...] = ()
    """One a sensitive attribute, in the order of `Grouped.values`."""
    attackers: tuple[Known, ...] = ()
    mean_risk: float | None = None
    """Mean over the records that leave of 1 / people in the class, at most."""
    unique_records: float | None = None
    """Share of the records that leave in classes of one person, at most."""

    @property
    def closed(self) -> bool:
        """Whether what must be suppressed never grows towards coarser levels, so that a search may prune by it.

        Without suppression every class meets every model, and unions meet it too: all models are monotone. With
        suppression a good class may merge with a bad one, and only models that any more records leave met
        (people, distinct values) say nothing against the union.
        """
        if self.suppressed == 0:
            return True
        models = [model for of_column in self.sensitive for model in of_column.models]
        whole = self.mean_risk is None and self.unique_records is None
        return whole and all(isinstance(model, DistinctL) for model in models)

    def kept(self, classes: Grouped) -> Good:
        """The classes that may leave together; all others are suppressed.

        What one class has does not depend on the others, but what an attacker with less knowledge finds does: classes
        are dropped until the rest holds. For the mean risk the smallest classes go first.
        """
        good = self._met(classes)
        while True:
            fewer = good.copy()
            for known in self.attackers:
                fewer &= classes.people_over(known.columns, fewer) >= known.people
            fewer = self._trimmed(classes, fewer)
            if (fewer == good).all():
                return good
            good = fewer

    def _met(self, classes: Grouped) -> Good:
        good = classes.people() >= self.k
        for wanted, (of_class, value, records) in zip(self.sensitive, classes.values, strict=True):
            cells = Cells(of_class, value, records, classes.height, wanted.overall)
            for model in wanted.models:
                good &= model.met(cells)
        return good

    def _trimmed(self, classes: Grouped, good: Good) -> Good:
        """Without the smallest classes, as few as may be, so that mean risk and lone records are within their bounds."""
        if (self.mean_risk is None and self.unique_records is None) or not good.any():
            return good
        people = classes.people()
        order = np.flatnonzero(good)
        order = order[np.argsort(people[order], kind="stable")]
        records = classes.records[order].astype(np.float64)
        left = _from_here(records)
        enough = np.ones(len(order), np.bool_)
        if self.mean_risk is not None:
            enough &= _from_here(records / people[order]) <= (self.mean_risk + HAIR) * left
        if self.unique_records is not None:
            alone = np.where(people[order] == 1, records, 0.0)
            enough &= _from_here(alone) <= (self.unique_records + HAIR) * left
        first = int(np.argmax(enough)) if enough.any() else len(order)
        rest = np.zeros_like(good)
        rest[order[first:]] = True
        return rest


def _from_here(numbers: Sequence[float] | Floats) -> Floats:
    """The sum of each number and all behind it."""
    return np.cumsum(np.asarray(numbers)[::-1])[::-1]

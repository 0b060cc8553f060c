"""What classes must have to leave, and which of them may: models of each class, of what attackers know, of the whole."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anon_platform.anonymize.k_anonymity.grouped import Codes, Floats, Grouped, Ints
from anon_platform.anonymize.k_anonymity.linked import Good, LinkedGroups
from anon_platform.anonymize.k_anonymity.presence import Crowd
from anon_platform.frequency import Cells, ClassModel, DistinctL, EntropyL, RecursiveL
from anon_platform.frequency.models import OrderedBound

HAIR = 1e-9
"""A share may miss its bound by so much, as the validator has it."""

OF_CLASS = (DistinctL, EntropyL, RecursiveL)
"""Models that look at a class and at nothing else; all others hold it against a reference distribution."""


@dataclass(frozen=True)
class Sensitive:
    """The models of one sensitive attribute. overall: by value code its share of all records, before suppression."""

    models: tuple[ClassModel, ...]
    overall: Floats

    def met(self, cells: Cells) -> Good:
        """For each class whether it meets all models, beside all records."""
        return _all_met(self.models, cells)

    def met_alone(self, cells: Cells) -> Good:
        """For each class whether it meets the models that look at nothing else."""
        return _all_met([model for model in self.models if isinstance(model, OF_CLASS)], cells)

    def met_among(self, of_class: Codes, value: Codes, records: Ints, good: Good) -> Good:
        """Whether good classes meet the models that have a reference: the distribution of all that is good.

        That is what the validator finds in the released records, and an attacker. A class that is not good meets all.
        """
        models = [model for model in self.models if not isinstance(model, OF_CLASS)]
        stay = good[of_class]
        if not models or not stay.any():
            return np.ones(len(good), np.bool_)
        of_class, value, records = of_class[stay], value[stay], records[stay]
        known = np.bincount(value, weights=records, minlength=len(self.overall))
        cells = Cells(of_class, value, records, len(good), known / known.sum())
        return _all_met(models, cells)


def _all_met(models: Sequence[ClassModel], cells: Cells) -> Good:
    good = np.ones(cells.classes, np.bool_)
    for model in models:
        good &= _met(model, cells)
    return good


def _met(model: ClassModel, cells: Cells) -> Good:
    """As `model.met`, with the model bound to the values that occur: in an order, fewer values lie farther apart."""
    present = cells.overall > 0
    if not isinstance(model, OrderedBound) or present.all():
        return model.met(cells)
    code = np.cumsum(present) - 1
    narrow = Cells(cells.of_class, code[cells.value], cells.records, cells.classes, cells.overall[present])
    rank = np.argsort(np.argsort(model.rank[present]))
    return OrderedBound(model.t, rank).met(narrow)


@dataclass(frozen=True)
class Known:
    """An attacker. columns: indices of the quasi-identifiers that are known; people: in a class over these, at least."""

    columns: tuple[int, ...]
    people: int


@dataclass(frozen=True)
class Demand:
    """What every class must have, and how many records may be suppressed to reach it."""

    k: int
    """People in a class, at least; of `LinkedGroups` people who share all of their rows."""
    suppressed: int
    """Records that may be suppressed."""
    sensitive: tuple[Sensitive, ...] = ()
    """One a sensitive attribute, in the order of `Grouped.values`."""
    attackers: tuple[Known, ...] = ()
    mean_risk: float | None = None
    """Mean over the records that leave of 1 / people in the class, at most."""
    unique_records: float | None = None
    """Share of the records that leave in classes of one person, at most."""
    crowds: tuple[Crowd, ...] = ()
    """One a population, in the order of `Grouped.values` behind the sensitive attributes."""

    @property
    def people_only(self) -> bool:
        """Whether the number of people in a class is all that is demanded."""
        whole = self.mean_risk is None and self.unique_records is None
        return whole and not (self.sensitive or self.attackers or self.crowds)

    @property
    def beside_all(self) -> bool:
        """Whether classes are held against the distribution of all records."""
        return any(not isinstance(m, OF_CLASS) for of_column in self.sensitive for m in of_column.models)

    @property
    def closed(self) -> bool:
        """Whether what must be suppressed never grows towards coarser levels, so that a search may prune by it.

        Without suppression every class meets every model, and unions meet it too: all models are monotone, but for a
        lower bound on presence. With suppression a good class may merge with a bad one, and only models that any more
        records leave met (people of data or population, distinct values) say nothing against the union.
        """
        if self.suppressed == 0:
            return all(crowd.monotone for crowd in self.crowds)
        models = [model for of_column in self.sensitive for model in of_column.models]
        whole = self.mean_risk is None and self.unique_records is None
        of_size = whole and all(crowd.closed for crowd in self.crowds)
        return of_size and all(isinstance(model, DistinctL) for model in models)

    def met(self, classes: Grouped) -> Good:
        """For each class whether it may leave whatever else leaves; references are those of all records."""
        good = self._of_size(classes)
        for wanted, (of_class, value, records) in zip(self.sensitive, classes.values, strict=False):
            good &= wanted.met(Cells(of_class, value, records, classes.height, wanted.overall))
        return good

    def kept(self, classes: Grouped) -> Good:
        """The classes that may leave together; all others are suppressed.

        What one class has does not depend on the others, but what an attacker with less knowledge finds does, and how
        all records that leave are distributed: classes are dropped until the rest holds. For the mean risk the
        smallest classes go first. Where more must go than may, the answer may be any such set.
        """
        good = self._of_size(classes)
        for wanted, (of_class, value, records) in zip(self.sensitive, classes.values, strict=False):
            good &= wanted.met_alone(Cells(of_class, value, records, classes.height, wanted.overall))
        total = int(classes.records.sum())
        while True:
            good = _together(classes, good)
            if total - int(classes.records[good].sum()) > self.suppressed:
                return good
            fewer = self._of_all_that_leaves(classes, good)
            if (fewer == good).all():
                return good if self._stands(classes, good) else np.zeros_like(good)
            good = fewer

    def _of_size(self, classes: Grouped) -> Good:
        """Classes with enough people of the data, and with as many of each population as demanded."""
        people = classes.people()
        good: Good = people >= self.k
        for crowd, population in zip(self.crowds, self._populations(classes), strict=True):
            good &= crowd.met(people, population)
        return good

    def _populations(self, classes: Grouped) -> list[Ints]:
        """For each population its people in each class."""
        return [
            np.bincount(of_class, weights=people, minlength=classes.height).astype(np.int64)
            for of_class, _, people in classes.values[len(self.sensitive) :]
        ]

    def _of_all_that_leaves(self, classes: Grouped, good: Good) -> Good:
        """The good classes without those that fall short of a demand when only good ones leave."""
        fewer = good.copy()
        for wanted, cells in zip(self.sensitive, classes.values, strict=False):
            fewer &= wanted.met_among(*cells, good)
        fewer = _together(classes, fewer)
        for known in self.attackers:
            fewer &= classes.people_over(known.columns, fewer) >= known.people
        return self._trimmed(classes, fewer)

    def _stands(self, classes: Grouped, good: Good) -> bool:
        found = zip(self.crowds, self._populations(classes), strict=True)
        return all(crowd.stands(good, population) for crowd, population in found)

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


def _together(classes: Grouped, good: Good) -> Good:
    """People whose rows are linked leave with all of them or not at all."""
    return classes.whole(good) if isinstance(classes, LinkedGroups) else good


def _from_here(numbers: Sequence[float] | Floats) -> Floats:
    """The sum of each number and all behind it."""
    return np.cumsum(np.asarray(numbers)[::-1])[::-1]

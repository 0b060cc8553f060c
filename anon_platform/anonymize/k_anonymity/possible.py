"""Demands that no generalization can meet, refused before the search with what is possible."""

from collections.abc import Sequence

import numpy as np

from anon_platform.anonymize.hierarchy import Ladder
from anon_platform.anonymize.k_anonymity.demand import Demand
from anon_platform.anonymize.k_anonymity.grouped import Grouped
from anon_platform.anonymize.k_anonymity.linked import LinkedGroups
from anon_platform.anonymize.k_anonymity.look import upward
from anon_platform.errors import PolicyError


def require_enough_people(people: int, k: int, attackers: Sequence[tuple[Sequence[str], int]]) -> None:
    """Refuses more people in a class than there are, saying what is possible."""
    if k > people:
        raise PolicyError(
            f"thresholds.k: {k} people a class demanded, the source has {people}; write k: {people} or less"
        )
    for _, least in attackers:
        if least > people:
            raise PolicyError(
                f"attackers: {least} people a class demanded, the source has {people}; write k: {people} or less"
            )


def require_alike(bottom: Grouped, steps: Sequence[Ladder], demand: Demand) -> None:
    """Refuses linked rows whose mere number tells too many people apart: no generalization hides it."""
    if not isinstance(bottom, LinkedGroups):
        return
    coarsest = bottom.roll_up([upward(step, 0, step.height - 1) for step in steps])
    total = int(coarsest.records.sum())
    lost = int(coarsest.records[coarsest.people() < demand.k].sum())
    if lost > demand.suppressed:
        share = -(-lost * 10_000 // total) / 10_000
        raise PolicyError(
            f"privacy_unit.linked: {lost} of {total} records are of people whose number of rows fewer than {demand.k}"
            f" have; write suppressed_records: {share:g} or more, or a smaller k"
        )


def require_crowds(bottom: Grouped, people: int, demand: Demand) -> None:
    """Refuses what is demanded beside a population and no classes can have. people: of the data."""
    for crowd, (_, _, numbers) in zip(demand.crowds, bottom.values[len(demand.sensitive) :], strict=True):
        everybody = int(np.asarray(numbers).sum())
        reason = crowd.impossible(everybody, people, bottom, demand.suppressed)
        if reason is not None:
            raise PolicyError(reason)

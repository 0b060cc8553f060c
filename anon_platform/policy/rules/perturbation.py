"""Rules of techniques that change values by counts or by chance: where they may stand, and how large groups must be."""

from collections.abc import Iterator

from anon_platform.anonymize import Generalize, Microaggregate, OfPeople, OfRows, Technique
from anon_platform.anonymize.hierarchy import Inferred, needs_counts
from anon_platform.policy.faults import Path_
from anon_platform.policy.model import Column
from anon_platform.policy.rules.privacy import Broken, Draft
from anon_platform.policy.thresholds import Thresholds

MAY_BE_PERTURBED = ("sensitive", "insensitive")
MAY_BE_SHIFTED = (*MAY_BE_PERTURBED, "timestamp")


def perturbation_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    thresholds = draft.parts.get("thresholds")
    k = thresholds.k if isinstance(thresholds, Thresholds) else None
    for name, column in draft.columns.items():
        yield from _by_chance(("columns", name, "treat"), column)
        for i, step in enumerate(column.treat):
            at: Path_ = ("columns", name, "treat", i)
            inferred = isinstance(step, Generalize) and isinstance(step.hierarchy, Inferred)
            if inferred and column.role != "quasi_identifier":
                yield (
                    at,
                    "an inferred hierarchy is searched, so it is for quasi-identifiers; write the hierarchy",
                )
            quasi = column.role == "quasi_identifier"
            if quasi and isinstance(step, Microaggregate) and k is not None and step.k < k:
                yield (
                    (*at, "k"),
                    f"groups below thresholds.k would be joined or suppressed; write k: {k} or more",
                )


def _by_chance(at: Path_, column: Column) -> Iterator[Broken]:
    places = [i for i, step in enumerate(column.treat) if isinstance(step, OfRows | OfPeople)]
    for place in places:
        if isinstance(column.treat[place], OfPeople):
            if column.role not in MAY_BE_SHIFTED:
                yield (
                    (*at, place),
                    (
                        "shift_dates moves everybody's dates differently, which k does not count on; it is for"
                        " timestamps, sensitive and insensitive columns, others are generalized or suppressed"
                    ),
                )
        elif column.role not in MAY_BE_PERTURBED:
            yield (
                (*at, place),
                (
                    f"{column.treat[place].technique} changes values by chance, which k does not count on; it is for"
                    " sensitive and insensitive columns, others are generalized, masked or suppressed"
                ),
            )
    for place in places[1:]:
        yield (
            (*at, place),
            "a column is changed by chance once; keep one of pram, rank_swap, noise and shift_dates",
        )
    for i in range(places[0] + 1 if places else 0, len(column.treat) if places else 0):
        if _counts(column.treat[i]):
            yield (
                (*at, i),
                "this step needs the counts of the column, so it comes before pram, rank_swap, noise and shift_dates",
            )


def _counts(step: Technique) -> bool:
    return isinstance(step, Microaggregate) or (isinstance(step, Generalize) and needs_counts(step.hierarchy))

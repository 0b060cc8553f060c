"""Rules of how quasi-identifiers are generalized: what a search can be asked together."""

from collections.abc import Iterator

from anon_platform.anonymize.hierarchy import Inferred
from anon_platform.policy.faults import did_you_mean
from anon_platform.policy.model import Column, PrivacyUnit
from anon_platform.policy.recoding import Recoding
from anon_platform.policy.risk import Risk
from anon_platform.policy.rules.privacy import Broken, Draft
from anon_platform.policy.thresholds import Thresholds


def recoding_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    recoding, thresholds = draft.parts.get("recoding"), draft.parts.get("thresholds")
    for name, column in draft.columns.items():
        yield from _wishes(name, column)
    yield from _weights(draft)
    if isinstance(recoding, Recoding) and recoding.model == "local":
        yield from _local(draft, thresholds)
    if isinstance(thresholds, Thresholds) and draft.whole:
        yield from _cells(thresholds, draft)


def _wishes(name: str, column: Column) -> Iterator[Broken]:
    step = column.searched
    at = ("columns", name, "treat", len(column.treat) - 1)
    if step is None or step is not column.treat[-1]:
        for i, other in enumerate(column.treat):
            if getattr(other, "weight", None) is not None or getattr(other, "coarsest", None) is not None:
                yield ("columns", name, "treat", i), "weight and coarsest are for the search; remove them"
        return
    if step.coarsest is None:
        return
    if isinstance(step.hierarchy, Inferred):
        yield (
            (*at, "coarsest"),
            "an inferred hierarchy has no level to name before the data is counted; remove it",
        )
    elif step.coarsest not in step.hierarchy.level_names:
        levels = ", ".join(step.hierarchy.level_names)
        yield (*at, "coarsest"), f"the hierarchy has no such level; write one of {levels}"


def _weights(draft: Draft) -> Iterator[Broken]:
    searched = [column.searched for column in draft.columns.values() if column.searched is not None]
    if draft.whole and searched and all(step.weight == 0 for step in searched):
        yield (
            ("columns",),
            "every quasi-identifier has weight: 0, so that no detail would be kept; raise the weight of one",
        )


def _local(draft: Draft, thresholds: object) -> Iterator[Broken]:
    unit = draft.parts.get("privacy_unit")
    if isinstance(unit, PrivacyUnit) and unit.linked:
        yield (
            ("recoding", "model"),
            "linked rows are compared in sets, which have no classes of their own; write model: full_domain",
        )
    risk = draft.parts.get("risk")
    table = isinstance(risk, Risk) and risk.population is not None and risk.population.table is not None
    if table or (isinstance(thresholds, Thresholds) and thresholds.populations()):
        yield (
            ("recoding", "model"),
            "a population table is generalized by one level a column; write model: full_domain",
        )


def _cells(thresholds: Thresholds, draft: Draft) -> Iterator[Broken]:
    leaving = draft.leaving("quasi_identifier")
    for name in thresholds.suppressed_cells:
        if name not in leaving:
            yield (
                ("thresholds", "suppressed_cells", name),
                "this is no quasi-identifier that leaves" + (did_you_mean(name, leaving) or "; remove it"),
            )

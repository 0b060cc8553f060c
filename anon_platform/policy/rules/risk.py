"""Rules of the section `risk`, and of the thresholds that rest on it."""

from collections.abc import Iterator

from anon_platform.policy.faults import Path_
from anon_platform.policy.model import PrivacyUnit
from anon_platform.policy.risk import Risk
from anon_platform.policy.rules.privacy import Broken, Draft, population_rules
from anon_platform.policy.source import Population
from anon_platform.policy.thresholds import Thresholds

RESTS_ON = {
    "journalist_risk": "population",
    "marketer_risk": "population",
    "population_uniques": "population",
    "known_events_unique": "known_events",
}
"""By threshold what below `risk` it needs."""

EXAMPLES = {"population": "population: {people: 1000000}", "known_events": "known_events: 4"}


def risk_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    risk, thresholds = draft.parts.get("risk"), draft.parts.get("thresholds")
    if isinstance(thresholds, Thresholds):
        for name, needed in RESTS_ON.items():
            said = isinstance(risk, Risk) and getattr(risk, needed) is not None
            if getattr(thresholds, name) is not None and not said:
                yield (
                    ("thresholds", name),
                    f"nothing says against whom; add {EXAMPLES[needed]} below risk, or remove this threshold",
                )
    if isinstance(risk, Risk):
        yield from _section(risk, draft)


def populations_of(draft: Draft) -> Iterator[tuple[Path_, Population]]:
    """The population tables of the policy, each with its place."""
    risk, thresholds = draft.parts.get("risk"), draft.parts.get("thresholds")
    if isinstance(thresholds, Thresholds):
        for name, population in thresholds.populations().items():
            yield ("thresholds", name, "population"), population
    if isinstance(risk, Risk) and risk.population is not None and risk.population.table is not None:
        yield ("risk", "population", "table"), risk.population.table


def _section(risk: Risk, draft: Draft) -> Iterator[Broken]:
    unit = draft.parts.get("privacy_unit")
    if draft.whole and draft.names and not draft.leaving("quasi_identifier"):
        yield ("risk",), "no quasi_identifier column leaves, so that no risk is measured; remove this section"
    if risk.known_events is not None and isinstance(unit, PrivacyUnit) and not unit.linked:
        yield (
            ("risk", "known_events"),
            "nothing that leaves tells which rows belong to one person; remove it, or write linked: true below privacy_unit",
        )
    table = risk.population.table if risk.population is not None else None
    if table is not None and draft.whole:
        yield from population_rules(("risk", "population", "table"), table, draft)

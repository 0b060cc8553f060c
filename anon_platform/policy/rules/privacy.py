"""Rules of the privacy models: what they may name, what they need, and which of them would guard nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.anonymize import KEYED
from anon_platform.frequency import OrderedTCloseness
from anon_platform.policy.faults import Path_, did_you_mean
from anon_platform.policy.model import Column, PrivacyUnit
from anon_platform.policy.source import Population, Source
from anon_platform.policy.thresholds import Attacker, Thresholds, people_for

Broken = tuple[Path_, str]

GUARDS = {
    "quasi_identifier": (
        "k",
        "max_risk",
        "mean_risk",
        "unique_records",
        "journalist_risk",
        "marketer_risk",
        "population_uniques",
        "known_events_unique",
        "k_map",
        "delta_presence",
    ),
    "sensitive": ("l", "t"),
    "free_text": ("text_recall", "others_in_text"),
}
"""Thresholds by the role of the columns that they guard; the others guard every column."""


@dataclass(frozen=True)
class Draft:
    """What is sound so far: all names under `columns`, the columns that parse, the sections that parse."""

    names: tuple[str, ...]
    columns: Mapping[str, Column]
    parts: Mapping[str, Any]

    @property
    def whole(self) -> bool:
        """Whether every column parses, so that what is missing among them can be told."""
        return len(self.columns) == len(self.names)

    def leaving(self, role: str) -> list[str]:
        """Sound columns of this role that leave."""
        return [
            name for name, column in self.columns.items() if column.role == role and not column.suppressed
        ]

    def no_column(self, name: str) -> str:
        """The name is a value of the policy, which is never quoted."""
        return f"no such column under columns{did_you_mean(name, self.names) or '; name one of them'}"


def privacy_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    thresholds = draft.parts.get("thresholds")
    if isinstance(thresholds, Thresholds):
        yield from _required(thresholds, draft)
        yield from _sensitive(thresholds, draft)
        yield from _populations(thresholds, draft)
        if draft.whole:
            yield from _idle(thresholds, draft)
    attackers = draft.parts.get("attackers") or ()
    for i, attacker in enumerate(attackers):
        yield from _attacker(("attackers", i), attacker, draft)
        if attacker.name in [other.name for other in attackers[:i]]:
            yield (
                ("attackers", i, "name"),
                "an attacker of this name stands above; give this one another name",
            )
    unit = draft.parts.get("privacy_unit")
    if isinstance(unit, PrivacyUnit) and draft.names:
        yield from _linked(unit, draft)


def _required(thresholds: Thresholds, draft: Draft) -> Iterator[Broken]:
    if draft.leaving("quasi_identifier"):
        instead = {
            "k": thresholds.k_map is not None,
            "max_risk": thresholds.k_map is not None or thresholds.mean_risk is not None,
            "suppressed_records": False,
        }
        for name, example in (("k", "5"), ("max_risk", "0.2"), ("suppressed_records", "0.05")):
            if getattr(thresholds, name) is None and not instead[name]:
                yield (
                    ("thresholds", name),
                    f"missing; the policy has quasi-identifiers, so write {name}: …, such as {example}",
                )
    unguarded = [name for name in draft.leaving("sensitive") if name not in thresholds.sensitive]
    if unguarded and thresholds.l is None:
        yield ("thresholds", "l"), "missing; the policy has sensitive columns, so write l: …, such as 2"


def _idle(thresholds: Thresholds, draft: Draft) -> Iterator[Broken]:
    """Thresholds that guard nothing: whoever wrote them believes that they do."""
    for role, names in GUARDS.items():
        for name in names:
            if getattr(thresholds, name) is not None and not draft.leaving(role):
                yield (
                    ("thresholds", name),
                    f"no {role} column leaves, so that this guards nothing; remove it, or give a column this role",
                )
    k, mean, most, mapped = thresholds.k, thresholds.mean_risk, thresholds.max_risk, thresholds.k_map
    if k is not None and thresholds.unique_records is not None:
        yield (
            ("thresholds", "unique_records"),
            "k leaves no record alone, so that this guards nothing; remove it, or k",
        )
    if mean is not None and most is not None and mean >= most:
        yield (
            ("thresholds", "mean_risk"),
            "the mean risk is never above max_risk, so that this guards nothing; lower it or remove it",
        )
    if mapped is not None and k is not None and mapped.k <= k:
        yield (
            ("thresholds", "k_map", "k"),
            "k people of the data are k people of the population, so that this guards nothing; raise it above k, or remove k",
        )


def _sensitive(thresholds: Thresholds, draft: Draft) -> Iterator[Broken]:
    for name, models in thresholds.sensitive.items():
        at: Path_ = ("thresholds", "sensitive", name)
        if draft.names and name not in draft.names:
            close = did_you_mean(name, draft.leaving("sensitive"))
            yield at, f"no such column under columns{close or '; name a sensitive column'}"
            continue
        column = draft.columns.get(name)
        if column is None:
            continue
        if column.suppressed or column.role != "sensitive":
            yield (
                at,
                "this column does not leave as a sensitive one, so that nothing is guarded; remove it, or give it role: sensitive",
            )
        labels = [model.label for model in models]
        for i, model in enumerate(models):
            if labels[i] in labels[:i]:
                yield (*at, i), "this model stands above with other numbers; keep the stricter one"
            if isinstance(model, OrderedTCloseness):
                yield from _order((*at, i), model, column, draft.parts.get("source"))


def _order(at: Path_, model: OrderedTCloseness, column: Column, source: object) -> Iterator[Broken]:
    text = _leaves_as_text(column, source)
    if text and model.order is None and model.alphabetical is None:
        yield at, "text has no order of its own; write order: [lowest, …, highest], or alphabetical: true"
    if text is False and (model.order is not None or model.alphabetical is not None):
        yield at, "numbers, dates and truth values have an order of their own; remove order and alphabetical"


def _leaves_as_text(column: Column, source: object) -> bool | None:
    """Whether the released values are text; None when only the source's schema tells."""
    made = {step.technique for step in column.treat}
    if made & {"pseudonymize", "tokenize", "encrypt", "encrypt_format", "surrogate", "mask", "generalize"}:
        return True
    if made - {"top_bottom_code"}:
        return None
    if column.type is not None:
        return column.type == "string"
    return True if isinstance(source, Source) and source.format == "csv" else None


def _populations(thresholds: Thresholds, draft: Draft) -> Iterator[Broken]:
    for name, population in thresholds.populations().items():
        if draft.whole:
            yield from population_rules(("thresholds", name, "population"), population, draft)


def population_rules(at: Path_, population: Population, draft: Draft) -> Iterator[Broken]:
    """What a population table at this place must have."""
    unit = draft.parts.get("privacy_unit")
    yield from _population((*at, "columns"), population, draft)
    if isinstance(unit, PrivacyUnit) and unit.linked:
        yield (
            at,
            "a population has one row a person, linked rows are compared in sets; remove this model or linked",
        )


def _population(at: Path_, population: Population, draft: Draft) -> Iterator[Broken]:
    """Fewer columns than the attacker knows would count people whom the attacker can tell apart."""
    leaving = draft.leaving("quasi_identifier")
    theirs = list(population.columns.values())
    for i, name in enumerate(population.columns):
        if theirs[i] in theirs[:i]:
            yield (*at, name), "this column of the population stands above; name the one that holds this"
        if name not in leaving:
            yield (
                (*at, name),
                "this is no quasi-identifier that leaves" + (did_you_mean(name, leaving) or "; remove it"),
            )
    missing = [name for name in leaving if name not in population.columns]
    if missing:
        yield (
            at,
            f"every quasi-identifier that leaves needs its column of the population; add {', '.join(missing)}",
        )


def _attacker(at: Path_, attacker: Attacker, draft: Draft) -> Iterator[Broken]:
    leaving = draft.leaving("quasi_identifier")
    for i, name in enumerate(attacker.knows):
        if name in attacker.knows[:i]:
            yield (*at, "knows", i), "this column stands twice; keep one"
        elif name not in draft.names:
            yield (*at, "knows", i), draft.no_column(name)
        elif name in draft.columns and name not in leaving:
            yield (
                (*at, "knows", i),
                "this column does not leave as a quasi-identifier; leave it out, or give it role: quasi_identifier",
            )
    thresholds = draft.parts.get("thresholds")
    if isinstance(thresholds, Thresholds) and draft.whole and thresholds.k is not None:
        known = people_for(thresholds.k, thresholds.max_risk)
        if attacker.people_needed <= known:
            yield (
                (*at, "k"),
                (
                    "whoever knows less finds at least as many people as the thresholds demand, so that this guards"
                    f" nothing; write more than {known}, or remove the attacker"
                ),
            )


def _linked(unit: PrivacyUnit, draft: Draft) -> Iterator[Broken]:
    column = draft.columns.get(unit.column) if unit.column is not None else None
    if column is not None and not column.suppressed:
        at: Path_ = ("columns", str(unit.column))
        if not any(isinstance(step, KEYED) for step in column.treat):
            yield (
                at,
                "a person key leaves as a pseudonym only; write treat: {technique: suppress}, or pseudonymize it",
            )
        elif unit.linked is None and unit.one_row is None:
            yield (
                at,
                (
                    "a released pseudonym links a person's rows, so that the whole set of rows has to be anonymous;"
                    " write linked: true below privacy_unit, or one_row: true where nobody has two, or treat: {technique: suppress}"
                ),
            )
    if unit.linked is None:
        return
    if unit.column is None:
        yield ("privacy_unit", "linked"), "nobody has two rows that could be linked; remove linked"
    elif draft.whole and not any(
        isinstance(step, KEYED)
        for known in draft.columns.values()
        if not known.suppressed
        for step in known.treat
    ):
        yield (
            ("privacy_unit", "linked"),
            "no pseudonym leaves that could link rows; remove linked, or pseudonymize a column",
        )

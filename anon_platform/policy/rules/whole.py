"""Rules that tie parts of a policy together; each says what to write instead."""

from collections.abc import Iterator

from anon_platform.anonymize import Generalize
from anon_platform.policy.faults import Path_
from anon_platform.policy.model import Column
from anon_platform.policy.rules.attack import attack_rules
from anon_platform.policy.rules.perturbation import perturbation_rules
from anon_platform.policy.rules.privacy import Broken, Draft, privacy_rules
from anon_platform.policy.rules.recoding import recoding_rules
from anon_platform.policy.rules.risk import risk_rules
from anon_platform.policy.rules.text import text_rules
from anon_platform.policy.rules.utility import utility_rules


def broken_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    unit = draft.parts.get("privacy_unit")
    for name, column in draft.columns.items():
        yield from _name(name, read=not column.suppressed or (unit is not None and unit.column == name))
        yield from _column(name, column)
    if draft.names and len([c for c in draft.columns.values() if c.suppressed]) == len(draft.names):
        yield ("columns",), "every column is suppressed, so that nothing would be released"
    yield from privacy_rules(draft)
    yield from perturbation_rules(draft)
    yield from recoding_rules(draft)
    yield from risk_rules(draft)
    yield from text_rules(draft)
    yield from attack_rules(draft)
    yield from _thresholds(draft)
    yield from _privacy_unit(draft)
    yield from _model(draft)
    yield from utility_rules(draft)


def _name(name: str, *, read: bool) -> Iterator[Broken]:
    """Names that mean something else to us or to Polars (`n` the number of records, `people`, `l:…`, `*` and `^…$` many columns)."""
    at: Path_ = ("columns", name)
    pattern = name == "*" or (name.startswith("^") and name.endswith("$"))
    if name.startswith("__"):
        yield at, "names that begin with two underscores are reserved; rename the column in the source"
    elif read and (name in {"n", "people"} or name.startswith("l:") or pattern):
        yield at, "n, people, l:…, * and ^…$ are reserved names; rename the column in the source"
    elif read and (not name.isprintable() or '"' in name):
        yield at, "quotes and control characters cannot stand in a column's name; rename it in the source"


def _column(name: str, column: Column) -> Iterator[Broken]:
    at: Path_ = ("columns", name)
    protected = {"direct_identifier", "free_text", "image", "timestamp", "location", "quasi_identifier"}
    if column.role in protected and not column.treat:
        example = "generalize, hierarchy: …" if column.role == "quasi_identifier" else "suppress"
        yield at, f"a column of role {column.role} must be treated; add treat: {{technique: {example}}}"
    if column.suppressed and len(column.treat) > 1:
        yield (*at, "treat"), "suppress removes the column; write it alone"
    if column.date_format is not None and column.type not in ("date", "datetime"):
        yield (*at, "date_format"), "only dates have a date_format; add type: date or type: datetime"
    yield from _levels(column, (*at, "treat"))


def _levels(column: Column, at: Path_) -> Iterator[Broken]:
    """Every generalize step has a level of its hierarchy, but for the last one of a quasi-identifier."""
    steps = [(i, step) for i, step in enumerate(column.treat) if isinstance(step, Generalize)]
    searched = [i for i, step in steps if step.level is None]
    for i, step in steps:
        levels = ", ".join(step.hierarchy.level_names)
        if step.level is None and column.role != "quasi_identifier":
            yield (*at, i), f"only quasi-identifiers are searched; add a fixed level: one of {levels}"
        elif step.level is not None and step.level not in step.hierarchy.level_names:
            yield (*at, i, "level"), f"the hierarchy has no such level; write one of {levels}"
    if column.role != "quasi_identifier" or column.suppressed or not column.treat:
        return
    if not searched:
        yield (
            at,
            (
                "a quasi-identifier that leaves needs one generalize step without level, for the search;"
                " to keep or drop the exact value use hierarchy: {kind: flat}"
            ),
        )
    elif searched != [len(column.treat) - 1]:
        yield (*at, searched[0]), "the searched generalize step comes last, and there is one only"


def _thresholds(draft: Draft) -> Iterator[Broken]:
    thresholds = draft.parts.get("thresholds")
    if thresholds is not None and draft.parts.get("model") is not None and thresholds.model_loss is None:
        yield (
            ("thresholds", "model_loss"),
            "missing; the policy has a model, so write model_loss: …, such as 0.15",
        )


def _privacy_unit(draft: Draft) -> Iterator[Broken]:
    unit = draft.parts.get("privacy_unit")
    if unit is not None and unit.column is not None and draft.names and unit.column not in draft.names:
        yield ("privacy_unit", "column"), draft.no_column(unit.column)


def _model(draft: Draft) -> Iterator[Broken]:
    model = draft.parts.get("model")
    if model is None or not draft.names:
        return
    places: list[tuple[Path_, str]] = [(("model", "target", "column"), model.target.column)]
    places += [(("model", "features", i), name) for i, name in enumerate(model.features)]
    for at, name in places:
        column = draft.columns.get(name)
        if name not in draft.names:
            yield at, draft.no_column(name)
        elif column is not None and column.suppressed:
            yield at, "this column is suppressed, so no model can use it; release it or leave it out"
    for i, name in enumerate(model.features):
        if name == model.target.column:
            yield ("model", "features", i), "the target cannot be a feature; leave it out"
        if name in model.features[:i]:
            yield ("model", "features", i), "this feature stands twice; keep one"

"""Rules that tie parts of a policy together; each says what to write instead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.anonymize import Generalize
from anon_platform.policy.faults import Path_
from anon_platform.policy.model import Column

Broken = tuple[Path_, str]


@dataclass(frozen=True)
class Draft:
    """What is sound so far: all names under `columns`, the columns that parse, the sections that parse."""

    names: tuple[str, ...]
    columns: Mapping[str, Column]
    parts: Mapping[str, Any]


def broken_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    for name, column in draft.columns.items():
        yield from _column(name, column)
    yield from _thresholds(draft)
    yield from _privacy_unit(draft)
    yield from _model(draft)


def _column(name: str, column: Column) -> Iterator[Broken]:
    at: Path_ = ("columns", name)
    protected = {"direct_identifier", "free_text", "image", "timestamp", "location", "quasi_identifier"}
    if name.startswith("__"):
        yield at, "names that begin with two underscores are reserved; rename the column in the source"
    if column.role in protected and not column.treat:
        example = "generalize" if column.role == "quasi_identifier" else "suppress"
        yield (
            at,
            f"a {column.role} column must be treated; add treat: {{technique: {example}, …}}".replace(
                ", …", ", hierarchy: …" if example == "generalize" else ""
            ),
        )
    if column.suppressed and len(column.treat) > 1:
        yield (*at, "treat"), "suppress removes the column; write it alone"
    searched = [step for step in column.treat if isinstance(step, Generalize) and step.level is None]
    if searched and column.role != "quasi_identifier":
        levels = ", ".join(searched[0].hierarchy.level_names)
        yield (*at, "treat"), f"only quasi-identifiers are searched; add a fixed level: one of {levels}"
    if column.role == "quasi_identifier" and column.treat and not column.suppressed and not searched:
        yield (
            (*at, "treat"),
            (
                "a quasi-identifier that leaves needs one generalize step without level, for the search;"
                " to keep or drop the exact value use hierarchy: {kind: flat}"
            ),
        )
    if searched and column.treat[-1] is not searched[0]:
        yield (*at, "treat"), "the searched generalize step comes last"


def _thresholds(draft: Draft) -> Iterator[Broken]:
    thresholds = draft.parts.get("thresholds")
    if thresholds is None:
        return
    leaving = [column for column in draft.columns.values() if not column.suppressed]
    if any(column.role == "quasi_identifier" for column in leaving):
        for name, example in (("k", "5"), ("max_risk", "0.2"), ("suppressed_records", "0.05")):
            if getattr(thresholds, name) is None:
                yield (
                    ("thresholds", name),
                    f"missing; the policy has quasi-identifiers, so write {name}: …, such as {example}",
                )
    if any(column.role == "sensitive" for column in leaving) and thresholds.l is None:
        yield ("thresholds", "l"), "missing; the policy has sensitive columns, so write l: …, such as 2"
    if draft.parts.get("model") is not None and thresholds.model_loss is None:
        yield (
            ("thresholds", "model_loss"),
            "missing; the policy has a model, so write model_loss: …, such as 0.15",
        )


def _privacy_unit(draft: Draft) -> Iterator[Broken]:
    unit = draft.parts.get("privacy_unit")
    if unit is None or unit.column is None:
        return
    if unit.column not in draft.names:
        yield (
            ("privacy_unit", "column"),
            f"no column {unit.column} under columns; name the column that tells people apart",
        )
        return
    column = draft.columns.get(unit.column)
    if column is not None and not column.suppressed:
        yield (
            ("columns", unit.column),
            (
                "a released person key links a person's rows, and then the whole sequence of rows would have to be"
                " anonymous; write treat: {technique: suppress}"
            ),
        )


def _model(draft: Draft) -> Iterator[Broken]:
    model = draft.parts.get("model")
    if model is None:
        return
    places: list[tuple[Path_, str]] = [(("model", "target", "column"), model.target.column)]
    places += [(("model", "features", i), name) for i, name in enumerate(model.features)]
    for at, name in places:
        column = draft.columns.get(name)
        if name not in draft.names:
            yield at, f"no column {name} under columns"
        elif column is not None and column.suppressed:
            yield at, f"column {name} is suppressed, so no model can use it; release it or leave it out"
    if model.target.column in model.features:
        yield ("model", "features"), f"the target {model.target.column} cannot be a feature"

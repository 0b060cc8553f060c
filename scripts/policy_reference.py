"""Writes docs/policy.md, the reference of every key of a policy, from the code."""

import sys
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from anon_platform.anonymize import TECHNIQUES
from anon_platform.anonymize.hierarchy import HIERARCHIES
from anon_platform.dp.domain import Categories, Dates, Numbers
from anon_platform.dp.models import ModelRelease
from anon_platform.dp.models import Target as ModelTarget
from anon_platform.dp.statistics import Condition as OfStatistic
from anon_platform.dp.statistics import Statistic
from anon_platform.dp.synthetic import Synthesis
from anon_platform.policy import (
    SENSITIVE_MODELS,
    Attacker,
    Column,
    Condition,
    DeltaPresence,
    Engine,
    KMap,
    Model,
    Policy,
    Population,
    PrivacyUnit,
    Publish,
    Query,
    Schedule,
    Source,
    TableRules,
    TablesPolicy,
    Thresholds,
    Utility,
    Watch,
)
from anon_platform.policy.dp import Cap, Caps, DPColumn, DPPolicy, PrivacyLoss
from anon_platform.policy.dp.model import DPUnit
from anon_platform.policy.dp.thresholds import DPThresholds
from anon_platform.policy.model import Target
from anon_platform.policy.risk import Risk, RiskPopulation
from anon_platform.policy.statements import Expert, IntruderTest, Statements
from anon_platform.policy.tables import TablesUnit
from anon_platform.spec import Spec, descriptions

PAGE = Path(__file__).parents[1] / "docs" / "policy.md"

INTRO = """\
# The policy

One YAML file a dataset, in `policies/`. Unknown keys are refused; every fault is named with line and column by
`anon check`. Begin a file with this line and your editor completes and checks it:

```yaml
# yaml-language-server: $schema=policy.schema.json
```

Nothing that decides privacy (k, l, risk, keys) has a default. *Required* means that a policy without the key is
refused; thresholds are required where the policy has what they guard. Booleans are `true` and `false`; `NO` is a text.

This page is generated from the code by `make schema`.
"""

SECTIONS: list[tuple[str, type[Spec]]] = [
    ("Top level", Policy),
    ("source", Source),
    ("privacy_unit", PrivacyUnit),
    ("columns: one entry a column", Column),
    ("thresholds", Thresholds),
    ("thresholds.k_map", KMap),
    ("thresholds.delta_presence", DeltaPresence),
    ("population: of k_map and delta_presence", Population),
    ("attackers: one entry an attacker", Attacker),
    ("risk", Risk),
    ("risk.population", RiskPopulation),
    ("statements", Statements),
    ("statements.expert", Expert),
    ("statements.intruder_test", IntruderTest),
    ("model", Model),
    ("model.target", Target),
    ("utility", Utility),
    ("utility.queries: one entry a query", Query),
    ("utility.queries.where: one entry a column", Condition),
    ("publish", Publish),
    ("schedule", Schedule),
    ("watch", Watch),
    ("engine", Engine),
    ("Top level of a differentially private policy", DPPolicy),
    ("privacy_unit (differentially private)", DPUnit),
    ("privacy_loss", PrivacyLoss),
    ("privacy_loss.caps", Caps),
    ("privacy_loss.caps.overall, .recipient", Cap),
    ("columns.NAME (differentially private)", DPColumn),
    ("columns.NAME.domain, categories", Categories),
    ("columns.NAME.domain, numbers", Numbers),
    ("columns.NAME.domain, dates", Dates),
    ("statistics[]", Statistic),
    ("statistics[].where[]", OfStatistic),
    ("synthetic", Synthesis),
    ("trained_model", ModelRelease),
    ("trained_model.target", ModelTarget),
    ("thresholds (differentially private)", DPThresholds),
    ("Top level of a policy over several tables", TablesPolicy),
    ("privacy_unit, over several tables", TablesUnit),
    ("tables: one entry a table", TableRules),
]


def page() -> str:
    """The whole page as Markdown."""
    parts = [INTRO]
    parts += [f"## {title}\n\n{_section(model)}" for title, model in SECTIONS]
    parts.append(
        "## Privacy models of a sensitive column\n\nA list under `thresholds.sensitive.<column>`, told apart by `model`, and"
        " `t_closeness` by `distance`.\n"
    )
    parts += [f"### model: {_tags(model)}\n\n{_section(model)}" for model in SENSITIVE_MODELS]
    parts.append(
        "## Treatments\n\nOne step or a list of steps under `treat:` of a column, told apart by `technique`.\n"
    )
    parts += [f"### technique: {_tag(model)}\n\n{_section(model)}" for model in TECHNIQUES]
    parts.append(
        "## Hierarchies\n\nUnder `hierarchy:` of a `generalize` step, told apart by `kind`. `*` is always the last level.\n"
    )
    parts += [f"### kind: {_tag(model)}\n\n{_section(model)}" for model in HIERARCHIES]
    return "\n".join(parts)


def _section(model: type[Spec]) -> str:
    texts = descriptions(model)
    rows = [
        f"| `{name}` | {_type(field)} | {_default(field)} | {_cell(texts.get(name, ''))} |"
        for name, field in model.model_fields.items()
    ]
    table = "\n".join(["| key | value | default | |", "|---|---|---|---|", *rows])
    about = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    return f"{about}\n\n{table}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=False)
    if value is None or field.default_factory is not None:
        return ""
    return (
        f"`{list(value)}`"
        if isinstance(value, tuple)
        else f"`{str(value).lower() if isinstance(value, bool) else repr(value)}`"
    )


def _type(field: FieldInfo) -> str:
    limits = [
        str(item)
        for item in field.metadata
        if any(word in str(item) for word in ("Ge(", "Gt(", "Le(", "Lt("))
    ]
    signs = {"Ge": "≥", "Gt": ">", "Le": "≤", "Lt": "<"}
    shown = [f"{signs[limit[:2]]} {limit.split('=')[1].rstrip(')')}" for limit in limits]
    return " ".join([_name(field.annotation), *shown]).strip()


def _name(annotation: Any) -> str:  # noqa: ANN401, PLR0911 - one line a kind of annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _name(arguments[0])
    if origin is Literal:
        return ", ".join(
            f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in arguments
        )
    if origin in {Union, UnionType}:
        named = [part for part in arguments if part is not type(None)]
        if all(hasattr(part, "model_fields") for part in named) and len(named) > 1:
            return "step, see below"
        return " or ".join(_name(part) for part in named)
    if origin is tuple:
        return f"list of {_name(arguments[0])}"
    if origin is dict:
        return "keys and values"
    words = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    return words.get(
        annotation, "keys and values" if hasattr(annotation, "model_fields") else str(annotation)
    )


def _tags(model: type[Spec]) -> str:
    """`t_closeness, distance: ordered`."""
    distance = model.model_fields.get("distance")
    name = str(get_args(model.model_fields["model"].annotation)[0])
    return name if distance is None else f"{name}, distance: {get_args(distance.annotation)[0]}"


def _tag(model: type[Spec]) -> str:
    field = model.model_fields.get("technique") or model.model_fields["kind"]
    return str(get_args(field.annotation)[0])


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")

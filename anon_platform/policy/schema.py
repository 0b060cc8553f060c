"""The policy's JSON Schema, for editors."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from anon_platform.policy.dp.model import DPPolicy
from anon_platform.policy.model import Policy
from anon_platform.policy.tables import TablesPolicy
from anon_platform.spec import Spec, descriptions


def json_schema() -> str:
    """JSON Schema (2020-12) of a policy file, of whatever kind, as indented text with a final newline."""
    schema: dict[str, object] = models_json_schema(
        [(Policy, "validation"), (TablesPolicy, "validation"), (DPPolicy, "validation")]
    )[1]
    of_tables = {"$ref": "#/$defs/TablesPolicy"}
    of_dp = {
        "if": {"required": ["privacy_loss"]},
        "then": {"$ref": "#/$defs/DPPolicy"},
        "else": {"$ref": "#/$defs/Policy"},
    }
    schema |= {"if": {"required": ["tables"]}, "then": of_tables, "else": of_dp}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "anon_platform policy"
    _describe(schema)
    _one_or_many(schema)
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _describe(schema: dict[str, object]) -> None:
    """The texts below the fields, as editors show them."""
    parts: dict[str, dict[str, dict[str, dict[str, object]]]] = schema["$defs"]  # type: ignore[assignment]
    for settings in _kinds(Spec):
        part = parts.get(settings.__name__)
        for name, text in descriptions(settings).items() if part is not None else ():
            if name in part["properties"]:  # type: ignore[index]
                part["properties"][name]["description"] = text  # type: ignore[index]


def _kinds(settings: type[Spec]) -> Iterator[type[Spec]]:
    for kind in settings.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _one_or_many(schema: dict[str, Any]) -> None:
    """`treat` takes one step or a list of steps, `regulation` one name or a list of names, a constraint one category or several."""
    for name in ("if", "then"):
        cells = schema["$defs"]["Implies"]["properties"][name]
        several = cells["additionalProperties"]
        cells["additionalProperties"] = {"anyOf": [several["items"], several]}
    for part, name in (
        ("Column", "treat"),
        ("Policy", "regulation"),
        ("TablesPolicy", "regulation"),
        ("DPPolicy", "regulation"),
    ):
        keys = schema["$defs"][part]["properties"]
        many = keys[name]
        keys[name] = {
            "anyOf": [many["items"], {"type": "array", "items": many["items"]}],
            "default": [],
            "description": many.get("description", ""),
        }

"""The policy's JSON Schema, for editors."""

import json

from anon_platform.policy.model import Policy


def json_schema() -> str:
    """JSON Schema (2020-12) of a policy file, as indented text with a final newline."""
    schema = Policy.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "anon_platform policy"
    _one_step_or_many(schema)
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _one_step_or_many(schema: dict[str, object]) -> None:
    """`treat` takes one step or a list of steps."""
    column = schema["$defs"]["Column"]["properties"]  # type: ignore[index]
    many = column["treat"]
    column["treat"] = {
        "anyOf": [many["items"], {"type": "array", "items": many["items"]}],
        "default": [],
        "description": many.get("description", ""),
    }

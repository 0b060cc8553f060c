"""What is wrong with a policy: each fault with its place and what to write instead, all of them at once."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import ErrorDetails

from anon_platform.errors import PolicyError

Path_ = tuple[str | int, ...]
"""Keys and list positions from the top of the YAML file to a node."""


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: where (line and column, 1-based) and what to write instead."""

    line: int
    column: int
    at: str
    message: str

    def text(self, file: Path) -> str:
        """`policies/a.yaml:12:17 thresholds.k: …`."""
        return f"{file}:{self.line}:{self.column} {self.at + ': ' if self.at else ''}{self.message}"


class FaultyPolicyError(PolicyError):
    """All faults of one policy file."""

    def __init__(self, file: Path, faults: Sequence[Fault]) -> None:
        self.file = file
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(fault.text(file) for fault in self.faults))


_WAYS_OUT = {
    "missing": "missing; add it (nothing that decides privacy has a default)",
    "int_type": "write a whole number, without quotes",
    "int_from_float": "write a whole number, without quotes",
    "float_type": "write a number, without quotes",
    "string_type": 'write a text; put quotes around it ("…") if it looks like a number or a date',
    "bool_type": "write true or false",
    "dict_type": "write keys and values below this key (key: value)",
    "model_type": "write keys and values below this key (key: value)",
    "model_attributes_type": "write keys and values below this key (key: value)",
    "tuple_type": "write a list, such as [a, b]",
    "literal_error": "write one of {expected}",
    "union_tag_invalid": "unknown {discriminator}; write one of {expected_tags}",
    "union_tag_not_found": "say which {discriminator}",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "value_error": "{error}",
}


def say(error: ErrorDetails, allowed: Mapping[str, object] | None) -> str:
    """What is wrong and what to write instead. allowed: the keys that may stand at this place, if known.

    The value is never quoted: a policy may hold a pasted secret.
    """
    if error["type"] == "extra_forbidden":
        keys = sorted(allowed or {})
        close = difflib.get_close_matches(str(error["loc"][-1]), keys, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"unknown key{hint}" + (f" Allowed here: {', '.join(keys)}" if keys else "")
    if error["type"] in _WAYS_OUT:
        return _WAYS_OUT[error["type"]].format(**error.get("ctx", {})).replace("'", "")
    return error["msg"][0].lower() + error["msg"][1:]

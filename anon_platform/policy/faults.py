"""What is wrong with a policy: each fault with its place and what to write instead, all of them at once."""

import difflib
from collections.abc import Iterable, Sequence
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
    "float_parsing": "write a number, without quotes",
    "string_type": 'write a text; put quotes ("…") around what looks like a number, true, false or null',
    "path_type": 'write a text; put quotes ("…") around what looks like a number, true, false or null',
    "bool_type": "write true or false",
    "dict_type": "write keys and values below this key (key: value)",
    "model_type": "write keys and values below this key (key: value)",
    "model_attributes_type": "write keys and values below this key (key: value)",
    "tuple_type": "write a list, such as [a, b]",
    "too_short": "must not be empty; write at least {min_length}",
    "string_too_short": "write a text of at least {min_length} character",
    "string_too_long": "write a text of at most {max_length} character",
    "greater_than": "write more than {gt:.12g}",
    "greater_than_equal": "write {ge:.12g} or more",
    "less_than": "write less than {lt:.12g}",
    "less_than_equal": "write {le:.12g} or less",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "value_error": "{error}",
}


def say(error: ErrorDetails, choices: Sequence[str]) -> str:
    """What is wrong and what to write instead. choices: the keys, or the kinds, that may stand at this place.

    The value is never quoted: a policy may hold a pasted secret.
    """
    context = error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        allowed = f" Allowed here: {', '.join(choices)}" if choices else ""
        return f"unknown key{did_you_mean(str(error['loc'][-1]), choices) or '.'}{allowed}"
    if error["type"] == "union_tag_not_found":
        return f"say which {context['discriminator']}: {', '.join(choices)}".replace("'", "")
    if error["type"] == "union_tag_invalid":
        return "unknown {discriminator}; write one of {expected_tags}".format(**context).replace("'", "")
    if error["type"] == "literal_error":
        return f"write {context['expected']}".replace("'", "").replace("True", "true")
    if error["type"] in _WAYS_OUT:
        return _WAYS_OUT[error["type"]].format(**context)
    return error["msg"][0].lower() + error["msg"][1:]


def did_you_mean(written: str, choices: Iterable[str]) -> str:
    """A question that names the choice nearest to what was written; nothing when none is near.

    >>> did_you_mean("colums", ["columns", "source"])
    '; did you mean columns?'
    """
    close = difflib.get_close_matches(written, list(choices), n=1)
    return f"; did you mean {close[0]}?" if close else ""

"""Values as YAML in one line, the plain style of hand-written policies."""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence

WIDTH = 110
"""Characters of a line of comment, at most."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?: ?[A-Za-z0-9_-]+)*")
_WORDS = {"null", "Null", "NULL", "true", "false", "True", "False"}


def scalar(value: object) -> str:
    """One value; a text in quotes where it could be taken for something else.

    >>> scalar("patient id"), scalar("null"), scalar("a: b"), scalar(0.5)
    ('patient id', '"null"', '"a: b"', '0.5')
    """
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) is not None and value not in _WORDS
        return value if plain else json.dumps(value, ensure_ascii=not value.isprintable())
    return json.dumps(value)


def flow(value: object) -> str:
    """A nested value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    return scalar(value)


def comment(text: str, indent: int = 0) -> list[str]:
    """The text as comment lines no wider than a screen, further ones as deep as the first.

    What cannot be printed becomes a question mark.

    >>> comment("  a note", 2)
    ['  #   a note']
    """
    shown = "".join(char if char.isprintable() else "?" for char in text)
    deep = " " * (len(shown) - len(shown.lstrip()))
    mark = f"{' ' * indent}# {deep}"
    return textwrap.wrap(
        shown.lstrip(),
        WIDTH,
        initial_indent=mark,
        subsequent_indent=mark,
        break_long_words=False,
        break_on_hyphens=False,
    )

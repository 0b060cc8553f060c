"""Common names and towns to invent people and places from."""

from functools import cache
from importlib.resources import files


def given_names(sex: str) -> tuple[str, ...]:
    """Given names of one sex, F or M, that are no names of the other and no words of the language."""
    return _lists()[sex]


def families() -> tuple[str, ...]:
    """Family names that are no given names and no words."""
    return _lists()["family"]


def towns() -> tuple[str, ...]:
    """Names of towns in the United States."""
    return _lists()["town"]


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    text = (files("anon_platform.text") / "data" / "surrogates.txt").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for part in text.split("# ")[1:]:
        kind, *names = part.split("\n")
        found[kind] = tuple(name for name in names if name)
    return found

"""Places of a release: nothing smaller than a state, but for the first three digits of a ZIP code of enough people."""

import re
from collections.abc import Iterator
from functools import cache

from anon_platform.anonymize import Generalize
from anon_platform.anonymize.hierarchy import CsvHierarchy, Groups, Zip
from anon_platform.anonymize.hierarchy.zip import SMALL, populations
from anon_platform.validate.regulations.case import Released, counted

PLACES = frozenset(
    {"street_address", "coordinates", "city", "county", "birth_place", "organization", "place_key"}
)
"""Kinds of columns that hold places smaller than a state."""

LARGE = frozenset({"state", "country", "constant", "empty", "flag"})
"""Kinds whose values are no such place."""

_DIGITS = re.compile(r"\d+")
_LETTERS_AND_DIGITS = re.compile(r"(?i)[a-z]\d|\d[a-z]")


def of_postcodes(column: Released) -> bool:
    """Whether the column holds postcodes, or was made of them."""
    by_policy = any(
        isinstance(step, Generalize) and isinstance(step.hierarchy, Zip) for step in column.policy.treat
    )
    seen = {column.content.kind, column.seen.original.kind, *column.content.by_values}
    return by_policy or "postcode" in seen


def postcode_reasons(column: Released) -> Iterator[str]:
    """Why the column tells more of a ZIP code than the rule allows.

    Three digits may stand where more than 20,000 people live in all areas of the prefix, by the 2010 census; others,
    and those that the census does not know, have to be 000. Source: 45 CFR 164.514(b)(2)(i)(B)(1) and (2).
    """
    long = sum(_too_long(text) for text in column.values)
    if long:
        yield f"{column.name}: {counted(long, 'distinct valu')} have more than three digits of a ZIP code, or another postcode"
    small = sum(bool(set(_prefixes(text)) & _small()) for text in column.values)
    unknown = sum(bool(set(_prefixes(text)) - _known() - {"000"}) for text in column.values)
    if small or unknown:
        yield (
            f"{column.name}: {counted(small + unknown, 'distinct prefix')} of {SMALL:,} people or fewer, or unknown ones, are not"
            ' 000; write small_prefixes: "000" below the zip hierarchy'
        )


def _too_long(text: str) -> bool:
    digits = _DIGITS.findall(text)
    return any(len(run) > 3 for run in digits) or bool(_LETTERS_AND_DIGITS.search(text))  # noqa: PLR2004


def _prefixes(text: str) -> list[str]:
    """Three digits by themselves, as in `606**`."""
    return [run for run in _DIGITS.findall(text) if len(run) == 3]  # noqa: PLR2004


@cache
def _small() -> frozenset[str]:
    return frozenset(prefix for prefix, people in populations().items() if people <= SMALL)


@cache
def _known() -> frozenset[str]:
    return frozenset(populations())


def place_reasons(column: Released) -> tuple[list[str], list[str]]:
    """Why the column tells a place smaller than a state; and why it may, where only a reader knows the regions."""
    content, before = column.content, column.seen.original
    if content.kind in PLACES:
        return [f"{column.name} looks like {content.words}: {content.why}"], []
    if seen := sorted(PLACES & set(content.by_values)):
        return [f"{column.name} holds places: {content.by_values[seen[0]]}"], []
    if not column.policy.treat or before.kind not in PLACES or content.kind in LARGE or content.distinct <= 1:
        return [], []
    last = column.policy.treat[-1]
    if isinstance(last, Generalize) and isinstance(last.hierarchy, CsvHierarchy | Groups):
        return [], [f"{column.name} was made of {before.words}: its regions must not be smaller than a state"]
    return [f"{column.name} was made of {before.words}, and its values are no states; suppress it"], []

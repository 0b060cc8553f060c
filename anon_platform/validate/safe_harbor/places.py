"""Places of a release: nothing smaller than a state, but for the first three digits of a ZIP code of enough people."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from anon_platform.anonymize import Generalize
from anon_platform.anonymize.hierarchy import CsvHierarchy, Groups, Zip
from anon_platform.anonymize.hierarchy.zip import SMALL, populations
from anon_platform.validate.ruling import counted
from anon_platform.validate.safe_harbor.case import Released

PLACES = frozenset(
    {"street_address", "coordinates", "city", "county", "birth_place", "organization", "place_key"}
)
"""Kinds of columns that hold places smaller than a state."""

LARGE = frozenset({"state", "country", "constant", "empty", "flag"})
"""Kinds whose values are no such place."""

_NAMED = re.compile(r"(?i:(?<![a-z])(zip|zcta|post_?(al_?)?code|postal|plz)(?![a-z]))|(?<=[a-z])Zip(?![a-z])")
_CUT = re.compile(r"^\d{3}(\*{1,2}|[xX]{2})$")
_DIGITS = re.compile(r"\d+")
_LETTERS_AND_DIGITS = re.compile(r"(?i)[a-z]\d|\d[a-wyz]")


def of_postcodes(column: Released) -> bool:
    """Whether the column holds postcodes, or was made of them."""
    by_policy = any(
        isinstance(step, Generalize) and isinstance(step.hierarchy, Zip) for step in column.policy.treat
    )
    seen = {column.content.kind, column.seen.original.kind, *column.content.by_values}
    by_name = _NAMED.search(column.name) is not None and any(map(_DIGITS.search, column.values))
    return by_policy or by_name or "postcode" in seen or _of_prefixes(column.values)


def _of_prefixes(values: Sequence[str]) -> bool:
    """Whether most values are the first three digits of a ZIP code, marked as cut."""
    return sum(bool(_CUT.match(text)) for text in values) > len(values) / 2


def postcode_reasons(column: Released) -> Iterator[str]:
    """Why the column tells more of a ZIP code than the rule allows.

    Three digits may stand where more than 20,000 people live in all areas of the prefix, by the 2010 census; others,
    and those that the census does not know, have to be 000. Source: 45 CFR 164.514(b)(2)(i)(B)(1) and (2).
    """
    long = sum(_too_long(text) for text in column.values)
    if long:
        yield f"{column.name}: more than three digits of a ZIP code, or another postcode, in {counted(long, 'distinct value')}"
    small = sum(bool(set(_prefixes(text)) & _small()) for text in column.values)
    unknown = sum(bool(set(_prefixes(text)) - _known() - {"000"}) for text in column.values)
    if small or unknown:
        yield (
            f"{column.name}: prefixes of {SMALL:,} people or fewer, or unknown ones, in"
            f' {counted(small + unknown, "distinct value")}, that are not 000; write small_prefixes: "000" below the'
            " zip hierarchy"
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
    by_values = sorted(PLACES & set(content.by_values))
    if by_values:
        return [f"{column.name} holds places: {content.by_values[by_values[0]]}"], []
    if content.kind in LARGE or content.distinct == 0:
        return [], []
    if before.kind in PLACES and _grouped(column):
        return [], [f"{column.name} was made of {before.words}: its regions must not be smaller than a state"]
    if content.kind == "coordinates" and content.decimals and not content.likely:
        return [], [f"{column.name} may be coordinates: {content.why}"]
    if content.kind in PLACES:
        return [f"{column.name} looks like {content.words}: {content.why}"], []
    made = bool(column.policy.treat) and before.kind in PLACES
    return [f"{column.name} was made of {before.words}, and its values are no states; suppress it"] * made, []


def _grouped(column: Released) -> bool:
    """Whether somebody wrote down which places make a region."""
    return any(
        isinstance(step, Generalize) and isinstance(step.hierarchy, CsvHierarchy | Groups)
        for step in column.policy.treat
    )

"""The hierarchy that fits a quasi-identifier, as it stands in a policy."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

import math
from dataclasses import dataclass, field
from typing import Any

from anon_platform.analyze.columns import ClassifiedColumn
from anon_platform.analyze.columns.share import share

FEW = 12
"""Values that are kept or dropped as they are."""

K = 11
"""People behind every label that is made by counts, and in every class. Source: CMS cell size suppression policy."""


@dataclass(frozen=True)
class Fitted:
    """hierarchy: settings. read: type and format that the policy has to declare. note: why, for a comment."""

    hierarchy: dict[str, Any]
    read: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def fitting(column: ClassifiedColumn) -> Fitted:
    """The hierarchy of a quasi-identifier."""
    kind, facts = column.guess.kind, column.facts
    read = facts.dates
    if (
        kind in {"date", "timestamp", "death_date", "birth_date"}
        and read is not None
        and read.whole
        and facts.as_found
    ):
        return Fitted({"kind": "dates", "levels": ["month", "quarter", "year"]}, read_as_date(column))
    if kind == "postcode":
        return _postcode(column)
    if kind == "diagnosis" and (coded := _icd(column)):
        return coded
    if facts.number_type is not None and facts.distinct > FEW:
        return Fitted(_intervals(column), {"type": facts.number_type})
    if facts.distinct <= FEW:
        return Fitted({"kind": "flat"})
    inferred = {"kind": "inferred", "least": K, "levels": 3}
    return Fitted(
        inferred, {}, "frequent values stay, rare ones are joined; a file with groups of your own says more"
    )


def read_as_date(column: ClassifiedColumn) -> dict[str, Any]:
    """The `type` and `date_format` that a policy declares."""
    read = column.facts.dates
    if read is None:
        return {}
    declared: dict[str, Any] = {"type": read.type}
    return declared if read.date_format is None else {**declared, "date_format": read.date_format}


def _postcode(column: ClassifiedColumn) -> Fitted:
    facts = column.facts
    text: dict[str, Any] = {} if facts.text else {"type": "string"}
    five = facts.values.str.contains(r"^[0-9]{5}(-?[0-9]{4})?$")
    lead = facts.values.str.contains(r"^0").any()
    if share(five) > 0.9 and (lead or "zip" in facts.name.lower()):
        note = "three digits, then the state, as 45 CFR 164.514(b)(2)(i)(B) asks"
        return Fitted({"kind": "zip", "levels": ["zip3", "state"]}, text, note)
    length = round(facts.length)
    keep = [kept for kept in (length - 2, length - 3, 1) if 1 <= kept < length]
    return Fitted({"kind": "prefix", "keep": sorted(set(keep or [1]), reverse=True)}, text)


def icd_version(column: ClassifiedColumn) -> str | None:
    """`icd9` or `icd10` when most values have that form."""
    if not column.facts.distinct:
        return None
    upper = column.facts.values.str.to_uppercase()
    forms = {
        "icd10": r"^[A-Z]\d[0-9AB](\.?[0-9A-Z]{1,4})?$",
        "icd9": r"^(\d{1,3}(\.\d{1,2})?|V\d\d?(\.\d{1,2})?|E\d{3}(\.\d)?)$",
    }
    for version, form in forms.items():
        if share(upper.str.contains(form)) > 0.8:
            return version
    return None


def _icd(column: ClassifiedColumn) -> Fitted | None:
    version = icd_version(column)
    if version is None:
        return None
    read: dict[str, Any] = {} if column.facts.text else {"type": "string"}
    return Fitted({"kind": version, "levels": ["category", "block", "chapter"]}, read)


def _intervals(column: ClassifiedColumn) -> dict[str, Any]:
    if column.guess.kind == "age":
        return {"kind": "intervals", "widths": [5, 10, 20], "top": 90}
    low, high = column.facts.span
    width = round_number((high - low) / 40 or 1)
    if column.facts.number_type == "integer":
        width = max(1, width)
    return {"kind": "intervals", "widths": [width, width * 2, width * 4]}


def round_number(number: float) -> float | int:
    """The power of ten, its double or its fivefold that is next above; says nothing of the number itself.

    >>> round_number(0.3), round_number(7), round_number(130)
    (0.5, 10, 200)
    """
    if number <= 0:
        return 1
    power = 10.0 ** math.floor(math.log10(number))
    found = next(step * power for step in (1, 2, 5, 10) if step * power >= number * (1 - 1e-9))
    return int(found) if found >= 1 else float(f"{found:.3g}")

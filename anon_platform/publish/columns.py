"""What happens to each column: what an attacker may know, what is protected, what leaves as it is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.wording import DASH, decimal, listing

ROLES = {
    "direct_identifier": "direct identifier",
    "quasi_identifier": "quasi-identifier",
    "free_text": "free text",
}

SUPPRESS = "suppress"
"""The treatment of a column that is left out."""

SEARCHED = "level searched: "
"""After these words the plan names the levels that the search may pick, finest first."""

LOCAL = "local"
"""In place of a level, where every class has its own."""

STRONG, NOTICEABLE = 0.5, 0.2
"""Distances from which a report must say that a group differs strongly, or noticeably."""


@dataclass(frozen=True)
class Known:
    """A quasi-identifier: the levels possible, finest first, and the one it leaves at."""

    name: str
    levels: tuple[str, ...]
    chosen: str
    meaning: str


@dataclass(frozen=True)
class Protected:
    """A sensitive column with its measures in words."""

    name: str
    treatment: str
    l: str
    l_demanded: str
    t: str
    t_demanded: str
    reading: str


@dataclass(frozen=True)
class ColumnRow:
    """One line of the column table."""

    name: str
    role: str
    type: str
    treatment: str
    before: str
    after: str
    distance: str
    note: str
    leaves: bool


def planned(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns of the plan."""
    columns: list[dict[str, Any]] = manifest["plan"]["columns"]
    return columns


def leaves(column: Mapping[str, Any]) -> bool:
    """Whether a column of the plan is in the release."""
    return bool(column["treatment"] != SUPPRESS)


def with_role(manifest: Mapping[str, Any], role: str) -> list[dict[str, Any]]:
    """Columns of the plan with this role."""
    return [column for column in planned(manifest) if column["role"] == role]


def known_to_attacker(manifest: Mapping[str, Any]) -> list[Known]:
    """The quasi-identifiers that leave, and how coarse they are."""
    by_name = {column["name"]: column for column in planned(manifest)}
    found = []
    for name in manifest["quasi_identifiers"]:
        _, searched, levels = str(by_name[name]["treatment"]).partition(SEARCHED)
        chosen = str(manifest["levels"].get(name, ""))
        possible = tuple(levels.split(" > ")) if searched else (chosen,)
        lost = lost_by_column(manifest)
        words = detail_in_words(lost[name]) if name in lost else _level_in_words(manifest, name, chosen)
        found.append(Known(name, possible, chosen, words))
    return found


def lost_by_column(manifest: Mapping[str, Any]) -> dict[str, float]:
    """What each quasi-identifier lost, where every class has levels of its own; else empty."""
    return dict(manifest.get("stages", {}).get("anonymized", {}).get("loss_by_column", {}))


def detail_in_words(lost: float) -> str:
    """What a loss means for somebody who decides.

    >>> detail_in_words(0.0), detail_in_words(0.034)
    ('exact in every record', 'as fine as each class allows; 3.4 % of the detail lost')
    """
    if lost == 0:
        return "exact in every record"
    return f"as fine as each class allows; {100 * lost:.1f} % of the detail lost"


def _level_in_words(manifest: Mapping[str, Any], name: str, level: str) -> str:
    if level == "*":
        return "one value for everybody: no detail is left"
    if level == "value":
        return "the exact value"
    steps = manifest["policy"]["columns"].get(name, {}).get("treat", [])
    kinds = [step["hierarchy"]["kind"] for step in steps if "hierarchy" in step]
    if "intervals" in kinds:
        return f"bands of {level}"
    return f"the {level} only" if "dates" in kinds else f"its {level} instead of the value"


def protected(manifest: Mapping[str, Any], privacy: Mapping[str, Any] | None) -> list[Protected]:
    """The sensitive columns with l and t; without `privacy` nothing was measured."""
    thresholds = manifest["plan"]["thresholds"]
    by_name = {column["name"]: column for column in planned(manifest)}
    least, most = thresholds.get("l"), thresholds.get("t")
    found = []
    for name in manifest["sensitive"]:
        l = privacy["l"].get(name) if privacy else None
        t = privacy["t"].get(name) if privacy else None
        found.append(
            Protected(
                name,
                by_name[name]["treatment"],
                "not measured" if l is None else f"{l:,}",
                "not demanded" if least is None else f"at least {least:g}",
                "not measured" if t is None else decimal(t),
                "not demanded" if most is None else f"at most {most:g}",
                DASH if t is None else t_in_words(t, demanded=most is not None),
            )
        )
    return found


def t_in_words(t: float, *, demanded: bool) -> str:
    """What a t-closeness means for somebody who decides.

    >>> t_in_words(0.05, demanded=True)
    'Every group looks much like the whole.'
    """
    if t >= STRONG:
        reading = (
            "The distribution in at least one group differs strongly from the whole: whoever places a person in"
            " that group learns a lot about this value."
        )
    elif t >= NOTICEABLE:
        reading = "The distribution in at least one group differs noticeably from the whole."
    else:
        reading = "Every group looks much like the whole."
    return reading if demanded else f"t-closeness was not demanded. {reading}"


def column_groups(
    manifest: Mapping[str, Any], assessment: Mapping[str, Any]
) -> list[tuple[str, list[ColumnRow]]]:
    """Lines of the column table, those that leave first."""
    fidelity = {column["name"]: column for column in assessment["detail"].get("fidelity", [])}
    profile = {column["name"]: column for column in assessment["before"]["columns"]}
    leaving: list[ColumnRow] = []
    staying: list[ColumnRow] = []
    for column in planned(manifest):
        levels = manifest["levels"] | dict.fromkeys(lost_by_column(manifest), LOCAL)
        (leaving if leaves(column) else staying).append(_row(column, levels, fidelity, profile))
    title = "Released" if manifest["passed"] else "Would have been released"
    groups = [(f"{title}: {len(leaving)}", leaving), (f"Not released: {len(staying)}", staying)]
    return [(name, rows) for name, rows in groups if rows]


def _row(
    column: Mapping[str, Any],
    levels: Mapping[str, str],
    fidelity: Mapping[str, Any],
    profile: Mapping[str, Any],
) -> ColumnRow:
    name = column["name"]
    measured = fidelity.get(name)
    before = measured["distinct_before"] if measured else profile.get(name, {}).get("distinct")
    note = ""
    if column["role"] == "free_text" and not leaves(column):
        note = "Notes are not released until they can be de-identified."
    return ColumnRow(
        name,
        ROLES.get(column["role"], column["role"].replace("_", " ")),
        type_in_words(column["type"]),
        treatment_in_words(column, levels.get(name)),
        DASH if before is None else f"{before:,}",
        f"{measured['distinct_after']:,}" if measured else DASH,
        decimal(measured["distance"]) if measured else DASH,
        note,
        leaves(column),
    )


def treatment_in_words(column: Mapping[str, Any], level: str | None) -> str:
    """The plan's words, with the level that the search found in place of those it could find.

    >>> treatment_in_words({"treatment": "generalize, level searched: 5 > 10 > *"}, "10")
    'generalize to 10'
    >>> treatment_in_words({"treatment": "top bottom code (top 100.0)"}, None)
    'top bottom code (top 100)'
    """
    if not leaves(column):
        return "not released"
    steps, searched, _ = str(column["treatment"]).partition(f", {SEARCHED}")
    if searched and level == LOCAL:
        return f"{steps}, each class as far as it needs"
    if searched and level is not None:
        return {"value": "exact value", "*": "one value for everybody (*)"}.get(level, f"{steps} to {level}")
    return re.sub(r"(\d)\.0\b", r"\1", column["treatment"])


def type_in_words(dtype: str) -> str:
    """A type without its settings: an enumeration would name the cell values.

    >>> type_in_words("enum(categories=['no', 'yes'])"), type_in_words("datetime(time_unit='ms')")
    ('category', 'datetime')
    """
    kind = dtype.partition("(")[0].strip().lower()
    return {"enum": "category", "categorical": "category", "int64": "integer", "float64": "number"}.get(
        kind, kind
    )


def notes_callout(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(heading, sentence) about free text, for a place near the top."""
    free_text = with_role(manifest, "free_text")
    kept = [column["name"] for column in free_text if not leaves(column)]
    treated = [f"{column['name']} ({column['treatment']})" for column in free_text if leaves(column)]
    if kept:
        yield (
            "Clinical notes: not in this release",
            f"{_subject('free-text column', kept)} left out. Notes are not released until they can be de-identified.",
        )
    if treated:
        yield (
            "Free text: part of this release",
            f"{_subject('free-text column', treated)} treated and released. What was found in it, and what is known of what was missed, stands below.",
        )


def _subject(noun: str, names: Sequence[str]) -> str:
    return f"The {noun} {names[0]} is" if len(names) == 1 else f"The {noun}s {listing(names)} are"


def as_they_are(manifest: Mapping[str, Any]) -> list[str]:
    """Insensitive columns that leave, on the policy owner's judgement."""
    return [column["name"] for column in with_role(manifest, "insensitive") if leaves(column)]

"""What the suggested policy does with a column: the safe treatment, and the alternative that a reader may prefer."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

from dataclasses import dataclass
from typing import Any

from anon_platform.analyze.columns import Classification, ClassifiedColumn
from anon_platform.suggest.hierarchies import K, fitting, icd_version, round_number

SUPPRESS: dict[str, Any] = {"technique": "suppress"}
ALONE = 0.05
"""Share of people who are the only one with a value, from which on a column does not leave as it is."""

SURE = 0.5
"""Columns that are less likely of their kind are kept back."""

TAILED = {"count", "amount", "income"}
"""Kinds whose largest numbers point to somebody."""

PSEUDONYM = "{technique: pseudonymize, key: recipient_a}"


@dataclass(frozen=True)
class Treated:
    """settings: the column in the policy. notes: comments below the reasons. look: whether somebody has to look."""

    column: ClassifiedColumn
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()
    look: bool = False

    @property
    def suppressed(self) -> bool:
        """Whether it is kept back."""
        return bool(self.settings.get("treat") == SUPPRESS)


def treated(found: Classification) -> list[Treated]:
    """Every column with its treatment, in the source's order."""
    ages = [one for one in found.columns if one.guess.kind == "age" and one.role == "quasi_identifier"]
    exact = max(ages, key=lambda one: (one.facts.number_type is not None, one.facts.distinct), default=None)
    return [_treated(one, found, twice=one in ages and one is not exact) for one in found.columns]


def _treated(column: ClassifiedColumn, found: Classification, *, twice: bool) -> Treated:
    kept_back = {"role": column.role, "treat": SUPPRESS}
    if (reserved := _reserved(column.name)) is not None:
        return Treated(column, kept_back, (reserved,), look=True)
    if column.guess.likelihood < SURE or column.facts.nested:
        return Treated(column, kept_back, _ways_out(column), look=True)
    if twice:
        return Treated(column, kept_back, ("another column holds the age more exactly",))
    if column.role == "quasi_identifier":
        return _quasi(column)
    if column.role in {"sensitive", "insensitive"}:
        alone = found.alone.get(column.name, 0.0)
        return _alone(column, found, alone) or (
            _sensitive(column) if column.role == "sensitive" else _as_it_is(column)
        )
    return Treated(column, kept_back, _alternative(column, found))


def _quasi(column: ClassifiedColumn) -> Treated:
    fitted = fitting(column)
    steps = {"technique": "generalize", "hierarchy": fitted.hierarchy}
    notes = (fitted.note,) if fitted.note else ()
    return Treated(column, {"role": column.role, **fitted.read, "treat": steps}, notes)


def _sensitive(column: ClassifiedColumn) -> Treated:
    if column.facts.distinct <= 1:
        note = "one value only: who is in the data has it, which l-diversity cannot hide"
        return Treated(column, {"role": column.role, "treat": SUPPRESS}, (note,))
    if column.guess.kind == "diagnosis" and (version := icd_version(column)):
        hierarchy = {"kind": version, "levels": ["block"]}
        steps = {"technique": "generalize", "level": "block", "hierarchy": hierarchy}
        read = {} if column.facts.text else {"type": "string"}
        return Treated(column, {"role": column.role, **read, "treat": steps})
    return _as_it_is(column)


def _alone(column: ClassifiedColumn, found: Classification, alone: float) -> Treated | None:
    """What would leave as it is although many are the only one with their value; None where there are few."""
    if alone < ALONE or (column.guess.kind == "diagnosis" and icd_version(column)):
        return None
    said = f"{alone:.0%} are the only one with some value of it"
    number = column.facts.number_type
    if number is None or min(found.people, column.facts.filled) < 2 * K:
        return Treated(
            column, {"role": column.role, "treat": SUPPRESS}, (said, *_ways_out(column)), look=True
        )
    read = {"type": number} if column.facts.text else {}
    steps = {"technique": "microaggregate", "k": K, "replace_by": "median"}
    return Treated(
        column,
        {"role": column.role, **read, "treat": steps},
        (f"{said}, so that {K} neighbours get one number",),
    )


def _as_it_is(column: ClassifiedColumn) -> Treated:
    facts = column.facts
    settings: dict[str, Any] = {"role": column.role}
    if facts.number_type is not None and facts.text:
        settings["type"] = facts.number_type
    low, high = facts.span
    if (
        column.guess.kind in TAILED
        and facts.number_type is not None
        and facts.distinct > 20
        and high > max(low, 0)
    ):
        top = round_number(high)
        if not facts.dtype.is_numeric() or _holds(column, top):
            note = "the largest numbers are pulled in, since they point to somebody"
            steps = {"technique": "top_bottom_code", "top": top}
            return Treated(column, {**settings, "treat": steps}, (note,))
    return Treated(column, settings)


def _holds(column: ClassifiedColumn, top: float) -> bool:
    """Whether the type of the column can hold the bound."""
    import polars as pl

    bound = pl.Series([top]).cast(column.facts.dtype, strict=False)
    return bound.null_count() == 0


def _alternative(column: ClassifiedColumn, found: Classification) -> tuple[str, ...]:
    kind = column.guess.kind
    if kind in {"person_key", "row_key"} and column.name != found.person.column:
        return (f"to join tables write treat: {PSEUDONYM}, after: anon keys create recipient_a",)
    if column.name == found.person.column:
        return (f"to follow people write treat: {PSEUDONYM} and linked: true below privacy_unit",)
    whole = column.facts.dates is not None and column.facts.dates.whole and column.facts.as_found
    if kind in {"birth_date", "date", "timestamp", "death_date"} and whole:
        way = _flow_dates(column)
        return (f"to keep the year, after a look at k, write {way}",)
    if column.role == "free_text":
        return (f"to release it without what identifies write treat: {_flow_text(column, found)}",)
    return ()


def _flow_text(column: ClassifiedColumn, found: Classification) -> str:
    """The step that searches the text for what the row's identifiers hold."""
    from anon_platform.suggest.yaml_text import flow

    told = [c.name for c in found.columns if c.role == "direct_identifier" and c.name != column.name]
    step = {"technique": "deidentify_text", "replace_by": "type"}
    return flow(step | ({"known_from": told} if told else {}))


def _flow_dates(column: ClassifiedColumn) -> str:
    from anon_platform.suggest.hierarchies import read_as_date
    from anon_platform.suggest.yaml_text import flow

    generalize = {"technique": "generalize", "hierarchy": {"kind": "dates", "levels": ["year"]}}
    return flow({"role": "quasi_identifier", **read_as_date(column), "treat": generalize})


def _ways_out(column: ClassifiedColumn) -> tuple[str, ...]:
    if column.facts.nested:
        return ("unpack it in the source, column by column, to release parts of it",)
    if column.guess.kind == "empty":
        return ("when it stays empty, leave it so",)
    return ("when nobody can be found by it, write {role: insensitive} in place of this",)


def _reserved(name: str) -> str | None:
    """What is wrong with the name, as the policy's own rules have it."""
    if name.startswith("__"):
        return "names that begin with two underscores are reserved: rename it in the source, or no run is possible"
    if name in {"n", "people", "*"} or name.startswith("l:") or (name.startswith("^") and name.endswith("$")):
        return "a reserved name, so that it is not read: rename it in the source to release it"
    if not name.isprintable() or '"' in name:
        return "quotes and control characters cannot be read: rename it in the source to release it"
    return None

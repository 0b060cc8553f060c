"""From kinds to roles: of several dates, places and diagnoses, which ones leave as quasi-identifiers."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anon_platform.analyze.columns.facts import Facts
from anon_platform.analyze.columns.kinds import KINDS, Role
from anon_platform.analyze.columns.names import tokens
from anon_platform.analyze.columns.score import Guess

FIRST = (
    "admission",
    "admit",
    "encounter",
    "visit",
    "aufnahme",
    "ingreso",
    "service",
    "start",
    "begin",
    "date",
    "hire",
    "enrollment",
)
"""Words of the date that places an event in time best, the best first."""

PLACES = ("postcode", "state", "county", "city", "country")
"""Kinds of places in the order in which one is kept."""

MOST_PLACES = 500
"""Distinct places that a hierarchy by frequency can still show something of."""

ENDS = {
    "end",
    "stop",
    "discharge",
    "alta",
    "entlassung",
    "last",
    "close",
    "until",
    "expiry",
    "ende",
    "austritts",
}


@dataclass(frozen=True)
class Told:
    """A role and what decided it beside the kind."""

    role: Role
    reasons: tuple[str, ...] = ()


def roles(facts: Mapping[str, Facts], guesses: Mapping[str, Guess], person: str | None) -> dict[str, Told]:
    """The role of every column."""
    found = {name: Told(KINDS[one.kind].role) for name, one in guesses.items()}
    if (date := _main_date(facts, guesses)) is not None:
        found[date] = Told("quasi_identifier", ("of the dates, the one that others know best",))
    if (place := _main_place(facts, guesses)) is not None and found[place].role == "location":
        found[place] = Told("quasi_identifier", ("there is no ZIP code, so this place is kept",))
    if (diagnosis := _main_diagnosis(facts, guesses)) is not None:
        found[diagnosis] = Told("quasi_identifier", ("of the diagnoses, the one that a neighbour may know",))
    if person is not None:
        found[person] = Told("direct_identifier", ("it tells whose rows they are",))
    return found


def _main_date(facts: Mapping[str, Facts], guesses: Mapping[str, Guess]) -> str | None:
    fit = [
        name
        for name, one in guesses.items()
        if one.kind in {"date", "timestamp"} and (read := facts[name].dates) is not None and read.whole
        and facts[name].as_found and facts[name].distinct > 1
    ]  # fmt: skip
    return min(
        fit, key=lambda name: (_rank(name), facts[name].missing, guesses[name].kind != "date"), default=None
    )


def _rank(name: str) -> int:
    words = tokens(name)
    if set(words) & ENDS:
        return len(FIRST) + 1
    return min((FIRST.index(word) for word in words if word in FIRST), default=len(FIRST))


def _main_place(facts: Mapping[str, Facts], guesses: Mapping[str, Guess]) -> str | None:
    """The best place to keep; a postcode needs none beside it."""
    for kind in PLACES:
        fit = [name for name, one in guesses.items() if one.kind == kind and one.likelihood >= 0.5]
        fit = [
            name
            for name in fit
            if facts[name].distinct > 1 and (kind == "postcode" or facts[name].distinct <= MOST_PLACES)
        ]
        if fit:
            return _first(fit)
    return None


def _main_diagnosis(facts: Mapping[str, Facts], guesses: Mapping[str, Guess]) -> str | None:
    """The first of several columns of diagnoses; a single one is what must not be learnt."""
    fit = [name for name, one in guesses.items() if one.kind == "diagnosis" and facts[name].distinct > 5]
    return _first(fit) if len(fit) > 1 and len({_stem(name) for name in fit}) < len(fit) else None


def _stem(name: str) -> tuple[str, ...]:
    return tokens(name)


def _first(names: Sequence[str]) -> str:
    main = [
        name
        for name in names
        if set(tokens(name)) & {"primary", "principal", "main", "haupt", "hauptdiagnose"}
    ]
    return (main or list(names))[0]

"""Every column of a source: its kind, its role, how likely, and why; whose rows they are; who is alone with what."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.analyze.columns.facts import Facts
from anon_platform.analyze.columns.gazetteers import known_names
from anon_platform.analyze.columns.kinds import KEYS, KINDS, Role
from anon_platform.analyze.columns.patterns import shares
from anon_platform.analyze.columns.people import PersonColumn, person_column
from anon_platform.analyze.columns.quasi import (
    SHOWN,
    Codes,
    Combination,
    coded,
    combinations_of,
    greedy_key,
    unique_people,
)
from anon_platform.analyze.columns.relations import related
from anon_platform.analyze.columns.roles import roles
from anon_platform.analyze.columns.rows import Rows
from anon_platform.analyze.columns.score import Guess, guess
from anon_platform.analyze.columns.share import share
from anon_platform.analyze.columns.support import Look
from anon_platform.errors import SourceError

MOST_ROWS = 200_000
"""Rows whose combinations are counted; of a longer source, those of so many people as fit, drawn by a fixed rule."""

KNOWN_SHOWN = 6
"""Combinations of what others may know that are reported; the rest has a column that only insiders know."""

SEPARATED = 0.9999
"""Share of pairs that a key found greedily has to tell apart."""


@dataclass(frozen=True)
class ClassifiedColumn:
    """facts: what was counted. guess: its kind. role: what it is in a policy. reasons: in words, without values."""

    facts: Facts
    guess: Guess
    role: Role
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        """As in the source."""
        return self.facts.name


@dataclass(frozen=True)
class Classification:
    """What is known of a source.

    columns: in the source's order. person: whose rows they are. combinations: what singles people out. key: columns that
    together tell almost every two rows apart. people: how many were counted; sampled: whether these are a part of all.
    alone: by column, the share of people who are the only one with some value of it.
    """

    rows: int
    columns: tuple[ClassifiedColumn, ...]
    person: PersonColumn
    combinations: tuple[Combination, ...]
    key: tuple[str, ...]
    people: int
    sampled: bool
    alone: dict[str, float]


def classify(
    rows: Rows,
    *,
    about: str = "",
    read_texts: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Classification:
    """The classification of a source. about: what the table is called, such as `conditions`.

    read_texts: whether a language model looks into a few of the free texts. A source without rows raises `SourceError`.
    """
    facts: dict[str, Facts] = {}
    guesses: dict[str, Guess] = {}
    for done, name in enumerate(rows.schema):
        facts[name] = rows.facts(name)
        guesses[name] = guess(Look(facts[name], shares(facts[name]), known_names(facts[name])))
        if progress is not None:
            progress(done + 1, len(rows.schema))
    total = max((one.rows for one in facts.values()), default=0)
    if not total:
        raise SourceError("the source has no rows, so that only names would be judged; put data in it")
    person = person_column(rows, facts, guesses)
    guesses = related(rows, facts, guesses, person.column, about=about, read_texts=read_texts)
    told = roles(facts, guesses, person.column)
    columns = tuple(
        ClassifiedColumn(
            facts[name], guesses[name], told[name].role, (*guesses[name].reasons, *told[name].reasons)
        )
        for name in facts
    )
    return Classification(total, columns, person, *_statistics(rows, columns, person))


def _statistics(
    rows: Rows, columns: Sequence[ClassifiedColumn], person: PersonColumn
) -> tuple[tuple[Combination, ...], tuple[str, ...], int, bool, dict[str, float]]:
    """Combinations, greedy key, people, whether a sample, and the share of people alone with each column by itself."""
    names = _candidates(columns)
    if not names:
        return (), (), 0, False, {}
    total = columns[0].facts.rows
    who = coded(rows.read(person.column)) if person.column is not None else np.arange(total)
    part = whose_rows(who)
    people = np.unique(who[part], return_inverse=True)[1]
    chosen = pl.Series(part)
    # column by column, since all of them at once may not fit in memory
    codes = {name: coded(_by_day(rows.read(name).filter(chosen))) for name in names}
    known = {name: codes[name] for name in names if _outside(columns, name)}
    found = combinations_of(known, people)
    inside = [one for one in combinations_of(codes, people) if set(one.columns) - set(known)]
    shown = (*found[:KNOWN_SHOWN], *inside[: SHOWN - min(len(found), KNOWN_SHOWN)])
    key = tuple(greedy_key(known or codes, SEPARATED))
    alone = {name: unique_people(codes[name], people) for name in names}
    return shown, key, int(people.max()) + 1, not bool(part.all()), alone


def _outside(columns: Sequence[ClassifiedColumn], name: str) -> bool:
    """Whether a neighbour or a register may know the column."""
    return any(one.name == name and KINDS[one.guess.kind].known for one in columns)


def _candidates(columns: Sequence[ClassifiedColumn]) -> list[str]:
    """Columns that somebody may know and that do not name a person by themselves; what neighbours know comes first."""
    fit = [
        one
        for one in columns
        if one.role not in {"direct_identifier", "free_text", "image"}
        and one.guess.kind not in KEYS | {"constant", "empty", "nested"}
        and one.facts.distinct > 1
    ]
    return [
        one.name
        for one in sorted(fit, key=lambda one: (not KINDS[one.guess.kind].known, -one.facts.distinct))
    ]


def whose_rows(who: Codes) -> np.ndarray:
    """Which rows are looked at: all of a person's or none."""
    if len(who) <= MOST_ROWS:
        return np.ones(len(who), dtype=bool)
    return (who.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)) % len(who) < MOST_ROWS


def _by_day(values: pl.Series) -> pl.Series:
    """Times cut to days: a neighbour knows the day, hardly the minute."""
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.date()
    if values.dtype == pl.String and share(values.head(1000).str.contains(r"^\d{4}-\d\d-\d\d[T ]\d")) > 0.9:
        return values.str.head(10)
    return values

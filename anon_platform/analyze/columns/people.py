"""Whose rows they are: the column that tells people apart, by name and by what stays the same within its values."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from anon_platform.analyze.columns.facts import Facts
from anon_platform.analyze.columns.kinds import KINDS
from anon_platform.analyze.columns.names import entity
from anon_platform.analyze.columns.rows import Rows, readable
from anon_platform.analyze.columns.score import Guess
from anon_platform.analyze.columns.share import share

FEW_GROUPS = 5
"""Fewer say nothing."""

GROUPS = 2_000
"""Values of a candidate with two rows or more that are looked at."""

OF_PEOPLE = frozenset(
    {"given_name", "family_name", "person_name", "birth_date", "sex", "race", "ssn", "medical_record_number", "national_id",
     "birth_place", "middle_name"}
)  # fmt: skip
"""What stays the same for a person."""

STEADY = 0.9
"""Share of a person's columns, and of the groups, that have to be constant."""

ALIKE = 0.5
"""How alike the rows of one person are in columns that tell people apart, at least; misspellings are no new person."""

TELLING = frozenset(
    {"birth_date", "given_name", "family_name", "person_name", "ssn", "email", "phone", "street_address"}
)
"""Columns that tell people apart."""

_RANKS = ("person_key", "medical_record_number", "national_id", "ssn", "health_plan_number")


@dataclass(frozen=True)
class PersonColumn:
    """The column and why; None where each row seems to be a person of its own. constant: share of groups, by column."""

    column: str | None
    likelihood: float
    reasons: tuple[str, ...]


def person_column(rows: Rows, facts: Mapping[str, Facts], guesses: Mapping[str, Guess]) -> PersonColumn:
    """The best candidate without an empty cell."""
    named = [name for name in guesses if guesses[name].kind in _RANKS and entity(name) != "staff"]
    named.sort(key=lambda name: (_rank(name, guesses), -guesses[name].likelihood))
    gaps = []
    for name in named:
        if facts[name].missing:
            gaps.append(name)
            continue
        steady, seen = _steadiness(rows, name, facts, guesses)
        if seen >= 2 and steady < 0.5:
            continue
        reasons = [f"its name says {KINDS[guesses[name].kind].words}"]
        if seen:
            reasons.append(f"{steady:.0%} of {seen} columns of a person stay the same within it")
        return PersonColumn(name, 0.95 if seen else 0.8, tuple(reasons))
    for name in _unnamed(facts, guesses):
        alike, seen = _likeness(rows, name, facts, guesses)
        if seen >= 3 and alike >= ALIKE:
            why = f"rows of one value are alike in {seen} columns of a person ({alike:.0%} on average)"
            return PersonColumn(name, 0.7, (why,))
    told = ("no column tells one person from another",)
    if gaps:
        told = (f"{', '.join(gaps)} would, but rows without a value stop a run; complete it in the source",)
    return PersonColumn(None, 0.5, told)


def _rank(name: str, guesses: Mapping[str, Guess]) -> int:
    return _RANKS.index(guesses[name].kind) * 2 + (entity(name) != "person")


def _unnamed(facts: Mapping[str, Facts], guesses: Mapping[str, Guess]) -> Sequence[str]:
    """Codes with several rows at a value, the most distinct first."""
    kinds = {"other_code", "row_key", "none", "foreign_key"}
    found = [
        name
        for name, one in facts.items()
        if guesses[name].kind in kinds
        and not one.missing
        and one.distinct >= 20
        and 0.05 < one.uniqueness < 0.98
    ]
    return sorted(found, key=lambda name: -facts[name].distinct)[:5]


def _steadiness(
    rows: Rows, name: str, facts: Mapping[str, Facts], guesses: Mapping[str, Guess]
) -> tuple[float, int]:
    """Share of a person's other columns that are constant within the values of `name`, and how many there are."""
    others = [
        other
        for other, one in guesses.items()
        if other != name and one.kind in OF_PEOPLE and one.likelihood >= 0.5 and facts[other].distinct > 1
    ]
    if not others or facts[name].uniqueness == 1:
        return (0.0, 0)
    with readable():
        groups = (
        rows.lazy(name, *others).group_by(rows.at(name))
        .agg(pl.len().alias("rows"), *(pl.col(rows.at(other)).drop_nulls().n_unique().alias(f"n{i}") for i, other in enumerate(others)))
        .filter(pl.col("rows") > 1).head(GROUPS).collect(engine="streaming")
    )  # fmt: skip
    if groups.height < FEW_GROUPS:
        return (0.0, 0)
    shares = [share(groups[f"n{i}"] <= 1) for i in range(len(others))]
    return (sum(one >= STEADY for one in shares) / len(shares), len(others))


def _likeness(
    rows: Rows, name: str, facts: Mapping[str, Facts], guesses: Mapping[str, Guess]
) -> tuple[float, int]:
    """How few values the rows of one value of `name` have in telling columns: 1 one, 0 as many as rows; and how many columns."""
    others = [
        o for o, one in guesses.items() if one.kind in TELLING and o != name and facts[o].distinct >= 20
    ]
    if not others:
        return (0.0, 0)
    at = rows.at(name)
    kinds = [pl.col(rows.at(other)).n_unique().alias(f"n{i}") for i, other in enumerate(others)]
    with readable():
        groups = (
            rows.lazy(name, *others)
            .group_by(at)
            .agg(pl.len().alias("rows"), *kinds)
            .filter(pl.col("rows") > 1)
            .head(GROUPS)
        ).collect(engine="streaming")
    if not groups.height:
        return (0.0, 0)
    further = groups["rows"].cast(pl.Float64) - 1
    alike = [
        float((1 - (groups[f"n{i}"].cast(pl.Float64) - 1) / further).sum()) / groups.height
        for i in range(len(others))
    ]
    return (sum(alike) / len(alike), len(others))

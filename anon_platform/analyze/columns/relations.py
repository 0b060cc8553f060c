"""What columns say of each other: a number that many people share is nobody's, a code beside a diagnosis is one."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from anon_platform.analyze.columns.facts import Facts
from anon_platform.analyze.columns.kinds import NUMBERS_OF_PEOPLE
from anon_platform.analyze.columns.names import name_evidence, tokens
from anon_platform.analyze.columns.rows import Rows, readable
from anon_platform.analyze.columns.score import Guess
from anon_platform.analyze.columns.text_sample import people_in

SHARED_BY = 3.0
"""People at a value, on average, from which on it is no number of one person."""

LIFETIMES = 45
"""Years between early and late birth dates."""

TWIN = 1.02
"""Pairs of values over values of the richer column, at most, for two columns that say the same."""

CLINICAL = {"diagnosis", "treatment"}

TABLES = {
    "diagnosis": {"condition", "diagnosis", "diagnoses", "problem", "allergy", "allergies", "disease", "comorbidity", "diagnose", "diagnosen"},
    "treatment": {"medication", "drug", "procedure", "immunization", "vaccine", "treatment", "prescription", "surgery",
                  "device", "careplan", "supplies", "supply", "imaging"},
}  # fmt: skip
"""Words in the name of a table, and what its codes and descriptions are."""

NAMELESS = {"code", "description", "desc", "term", "name", "label", "reason"}
"""Words of column names whose meaning the table tells."""


def related(
    rows: Rows,
    facts: Mapping[str, Facts],
    guesses: Mapping[str, Guess],
    person: str | None,
    *,
    about: str,
    read_texts: bool,
) -> dict[str, Guess]:
    """The guesses, mended by what other columns, the table's name and a look into the texts say."""
    found = dict(guesses)
    for name, one in guesses.items():
        if one.kind in NUMBERS_OF_PEOPLE and person is not None and name != person:
            found[name] = _owned(rows, facts[name], one, person)
        elif one.kind in {"date", "timestamp"}:
            found[name] = _of_birth(rows, facts[name], one, person)
        elif one.kind in {"none", "code", "other_code"}:
            found[name] = _by_table(facts[name], one, about)
    for name, one in list(found.items()):
        if one.kind in {"none", "code"} and facts[name].distinct >= 5:
            found[name] = _twin(rows, facts, found, name)
    for name, one in list(found.items()):
        if one.kind == "free_text" and read_texts:
            found[name] = _read(facts[name], one)
    return found


def _owned(rows: Rows, facts: Facts, one: Guess, person: str) -> Guess:
    """A number that several people share is a key of something else, such as an insurer."""
    people = _pairs(rows, facts.name, person) / max(facts.distinct, 1)
    if people < SHARED_BY:
        return one
    return Guess("foreign_key", 0.6, (*one.reasons, f"but {people:.0f} people share a value on average"))


def _of_birth(rows: Rows, facts: Facts, one: Guess, person: str | None) -> Guess:
    """A date that stays the same for a person, over the years that people live, where the name says nothing else."""
    read = facts.dates
    if (
        read is None
        or read.type != "date"
        or read.years[1] - read.years[0] < LIFETIMES
        or person == facts.name
    ):
        return one
    if name_evidence(facts.name) or facts.filled < facts.rows / 2:
        return one
    span = f"over {read.years[1] - read.years[0]} years, as dates of birth"
    if person is None:
        return Guess("birth_date", 0.55, (*one.reasons, span))
    with readable():
        people = rows.lazy(person).select(pl.all().n_unique()).collect().item()
    if people < 20 or _pairs(rows, facts.name, person) > 1.01 * people:
        return one
    return Guess("birth_date", 0.7, (*one.reasons, f"one date a person, {span}"))


def _by_table(facts: Facts, one: Guess, about: str) -> Guess:
    """CODE in a table of conditions is a diagnosis."""
    if not set(tokens(facts.name)) & NAMELESS or set(tokens(facts.name)) - NAMELESS:
        return one
    words = set(tokens(about))
    for kind, said in TABLES.items():
        if words & (said | {f"{word}s" for word in said}) and facts.distinct > 1:
            return Guess(kind, 0.75, (*one.reasons, "the name of the table says so"))
    return one


def _twin(rows: Rows, facts: Mapping[str, Facts], guesses: Mapping[str, Guess], name: str) -> Guess:
    """A code and a description that go together are of one kind."""
    one = guesses[name]
    for other, known in guesses.items():
        if known.kind not in CLINICAL or other == name:
            continue
        few, many = sorted((facts[name].distinct, facts[other].distinct))
        if few * 1.2 < many or _pairs(rows, name, other) > TWIN * many + 1:
            continue
        return Guess(known.kind, min(known.likelihood, 0.75), (*one.reasons, f"it says the same as {other}"))
    return one


def _pairs(rows: Rows, left: str, right: str) -> int:
    """Distinct pairs of values, records without a value left out."""
    with readable():
        pairs = rows.lazy(left, right).drop_nulls().unique().select(pl.len()).collect(engine="streaming")
    return int(pairs.item())


def _read(facts: Facts, one: Guess) -> Guess:
    share = people_in(facts)
    if share is None or not share:
        return one
    why = f"a language model finds names of people in {share:.0%} of a sample of the texts"
    return replace(one, likelihood=max(one.likelihood, 0.9), reasons=(*one.reasons, why))

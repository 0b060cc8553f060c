"""One column by its name and values alone, without its table: what a released column looks like to a reader."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from anon_platform.analyze.columns.facts import Facts, facts_of
from anon_platform.analyze.columns.gazetteers import known_names
from anon_platform.analyze.columns.kinds import KINDS
from anon_platform.analyze.columns.patterns import shares
from anon_platform.analyze.columns.score import guess
from anon_platform.analyze.columns.support import Look, supports

SURE = 0.7
"""Likelihood from which on values speak for a kind by themselves, whatever the column is called."""


@dataclass(frozen=True)
class Looked:
    """What was seen. Nothing in it holds a value.

    kind: the likeliest one, by name and values. likelihood: 0 to 1. words: the kind in words. why: reasons. by_values: further kinds that
    the values alone speak for, with the reason. carried: identifiers inside longer texts, with the records that have one.
    """

    facts: Facts
    kind: str
    likelihood: float
    words: str
    why: tuple[str, ...]
    by_values: Mapping[str, str]
    carried: Mapping[str, int]


def look_at(name: str, counts: pl.DataFrame) -> Looked:
    """The column as it looks. counts: its frequency table, the values and then `n`."""
    facts = facts_of(name, counts.to_series(0).dtype, counts)
    found = shares(facts)
    look = Look(facts, found, known_names(facts))
    best = guess(look)
    by_values = {kind: support.why for kind, support in supports(look).items() if support.likelihood >= SURE}
    return Looked(
        facts, best.kind, best.likelihood, KINDS[best.kind].words, best.reasons, by_values, found.carried
    )

"""k, l, t and risk of the released bytes, counted in people by position."""

from dataclasses import dataclass

import polars as pl

from anon_platform.frequency import (
    Risk,
    class_size_histogram,
    classes,
    k_of,
    l_of,
    risk_of,
    t_of,
)
from anon_platform.table import PERSON
from anon_platform.validate.counts import ReleasedCounts, with_sequences
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released


@dataclass(frozen=True)
class Privacy:
    """What the released files promise. k: people in the smallest class; l, t: by sensitive column."""

    k: int
    l: dict[str, int]
    t: dict[str, float]
    risk: Risk
    class_sizes: list[tuple[int, int]]
    people: int


def released_counts(evidence: Evidence) -> ReleasedCounts:
    """Reads the quasi-identifiers and sensitive columns back from the files and puts the people behind them."""
    names, sensitive = evidence.policy.quasi_identifiers, evidence.policy.sensitive
    rows = read_released(evidence.data, [*names, *sensitive])
    rows = rows.with_columns(evidence.kept[PERSON]) if rows.width else evidence.kept.select(PERSON)
    counts = rows.group_by(rows.columns).agg(n=pl.len())
    if evidence.policy.privacy_unit.linked and names:
        return with_sequences(counts, names, PERSON)
    return ReleasedCounts(counts, tuple(names), PERSON)


def measure_privacy(evidence: Evidence, counted: ReleasedCounts | None = None) -> Privacy:
    """k, l, t and risk. counted: `released_counts(evidence)`, where that is known already."""
    counted = counted or released_counts(evidence)
    counts, names, sensitive = counted.counts, counted.names, evidence.policy.sensitive
    of_classes = classes(counts, names, person=PERSON, sensitive=sensitive)
    return Privacy(
        k_of(of_classes),
        {name: l_of(of_classes, name) for name in sensitive},
        {name: t_of(counts, names, name) for name in sensitive},
        risk_of(of_classes),
        class_size_histogram(of_classes).rows(),
        evidence.kept[PERSON].n_unique(),
    )

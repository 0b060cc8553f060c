"""Columns as counts, and the re-identification risk of the original records. No cell value is kept."""

from collections.abc import Sequence

import polars as pl

from anon_platform.frequency import by_day, class_size_histogram, classes, risk_of
from anon_platform.spec import Spec
from anon_platform.table import PERSON, Table


class ColumnProfile(Spec):
    """One column: its type, empty cells, distinct values (the empty one included)."""

    name: str
    type: str
    missing: int
    distinct: int


class Analysis(Spec):
    """The source as it came in. Risks are counted in people, on original values (timestamps by day)."""

    rows: int
    people: int
    columns: tuple[ColumnProfile, ...]
    max_risk: float
    mean_risk: float
    unique_share: float
    """Share of records whose combination of quasi-identifiers belongs to one person only."""
    classes: int
    class_sizes: tuple[tuple[int, int], ...]
    """(lower bound of the bin in people, records), doubling from 1."""


def analyze(table: Table, quasi_identifiers: Sequence[str]) -> Analysis:
    """Profile and prosecutor risk of the snapshot; sources as in `frequency`."""
    profiles = []
    for name, dtype in table.schema.items():
        if name.startswith("__"):
            continue
        counts = table.counts([name])
        missing = int(counts.filter(pl.col(name).is_null())["n"].sum())
        profiles.append(
            ColumnProfile(
                name=name, type=str(dtype.base_type()).lower(), missing=missing, distinct=counts.height
            )
        )
    counts = by_day(table.counts([*quasi_identifiers, PERSON]), quasi_identifiers)
    of_classes = classes(counts, quasi_identifiers, person=PERSON)
    risk = risk_of(of_classes)
    return Analysis(
        rows=int(counts["n"].sum()),
        people=counts[PERSON].n_unique(),
        columns=tuple(profiles),
        max_risk=risk.maximum,
        mean_risk=risk.mean,
        unique_share=risk.unique_share,
        classes=risk.classes,
        class_sizes=tuple(class_size_histogram(of_classes).rows()),
    )

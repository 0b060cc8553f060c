"""What was written, measured afresh: classes over the labels as they stand in the file, people, models."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from anon_platform.anonymize.hierarchy.levels import SUPPRESSED
from anon_platform.frequency import ColumnModel, cells_of, classes, k_of
from anon_platform.kanon.counting import comparable, counted
from anon_platform.kanon.request import Columns, Request

HAIR = 1e-9
"""Sums in another order differ in their last digits."""


@dataclass(frozen=True)
class Measure:
    """One model of one sensitive column, by its worst class."""

    column: str
    model: str
    value: float
    threshold: float
    at_least: bool
    met: bool


@dataclass(frozen=True)
class Measured:
    """rows: in the file. suppressed: as the search has it. classes, smallest (people), mean (records): of the others.

    stray: rows that are `*` in every quasi-identifier and should not be, or the other way round.
    """

    rows: int
    suppressed: int
    stray: int
    classes: int
    smallest: int
    mean: float
    models: tuple[Measure, ...]

    def as_json(self) -> dict[str, Any]:
        """Under the names of the documentation."""
        return {
            "suppressed_records": self.suppressed,
            "suppressed_share": self.suppressed / max(self.rows, 1),
            "classes": self.classes,
            "smallest_class": self.smallest,
            "mean_class_size": self.mean,
            "models": [asdict(model) for model in self.models],
        }

    def faults(self, request: Request, rows: int) -> Iterator[str]:
        """What is not as it was asked for."""
        if self.rows != rows:
            yield f"{self.rows:,} rows instead of {rows:,}"
        if self.classes and self.smallest < request.k:
            yield f"a class of {self.smallest} people instead of {request.k}"
        if self.stray:
            yield f"{self.stray:,} rows are suppressed that should not be, or should be and are not"
        if self.suppressed > request.suppression * self.rows + HAIR:
            yield f"{self.suppressed:,} records suppressed, more than a share of {request.suppression:g}"
        for measure in self.models:
            if not measure.met:
                yield f"{measure.model} of {measure.column} is {measure.value:.4g}, not {measure.threshold:g}"


def measured(
    batches: Iterator[pl.DataFrame],
    request: Request,
    people: pl.Series | None,
    *,
    suppressed: int,
    stars_are_a_class: bool,
) -> Measured:
    """Classes of the rows in `batches` (labels and sensitive values), counted in people.

    people: the person of each row in order; None: every row is one. suppressed: records. stars_are_a_class: rows that
    are `*` in every quasi-identifier count as a class, suppressed ones among them, since nobody can tell them apart;
    otherwise they are suppressed and no class.
    """
    columns = request.columns
    person = None if people is None else _free_name(columns)
    over = [*columns.quasi_identifiers, *([person] if person else []), *columns.sensitive]
    counts = counted(_with_people(batches, people, person), over)
    rows = int(counts["n"].sum())
    left = counts
    if not stars_are_a_class:
        left = counts.remove(pl.all_horizontal(pl.col(columns.quasi_identifiers).eq_missing(SUPPRESSED)))
    of_classes = classes(left, columns.quasi_identifiers, person=person)
    records = int(left["n"].sum())
    return Measured(
        rows,
        suppressed,
        0 if stars_are_a_class else abs(rows - records - suppressed),
        of_classes.height,
        k_of(of_classes),
        records / of_classes.height if of_classes.height else 0.0,
        tuple(_models(left, request)) if records else (),
    )


def _with_people(
    batches: Iterator[pl.DataFrame], people: pl.Series | None, person: str | None
) -> Iterator[pl.DataFrame]:
    start = 0
    for batch in batches:
        if people is None or person is None:
            yield batch
        else:
            who = people.slice(start, batch.height)
            # that a file has too many rows is found by their number
            yield batch.with_columns(who.extend_constant(0, batch.height - len(who)).alias(person))
        start += batch.height


def _free_name(columns: Columns) -> str:
    name = "person"
    while name in columns.leaving():
        name += "_"
    return name


def _models(counts: pl.DataFrame, request: Request) -> Iterator[Measure]:
    for name in request.columns.sensitive:
        for model in request.sensitive_models():
            ordered = request.attribute.t_distance == "ordered" and model.model == "t_closeness"
            yield _measure(counts, request.columns.quasi_identifiers, name, model, ordered=ordered)


def _measure(
    counts: pl.DataFrame, quasi_identifiers: Sequence[str], name: str, model: ColumnModel, *, ordered: bool
) -> Measure:
    values = comparable(counts[name], ordered=ordered)
    cells, codes = cells_of(counts.with_columns(values), quasi_identifiers, name)
    bound = model.bound(codes)
    of_classes = bound.measure(cells)
    worst = float(of_classes.min() if model.at_least else of_classes.max())
    return Measure(name, model.label, worst, model.threshold, model.at_least, bool(bound.met(cells).all()))

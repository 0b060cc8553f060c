"""References between released tables: whether each row still finds the one it belongs to, counted on the released bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.table import ROW
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released
from anon_platform.validate.metric import Metric, most


@dataclass(frozen=True)
class Reference:
    """A column of one table that holds the key of another."""

    table: str
    column: str
    to: str
    key: str


@dataclass(frozen=True)
class Referred:
    """Rows of a reference, in rows. orphans_*: those whose value no row of the other table has; nulls refer to nothing.

    broken: orphans that leave and were none in the source.
    """

    reference: Reference
    rows_before: int
    orphans_before: int
    rows_after: int
    orphans_after: int
    broken: int


def measure_references(
    evidence: Mapping[str, Evidence], references: tuple[Reference, ...]
) -> tuple[list[Metric], list[Referred]]:
    """For each reference the orphans that the release made: none may leave. evidence: by table."""
    found = [referred(evidence[each.table], evidence[each.to], each) for each in references]
    return [_metric(each) for each in found], found


def referred(child: Evidence, parent: Evidence, reference: Reference) -> Referred:
    """The rows of a reference before and after."""
    keys = _distinct(parent, reference.key)
    before = pl.concat(
        batch.select(ROW, _text(reference.column)).join(
            keys, left_on=reference.column, right_on=reference.key, how="anti"
        )
        for batch in child.source.batches([ROW, reference.column])
    ).drop_nulls()
    kept = before.join(child.kept.select(ROW), on=ROW, how="semi")
    rows_after = read_released(child.data, [reference.column]).drop_nulls().height
    after = released_orphans(child.data, parent.data, reference)
    all_before = child.source.counts([reference.column]).drop_nulls()["n"].sum()
    broken = abs(after - kept.height)
    return Referred(reference, int(all_before), before.height, rows_after, after, broken)


def released_orphans(child: Path, parent: Path, reference: Reference) -> int:
    """Released rows that refer to a row that is not released. child, parent: folders with the data files."""
    codes = read_released(parent, [reference.key]).select(_text(reference.key)).unique()
    released = read_released(child, [reference.column]).select(_text(reference.column)).drop_nulls()
    return released.join(codes, left_on=reference.column, right_on=reference.key, how="anti").height


def _distinct(evidence: Evidence, column: str) -> pl.DataFrame:
    return evidence.source.counts([column]).select(_text(column)).drop_nulls()


def _text(column: str) -> pl.Expr:
    """Keys are compared as text: one table may hold as a number what another holds as text."""
    return pl.col(column).cast(pl.String)


def _metric(found: Referred) -> Metric:
    each = found.reference
    name = f"orphans made in {each.table}.{each.column}"
    metric = most("referential_integrity", name, float(found.broken), 0.0, "rows")
    note = f"rows without their row in {each.to}: {found.orphans_before} before, {found.orphans_after} after"
    return metric.model_copy(update={"note": f"{metric.note}; {note}" if metric.note else note})

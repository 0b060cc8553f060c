"""Frequency tables of rows: counted batch by batch in bounded memory, or by DuckDB within a limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from anon_platform.anonymize.technique import text_fault
from anon_platform.errors import PolicyError, SourceError
from anon_platform.kanon.hierarchy_files import HierarchyFile, require_leaves
from anon_platform.kanon.request import Columns
from anon_platform.kanon.rows import Rows
from anon_platform.table import DuckDBTable

MERGED = 3_000_000
"""Rows of partial tables that are held before they are added up."""


def counted(batches: Iterator[pl.DataFrame], columns: Sequence[str]) -> pl.DataFrame:
    """Frequency table over `columns`: one row a combination, `n` records (UInt32, ≥ 1) each; categories become text."""
    parts: list[pl.DataFrame] = []
    held = 0
    for batch in batches:
        parts.append(batch.group_by(columns).agg(n=pl.len()))
        held += parts[-1].height
        if held > MERGED:
            parts = [_merged(parts, columns)]
            held = parts[0].height // 2
    whole = (
        _merged(parts, columns)
        if parts
        else pl.DataFrame(schema={**dict.fromkeys(columns, pl.String), "n": pl.UInt32})
    )
    return whole.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def _merged(parts: Sequence[pl.DataFrame], columns: Sequence[str]) -> pl.DataFrame:
    return pl.concat(parts).group_by(columns).agg(pl.col("n").sum())


def frame_of(table: pa.Table) -> pl.DataFrame:
    """The batch in Polars; dictionaries become categories."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def count(rows: Rows, columns: Sequence[str], *, memory_limit: int | None, spill: Path) -> pl.DataFrame:
    """Frequency table of the rows; with a memory limit (bytes) DuckDB counts, and goes to the folder `spill`."""
    if memory_limit is None:
        return counted((frame_of(batch) for batch in rows.batches(columns)), columns)
    table = DuckDBTable(rows.files, memory_limit=memory_limit, spill=spill)
    found = table.counts([rows.stored[name] for name in columns])
    named = found.rename({rows.stored[name]: name for name in columns})
    return named.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


@dataclass(frozen=True)
class Counts:
    """The data as the search wants it, and the combinations it is made of.

    table: frequency table over the quasi-identifiers as text, people as numbers and sensitive values as `comparable`.
    raw: the combinations of quasi-identifiers that occur, distinct, as stored. texts: the same, row by row, as text.
    n: records of each.
    """

    table: pl.DataFrame
    raw: pl.DataFrame
    texts: pl.DataFrame
    n: pl.Series

    @property
    def records(self) -> int:
        """All records."""
        return int(self.n.sum())

    def people(self, person: str | None) -> int:
        """All people; without a person column every record is one."""
        return self.records if person is None else self.table[person].n_unique()


def prepared(
    counts: pl.DataFrame, columns: Columns, hierarchies: Mapping[str, HierarchyFile], *, ordered: bool
) -> Counts:
    """The counts as text, a value that no hierarchy names refused. A row without a person raises `SourceError`."""
    names = list(columns.quasi_identifiers)
    combinations = counts
    if len(columns.counted()) > len(names):
        combinations = counts.group_by(names).agg(pl.col("n").sum())
    texts = texts_of(combinations.select(names), hierarchies)
    for name in names:
        require_leaves(texts[name], hierarchies[name])
    table = texts.with_columns(combinations["n"])
    if combinations is not counts:
        others = [_people(counts[columns.person])] if columns.person is not None else []
        others += [comparable(counts[name], ordered=ordered) for name in columns.sensitive]
        table = texts_of(counts.select(names), hierarchies).with_columns(*others, counts["n"])
    return Counts(table, combinations.select(names), texts, combinations["n"])


def texts_of(values: pl.DataFrame, hierarchies: Mapping[str, HierarchyFile]) -> pl.DataFrame:
    """All columns as text."""
    return pl.DataFrame([as_text(values[name], hierarchies[name]) for name in values.columns])


def as_text(values: pl.Series, file: HierarchyFile) -> pl.Series:
    """The values as the hierarchy's file writes them; an empty text is no value unless the file names it."""
    if (fault := text_fault(values.dtype)) is not None:
        raise PolicyError(f"column {values.name}: {fault}")
    text = values.cast(pl.String)
    if file.names_nothing:
        return text.fill_null("")
    return text.set(text == "", None)


def _people(values: pl.Series) -> pl.Series:
    text = values.cast(pl.String)
    nobody = int((text.is_null() | (text.str.strip_chars() == "")).sum())
    if nobody:
        raise SourceError(
            f"column {values.name} has no value in some rows, so that nobody can say whose they are"
        )
    return (text.rank("dense") - 1).cast(pl.UInt32)


def comparable(values: pl.Series, *, ordered: bool) -> pl.Series:
    """Sensitive values: as text, an empty one null; where their order counts as numbers or dates, whatever wrote them.

    Values that are neither raise `PolicyError`.
    """
    if values.dtype.is_numeric() and ordered:
        return values.cast(pl.Float64)
    text = values.cast(pl.String)
    text = text.set(text == "", None)
    if not ordered:
        return text
    for dtype in (pl.Float64, pl.Date):
        typed = text.cast(dtype, strict=False)
        if typed.null_count() == text.null_count():
            return typed
    raise PolicyError(
        f"column {values.name} has no order, its values are neither numbers nor dates; write --t-distance equal"
    )


def people_of(rows: Rows, person: str | None) -> pl.Series | None:
    """The person of each row in order, as numbers; None when every row is one."""
    if person is None:
        return None
    texts = [frame_of(batch)[person].cast(pl.String) for batch in rows.batches([person])]
    return (pl.concat(texts).rank("dense") - 1).cast(pl.UInt32)

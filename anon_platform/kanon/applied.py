"""A solution applied to new rows: those that fit a class that left before leave like it, all others as `*`."""

import resource
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.anonymize.hierarchy.levels import SUPPRESSED
from anon_platform.errors import SourceError
from anon_platform.ingest import source_files, source_schema
from anon_platform.ingest.found import found
from anon_platform.kanon.anonymized import Clock, Files, Outcome, Progress, staging
from anon_platform.kanon.counting import count, texts_of
from anon_platform.kanon.hierarchy_files import HierarchyFile, hierarchies_in, unknown
from anon_platform.kanon.labels import Combinations, Labels
from anon_platform.kanon.request import Columns, require_output
from anon_platform.kanon.rows import Rows, opened
from anon_platform.kanon.solution import Solution
from anon_platform.kanon.writing import draft, released, require_writable, write

LISTED = 10_000
"""Row numbers that are told, at most."""


def apply(
    files: Files, solution: Solution, keep: tuple[str, ...], progress: Progress | None = None
) -> Outcome:
    """Writes the new rows; says how many could not be covered, and the numbers of the first of them (1-based).

    k holds for these rows together with those that the solution was made for, not for themselves. Sensitive columns of
    the solution leave where the new rows have them.
    """
    clock = Clock()
    source = found(files.data)
    require_output(files.out, None, tuple(source_files(source)), force=files.force)
    hierarchies = hierarchies_in(files.hierarchies, solution.quasi_identifiers)
    solution.require_same(hierarchies)
    schema = source_schema(source)
    columns = Columns(
        solution.quasi_identifiers, tuple(name for name in solution.sensitive if name in schema), keep
    )
    with staging(files.out) as folder, draft(files.out) as path:
        with clock.phase("read"):
            rows = opened(source, columns.leaving(), columns.quasi_identifiers, folder)
            require_writable(rows.schema, columns.leaving(), files.kind)
        with clock.phase("count"):
            counts = count(rows, columns.quasi_identifiers, memory_limit=files.memory_limit, spill=folder)
        if not counts.height:
            raise SourceError("the data has no rows; there is nothing to release")
        raw = counts.select(columns.quasi_identifiers)
        labels = _labels(texts_of(raw, hierarchies), hierarchies, solution)
        combinations = Combinations(raw)
        with clock.phase("write"):
            batches = released(rows, combinations, Labels(labels), columns.leaving())
            total = int(counts["n"].sum())
            hear = None if progress is None else partial(progress, "writing rows")
            write(
                batches,
                path,
                kind=files.kind,
                separator=rows.separator or ",",
                progress=None if hear is None else lambda done: hear(done, total),
            )
        uncovered, first = _uncovered(rows, combinations, labels["kept"].to_numpy())
    left_out = tuple(name for name in schema if name not in columns.leaving())
    return Outcome(_result(solution, total, uncovered, first, clock), left_out)


def _labels(
    texts: pl.DataFrame, hierarchies: Mapping[str, HierarchyFile], solution: Solution
) -> pl.DataFrame:
    """The labels of all combinations; those with a value that a hierarchy lacks are not kept."""
    strange = np.zeros(texts.height, np.bool_)
    for name, file in hierarchies.items():
        strange |= unknown(texts[name], file).to_numpy()
    kinds = {name: file.kind for name, file in hierarchies.items()}
    labels = solution.release(texts.filter(~pl.Series(strange)), kinds)
    place = pl.Series(np.cumsum(~strange) - 1).set(pl.Series(strange), None)
    whole = pl.DataFrame([column.gather(place) for column in labels.iter_columns()])
    kept = whole["kept"].fill_null(value=False)
    names = texts.columns
    return whole.select(pl.when(kept).then(pl.col(names)).otherwise(pl.lit(SUPPRESSED))).with_columns(
        kept=kept
    )


def _uncovered(rows: Rows, combinations: Combinations, kept: npt.NDArray[np.bool_]) -> tuple[int, list[int]]:
    """How many rows are not covered, and the numbers of the first of them, 1-based."""
    count, start, listed = 0, 1, list[int]()
    for batch in rows.batches(combinations.values.columns):
        out = np.flatnonzero(~kept[combinations.of(batch)])
        count += len(out)
        listed += (out[: LISTED - len(listed)] + start).tolist()
        start += batch.num_rows
    return count, listed


def _result(solution: Solution, rows: int, uncovered: int, first: list[int], clock: Clock) -> dict[str, Any]:
    return {
        "model": solution.model,
        "k": solution.k,
        "rows": rows,
        "uncovered_rows": uncovered,
        "uncovered_row_numbers": first,
        "seconds": {name: round(seconds, 3) for name, seconds in clock.all().items()},
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }

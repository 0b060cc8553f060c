"""From a table and hierarchy files to a table that is k-anonymous, measured as it was written."""

import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from anon_platform.errors import ReleaseRefusedError, SourceError
from anon_platform.ingest import source_files
from anon_platform.ingest.found import found
from anon_platform.kanon.counting import Counts, count, people_of, prepared
from anon_platform.kanon.hierarchy_files import HierarchyFile, hierarchies_in
from anon_platform.kanon.labels import Combinations, Labels
from anon_platform.kanon.measured import Measured, measured
from anon_platform.kanon.request import Request, require_output
from anon_platform.kanon.rows import Rows, opened
from anon_platform.kanon.searching import Found, search
from anon_platform.kanon.solution import Solution, save
from anon_platform.kanon.writing import draft, released, require_writable, write, written

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Files:
    """Where things lie.

    data: a file, a folder or a glob. hierarchies: a folder. out: `.csv` or `.parquet`; force: may be overwritten.
    solution: written for new rows, if given. memory_limit: bytes; given, DuckDB counts, and goes to disk beyond them.
    """

    data: str
    hierarchies: Path
    out: Path
    force: bool = False
    solution: Path | None = None
    memory_limit: int | None = None

    @property
    def kind(self) -> str:
        """`.csv` or `.parquet`."""
        return self.out.suffix.lower()


@dataclass
class Clock:
    """Seconds of each phase, by its name."""

    seconds: dict[str, float] = field(default_factory=dict)
    _start: tuple[float, float] = field(default_factory=lambda: (time.monotonic(), time.process_time()))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Times what is inside; CPU of the search too."""
        wall, cpu = time.monotonic(), time.process_time()
        yield
        self.seconds[name] = time.monotonic() - wall
        if name == "search":
            self.seconds["search_cpu"] = time.process_time() - cpu

    def all(self) -> dict[str, float]:
        """All phases, and wall and CPU time of the whole."""
        wall, cpu = self._start
        return {**self.seconds, "wall": time.monotonic() - wall, "cpu": time.process_time() - cpu}


@dataclass(frozen=True)
class Outcome:
    """What was made. result: ready for JSON. left_out: columns of the data that did not leave."""

    result: dict[str, Any]
    left_out: tuple[str, ...]


def anonymize(files: Files, request: Request, progress: Progress | None = None) -> Outcome:
    """Writes the table and measures it; a release that does not hold is deleted and raises `ReleaseRefusedError`."""
    clock = Clock()
    columns = request.columns
    source = found(files.data)
    require_output(files.out, files.solution, tuple(source_files(source)), force=files.force)
    hierarchies = hierarchies_in(files.hierarchies, columns.quasi_identifiers)
    kinds = {name: file.kind for name, file in hierarchies.items()}
    with staging(files.out) as folder:
        with clock.phase("read"):
            read = (*columns.leaving(), *(() if columns.person is None else (columns.person,)))
            rows = opened(source, read, (*columns.quasi_identifiers, *columns.sensitive), folder)
            require_writable(rows.schema, columns.leaving(), files.kind)
        with clock.phase("count"):
            counts = counted_rows(rows, request, hierarchies, files.memory_limit, folder)
        with clock.phase("search"):
            what = search(counts, kinds, request, progress)
        with draft(files.out) as path:
            with clock.phase("write"):
                batches = released(rows, Combinations(counts.raw), Labels(what.labels), columns.leaving())
                hear = None if progress is None else partial(_writing, progress, counts.records)
                separator = rows.separator or ","
                write(batches, path, kind=files.kind, separator=separator, progress=hear)
            with clock.phase("measure"):
                over = (*columns.quasi_identifiers, *columns.sensitive)
                left = measured(
                    written(path, files.kind, separator, over),
                    request,
                    people_of(rows, columns.person),
                    suppressed=int(counts.n.filter(~what.labels["kept"]).sum()),
                    stars_are_a_class=what.stars_are_a_class,
                )
            _require(left, request, counts.records)
    if files.solution is not None:
        save(_solution(request, hierarchies, what), files.solution)
    left_out = tuple(name for name in rows.schema if name not in columns.leaving())
    return Outcome(_result(counts, request, what, left, clock), left_out)


def counted_rows(
    rows: Rows, request: Request, hierarchies: dict[str, HierarchyFile], memory_limit: int | None, spill: Path
) -> Counts:
    """The frequency table, ready to be searched; data without rows raises `SourceError`."""
    columns = request.columns
    counts = count(rows, columns.counted(), memory_limit=memory_limit, spill=spill)
    if not counts.height:
        raise SourceError("the data has no rows; there is nothing to release")
    ordered = request.attribute.t is not None and request.attribute.t_distance == "ordered"
    return prepared(counts, columns, hierarchies, ordered=ordered)


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder beside the output, open to the current user only, for what does not fit in memory; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=".kanon-", dir=out.absolute().parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _writing(progress: Progress, rows: int, done: int) -> None:
    progress("writing rows", done, rows)


def _require(left: Measured, request: Request, rows: int) -> None:
    if faults := list(left.faults(request, rows)):
        raise ReleaseRefusedError(f"what was written does not hold, and is deleted: {'; '.join(faults)}")


def _solution(request: Request, hierarchies: dict[str, HierarchyFile], what: Found) -> Solution:
    return Solution(
        model=request.model,
        k=request.k,
        loss=what.loss,
        quasi_identifiers=request.columns.quasi_identifiers,
        sensitive=request.columns.sensitive,
        hierarchies={name: file.sha256 for name, file in hierarchies.items()},
        found=what.solution,
    )


def _result(counts: Counts, request: Request, what: Found, left: Measured, clock: Clock) -> dict[str, Any]:
    people = counts.people(request.columns.person)
    return {
        "model": request.model,
        "k": request.k,
        "rows": counts.records,
        "people": people,
        "combinations": counts.raw.height,
        **left.as_json(),
        "loss": what.information_loss,
        "weighted_loss": what.loss,
        "attribute_loss": what.by_column,
        **what.facts,
        "seconds": {name: round(seconds, 3) for name, seconds in clock.all().items()},
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }

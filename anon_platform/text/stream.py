"""A file of notes, in batches over all cores, in order and in bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from anon_platform.errors import SourceError, StorageError
from anon_platform.text.finder import Finder
from anon_platform.text.lines import Records, answered, merged_records
from anon_platform.text.making import finder_of
from anon_platform.text.settings import TextSettings

BATCH_BYTES, BATCH_LINES = 256_000, 512
"""A batch ends with the line that reaches either; a longer note is a batch of its own."""

WORTH_A_PROCESS = 2_000_000
"""Bytes of input for which a further process pays: it takes about two seconds to load its lists and model."""

WAITING = 3
"""Batches that each process may have waiting or done; with their texts that bounds the memory."""

Batch = tuple[list[tuple[int, bytes]], Records]
Answer = tuple[str, list[tuple[int, str]]]


@dataclass(frozen=True)
class Outcome:
    """notes: read and answered. bad: number and fault of each line that was skipped."""

    notes: int
    bad: list[tuple[int, str]]


def find_in_file(
    source: Path, target: Path, settings: TextSettings, *, workers: int | None = None, skip_bad: bool = False,
    hear: Callable[[int, int], None] = lambda _done, _total: None,
) -> Outcome:  # fmt: skip
    """Counts; writes `target`, one line a note in the order of `source`, whole or not at all.

    Raises SourceError for a missing file, and for a bad line unless `skip_bad`; messages hold line numbers only.
    """
    try:
        size = source.stat().st_size
        records = merged_records(_raw(source))
    except OSError as fault:
        raise SourceError(f"{source}: cannot be read: {fault.strerror}") from None
    if workers is None:
        workers = min(os.cpu_count() or 1, 1 + size // WORTH_A_PROCESS)
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            outcome = _write(file.write, _answers(_batches(source, records), settings, workers), source, size, skip_bad=skip_bad, hear=hear)  # fmt: skip
        partial.replace(target)
    except OSError as fault:
        raise StorageError(f"cannot write {target}: {fault.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    return outcome


def _write(
    write: Callable[[str], object], answers: Iterator[tuple[int, Answer]], source: Path, size: int, *, skip_bad: bool,
    hear: Callable[[int, int], None],
) -> Outcome:  # fmt: skip
    notes, done, bad = 0, 0, list[tuple[int, str]]()
    for length, (text, faults) in answers:
        if faults and not skip_bad:
            number, fault = faults[0]
            raise SourceError(
                f"{source}: line {number} {fault}; mend it, or leave such lines out with --skip-bad"
            )
        write(text)
        bad.extend(faults)
        notes += text.count("\n")
        done += length
        hear(done, size)
    return Outcome(notes, bad)


def _raw(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        yield from file


def _batches(source: Path, records: Records) -> Iterator[tuple[int, Batch]]:
    """Numbered lines with the records of all patients in them, and the bytes of each batch."""
    lines: list[tuple[int, bytes]] = []
    size = 0
    for number, raw in enumerate(_raw(source), 1):
        lines.append((number, raw))
        size += len(raw)
        if size >= BATCH_BYTES or len(lines) >= BATCH_LINES:
            yield size, (lines, _of_these(lines, records))
            lines, size = [], 0
    if lines:
        yield size, (lines, _of_these(lines, records))


def _of_these(lines: list[tuple[int, bytes]], records: Records) -> Records:
    """The records of the patients of these lines, so that a process gets no others."""
    if not records:
        return {}
    from anon_platform.text.lines import BadLineError, parsed

    patients = set()
    for _, raw in lines:
        try:
            patients.add(parsed(raw).patient)
        except BadLineError:
            continue
    return {patient: records[patient] for patient in patients if patient is not None and patient in records}


def _answers(
    batches: Iterator[tuple[int, Batch]], settings: TextSettings, workers: int
) -> Iterator[tuple[int, Answer]]:
    if workers <= 1:
        finder = finder_of(settings)
        for size, (lines, records) in batches:
            yield size, answered(finder, lines, records)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (settings,)) as pool:
        waiting: deque[tuple[int, Future[Answer]]] = deque()
        try:
            for size, batch in batches:
                waiting.append((size, pool.submit(_answer, batch)))
                if len(waiting) >= workers * WAITING:
                    done, future = waiting.popleft()
                    yield done, future.result()
            for done, future in waiting:
                yield done, future.result()
        except BrokenProcessPool:
            raise SourceError(
                "a process that finds ended early, as when memory runs out; try fewer with --workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_finder: list[Finder] = []
"""The finder of this process."""


def _begin(settings: TextSettings) -> None:
    _finder.append(finder_of(settings))


def _answer(batch: Batch) -> Answer:
    lines, records = batch
    return answered(_finder[0], lines, records)

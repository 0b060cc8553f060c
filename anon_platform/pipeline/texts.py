"""Free text in a run: the notes of rows that leave, treated over all cores, in order and in bounded memory."""

import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import polars as pl

from anon_platform.anonymize import OfRecords, TreatRecords
from anon_platform.anonymize.deidentify_text import DeidentifyText
from anon_platform.errors import StorageError
from anon_platform.policy import Policy
from anon_platform.table import PERSON, ROW, TOKEN, Table, with_other_rows

CHUNK = 500
"""Rows that a process takes at a time."""

WORTH_A_POOL = 4_000
"""Rows below which further processes do not pay: each loads word lists and model first."""

WAITING = 3
"""Chunks that each process may have waiting or done."""


def text_columns(policy: Policy) -> dict[str, OfRecords]:
    """The columns that are treated row by row, beside others, with their step."""
    return {
        name: step
        for name in policy.released
        for step in policy.columns[name].treat
        if isinstance(step, OfRecords)
    }


class Texts:
    """The text columns of a policy and what treats them. found: by column, spans replaced by label."""

    def __init__(self, policy: Policy, table: Table, pool: ProcessPoolExecutor | None) -> None:
        self._steps = text_columns(policy)
        self._pool = pool
        self._known = {
            name: with_other_rows(table, [column for column in step.known_from if column != name])
            for name, step in self._steps.items()
        }
        self._here: dict[str, TreatRecords] = {}
        self.found: dict[str, Counter[str]] = {name: Counter() for name in self._steps}

    def treated(self, kept: pl.DataFrame, batch: pl.DataFrame) -> pl.DataFrame:
        """`kept`, rows of `batch` as they leave, with the text columns treated."""
        for name, step in self._steps.items():
            known = [column for column in step.known_from if column != name]
            token = [TOKEN] if TOKEN in batch.columns else []
            originals = batch.select(ROW, PERSON, *token, name, *known)
            # an empty cell stays one: only what says something is looked up and sent to a process
            said = originals.drop_nulls(name)
            rows = kept.select(ROW).join(said, on=ROW, how="inner", maintain_order="left")
            treated = rows.select(ROW).with_columns(
                self._column(name, step, self._known[name].joined(rows)).alias(name)
            )
            kept = (
                kept.drop(name).join(treated, on=ROW, how="left", maintain_order="left").select(kept.columns)
            )
        return kept

    def _column(self, name: str, step: OfRecords, rows: pl.DataFrame) -> pl.Series:
        chunks = [rows.slice(first, CHUNK) for first in range(0, rows.height, CHUNK)]
        parts = [pl.Series(name, [], dtype=pl.String)]
        treated = self._apart(name, step, chunks) if self._pool else self._one_by_one(name, step, chunks)
        for part, counts in treated:
            parts.append(part)
            self.found[name] += counts
        return pl.concat(parts)

    def _one_by_one(
        self, name: str, step: OfRecords, chunks: Sequence[pl.DataFrame]
    ) -> Iterator[tuple[pl.Series, Counter[str]]]:
        for chunk in chunks:
            if name not in self._here:
                self._here[name] = step.fit_records(name)
            yield _with_counts(self._here[name], chunk)

    def _apart(
        self, name: str, step: OfRecords, chunks: Sequence[pl.DataFrame]
    ) -> Iterator[tuple[pl.Series, Counter[str]]]:
        assert self._pool is not None
        assert isinstance(step, DeidentifyText)
        settings = step.model_dump_json()
        waiting: deque[Future[tuple[pl.Series, Counter[str]]]] = deque()
        for chunk in chunks:
            waiting.append(self._pool.submit(_in_process, name, settings, chunk))
            if len(waiting) >= WAITING * (os.cpu_count() or 1):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def texts_of(policy: Policy, table: Table) -> Iterator[Texts]:
    """The texts of a run over the snapshot; a process that dies stops it with `StorageError`."""
    if not text_columns(policy) or table.rows < WORTH_A_POOL or (os.cpu_count() or 1) == 1:
        yield Texts(policy, table, None)
        return
    from concurrent.futures.process import BrokenProcessPool

    pool = ProcessPoolExecutor(os.cpu_count(), get_context("spawn"))
    try:
        yield Texts(policy, table, pool)
    except BrokenProcessPool:
        raise StorageError(
            "a process that treats text ended early, as when memory runs out; nothing was released"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_fitted: dict[tuple[str, str], TreatRecords] = {}
"""What this process has loaded, by column and settings."""


def _in_process(name: str, settings: str, chunk: pl.DataFrame) -> tuple[pl.Series, Counter[str]]:
    if (name, settings) not in _fitted:
        _fitted[name, settings] = DeidentifyText.model_validate_json(settings).fit_records(name)
    return _with_counts(_fitted[name, settings], chunk)


def _with_counts(treat: TreatRecords, chunk: pl.DataFrame) -> tuple[pl.Series, Counter[str]]:
    counts: Mapping[str, int] = getattr(treat, "counts", {})
    before = Counter(counts)
    treated = treat(chunk)
    return treated, Counter(counts) - before

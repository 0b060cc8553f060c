"""A stratified sample of the source's notes, with what a run would replace in each."""

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from anon_platform.anonymize import DeidentifyText
from anon_platform.errors import IntegrityError, PolicyError, SourceError
from anon_platform.ingest import fingerprint, snapshot, source_files
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY, Ledger
from anon_platform.ledger.audit import Event
from anon_platform.pipeline.engine import open_table
from anon_platform.pipeline.plan import plan
from anon_platform.pipeline.reviewed import deidentified, text_digest
from anon_platform.pipeline.staging import exclusive, staging, value_free
from anon_platform.policy import Policy
from anon_platform.review.sample import Sample, SampledNote, Stratum
from anon_platform.table import PERSON, ROW, Table, with_other_rows
from anon_platform.text.intervals import Cluster, effective_size, needed

if TYPE_CHECKING:
    from anon_platform.text.finder import Finder
    from anon_platform.text.spans import Span

PILOT = 200
"""Notes that are searched first, to see how many identifiers a note has."""

QUARTERS = 4
"""Strata by length: notes of a length have much the same parts."""

VALUES = 50
"""Values of a column that makes strata, at most."""

LEAST = 2
"""Notes of a stratum that are drawn at least: how much they differ is seen from two."""

SPARE = 1.1
"""Notes beyond those that the pilot asks for: it is a sample too."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wish:
    """How many notes, and which. by: a column whose values are strata of their own. notes: so many, whatever is wanted."""

    recall: float
    confidence: float
    seed: int
    by: str | None = None
    notes: int | None = None


@dataclass(frozen=True)
class Drawn:
    """The sample, and in its order the texts: these are identified, and kept nowhere. available: notes of the source.

    wanted: identifiers that would prove the wanted recall if none was missed.
    """

    sample: Sample
    texts: tuple[str, ...]
    available: int
    wanted: int

    @property
    def found(self) -> int:
        """Spans that a run replaces."""
        return sum(len(note.found) for note in self.sample.notes)

    @property
    def worth(self) -> float:
        """How many independent identifiers the notes are worth, if what was found is all there is."""
        strata = self.sample.strata
        sizes = [(note.stratum, len(note.found)) for note in self.sample.notes]
        return effective_size(
            [Cluster(at, strata[at].notes / max(strata[at].drawn, 1), n, n) for at, n in sizes]
        )


@value_free
def draw(file: Path, wish: Wish, progress: Progress, *, release: Mapping[str, object] | None = None) -> Drawn:
    """Draws the sample, keeps it and writes to the ledger that it was drawn.

    release: the manifest of the release that the sample is to speak for; its source has to be the one of now.
    """
    policy = _policy(file, wish)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        progress("fingerprint of the source", 0, 0)
        found = fingerprint(source_files(policy.source), load_key(INSTANCE_KEY))
        _require_release(policy, found, release)
        with _copied(policy, progress) as table:
            drawn = _drawn(policy, found, table, wish, progress)
        if fingerprint(source_files(policy.source), load_key(INSTANCE_KEY)) != found:
            raise SourceError(f"the source {policy.source.path} changed while it was read; run again")
        drawn.sample.keep()
        told = {"settings": drawn.sample.settings, "sample": drawn.sample.id, "notes": len(drawn.texts)}
        ledger.append(
            Event(
                action="review.drawn", dataset=policy.dataset, policy_hash=policy.hash, input_fingerprint=found,
                details={**told, "identifiers": drawn.found, "seed": wish.seed},
            )
        )  # fmt: skip
        return drawn


def _policy(file: Path, wish: Wish) -> Policy:
    policy = plan(file).policy
    if not isinstance(policy, Policy):
        raise PolicyError(
            f"{file.name}: notes of policies over several tables cannot be reviewed yet; write a policy of the table with"
            " the notes alone, with the same deidentify_text"
        )
    if not deidentified(policy):
        raise PolicyError(
            f"{file.name}: no column is treated by deidentify_text, so that there is nothing to review"
        )
    if wish.by is not None and wish.by not in policy.staged:
        raise PolicyError(
            f"--by: no such column among those that are read; name one of {', '.join(policy.staged)}"
        )
    return policy


def _require_release(policy: Policy, found: str, release: Mapping[str, object] | None) -> None:
    if release is None:
        return
    if (release["dataset"], release["policy_hash"]) != (policy.dataset, policy.hash):
        raise IntegrityError(
            "the release was made by another policy; name the policy file that it was made by"
        )
    if release["input_fingerprint"] != found:
        raise SourceError(
            f"the source {policy.source.path} is not the one of the release any more; put that one back, or name the"
            " policy file instead of the release"
        )


@contextmanager
def _copied(policy: Policy, progress: Progress) -> Iterator[Table]:
    """The checked copy of the source, in staging as long as it is needed."""
    folder = staging(policy.dataset) / "review"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        snapshot(policy, folder / "raw", progress=lambda done: progress("copying to staging", done, 0))
        yield open_table(folder / "raw", policy.engine, spill=folder / "spill")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _drawn(policy: Policy, found: str, table: Table, wish: Wish, progress: Progress) -> Drawn:
    notes = strata_of(table, list(deidentified(policy)), wish.by)
    searched = _Searched(policy, table, progress)
    wanted = needed(wish.recall, wish.confidence)
    size = wish.notes
    if size is None:
        pilot = searched.of(sampled(notes, PILOT, wish.seed))
        found_in = [Cluster(0, 1.0, len(spans), len(spans)) for _, spans in pilot]
        # the pilot's worth a note says how many notes are worth as many identifiers as are wanted
        worth = effective_size(found_in) / len(pilot)
        size = math.ceil(SPARE * wanted / worth) if worth else notes.height
    chosen = sampled(notes, size, wish.seed)
    texts = searched.of(chosen)
    drawn = dict(chosen.group_by("stratum").len().iter_rows())
    strata = [
        Stratum(notes=count, drawn=drawn[stratum])
        for stratum, count in notes.group_by("stratum").len().sort("stratum").iter_rows()
    ]
    sampled_notes = [
        SampledNote(
            stratum=stratum,
            length=len(text),
            found=tuple((span.start, span.end, span.label) for span in spans),
        )
        for stratum, (text, spans) in zip(chosen["stratum"], texts, strict=True)
    ]
    sample = Sample(
        dataset=policy.dataset, settings=text_digest(policy), fingerprint=found, confidence=wish.confidence,
        seed=wish.seed, strata=tuple(strata), notes=tuple(sampled_notes),
    )  # fmt: skip
    return Drawn(sample, tuple(text for text, _ in texts), notes.height, wanted)


def strata_of(table: Table, columns: Sequence[str], by: str | None) -> pl.DataFrame:
    """Every note (ROW, column) with the number of its stratum; nulls and empty texts are no notes. No text is kept."""
    parts = []
    for name in columns:
        for batch in table.batches(list(dict.fromkeys([ROW, name, *([by] if by else [])]))):
            value = pl.col(by).cast(pl.String) if by else pl.lit(None, pl.String)
            sizes = batch.select(
                ROW, pl.lit(name).alias("column"), size=pl.col(name).str.len_chars(), value=value
            )
            parts.append(sizes.filter(pl.col("size") > 0))
    notes = pl.concat(parts)
    if notes.is_empty():
        raise SourceError("the source has no notes: every text is empty; there is nothing to review")
    if notes["value"].n_unique() > VALUES:
        raise SourceError(
            f"--by {by}: the column has more than {VALUES} values, too many for strata; name a column of groups"
        )
    quarter = (pl.col("size").rank("ordinal").over("column") - 1) * QUARTERS // pl.len().over("column")
    keys = ["column", "value", "quarter"]
    notes = notes.with_columns(quarter=quarter)
    numbers = notes.select(keys).unique().sort(keys).with_row_index("stratum")
    return notes.join(numbers, on=keys, nulls_equal=True).select(ROW, "column", "stratum").sort("column", ROW)


def sampled(notes: pl.DataFrame, size: int, seed: int) -> pl.DataFrame:
    """`size` notes or somewhat more, each stratum by its share and at least LEAST, in random order.

    The same seed draws the same notes, and of two sizes the larger has all of the smaller.
    """
    import numpy as np

    # the size of what is asked for is bounded by what is there
    share = min(size / notes.height, 1.0)
    order = np.random.default_rng(seed).permutation(notes.height)
    shuffled = notes.with_columns(order=pl.Series(order, dtype=pl.Int64))
    place = pl.col("order").rank("ordinal").over("stratum")
    wanted = pl.max_horizontal((pl.len().over("stratum") * share).ceil(), pl.lit(LEAST))
    return shuffled.filter(place <= wanted).sort("order").drop("order")


class _Searched:
    """Texts of notes with what a run replaces in them."""

    def __init__(self, policy: Policy, table: Table, progress: Progress) -> None:
        self._steps, self._table, self._progress = deidentified(policy), table, progress
        self._finders: dict[str, Finder] = {}
        self._known: dict[tuple[int, str], tuple[str, list[Span]]] = {}

    def of(self, notes: pl.DataFrame) -> list[tuple[str, list["Span"]]]:
        """Text and spans of each note, in order; what was searched before is not searched again."""
        for name, step in self._steps.items():
            rows = {row for row, column in notes.select(ROW, "column").iter_rows() if column == name}
            self._search(name, step, rows - {row for row, column in self._known if column == name})
        return [self._known[row, column] for row, column in notes.select(ROW, "column").iter_rows()]

    def _search(self, name: str, step: DeidentifyText, rows: set[int]) -> None:
        from anon_platform.text.finder import Note
        from anon_platform.text.making import finder_of
        from anon_platform.text.replace import to_replace

        if not rows:
            return
        if name not in self._finders:
            self._finders[name] = finder_of(step.search())
        known = [column for column in step.known_from if column != name]
        wanted = pl.DataFrame({ROW: pl.Series(sorted(rows), dtype=pl.UInt32)})
        others, done = with_other_rows(self._table, known), 0
        for batch in self._table.batches([ROW, PERSON, name, *known]):
            # what the person's other rows hold goes from the note, too
            found = others.joined(batch.join(wanted, on=ROW, how="semi"))
            for chunk in found.iter_slices(256):
                records = chunk.select(known).to_dicts() if known else [{}] * chunk.height
                texts = [Note(text, record) for text, record in zip(chunk[name], records, strict=True)]
                for row, note, spans in zip(chunk[ROW], texts, self._finders[name].find(texts), strict=True):
                    text = note.text or ""
                    self._known[row, name] = (text, to_replace(text, note.record, spans))
                done += chunk.height
                self._progress(f"searching {name}", done, len(rows))

"""Marks become measured recall: by type and overall, by identifiers and by notes, of one reviewer or several."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from anon_platform.errors import IntegrityError, SourceError
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY, Ledger
from anon_platform.ledger.audit import Event
from anon_platform.pipeline.reviewed import IMPORTED
from anon_platform.review.label_studio import marks_of
from anon_platform.review.marks import Marks, NoteMarks, read_marks, require_sound
from anon_platform.review.sample import Mark, Sample, SampledNote, folder_of, kept_sample, write_private
from anon_platform.text.intervals import Cluster, clopper_pearson, cluster_interval, kappa, weighted_share


@dataclass(frozen=True)
class Share:
    """Hits of n with the exact interval (Clopper-Pearson); share is None of nothing."""

    hits: int
    n: int
    share: float | None
    low: float
    high: float

    @classmethod
    def of(cls, hits: int, n: int, confidence: float) -> "Share":
        """The share and its interval."""
        return cls(hits, n, hits / n if n else None, *clopper_pearson(hits, n, confidence))


@dataclass(frozen=True)
class Agreement:
    """Of two reviewers. kappa: of Cohen, on the characters that each says identify; f1: of the same spans, ends and all."""

    kappa: float | None
    f1: float | None


@dataclass(frozen=True)
class Measured:
    """What a review found. recall: identifiers found of identifiers; precision: right finds of finds; both also by label.

    weighted: recall with every note counting for those of the source that it stands for; by_notes: its interval, where the
    identifiers of a note are not independent. low: the lower of both lower ends, which the policy's threshold is held against.
    touched: notes in which something was missed.
    """

    sample: str
    dataset: str
    confidence: float
    reviewers: int
    notes: int
    touched: int
    recall: Share
    precision: Share
    by_label: dict[str, tuple[Share, Share]]
    weighted: float | None
    by_notes: tuple[float, float]
    agreement: Agreement | None

    @property
    def low(self) -> float:
        """The lower end that counts."""
        return min(self.recall.low, self.by_notes[0])


def import_marks(file: Path, dataset: str | None = None) -> Measured:
    """The measures of the sample with these marks and those of other reviewers that were imported before.

    Keeps the marks and writes the counts to the ledger; marks that do not fit the sample change nothing.
    """
    return [keep_marks(marks, dataset) for marks in read_any_marks(file)][-1]


def read_any_marks(file: Path) -> list[Marks]:
    """The marks of the page, or those of every annotator of a Label Studio export."""
    exported = None
    with suppress(OSError, ValueError):
        exported = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(exported, list):
        return [read_marks(file)]
    found = marks_of(exported)
    if not found:
        raise SourceError(f"{file} has no annotation; submit them in Label Studio and export again")
    return found


def keep_marks(marks: Marks, dataset: str | None = None) -> Measured:
    """As `import_marks`, of marks that are read already. dataset: that they have to be of."""
    sample = kept_sample(marks.sample)
    if dataset is not None and dataset != sample.dataset:
        raise SourceError(f"the marks are of a sample of {sample.dataset}, not of {dataset}")
    require_sound(marks, sample)
    with Ledger.open() as ledger:
        # a sample that is not in the ledger could have been made to measure well
        if not any(
            event.action == "review.drawn" and event.details["sample"] == marks.sample
            for event in ledger.events(sample.dataset)
        ):
            raise IntegrityError(
                "the ledger does not know that this sample was drawn; draw a new one with: anon review POLICY"
            )
        folder = folder_of(sample.dataset, marks.sample)
        kept = _kept(folder)
        others = [other for other in kept if other.reviewer != marks.reviewer]
        _require_unchanged(ledger, sample, kept, others)
        found = measure(sample, [*others, marks])
        file = folder / f"marks-{1 + len(others):03d}.json"
        for number, one in enumerate(others, 1):
            write_private(folder / f"marks-{number:03d}.json", one.model_dump_json() + "\n")
        write_private(file, marks.model_dump_json() + "\n")
        ledger.append(
            Event(
                action=IMPORTED, dataset=sample.dataset, input_fingerprint=sample.fingerprint,
                details=_details(sample, found) | {"marks": _seal([*others, marks])},
            )
        )  # fmt: skip
    return found


def _kept(folder: Path) -> list[Marks]:
    """Marks of the sample that were imported before."""
    return [read_marks(file) for file in sorted(folder.glob("marks-*.json"))]


def _seal(marks: Sequence[Marks]) -> str:
    """A keyed digest of kept marks, in any order: the ledger holds it, so that nobody takes a reader's misses away."""
    said = "\n".join(sorted(one.model_dump_json() for one in marks))
    return load_key(INSTANCE_KEY).derive("review/marks").token(said, 20)


def _require_unchanged(
    ledger: Ledger, sample: Sample, kept: Sequence[Marks], others: Sequence[Marks]
) -> None:
    """The kept marks are those of the newest import. others: without those of the reader who imports now.

    A run that was stopped between keeping marks and its event left those of this reader beyond what the event knows.
    """
    events = [event for event in ledger.events(sample.dataset) if event.action == IMPORTED]
    seals = [event.details["marks"] for event in events if event.details["sample"] == sample.id]
    if seals[-1:] in ([_seal(kept)], [_seal(others)]) or not (seals or others):
        return
    raise IntegrityError(
        f"the marks that are kept of this sample, in {folder_of(sample.dataset, sample.id)}, are not those that were"
        " imported; draw a new sample with: anon review"
    )


def _details(sample: Sample, found: Measured) -> dict[str, object]:
    """Counts only: no name of a reviewer, no place of a mark."""
    return {
        "settings": sample.settings, "sample": found.sample, "confidence": found.confidence,
        "reviewers": found.reviewers, "notes": found.notes, "notes_with_misses": found.touched,
        "identifiers": found.recall.n, "missed": found.recall.n - found.recall.hits, "low": found.low,
        "finds": found.precision.n, "wrong": found.precision.n - found.precision.hits,
    }  # fmt: skip


def measure(sample: Sample, marks: Sequence[Marks]) -> Measured:
    """The measures of sound marks of one reviewer or several.

    What one of them says was missed was missed; a find is wrong only if all say so.
    """
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    clusters, touched = [], 0
    for number, note in enumerate(sample.notes, 1):
        good, bad, gone = settled(note, [each.of(number) for each in marks])
        right.update(label for *_, label in good)
        wrong.update(label for *_, label in bad)
        missed.update(label for *_, label in gone)
        touched += bool(gone)
        stratum = sample.strata[note.stratum]
        clusters.append(
            Cluster(note.stratum, stratum.notes / stratum.drawn, len(good), len(good) + len(gone))
        )
    sure = sample.confidence
    by_label = {
        label: (
            Share.of(right[label], right[label] + missed[label], sure),
            Share.of(right[label], right[label] + wrong[label], sure),
        )
        for label in sorted({*right, *wrong, *missed})
    }
    hits = right.total()
    return Measured(
        sample.id, sample.dataset, sure, len(marks), len(sample.notes), touched,
        Share.of(hits, hits + missed.total(), sure), Share.of(hits, hits + wrong.total(), sure), by_label,
        weighted_share(clusters), cluster_interval(clusters, sure), agreement(sample, marks),
    )  # fmt: skip


def settled(note: SampledNote, marks: Sequence[NoteMarks]) -> tuple[list[Mark], list[Mark], list[Mark]]:
    """Right finds, wrong finds and what was missed, by all reviewers together.

    Misses that overlap are one, of the first one's type; within a find that stays right nothing was missed.
    """
    wrong = set.intersection(*(set(each.wrong) for each in marks))
    types = {(start, end): label for each in marks for start, end, label in each.right_type}
    good = [(*mark[:2], types.get(mark[:2], mark[2])) for mark in note.found if mark[:2] not in wrong]
    bad = [mark for mark in note.found if mark[:2] in wrong]
    gone: list[Mark] = []
    for start, end, label in sorted(mark for each in marks for mark in each.missed):
        if any(start >= first and end <= last for first, last, _ in good):
            continue
        if gone and start < gone[-1][1]:
            gone[-1] = (gone[-1][0], max(end, gone[-1][1]), gone[-1][2])
        else:
            gone.append((start, end, label))
    return good, bad, gone


def agreement(sample: Sample, marks: Sequence[Marks]) -> Agreement | None:
    """Of the first two reviewers; None of one.

    F1 of spans beside kappa, since nearly all characters identify nobody (Hripcsak, Rothschild 2005, Agreement, the F-measure,
    and reliability in information retrieval).
    """
    if len(marks) == 1:
        return None
    both = one = two = neither = same = spans = 0
    for number, note in enumerate(sample.notes, 1):
        first, second = (_identifying(note, each.of(number)) for each in marks[:2])
        a, b = ({place for start, end in found for place in range(start, end)} for found in (first, second))
        both, one, two = both + len(a & b), one + len(a - b), two + len(b - a)
        neither += note.length - len(a | b)
        same, spans = same + len(first & second), spans + len(first) + len(second)
    return Agreement(kappa(both, one, two, neither), 2 * same / spans if spans else None)


def _identifying(note: SampledNote, marks: NoteMarks) -> set[tuple[int, int]]:
    return {mark[:2] for mark in note.found} - set(marks.wrong) | {mark[:2] for mark in marks.missed}

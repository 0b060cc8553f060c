"""What a reviewer marked: which finds are wrong, what was missed, which notes are done; offsets and labels, no text."""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from pydantic import ValidationError

from anon_platform.errors import SourceError
from anon_platform.review.sample import Mark, Sample, SampledNote
from anon_platform.spec import Spec

LABEL = re.compile(r"[A-Z][A-Z0-9_]{0,62}")


LONGEST = 100
"""Characters of a reviewer's name, at most."""


class NoteMarks(Spec):
    """Of one note. wrong: finds that identify nobody, by start and end; right_type: finds of another type; missed: identifiers that were not found."""

    done: bool
    wrong: tuple[tuple[int, int], ...] = ()
    right_type: tuple[Mark, ...] = ()
    missed: tuple[Mark, ...] = ()


class Marks(Spec):
    """A reviewer's marks of a sample, by the number of the note, from 1."""

    format: int
    sample: str
    reviewer: str
    notes: dict[str, NoteMarks]

    def of(self, number: int) -> NoteMarks:
        """The marks of a note; none where there are none."""
        return self.notes.get(str(number), NoteMarks(done=False))


def read_marks(file: Path) -> Marks:
    """The marks in a file that the page saved; another file raises `SourceError`."""
    try:
        return Marks.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError as fault:
        raise SourceError(f"cannot read {file}: {fault.strerror}") from None
    except (ValidationError, ValueError):
        pass
    raise SourceError(f"{file} is not what the page of anon review saves; save it again from the page")


def require_sound(marks: Marks, sample: Sample) -> None:
    """Refuses marks that are not whole, or that do not fit the notes: what was not looked at would count as found."""
    if marks.format != 1:
        raise SourceError("the marks were saved by another version of the page; draw a new sample")
    if not marks.reviewer.strip() or len(marks.reviewer) > LONGEST or not marks.reviewer.isprintable():
        raise SourceError("the marks say no reviewer; write your name on the page and save again")
    numbers = [str(number) for number in range(1, len(sample.notes) + 1)]
    if not set(marks.notes) <= set(numbers):
        raise SourceError("the marks name notes that are not in the sample; save them again from its page")
    open_ = [number for number in numbers if not marks.of(int(number)).done]
    if open_:
        raise SourceError(
            f"{len(open_)} of {len(numbers)} notes are not done, the first is note {open_[0]}; load the marks on the page,"
            " finish them and save again"
        )
    for number, note in enumerate(sample.notes, 1):
        if not _fits(marks.of(number), note):
            raise SourceError(
                f"the marks of note {number} do not fit its text; save them again from the page of this sample"
            )


def _fits(marks: NoteMarks, note: SampledNote) -> bool:
    """Whether each mark of a find is of a find, and what was missed lies in the text, beside the finds that are right."""
    finds = {(start, end) for start, end, _ in note.found}
    named = [*marks.wrong, *((start, end) for start, end, _ in marks.right_type)]
    labels = [label for *_, label in (*marks.right_type, *marks.missed)]
    missed = [(start, end) for start, end, _ in marks.missed]
    right = finds - set(marks.wrong)
    return (
        set(named) <= finds
        and len(set(named)) == len(named)
        and all(LABEL.fullmatch(label) for label in labels)
        and all(0 <= start < end <= note.length for start, end in missed)
        and not _overlap([*missed, *right])
    )


def _overlap(spans: Iterable[tuple[int, int]]) -> bool:
    return any(after[0] < before[1] for before, after in pairwise(sorted(spans)))

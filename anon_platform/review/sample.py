"""The sample that was drawn, as it is kept: spans and sizes, no text."""

import os
from pathlib import Path

from anon_platform.errors import IntegrityError, SourceError
from anon_platform.home import home
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.ledger.audit import canonical_json
from anon_platform.spec import Spec

Mark = tuple[int, int, str]
"""Start, end (exclusive) and label, in code points, as Python counts them."""


class Stratum(Spec):
    """Notes of one column, one quarter of lengths and one value of a column: how many there are, and were drawn."""

    notes: int
    drawn: int


class SampledNote(Spec):
    """A note of the sample. stratum: its place among the strata; length: code points; found: what the run replaces."""

    stratum: int
    length: int
    found: tuple[Mark, ...]


class Sample(Spec):
    """What was drawn, for whom it is kept: `anon review-import` checks marks against it."""

    dataset: str
    settings: str
    """Keyed digest of what finds in the texts; a review holds for no other."""
    fingerprint: str
    """Keyed, of the source."""
    confidence: float
    seed: int
    strata: tuple[Stratum, ...]
    notes: tuple[SampledNote, ...]

    @property
    def id(self) -> str:
        """The keyed digest of all of it: whoever changes what is kept changes the id."""
        said = canonical_json(self.model_dump(mode="json"))
        return load_key(INSTANCE_KEY).derive("review").token(said, 20)

    def keep(self) -> None:
        """Writes the sample to the platform's own folder, readable by the user alone."""
        write_private(folder_of(self.dataset, self.id) / "sample.json", self.model_dump_json() + "\n")


def folder_of(dataset: str, sample: str) -> Path:
    """Where a sample and the marks of its reviewers are kept."""
    return home() / "reviews" / dataset / sample


def kept_sample(sample: str) -> Sample:
    """The sample of this id, as it was drawn here; another one raises `SourceError`, a changed one `IntegrityError`."""
    found = [file for file in home().glob("reviews/*/*/sample.json") if file.parent.name == sample]
    if not found:
        raise SourceError(
            "the marks belong to no sample that was drawn here; import them where anon review was run, or draw a"
            " sample with: anon review POLICY"
        )
    broken = False
    try:
        read = Sample.model_validate_json(found[0].read_text(encoding="utf-8"))
    except (OSError, ValueError):
        broken = True
    if broken or read.id != sample:
        raise IntegrityError(f"{found[0]} is not what was drawn; draw a new sample with: anon review POLICY")
    return read


def write_private(file: Path, text: str) -> None:
    """Writes a file that the current user alone may read, in one step; it has that mode before it has a byte."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)

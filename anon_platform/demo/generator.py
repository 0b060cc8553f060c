"""The generator: settings in, a folder of identified encounters, notes, voters and truth out."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
from pydantic import Field

from anon_platform.demo.encounters import Sample
from anon_platform.demo.folder import OutputFolder
from anon_platform.demo.identifiers import MOST_PATIENTS
from anon_platform.demo.notes import write_notes
from anon_platform.demo.sampling import stream
from anon_platform.demo.timeline import Label
from anon_platform.demo.voters import voter_list
from anon_platform.spec import Spec

GENERATOR_VERSION = 1
"""Raised whenever the same settings would give other bytes, so that old folders are made anew."""

ROWS_PER_PART = 300_000


class DemoSettings(Spec):
    """What to generate; equal settings give byte-identical files."""

    n: int = Field(default=100_000, ge=1, le=MOST_PATIENTS)
    """Encounters, exactly."""
    seed: int = Field(default=7, ge=0)
    """Another seed gives other patients, names and dates."""
    label: Label = "real"
    """`real` keeps the readmission label of the copied encounter. `resampled` draws it anew from its
    predicted probability, so that the copies of an encounter do not share it."""
    notes: bool = True
    """Write a clinical note for each encounter, and its gold spans."""
    notes_share: float = Field(default=1.0, gt=0, le=1)
    """Share of the encounters that have a note, drawn at random."""
    csv: bool = False
    """Write encounters and voters as CSV too."""
    voters: int | None = Field(default=None, ge=0, le=MOST_PATIENTS)
    """Entries of the voter list; as many as there are patients if not given."""
    overlap: float = Field(default=0.30, ge=0, le=1)
    """Share of the patients that stand on the voter list."""
    voter_noise: float = Field(default=1.0, ge=0, le=10)
    """Multiplies the error rates of the voter list; 0 gives an exact list."""


class _Tally:
    """What the summary counts while the parts are written."""

    def __init__(self) -> None:
        self.rows = 0
        self.columns = 0
        self.readmitted: Counter[str] = Counter()
        self.spans = 0
        self.characters = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Count the rows of one part."""
        self.rows += rows.height
        self.columns = rows.width
        self.readmitted.update(dict(rows["readmitted"].value_counts().iter_rows()))
        if "note_text" in rows.columns:
            self.characters += int(rows["note_text"].str.len_chars().sum())


def generate(
    settings: DemoSettings, out: Path, *, progress: Callable[[int, int], None] | None = None
) -> dict[str, object]:
    """The summary of the dataset in the folder `out`, which is made unless it is there already.

    Writes encounters/part-*.parquet (sorted by admission, 300,000 rows each), note_spans/part-*.parquet,
    voters.parquet, truth/patients.parquet, truth/links.parquet and, last, summary.json.
    A complete folder with the same settings is left as it is; a folder of other settings is replaced.
    `progress` is called with the rows written so far and the rows in all.

    Raises StorageError for a folder with files that this generator did not write.

    Every row is a copy of a real one. Models must split by `split` in truth/patients: a split by row
    puts copies of one patient on both sides. Identifiers and times are no features: the date of the
    next admission gives the label away.
    """
    report = progress or (lambda _done, _total: None)
    folder = OutputFolder(out)
    made_from: dict[str, object] = {
        "generator": "anon_platform.demo",
        "version": GENERATOR_VERSION,
        **settings.model_dump(mode="json"),
    }
    if (summary := folder.finished(made_from)) is not None:
        report(settings.n, settings.n)
        return summary
    folder.clear()
    sample = Sample.draw(settings.seed, settings.n, settings.label)
    listed = _write_voters(sample, settings, folder)
    tally = _write_encounters(sample, settings, folder, report)
    return folder.finish(
        {
            "made_from": made_from,
            "encounters": tally.rows,
            "columns": tally.columns,
            "patients": len(sample.people),
            "readmitted": dict(sorted(tally.readmitted.items())),
            "spans": tally.spans,
            "note_mean_chars": round(tally.characters / tally.rows, 1),
            **listed,
        }
    )


def _write_encounters(
    sample: Sample, settings: DemoSettings, folder: OutputFolder, report: Callable[[int, int], None]
) -> _Tally:
    tally = _Tally()
    order = sample.timeline.order()
    for part, begin in enumerate(range(0, settings.n, ROWS_PER_PART)):
        ordinals = order[begin : begin + ROWS_PER_PART]
        rows = sample.rows(part, ordinals)
        if settings.notes:
            people = sample.people.take(sample.cohort.patient[ordinals])
            notes, spans = write_notes(stream(settings.seed, "notes", part), rows, people, sample.world)
            noted = stream(settings.seed, "noted", part).random(rows.height) < settings.notes_share
            rows = rows.with_columns(pl.when(pl.Series(noted)).then(notes).alias(notes.name))
            spans = spans.join(
                rows.filter(pl.Series(noted)).select("encounter_id"), on="encounter_id", how="semi"
            )
            folder.write(f"note_spans/part-{part:03d}", spans)
            tally.spans += spans.height
        folder.write(f"encounters/part-{part:03d}", rows, csv=settings.csv)
        tally.add(rows)
        report(tally.rows, settings.n)
    return tally


def _write_voters(sample: Sample, settings: DemoSettings, folder: OutputFolder) -> dict[str, int]:
    """The numbers of voters, of links to patients, and of links without a mistake; the frames are let go."""
    patient_ids = sample.identifiers.patient_ids()
    voters = voter_list(
        stream(settings.seed, "voters"),
        sample.people,
        patient_ids,
        sample.world,
        size=len(sample.people) if settings.voters is None else settings.voters,
        overlap=settings.overlap,
        noise=settings.voter_noise,
    )
    folder.write("voters", voters.voters, csv=settings.csv)
    folder.write("truth/links", voters.links)
    linked = voters.links.select("patient_id", "voter_id")
    patients = sample.truth().join(linked, on="patient_id", how="left", maintain_order="left", validate="1:1")
    folder.write("truth/patients", patients)
    return {
        "voters": voters.voters.height,
        "linked": voters.links.height,
        "linked_exact": int((voters.links["changed"] == "").sum()),
    }

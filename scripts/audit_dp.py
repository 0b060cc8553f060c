"""Tries to catch the platform lying about ε; writes docs/dp-audit.md.

Every mechanism is run many times on two tables that differ by one person with many rows. What an onlooker can tell of the
person bounds ε from below; a bound above the claim ends the script. Then the same is done to mechanisms that are broken on
purpose, where a bound that is not above the claim ends it: an audit that finds nothing could be blind.

`--slow` adds sensitivities that are wrong by 5 %, a million runs a side and more: half an hour. `--runs 0.1` takes a tenth of the runs, for a
look; nothing is written then. `--only TEXT` runs only what has the text in its name, and puts its lines in place of theirs.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("POLARS_MAX_THREADS", "1")  # tables of ten rows

import numpy as np

from anon_platform.dp.audit import Audit
from anon_platform_tests.dp import audited_models as models
from anon_platform_tests.dp import audited_synthesis as synthetic
from anon_platform_tests.dp.audited_mechanisms import (
    BOUNDING,
    CLAIM,
    CONFIDENCE,
    CONTRIBUTION,
    COUNT,
    DELTA,
    FOUND,
    KEYS_DELTA,
    NEW_KEYS,
    PEOPLE,
    PERSON_ROWS,
    PLACES,
    SUM,
    WARDS,
    Mechanism,
    Scores,
    last_bin,
    moved_by_one,
    noise,
    some_shown,
    statistic,
)

PAGE = Path(__file__).parents[1] / "docs" / "dp-audit.md"

PILOT = 0.2
"""Share of the counted runs that choose the event, beside them."""

CHUNK = 250_000
"""Numbers that one process draws at once; of a statistic a hundredth."""


@dataclass(frozen=True)
class Task:
    """A mechanism and how often it is run."""

    mechanism: Mechanism
    runs: int
    """A side."""
    nearest: float = 0.0
    """The bound of a sound mechanism is at least this: else the audit saw too little."""

    @property
    def end_to_end(self) -> bool:
        """Whether each run begins with rows."""
        return "noise" not in self.mechanism.what


MEAN = {"measure": "mean", "of": "age"}
SOUND = (
    Task(noise(0.0), 100_000, 0.9),
    Task(noise(DELTA), 400_000, 0.9),
    Task(statistic(COUNT), 20_000, 0.85),
    Task(statistic(PEOPLE, moved_by_one, ward=WARDS), 6_000, 0.5),
    Task(statistic(SUM), 10_000, 0.8),
    Task(statistic({"measure": "histogram", "of": "age"}, last_bin), 6_000, 0.5),
    Task(statistic(MEAN), 4_000),
    Task(statistic({"measure": "variance", "of": "age"}), 4_000),
    Task(statistic({"measure": "quantiles", "of": "age", "quantiles": [0.5]}), 4_000),
    Task(statistic({**COUNT, "totals": "consistent"}), 4_000),
    Task(statistic({"measure": "target_encoding", "of": "age", "by": ["ward"]}), 4_000),
    Task(statistic(FOUND, some_shown, found=NEW_KEYS), 10_000, 0.5),
    Task(synthetic.synthesis(), 4_000, 0.7),
    Task(synthetic.synthesis(more=True), 1_000),
    Task(models.model(models.MODEL), 20_000, 0.6),
    Task(models.model(models.MODEL_OUTSIDE, delta=0.0), 6_000, 0.75),
    Task(models.model(models.MODEL_INSIDE), 4_000),
)

HALF = "sensitivity too small, × 1.5"
BROKEN = (
    Task(noise(0.0, 1.5), 20_000),
    Task(noise(DELTA, 1.5), 40_000),
    Task(statistic(COUNT, broken=HALF), 4_000),
    Task(statistic(SUM, broken=HALF), 4_000),
    Task(statistic(COUNT, broken=BOUNDING), 4_000),
    Task(statistic(FOUND, some_shown, PLACES, found=NEW_KEYS), 4_000),
    Task(synthetic.synthesis(broken=HALF), 2_000),
    Task(models.model(models.MODEL, models.GRADIENTS), 20_000),
    Task(models.model(models.MODEL, models.PER_ROW), 1_000),
    Task(models.model(models.MODEL_INSIDE, models.TWICE), 6_000),
)
SLOW = (Task(noise(0.0, 1.05), 1_000_000), Task(noise(DELTA, 1.05), 2_000_000))


MODELS_TEXT = (
    "Models are trained anew in every run, and the event is of the scores that are released (of the evaluation too, where it is named):",
    f"the person has categories of their own in {len(models.FEATURES)} features. Models claim ρ, converted at δ = {models.MODEL_DELTA:g}, but for the person held out,",
    "which is under pure differential privacy. The scores show all that a person moves but the gradient's total and the counts of",
    "the bins, which have 28 % of the ρ. Of the person held out only the evaluation's counts are looked at: that such a person moves",
    "nothing else, and one who is trained on no count of the evaluation, is shown exactly by a test of the sums before any noise.",
)

ONCE: dict[str, Callable[[], synthetic.OneRun]] = {
    **{name: partial(synthetic.one_run, name) for name in synthetic.ONE_RUNS},
    models.ONE_RUN_MODEL: models.one_run_of_model,
}


class LyingError(AssertionError):
    """A bound is above its claim; or the audit does not see what it should."""


def drawn(mechanism: Mechanism, *, with_person: bool, runs: int, seed: int) -> Scores:
    """In a process of its own."""
    return mechanism.scores(with_person=with_person, runs=runs, seed=seed)


def started(pool: ProcessPoolExecutor, task: Task, share: float) -> list[list[Future[Scores]]]:
    """The draws of both sides, in chunks."""
    mechanism, chunk = task.mechanism, CHUNK // 100 if task.end_to_end else CHUNK
    sides = []
    for with_person in (True, False):
        # what cannot happen without the person need not be looked for
        only = mechanism.event is not None and not with_person
        left = 10 if only else round(task.runs * share * (1 + PILOT))
        chunks = []
        while left > 0:
            seed = 1_000_000 * with_person + left
            runs = min(chunk, left)
            chunks.append(pool.submit(drawn, mechanism, with_person=with_person, runs=runs, seed=seed))
            left -= runs
        sides.append(chunks)
    return sides


def audits(pool: ProcessPoolExecutor, tasks: Sequence[Task], share: float) -> list[tuple[Task, Audit]]:
    """The bound of each task."""
    waiting = [(task, started(pool, task, share)) for task in tasks]
    found = []
    for task, sides in waiting:
        mine, others = (np.concatenate([chunk.result() for chunk in side]) for side in sides)
        pilot = 0 if task.mechanism.event else round(task.runs * share * PILOT)
        audit = task.mechanism.audited(mine, others, pilot)
        found.append((task, audit))
        sys.stderr.write(f"{task.mechanism.what} {task.mechanism.broken}: {audit.bound:.3f}\n")
    return found


def require(sound: Sequence[tuple[Task, Audit]], broken: Sequence[tuple[Task, Audit]]) -> None:
    """Ends the script where a bound is not where it belongs."""
    for task, audit in sound:
        if not task.nearest <= audit.bound <= CLAIM:
            raise LyingError(
                f"{task.mechanism.what}: {audit.bound:.4f} is not from {task.nearest} to {CLAIM:g}"
            )
    for task, audit in broken:
        if audit.bound <= CLAIM:
            raise LyingError(f"{task.mechanism.what}, {task.mechanism.broken}: {audit.bound:.4f}, not caught")


def row(task: Task, audit: Audit) -> str:
    """A line of the page."""
    seen = audit.seen
    counted = "" if task.mechanism.event else f" / {seen.other_hits / seen.other_runs:.2%}"
    name = task.mechanism.what + (f", **{task.mechanism.broken}**" if task.mechanism.broken else "")
    return f"| {name} | {seen.runs:,} | {seen.hits / seen.runs:.2%}{counted} | **{audit.bound:.3f}** |"


def page(
    sound: Sequence[tuple[Task, Audit]],
    broken: Sequence[tuple[Task, Audit]],
    once: Sequence[synthetic.OneRun],
    took: float,
) -> str:
    """The page of an audit that found what it should and nothing else."""
    head = [
        "| mechanism | runs a side | event seen with / without the person | ε at least |",
        "|---|---|---|---|",
    ]
    return "\n".join(
        [
            "# Audit of differential privacy",
            "",
            f"Written by `make audit-dp` on {datetime.now(UTC):%Y-%m-%d} ({took:.0f} s). Every mechanism claims ε = {CLAIM:g}. It is run many",
            f"times on two tables that differ by one person, who has {PERSON_ROWS} rows where nothing else is said; {CONTRIBUTION} of them are kept",
            "(contribution bounding). How often an event is seen on either side bounds ε from below (Clopper-Pearson at",
            f"{CONFIDENCE:.1%} confidence, both sides together; the event is chosen on other draws). A bound above the claim would",
            "have ended the script: the platform would have lied.",
            "",
            "## What the platform claims holds",
            "",
            *head,
            *[row(*one) for one in sound],
            "",
            "Statistics are run end to end, from rows to the released frame, under pure differential privacy. Gaussian noise claims ρ,",
            f"converted at δ = {DELTA:g}: its bound is that of a Gaussian, by the same conversion. Keys of one person may be shown with",
            f"chance δ = {KEYS_DELTA:g}: their bound is in units of that δ. Means, variances and quantiles release less than what they",
            "measure, so that no event comes near their claim.",
            "",
            *MODELS_TEXT,
            "",
            "That chance of keys is also summed up from the noise, which no number of runs can replace: OpenDP 0.16 leaves the threshold",
            "itself out of δ (opendp issue 2922; 0.92 % reported, 1.09 % true, for three keys at ε = 0.5). So a threshold is priced as",
            "the one below it, and a test holds the sum against the claim.",
            "",
            "## What is broken on purpose is caught",
            "",
            *head,
            *[row(*one) for one in broken],
            "",
            *once_text(once),
        ]
    )


def once_text(once: Sequence[synthetic.OneRun]) -> list[str]:
    """What single runs of the synthesizer show."""
    return [
        "## One run of the synthesizer",
        "",
        f"Of {synthetic.PEOPLE:,} people with a category of their own, each is in the data by the toss of a coin. Who sees one synthetic table",
        f"guesses of the {synthetic.GUESSES:,} who stand out most whether they are in it (Steinke, Nasr and Jagielski 2023).",
        "",
        *once_rows([one for one in once if one.what != models.ONE_RUN_MODEL]),
        "## One run of the model",
        "",
        f"Of {models.ONE_RUN_PEOPLE:,} people with a category of their own in both features, each is in the data by the toss of a coin; guesses are",
        "of the quarter who stand out most. The gradient's total and the counts, which do not show, have four tenths of its ε.",
        "",
        *once_rows([one for one in once if one.what == models.ONE_RUN_MODEL]),
    ]


def once_rows(once: Sequence[synthetic.OneRun]) -> list[str]:
    """A table of single runs."""
    return [
        "| what is looked at | guesses that are right | ε at least |",
        "|---|---|---|",
        *[f"| {one.what} | {one.correct / one.guesses:.1%} | **{one.bound:.3f}** |" for one in once],
        "",
    ]


def named(tasks: Sequence[Task], only: str) -> list[Task]:
    """Those with the text in their names."""
    return [task for task in tasks if only in task.mechanism.what]


def replaced(page: str, part: str) -> str:
    """The page with the rows of a part of it in place of those of the same names, or below the others of their table."""
    lines, heading = page.split("\n"), ""
    for line in part.split("\n"):
        heading = line if line.startswith("## ") else heading
        if not line.startswith("| ") or "ε at least" in line:
            continue
        same = [at for at, one in enumerate(lines) if one.split(" | ")[0] == line.split(" | ")[0]]
        last = lines.index(heading)
        last = next(at for at in range(last, len(lines)) if lines[at].startswith("|"))
        last = next(at for at in range(last, len(lines)) if not lines[at].startswith("|"))
        lines[same[0] if same else last : same[0] + 1 if same else last] = [line]
    return "\n".join(lines)


def main() -> None:
    """Runs all and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", action="store_true", help="with sensitivities that are wrong by 5 %%")
    parser.add_argument(
        "--runs", type=float, default=1.0, help="share of the runs; below 1 nothing is written"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--only", default="", help="part of the names of what is run; the rest of the page stays"
    )
    asked = parser.parse_args()
    start = time.monotonic()
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        once = [pool.submit(run) for name, run in ONCE.items() if asked.only in name]
        sound = audits(pool, named(SOUND, asked.only), asked.runs)
        broken = audits(pool, named(BROKEN + (SLOW if asked.slow else ()), asked.only), asked.runs)
        seen = [one.result() for one in once]
    if asked.runs >= 1:
        require(sound, broken)
        for one in seen:
            if one.bound > one.claim:
                raise LyingError(f"{one.what}: {one.bound:.4f} is above {one.claim:g}")
    text = page(sound, broken, seen, time.monotonic() - start)
    if asked.only:
        text = replaced(PAGE.read_text(encoding="utf-8"), text)
    if asked.runs >= 1:
        PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()

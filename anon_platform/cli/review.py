"""`anon review` and `anon review-import`: people look at a sample of the notes, and what they find is measured."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anon_platform.cli.terminal import AsJson, err, json_out, out, progress_bars
from anon_platform.errors import PolicyError, SourceError, StorageError

if TYPE_CHECKING:  # imported where it is used: help must not wait for the engines
    from rich.table import Table

    from anon_platform.review import Drawn, Measured
    from anon_platform.review.measured import Share


def review(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="RELEASE|POLICY",
            help="A release (folder, id, or a dataset's newest), or a policy file, when none is there yet.",
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.html", help="The page to write.")],
    recall: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="The recall that is to be shown if nothing is missed.")
    ],
    confidence: Annotated[
        float, typer.Option(min=0.95, max=0.9999, help="Of the interval, two-sided.")
    ] = 0.95,
    notes: Annotated[int | None, typer.Option(min=2, help="So many notes instead, about.")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Draw from each value of this column by its share.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same notes.")] = 1,
    policy: Annotated[
        Path | None,
        typer.Option(help="The policy file of the release, where it is not in the policies folder."),
    ] = None,
    label_studio: Annotated[
        Path | None,
        typer.Option(
            "--label-studio",
            metavar="TASKS.json",
            help="Write the sample for Label Studio too; its labels in TASKS.xml.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw a sample of notes for people to look at, as one page that works offline.

    [bold red]The page holds IDENTIFIED notes[/bold red]: the originals with what was found in them marked, since nobody can tell a surrogate from an original. Only you may read the file; keep it where the source may lie, and delete it when you are done.

    The sample is of the source's notes, stratified by column and length; released rows are in secret order and cannot be traced. What the reviewer saves is read back with: anon review-import.

    [bold]anon review visits --recall 0.98 -o review.html[/bold]
    """
    from anon_platform.review import draw, write_page
    from anon_platform.review.drawing import Wish
    from anon_platform.review.label_studio import labelling_config, tasks
    from anon_platform.review.sample import write_private

    for file in filter(None, (output, label_studio)):
        if file.exists() and not force:
            raise StorageError(f"{file} exists; write another file, or say --force to overwrite it")
    wish = Wish(recall, confidence, seed, by, notes)
    with progress_bars(quiet=as_json) as progress:
        file, release = _subject(subject, policy)
        drawn = draw(file, wish, progress, release=release)
    try:
        write_page(drawn, output)
        if label_studio is not None:
            write_private(label_studio, tasks(drawn))
            write_private(label_studio.with_suffix(".xml"), labelling_config(drawn.sample))
    except OSError as fault:
        raise StorageError(f"cannot write {fault.filename or output}: {fault.strerror}") from None
    if as_json:
        json_out(_drawn_json(drawn))
        return
    out.print(_drawn_text(drawn, wish.recall, output), soft_wrap=True)
    err.print(
        f"WARNING: {output} holds IDENTIFIED notes; delete it when you are done",
        style="bold red",
        soft_wrap=True,
    )


def review_import(
    marks: Annotated[
        Path, typer.Argument(metavar="MARKS.json", help="What the page saved, or an export of Label Studio.")
    ],
    *,
    dataset: Annotated[str | None, typer.Option(help="The dataset that the marks have to be of.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read a reviewer's marks back: measured recall by type and overall, with exact intervals (Clopper-Pearson).

    Identifiers of one note are not independent, so there is an interval by notes as well; the lower of both lower ends is what a policy's reviewed_recall is held against. Marks of a second reviewer of the same sample are added: what one of them missed was missed, and their agreement is measured.

    [bold]anon review-import visits-marks.json[/bold]
    """
    from anon_platform.review import import_marks

    found = import_marks(marks, dataset)
    if as_json:
        json_out(_measured_json(found))
        return
    out.print(_table(found))
    out.print(_summary(found), soft_wrap=True)


def _subject(named: str, policy: Path | None) -> tuple[Path, dict[str, Any] | None]:
    """The policy file, and the manifest of the release that the sample is to speak for, where one was named."""
    if Path(named).suffix in {".yaml", ".yml"} or Path(named).is_file():
        return Path(named), None
    manifest = _manifest(named)
    return policy or _policy_of(str(manifest["dataset"])), manifest


def _manifest(named: str) -> dict[str, Any]:
    """Of a release, by its folder, its id or its dataset, whose newest it is then."""
    from anon_platform.ledger import Ledger
    from anon_platform.publish import MANIFEST, read_json

    folder = Path(named)
    if not folder.is_dir():
        with Ledger.open() as ledger:
            paths = [entry.path for entry in ledger.releases() if named in (entry.release_id, entry.dataset)]
        if not paths:
            raise SourceError(
                f"no such file or folder, release or dataset with a release: {named}; see: anon releases"
            )
        folder = Path(paths[-1])
    found: dict[str, Any] = read_json(folder / MANIFEST)
    return found


def _policy_of(dataset: str) -> Path:
    """The file in the policies folder that is of this dataset."""
    from anon_platform.policy import dataset_name

    folder = Path(os.environ.get("ANON_POLICIES") or "policies")
    files = [file for file in sorted(folder.glob("*.yaml")) if dataset_name(file) == dataset]
    if not files:
        raise PolicyError(f"{folder} has no policy of dataset {dataset}; name it with --policy")
    return files[0]


def _drawn_json(drawn: "Drawn") -> dict[str, object]:
    return {
        "sample": drawn.sample.id, "notes": len(drawn.texts), "of": drawn.available, "found": drawn.found,
        "wanted_identifiers": drawn.wanted, "strata": [vars(stratum) for stratum in drawn.sample.strata],
    }  # fmt: skip


def _drawn_text(drawn: "Drawn", recall: float, output: Path) -> str:
    enough = drawn.worth >= drawn.wanted
    short = (
        ""
        if enough
        else " These notes are worth fewer: the recall cannot be shown with them, also if nothing is missed."
    )
    return (
        f"{len(drawn.texts):,} of {drawn.available:,} notes, {len(drawn.sample.strata)} strata, {drawn.found:,} spans found:"
        f" worth {drawn.worth:,.0f} independent identifiers, since those of a note may be missed together."
        f" {drawn.wanted:,} identifiers of which none is missed show a recall of {recall:g} with"
        f" {drawn.sample.confidence * 100:g} % confidence.{short}\nOpen {output} in a browser, mark every note, save,"
        " and read the marks back with: anon review-import MARKS.json"
    )


def _measured_json(found: "Measured") -> dict[str, object]:
    return {
        **vars(found), "low": found.low, "recall": vars(found.recall), "precision": vars(found.precision),
        "by_label": {
            label: {"recall": vars(recall), "precision": vars(precision)}
            for label, (recall, precision) in found.by_label.items()
        },
        "agreement": None if found.agreement is None else vars(found.agreement),
    }  # fmt: skip


def _table(found: "Measured") -> "Table":
    from rich.table import Table

    table, sure = Table(box=None), f"{found.confidence * 100:g} %"
    for heading in ("type", "identifiers", "missed", "recall", sure, "wrong", "precision", sure):
        table.add_column(heading, justify="left" if heading == "type" else "right")
    for label, (recall, precision) in (*found.by_label.items(), ("all", (found.recall, found.precision))):
        wrong = precision.n - precision.hits
        table.add_row(
            label,
            f"{recall.n:,}",
            f"{recall.n - recall.hits:,}",
            *_cells(recall),
            f"{wrong:,}",
            *_cells(precision),
        )
    return table


def _cells(share: "Share") -> tuple[str, str]:
    if share.share is None:
        return "–", "–"
    return f"{share.share:.4f}", f"{share.low:.4f} – {share.high:.4f}"


def _summary(found: "Measured") -> str:
    low, high = found.by_notes
    weighted = "–" if found.weighted is None else f"{found.weighted:.4f}"
    lines = [
        f"{found.notes:,} notes, {found.touched:,} with at least one miss; {found.reviewers} reviewer(s)",
        f"recall weighted by strata {weighted}; interval by notes {low:.4f} – {high:.4f}",
        f"what reviewed_recall is held against: {found.low:.4f}, the lower of both lower ends",
    ]
    if found.agreement is not None:
        kappa, f1 = ("–" if one is None else f"{one:.3f}" for one in vars(found.agreement).values())
        lines.append(f"agreement of the first two reviewers: kappa {kappa} of characters, F1 {f1} of spans")
    return "\n".join(lines)

"""`anon`: everything Dagster does, as a plain command."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from anon_platform import errors
from anon_platform.cli.attack import attack
from anon_platform.cli.budget import budget_app
from anon_platform.cli.frontier import frontier
from anon_platform.cli.kanon import kanon
from anon_platform.cli.keys import keys_app
from anon_platform.cli.query import query
from anon_platform.cli.reidentify import approvers_app, reidentify_app
from anon_platform.cli.review import review, review_import
from anon_platform.cli.suggest import suggest
from anon_platform.cli.terminal import EPILOG, AsJson, Exit, err, json_out, out, print_whole, progress_bars
from anon_platform.cli.text import evaluate_text, find_text
from anon_platform.cli.withdraw import withdraw

EXITS: dict[type[errors.AnonError], Exit] = {
    errors.PolicyError: Exit.POLICY,
    errors.SourceError: Exit.SOURCE,
    errors.BusyError: Exit.BUSY,
    errors.StorageError: Exit.STORAGE,
    errors.KeyUnavailableError: Exit.KEY,
    errors.ReleaseRefusedError: Exit.REFUSED,
    errors.IntegrityError: Exit.REFUSED,
    errors.NotApprovedError: Exit.REFUSED,
    errors.BudgetError: Exit.REFUSED,
}

T = TypeVar("T")

app = typer.Typer(
    name="anon",
    help="Turns identified data into releases that AI teams may use, and proves it.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
audit_app = typer.Typer(help="The audit ledger.", epilog=EPILOG, no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(approvers_app, name="approvers")
app.add_typer(reidentify_app, name="reidentify")
app.add_typer(audit_app, name="audit")
app.add_typer(budget_app, name="budget")

PolicyFile = Annotated[
    Path, typer.Argument(metavar="POLICY", help="A policy file, such as policies/hospital_encounters.yaml.")
]


@app.command(epilog=EPILOG)
def run(policy: PolicyFile, *, as_json: AsJson = False) -> None:
    """Make a release: ingest, analyze, anonymize, validate, publish.

    A refused release leaves a report that says why, and no data. A release that is there already is not made again.
    """
    from anon_platform.cli.show import refusal, summary
    from anon_platform.pipeline import run as run_pipeline

    with progress_bars(quiet=as_json) as progress:
        outcome = run_pipeline(policy, progress)
    report = outcome.validated
    if as_json:
        json_out(
            {
                "released": outcome.released,
                "stages": {n: r.model_dump(mode="json") for n, r in outcome.reports.items()},
            }
        )
    elif outcome.released:
        out.print(summary(Path(report.path)))
    else:
        out.print(refusal(Path(report.path)))
    if not outcome.released:
        raise typer.Exit(Exit.REFUSED)


@app.command(epilog=EPILOG)
def check(policy: PolicyFile, *, as_json: AsJson = False) -> None:
    """Check a policy against its source's schema and print the plan, without reading a row.

    Every fault is named with file, line and column and what to write instead, all at once.
    """
    from anon_platform.cli.show import plan_text
    from anon_platform.pipeline import plan
    from anon_platform.policy import FaultyPolicyError

    try:
        planned = plan(policy)
    except FaultyPolicyError as error:
        if as_json:
            json_out({"faults": [vars(fault) for fault in error.faults]})
            raise typer.Exit(Exit.POLICY) from None
        raise
    if as_json:
        json_out(planned.as_json())
    else:
        out.print(plan_text(planned))


@app.command(epilog=EPILOG)
def verify(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="A release folder; see: anon releases.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Check a release from its files alone: every hash, the schema, row-level k, l and t. Exit code 1 on any mismatch."""
    from anon_platform.cli.show import verification
    from anon_platform.pipeline import verify as verify_release

    verified = verify_release(release)
    if as_json:
        findings = [vars(finding) for finding in verified.findings]
        json_out({"passed": verified.passed, "release_id": verified.release_id, "findings": findings})
    else:
        out.print(verification(verified))
    if not verified.passed:
        raise typer.Exit(Exit.REFUSED)


@app.command(epilog=EPILOG)
def releases(
    dataset: Annotated[str | None, typer.Argument(metavar="[DATASET]", help="Only this dataset's.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the releases in the catalog, oldest first."""
    from anon_platform.cli.show import catalog
    from anon_platform.ledger import Ledger

    with Ledger.open() as ledger:
        entries = ledger.releases(dataset)
    if as_json:
        json_out([vars(entry) for entry in entries])
    else:
        print_whole(catalog(entries))


@app.command(epilog=EPILOG)
def show(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="A dataset's name, such as hospital_encounters.")
    ],
) -> None:
    """Summarize the newest release of a dataset: what was released, the guarantees, the report."""
    from anon_platform.cli.show import summary
    from anon_platform.ledger import Ledger

    with Ledger.open() as ledger:
        entries = ledger.releases(dataset)
    if not entries:
        raise errors.SourceError(f"no release of {dataset} in the catalog; make one with: anon run POLICY")
    newest = Path(entries[-1].path)
    out.print(_of_a_release(newest, lambda: summary(newest)))


@app.command("demo-data", epilog=EPILOG)
def demo_data(
    *,
    rows: Annotated[int, typer.Option("-n", "--rows", min=1, help="Encounters to make.")] = 100_000,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")] = Path(".anon/demo"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    notes: Annotated[
        bool, typer.Option("--notes/--no-notes", help="With clinical notes and their gold spans.")
    ] = True,
    notes_share: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Share of the encounters that have a note.")
    ] = 1.0,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV files as well.")] = False,
    label: Annotated[
        str,
        typer.Option(
            help="real: labels of the base data; resampled: drawn anew, for more rows than the base has."
        ),
    ] = "real",
) -> None:
    """Make identified demo encounters: real clinical data (UCI Diabetes 130-US) with invented identities.

    Nobody in it exists. Comes with a voter list for linkage attacks, and the truth behind it.
    """
    from pydantic import ValidationError

    from anon_platform.demo import DemoSettings, generate

    try:
        settings = DemoSettings.model_validate(
            {
                "n": rows,
                "seed": seed,
                "label": label,
                "notes": notes,
                "notes_share": notes_share,
                "csv": csv,
            }
        )
    except ValidationError as faulty:
        told = [f"{fault['loc'][0]}: {fault['msg']}" for fault in faulty.errors()]
        raise typer.BadParameter("; ".join(told)) from None
    with progress_bars(quiet=False) as progress:
        made = generate(
            settings, folder, progress=lambda done, total: progress("demo encounters", done, total)
        )
    out.print(
        f"{made['encounters']:,} encounters of {made['patients']:,} invented patients in {folder}",
        soft_wrap=True,
    )


@app.command(epilog=EPILOG)
def schema(
    *,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write to this file; printed when left out.")
    ] = None,
) -> None:
    """Print the JSON Schema of policies, for editors."""
    from anon_platform.policy import json_schema

    if write is None:
        sys.stdout.write(json_schema())
        return
    try:
        write.write_text(json_schema(), encoding="utf-8")
    except OSError as fault:
        raise errors.StorageError(f"cannot write {write}: {fault.strerror}") from None


app.command(epilog=EPILOG)(attack)
app.command(epilog=EPILOG)(frontier)
app.command(epilog=EPILOG)(kanon)
app.command(epilog=EPILOG)(query)
app.command(epilog=EPILOG)(review)
app.command("review-import", epilog=EPILOG)(review_import)
app.command(epilog=EPILOG)(suggest)
app.command(epilog=EPILOG)(withdraw)
app.command("find-text", epilog=EPILOG)(find_text)
app.command("evaluate-text", epilog=EPILOG)(evaluate_text)


@audit_app.command("verify", epilog=EPILOG)
def audit_verify(*, as_json: AsJson = False) -> None:
    """Check the ledger's chain: a changed, removed, reordered or inserted event is found. Exit code 1 if there is one.

    Every release's manifest is a witness: it carries the newest event at its promotion.
    """
    from anon_platform.ledger import Ledger
    from anon_platform.publish import MANIFEST

    with Ledger.open() as ledger:
        manifests = [Path(entry.path) / MANIFEST for entry in ledger.releases()]
        heads = [
            _of_a_release(path.parent, partial(_ledger_head, path)) for path in manifests if path.exists()
        ]
        result = ledger.verify(heads)
    if as_json:
        json_out(
            {"ok": result.ok, "events": result.events, "faults": [vars(fault) for fault in result.faults]}
        )
    elif result.ok:
        out.print(f"✓ {result.events:,} events, each as it was written; witnesses: {len(heads)} manifests")
    else:
        for fault in result.faults:
            out.print(f"✗ event {fault.seq}: {fault.text}", soft_wrap=True)
    if not result.ok:
        raise typer.Exit(Exit.REFUSED)


@audit_app.command("log", epilog=EPILOG)
def audit_log(
    dataset: Annotated[str | None, typer.Argument(metavar="[DATASET]", help="Only this dataset's.")] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="So many newest events.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Print the newest events of the ledger: who, what, when, with what outcome."""
    from anon_platform.cli.show import events_table
    from anon_platform.ledger import Ledger

    with Ledger.open() as ledger:
        events = ledger.events(dataset, limit)
    if as_json:
        json_out([event.row() for event in events])
    else:
        print_whole(events_table(events))


def main() -> None:
    """The command; an error is one message and an exit code, never a traceback."""
    # what this process prints of Polars' and DuckDB's own accord could quote cells
    os.environ.setdefault("POLARS_VERBOSE", "0")
    code = Exit.OK
    try:
        app()
    except errors.AnonError as error:
        code = next(code for kind, code in EXITS.items() if isinstance(error, kind))
        err.print("error", style="bold red", end=" ")
        err.print(str(error), highlight=False, soft_wrap=True)
    except SystemExit as ended:
        # the command line library turns an interrupt into this
        if ended.code == Exit.STOPPED:
            err.print("stopped; the next run goes on from here")
        raise
    if code is not Exit.OK:
        sys.exit(int(code))


def _ledger_head(manifest: Path) -> tuple[int, str]:
    from anon_platform.publish import read_json

    head = read_json(manifest)["ledger_head"]
    return int(head["seq"]), str(head["hash"])


def _of_a_release(folder: Path, read: Callable[[], T]) -> T:
    """What is read from a release; files that are not of the right form were changed afterwards."""
    try:
        return read()
    except (KeyError, TypeError, ValueError):
        raise errors.IntegrityError(
            f"the files in {folder} are not what was released; run: anon verify {folder}"
        ) from None

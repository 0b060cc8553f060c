"""`anon suggest`: a complete policy for a source that has none."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from anon_platform.cli.terminal import AsJson, err, json_out, out, progress_bars
from anon_platform.errors import StorageError


def suggest(
    data: Annotated[
        str, typer.Argument(metavar="SOURCE", help="CSV or Parquet: a file, a folder, or a glob in quotes.")
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="The policy to write; printed when left out."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the policy.")] = False,
    as_json: AsJson = False,
) -> None:
    """Suggest a policy for any source: what each column is, why, and how to treat it.

    Names, patterns, check digits, word lists and distributions speak for a kind, each column with its likelihood; what is uncertain is kept back and marked. Combinations that single people out are counted. No value of the data is shown or written.

    [bold]anon suggest visits.csv -o policies/visits.yaml[/bold]
    """
    from anon_platform.suggest import as_json as told
    from anon_platform.suggest import suggest as suggested
    from anon_platform.suggest import write

    if output is not None and output.exists() and not force:
        raise StorageError(f"{output} exists; write another file, or say --force to overwrite it")
    with progress_bars(quiet=as_json or output is None) as progress:
        found = suggested(data, output or Path("suggested.yaml"), progress)
    if output is not None:
        write(found, output, force=force)
    if as_json:
        json_out(told(found.classification))
    elif output is None:
        sys.stdout.write(found.text)
    else:
        _summary(output)


def _summary(policy: Path) -> None:
    """What was written, and whether it runs as it stands."""
    from anon_platform.pipeline import plan
    from anon_platform.policy import FaultyPolicyError

    text = policy.read_text(encoding="utf-8")
    looks, decisions = text.count("# look at this"), text.count("# decide")
    out.print(
        f"{policy}: {looks} columns to look at, {decisions} decisions; then run: anon check {policy}",
        soft_wrap=True,
    )
    try:
        plan(policy)
    except FaultyPolicyError as faulty:
        err.print("it does not run as it stands:", style="bold")
        for fault in faulty.faults:
            err.print(f"  {fault}", highlight=False, soft_wrap=True)

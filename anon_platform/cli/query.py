"""`anon query`: SQL, answered with noise."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anon_platform.cli.terminal import AsJson, Exit, Reason, err, json_out, out, print_whole, progress_bars

if TYPE_CHECKING:  # imported when the command runs, so that help comes at once
    from anon_platform.pipeline.dp import Fits
    from anon_platform.pipeline.dp.measuring import Expected


def query(
    policy: Annotated[
        Path,
        typer.Argument(
            metavar="POLICY",
            help="A differentially private policy: its domains, contribution bound and caps hold for the query.",
        ),
    ],
    sql: Annotated[str, typer.Argument(metavar="SQL", help="FROM names the policy's dataset.")],
    *,
    epsilon: Annotated[float, typer.Option(help="ε that the query may take of the budget.")],
    delta: Annotated[float, typer.Option(help="δ of the query; 0 where the population's caps have none.")],
    purpose: Reason,
    keys_delta: Annotated[
        float, typer.Option(help="The part of δ for groups that are found in the data.")
    ] = 0.0,
    recipient: Annotated[
        str | None, typer.Option(help="Who gets the answer; the policy's recipient when left out.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say how exact the answer would be; nothing is spent.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Spend without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer a query in SQL with noise, and take its ε from the privacy budget.

    The expected error is shown before anything is spent. The same query on the same data finds its answer, and spends nothing.

    [bold]anon query policies/readmission_statistics.yaml --epsilon 0.1 --delta 1e-8 --purpose "stays by age" "SELECT age, AVG(time_in_hospital) FROM readmission_statistics GROUP BY age"[/bold]
    """
    from anon_platform.errors import BudgetError
    from anon_platform.pipeline.dp import fits_budget
    from anon_platform.pipeline.dp.plan import require_sound
    from anon_platform.pipeline.dp.query import query_policy
    from anon_platform.pipeline.run import run_dp

    if as_json and not (plan or yes):
        raise typer.BadParameter(
            "--json asks nothing: add --yes to spend, or --plan to see how exact it would be"
        )
    asked = query_policy(
        policy,
        sql,
        epsilon=epsilon,
        delta=delta,
        keys_delta=keys_delta,
        recipient=recipient,
        purpose=purpose,
    )
    planned = require_sound(asked)
    fit = fits_budget(asked)
    if plan and as_json:
        told = {"expected": [vars(each) for each in planned.expected]}
        json_out({**told, "fits": not fit.reason, "reason": fit.reason})
    elif plan or not yes:
        _print_plan(planned.expected, fit)
    if plan:
        return
    if fit.reason:
        raise BudgetError(fit.reason)
    if not yes and not typer.confirm(f"Spend ε = {epsilon:g}?"):
        err.print("nothing was spent")
        return
    with progress_bars(quiet=as_json) as progress:
        outcome = run_dp(asked, progress)
    _print_answers(Path(outcome.validated.path), outcome.released, as_json)


def _print_plan(expected: "tuple[Expected, ...]", fit: "Fits") -> None:
    """How exact the answer would be, what is left, and whether it fits."""
    from anon_platform.cli.show_dp import expected_table

    out.print(expected_table(expected))
    for name, left in fit.left.items():
        out.print(f"{name}: {left:.4g}")
    if fit.reason:
        out.print(f"It does not fit: {fit.reason}", soft_wrap=True, markup=False)


def _print_answers(folder: Path, released: bool, as_json: bool) -> None:  # noqa: FBT001 - as the run and the caller say
    """The answers, or where it stands why there are none."""
    from anon_platform.cli.show_dp import answers

    if not released:
        err.print(f"refused, and what it lost stays spent; {folder / 'report.html'} says why", soft_wrap=True)
        raise typer.Exit(Exit.REFUSED)
    if as_json:
        json_out(_results(folder))
    else:
        print_whole(answers(folder))


def _results(folder: Path) -> dict[str, Any]:
    """Every answer, row by row."""
    from anon_platform.cli.show_dp import frames

    return {
        "release": folder.name,
        "folder": str(folder),
        "answers": {name: frame.to_dicts() for name, frame in frames(folder).items()},
    }

"""`anon frontier`: risk against loss for settings around a policy."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from anon_platform.cli.terminal import AsJson, json_out, out, print_whole, progress_bars

if TYPE_CHECKING:  # imported when the command runs, so that help comes at once
    from anon_platform.frontier import Frontier


def _numbers(text: str | None, kind: type[int] | type[float], option: str) -> list[Any]:
    try:
        return [kind(part) for part in text.split(",")] if text else []
    except ValueError:
        raise typer.BadParameter(f"write numbers with commas between, such as --{option} 3,5,10") from None


def _caps(given: Sequence[str]) -> dict[str, list[str]]:
    found = {}
    for text in given:
        name, sign, levels = text.partition("=")
        if not sign or not levels:
            raise typer.BadParameter("write a column and levels, such as --cap age=10,20")
        found[name] = levels.split(",")
    return found


def frontier(
    policy: Annotated[
        Path,
        typer.Argument(metavar="POLICY", help="A policy file, such as policies/hospital_encounters.yaml."),
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FOLDER", help="Where page and JSON go.")
    ] = None,
    k: Annotated[str | None, typer.Option(help="Values of k, such as 3,5,10.")] = None,
    l: Annotated[str | None, typer.Option("--l", help="Values of l.")] = None,
    t: Annotated[str | None, typer.Option("--t", help="Values of t.")] = None,
    suppressed: Annotated[
        str | None, typer.Option(help="Limits of suppressed records, such as 0,0.05.")
    ] = None,
    cap: Annotated[
        list[str] | None,
        typer.Option(help="Coarsest levels of a column, such as age=10,20; may be repeated."),
    ] = None,
    epsilon: Annotated[
        str | None, typer.Option(help="Values of ε of a differentially private policy, such as 0.5,1,2.")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(min=100, help="Measure on so many people drawn at random; all when left out."),
    ] = None,
    model: Annotated[
        bool, typer.Option("--model", help="Train the policy's model at every setting, too.")
    ] = False,
    people: Annotated[int, typer.Option(min=100, help="People for the model.")] = 20_000,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Draw risk against usefulness for settings around a policy, and say which setting to take.

    Every combination of k, l, t, suppression limit and coarsest levels is searched and measured on counts; nothing is released and no release is disturbed. The policy's own setting is always among them. Points are kept below ANON_HOME, without a value of the data, and reused. Of a differentially private policy ε is tried: noise from the policy alone, a synthetic table on the data, inside; nothing is spent. On a sample the same k hurts more than on all people: use it to compare settings, not for the numbers of a release.

    [bold]anon frontier policies/visits.yaml --k 3,5,10 --suppressed 0,0.05,0.1 -o frontier[/bold]
    """
    from anon_platform.frontier import run_frontier, sweep_of, write_frontier
    from anon_platform.frontier.running import frontier_policy
    from anon_platform.frontier.writing import as_json as told
    from anon_platform.home import home
    from anon_platform.policy import kind_of

    if kind_of(policy) == "dp":
        _of_epsilon(policy, _numbers(epsilon, float, "epsilon"), sample, jobs, output, as_json=as_json)
        return
    if epsilon is not None:
        raise typer.BadParameter("--epsilon: only a differentially private policy has one; leave it out")
    known = frontier_policy(policy)
    if model and known.model is None:
        raise typer.BadParameter("--model: the policy names no model; leave it out")
    asked = {
        "k": _numbers(k, int, "k"),
        "l": _numbers(l, int, "l"),
        "t": _numbers(t, float, "t"),
        "suppressed_records": _numbers(suppressed, float, "suppressed"),
    }
    sweep = sweep_of(known, asked, _caps(cap or []))
    with progress_bars(quiet=as_json) as progress:
        found = run_frontier(
            known, sweep, sample=sample, model_people=people if model else None, jobs=jobs, progress=progress
        )
    page, numbers = write_frontier(found, output or home() / "frontier" / known.dataset)
    if as_json:
        json_out({**told(found), "page": str(page)})
        return
    print_whole(_table(found))
    _say(found)
    out.print(f"page  {page}", soft_wrap=True)
    out.print(f"json  {numbers}", soft_wrap=True)


def _of_epsilon(
    file: Path,
    epsilons: Sequence[float],
    sample: int | None,
    jobs: int,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    from anon_platform.frontier.dp import recommendation, run_trade_off, write_trade_off
    from anon_platform.frontier.dp.writing import as_json as told
    from anon_platform.frontier.dp.writing import rows_of
    from anon_platform.home import home
    from anon_platform.pipeline.run import sound_dp

    known = sound_dp(file)
    with progress_bars(quiet=as_json) as progress:
        found = run_trade_off(known, epsilons, sample=sample, jobs=jobs, progress=progress)
    page, numbers = write_trade_off(found, output or home() / "frontier" / known.dataset)
    if as_json:
        json_out({**told(found), "page": str(page)})
        return
    rows = rows_of(found)
    table = Table(box=None, pad_edge=False)
    columns = [name for name in rows[0] if name != "reason"]
    for name in columns:
        table.add_column("ε" if name == "epsilon" else name.replace("_", " "))
    for row in rows:
        table.add_row(*(row.get(name, row["reason"]) for name in columns))
    print_whole(table)
    out.print(("✓ " if found.best is not None else "✗ ") + recommendation(found), soft_wrap=True)
    if known.synthetic is not None:
        out.print(
            "these figures are exact and not covered by ε: for the owner of the data only", soft_wrap=True
        )
    out.print(f"page  {page}", soft_wrap=True)
    out.print(f"json  {numbers}", soft_wrap=True)


def _say(found: "Frontier") -> None:
    from anon_platform.frontier.writing import recommendation

    out.print(("✓ " if found.advice.best is not None else "✗ ") + recommendation(found), soft_wrap=True)


def _table(found: "Frontier") -> Table:
    """The front, the policy's setting and the recommended one."""
    from anon_platform.frontier.writing import rows_of

    table = Table(box=None, pad_edge=False)
    columns = ("setting", "k", "risk", "suppressed", "loss", "model", "misses", "")
    for name in columns:
        table.add_column(name)
    for row in rows_of(found):
        if not row["marks"]:
            continue
        if row["reason"]:
            table.add_row(row["setting"], row["reason"], *[""] * 5, ", ".join(row["marks"]))
            continue
        table.add_row(
            *(row[name] for name in ("setting", "k", "risk", "suppressed", "loss", "model", "missed")),
            ", ".join(row["marks"]),
        )
    return table

"""`anon attack`: a file of one's own linked with a release, as somebody who holds both would try."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from anon_platform.cli.terminal import AsJson, json_out, out, print_whole

if TYPE_CHECKING:
    from anon_platform.pipeline.attacks.folder import Attacked
    from anon_platform.policy import YearsSince
    from anon_platform.validate.attacks.intervals import Share


def attack(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="A release folder; see: anon releases.")],
    *,
    external: Annotated[
        Path, typer.Option(metavar="FILE", help="CSV or Parquet, one row a person, such as a voter list.")
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RELEASED=THEIRS",
            help="A released column and the column of the file that tells of it; once for each. Columns of the same name when left out.",
        ),
    ] = None,
    years: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RELEASED=DATE:FIRST-LAST",
            help="A released column of whole years since a date of the file, and the years of the records, such as age=birth_date:1999-2008.",
        ),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option("--id", metavar="COLUMN", help="The file's column that names a person; for --truth."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Who is who: the --id column, and the --person column, or `row`, the number of the released row from 0.",
        ),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="A released column that tells people apart; without it rows are counted."
        ),
    ] = None,
    probabilistic: Annotated[
        bool,
        typer.Option("--probabilistic", help="Also by likelihood (Fellegi and Sunter): lists have mistakes."),
    ] = False,
    similar: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RELEASED=LEAST",
            help="A compared column whose texts agree from this Jaro-Winkler similarity on, such as name=0.9.",
        ),
    ] = None,
    people: Annotated[
        int, typer.Option(min=1, help="At most so many people of the file, drawn at random.")
    ] = 50_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="POLICY",
            help="The release's policy, where hierarchies are files that the release only names.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Link a file of your own with a release, and count the people whom it re-identifies.

    Works on the release folder alone, from the released bytes and the levels in the manifest. Nobody's name or value is shown.

    [bold]anon attack RELEASE --external voters.csv --columns sex=sex --columns zip=zip --years age=birth_date:1999-2008[/bold]
    """
    from anon_platform.pipeline.attacks.folder import Asked, attack_release_folder

    asked = Asked(
        external, dict(_pair(each) for each in columns or ()), dict(_years(each) for each in years or ()),
        identity, truth, person, people, seed, probabilistic, policy, similar=dict(_least(each) for each in similar or ()),
    )  # fmt: skip
    attacked = attack_release_folder(release, asked)
    if as_json:
        json_out(asdict(attacked))
        return
    out.print(_heading(attacked), soft_wrap=True)
    print_whole(_table(attacked))
    out.print(_notes(attacked), soft_wrap=True)


def _pair(text: str) -> tuple[str, str]:
    ours, equal, theirs = text.partition("=")
    if not (ours and equal and theirs):
        raise typer.BadParameter(f"{text}: write <released column>=<column of the file>")
    return ours, theirs


def _least(text: str) -> tuple[str, float]:
    ours, least = _pair(text)
    try:
        share = float(least)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise typer.BadParameter(
            f"{text}: write <released column>=<similarity from 0 to 1>, such as name=0.9"
        )
    return ours, share


def _years(text: str) -> "tuple[str, YearsSince]":
    from pydantic import ValidationError

    from anon_platform.policy import YearsSince

    ours, theirs = _pair(text)
    date, _, span = theirs.rpartition(":")
    first, _, last = span.partition("-")
    try:
        return ours, YearsSince(since=date, in_years=(int(first), int(last or first)))
    except (ValueError, ValidationError):
        raise typer.BadParameter(
            f"{text}: write <released column>=<date column>:<first year>-<last year>, such as age=birth_date:1999-2008"
        ) from None


def _heading(attacked: "Attacked") -> str:
    tried = attacked.found[0].attacked
    drawn = "" if tried == attacked.total else f", {tried:,} of them drawn"
    return (
        f"release {attacked.release_id}: {attacked.total:,} people in the file{drawn}, matched on"
        f" {', '.join(attacked.columns)}"
    )


def _table(attacked: "Attacked") -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("matched by")
    heads = [
        "with candidates",
        f"exactly one {attacked.unit}",
        *(["right", "precision", "recall"] if attacked.truth else []),
    ]
    for name in [*heads, "random candidate", "anybody"]:
        table.add_column(name, justify="right")
    for found in attacked.found:
        cells = [f"{found.matched:,}", f"{found.claims:,}"]
        if found.precision is not None and found.recall is not None:
            cells += [f"{found.certain.successes:,}", _share(found.precision), _share(found.recall)]
        table.add_row(found.way, *cells, f"{found.picked:.4f}", f"{found.chance:.6f}")
    return table


def _share(share: "Share") -> str:
    if not share.n:
        return "no claim"
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


def _notes(attacked: "Attacked") -> str:
    said: Sequence[str] = [
        "random candidate: the share that a random pick among each one's candidates gets right on average"
        + ("" if attacked.truth else ", were all of them in the release")
        + "; anybody: that of a random pick among all.",
        "Rows are counted: no released column that tells people apart was named (--person), so one person with several rows"
        " is never exactly one." if attacked.unit == "row" else "",
        "Intervals are 95 % Wilson intervals."
        if attacked.truth
        else "How many claims are right is not known without --truth.",
    ]  # fmt: skip
    return "\n".join(filter(None, said))

"""`anon budget`: what of a privacy budget is spent and left, and a cap that is raised."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
import typer
from typer.core import TyperGroup

from anon_platform.cli.terminal import EPILOG, AsJson, Reason, json_out, out, print_whole
from anon_platform.errors import StorageError

if TYPE_CHECKING:  # imported when the command runs, so that help comes at once
    from anon_platform.ledger import Balance

HOW = (
    "The privacy budget: what of ε is spent, by whom, for what, and what is left.\n\n"
    "[bold]anon budget[/bold], or of one population with all its releases [bold]anon budget patients[/bold], is short for anon budget show.\n\n"
    "Every differentially private release takes its part from the account of a population before the source is read. What noise was drawn for is never given back."
)


class _ShowByDefault(TyperGroup):
    """`anon budget patients` means `anon budget show patients`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """The arguments with the command in front."""
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(context, args if named else ["show", *args])


budget_app = typer.Typer(help=HOW, epilog=EPILOG, cls=_ShowByDefault)


@budget_app.command("show", epilog=EPILOG)
def show(
    population: Annotated[
        str | None,
        typer.Argument(metavar="[POPULATION]", help="As policies name the people; all when left out."),
    ] = None,
    *,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw ε spent over time, as .svg or .png."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the caps, what is spent and left overall and by recipient, and the releases.

    ε is at the δ of the cap. Under zCDP the platform adds up ρ, which is tighter than adding up ε: beside it stands what basic composition would say. What is left is the ε of one release that takes all of it.
    """
    from anon_platform.cli.show_budget import as_told, budget_text
    from anon_platform.ledger import Budget, Ledger

    if plot is not None and plot.suffix not in (".svg", ".png"):
        raise typer.BadParameter("--plot: write a file that ends in .svg or .png")
    with Ledger.open() as ledger:
        budget = Budget(ledger)
        balances = budget.balances() if population is None else [budget.balance(population)]
    if plot is not None:
        if len(balances) != 1:
            raise typer.BadParameter("--plot: name one population")
        _draw(balances[0], plot)
    if as_json:
        json_out([as_told(balance) for balance in balances])
    else:
        print_whole(budget_text(balances, whole=population is not None))
        if plot is not None:
            out.print(f"plot  {plot}", soft_wrap=True)


@budget_app.command("raise", epilog=EPILOG)
def raise_cap(
    population: Annotated[
        str, typer.Argument(metavar="POPULATION", help="As policies name the people; see: anon budget.")
    ],
    *,
    epsilon: Annotated[float, typer.Option(help="ε of the new cap.")],
    delta: Annotated[float, typer.Option(help="δ of the new cap; 0 only where it was 0 before.")],
    keys_delta: Annotated[float, typer.Option(help="The part of δ for keys that the data names.")] = 0.0,
    recipient: Annotated[
        str, typer.Option(help="Raise the cap of this recipient; the one over all when left out.")
    ] = "",
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Raise a cap. It lets more be learned of everybody in the population: the ledger keeps who did it, and why.

    [bold]anon budget raise patients --epsilon 2 --delta 1e-6 --reason "ethics board, 3 May"[/bold]
    """
    from anon_platform.cli.show_budget import as_told, budget_text
    from anon_platform.ledger import Budget, Cap, Ledger

    cap = Cap(epsilon, delta, keys_delta)
    with Ledger.open() as ledger:
        balance = Budget(ledger).raise_cap(population, cap, reason=reason, recipient=recipient)
    if as_json:
        json_out(as_told(balance))
    else:
        print_whole(budget_text([balance], whole=False))


def _draw(balance: "Balance", file: Path) -> None:
    from anon_platform.cli.show_budget import drawn

    try:
        file.write_bytes(drawn(balance, file.suffix))
    except OSError as fault:
        raise StorageError(f"cannot write {file}: {fault.strerror}") from None

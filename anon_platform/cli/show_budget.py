"""What `anon budget` shows: accounts as tables, as JSON and as stairs over time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from anon_platform.dp import Loss
from anon_platform.ledger import Balance, Reservation, Share
from anon_platform.ledger.balance import course_of

NEWEST = 10
"""Releases in the list where more than one population is shown."""

BAR = 10
"""Characters of a full bar."""

NOTES = {
    "zcdp": "ρ is added up, not ε: used is a share of ρ, and spent and left are together more than the cap. Left: the ε of one release that takes it all.",
    "pure": "ε is added up.",
}

STYLES = {"reserved": "yellow", "spent": "bold yellow", "settled": "", "returned": "dim"}


def budget_text(balances: Sequence[Balance], *, whole: bool) -> RenderableType:
    """The accounts one below the other. whole: with all releases, not the newest only."""
    if not balances:
        return Text(
            "no privacy budget yet; the first differentially private release of a population opens its account"
        )
    parts: list[RenderableType] = []
    for balance in balances:
        parts += [
            Text(balance.population, style="bold"),
            Padding(_shares(balance), (0, 0, 0, 2), expand=False),
        ]
        parts.append(Text(f"  {NOTES[balance.rule]}", style="dim"))
        parts += [Text(""), Padding(_releases(balance, whole=whole), (0, 0, 0, 2), expand=False), Text("")]
    return Group(*parts[:-1])


def _shares(balance: Balance) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for name in ("", "cap ε", "at δ", "used", "spent", "reserved", "left", "basic composition"):
        table.add_column(name, justify="left" if name in ("", "used", "basic composition") else "right")
    for share in (balance.overall, *balance.recipients):
        cap, used = share.cap, _used(share)
        table.add_row(
            Text(share.recipient or "all recipients"),
            f"{cap.epsilon:g}",
            f"{cap.delta:g}" + (f" ({cap.keys_delta:g} keys)" if cap.keys_delta else ""),
            Text(_bar(used), style="red" if used >= 1 else ""),
            _up(share.spent_epsilon),
            _up(share.cap.epsilon_of(share.reserved)),
            Text(_down(share.left_epsilon), style="" if share.left.units else "bold red"),
            f"ε = {share.basic_epsilon:g}" + (f" at δ = {share.basic_delta:g}" if share.basic_delta else ""),
        )
    return table


def _releases(balance: Balance, *, whole: bool) -> RenderableType:
    if not balance.releases:
        return Text("no releases yet")
    shown = balance.releases if whole else balance.releases[-NEWEST:]
    heads = ("reserved (UTC)", "release", "dataset", "recipient", "for", "ε", "δ", "state", "who")
    table = Table(*heads, box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for each in shown:
        table.add_row(
            each.reserved_at[:19].replace("T", " "),
            Text(each.release_id),
            Text(each.dataset),
            Text(each.recipient),
            Text(each.purpose),
            f"{each.epsilon:g}",
            f"{each.delta:g}",
            Text(_state(each), style=STYLES[each.state]),
            Text(each.actor),
        )
    if len(shown) == len(balance.releases):
        return table
    hidden = len(balance.releases) - len(shown)
    return Group(table, Text(f"and {hidden:,} before; see: anon budget {balance.population}", style="dim"))


def _state(each: Reservation) -> str:
    return each.state + (f", {each.outcome}" if each.outcome not in ("", "ok") else "")


def _used(share: Share) -> float:
    """Share of the cap's units that is taken; above 1 after a cap was lowered."""
    return (share.spent + share.reserved).units / share.cap.loss.units


def _bar(used: float) -> str:
    full = min(BAR, int(used * BAR))
    return f"{'█' * full}{'░' * (BAR - full)} {min(used, 9.99):.0%}"


def _up(number: float) -> str:
    """Four digits, never less than the number: for what is spent."""
    return _digits(number, ROUND_CEILING)


def _down(number: float) -> str:
    """Four digits, never more than the number: for what is left."""
    return _digits(number, ROUND_FLOOR)


def _digits(number: float, rounding: str) -> str:
    # a number as it was written is not the float beside it: 0.2, not 0.19999999999999998
    written = Context(prec=12).create_decimal(Decimal(number))
    return f"{Context(prec=4, rounding=rounding).plus(written).normalize():g}"


def as_told(balance: Balance) -> dict[str, Any]:
    """An account for machines."""
    return {
        "population": balance.population,
        "rule": balance.rule,
        "overall": _share_told(balance.overall),
        "recipients": [_share_told(share) for share in balance.recipients],
        "caps": [vars(change) | {"cap": vars(change.cap)} for change in balance.changes],
        "releases": [vars(each) | {"loss": _loss_told(each.loss)} for each in balance.releases],
    }


def _share_told(share: Share) -> dict[str, Any]:
    losses = {name: _loss_told(getattr(share, name)) for name in ("spent", "reserved", "left")}
    return vars(share) | losses | {"cap": vars(share.cap)}


def _loss_told(loss: Loss) -> dict[str, Any]:
    return {"measure": loss.measure, "units": loss.units, "delta_units": loss.delta_units}


def drawn(balance: Balance, kind: str) -> bytes:
    """The stairs of an account as a file. kind: `.svg` or `.png`."""
    from anon_platform.publish.plots.budget import Stair, budget_png, budget_svg

    stairs = []
    for share in (balance.overall, *balance.recipients):
        course = course_of(balance, share)
        stairs.append(
            Stair(
                name=share.recipient or "all recipients",
                at=[datetime.fromisoformat(step.at) for step in course],
                epsilon=[step.epsilon for step in course],
                basic=[step.basic_epsilon for step in course],
                cap=share.cap.epsilon,
                delta=share.cap.delta,
            )
        )
    now = datetime.now(UTC)
    if kind == ".png":
        return budget_png(stairs, now)
    # on its own it has no page to take the typeface from
    alone = budget_svg(stairs, now).replace("<svg ", '<svg style="font-family: system-ui, sans-serif" ', 1)
    return alone.encode()

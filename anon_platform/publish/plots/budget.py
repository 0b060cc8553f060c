"""ε spent over time as a stair below its cap: one drawing for all recipients, a smaller one for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from anon_platform.publish.plots.svg import (
    INK,
    ORIGINAL_EDGE,
    RELEASED,
    SOFT,
    THRESHOLD,
    WIDTH,
    drawing,
    picture,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TALL, SMALL = 190, 90
"""Height of the stair of all recipients, and of one of them, in pixels."""

TOP, BETWEEN, BOTTOM, LEFT, RIGHT = 56, 40, 34, 52, 16

MOST = 8
"""So many recipients are drawn, those who had the most."""


@dataclass(frozen=True, kw_only=True)
class Stair:
    """What was spent under one cap. The three sequences are as long as each other, and in the order of time."""

    name: str
    at: Sequence[datetime]
    epsilon: Sequence[float]
    """Together so far, as the rule of the population adds it up."""
    basic: Sequence[float]
    """As the stated ε add up."""
    cap: float
    delta: float


def budget_svg(stairs: Sequence[Stair], now: datetime) -> str:
    """SVG of the stairs, the one of all recipients first; its typeface is that of the page around it."""
    chosen, height, draw = _plan(stairs, now)
    last = [
        f"{stair.name}: ε {stair.epsilon[-1] if stair.epsilon else 0:.3g} of {stair.cap:g}"
        for stair in chosen
    ]
    return drawing("budget", f"ε spent over time; {'; '.join(last)}", height, draw)


def budget_png(stairs: Sequence[Stair], now: datetime) -> bytes:
    """PNG of the same."""
    _, height, draw = _plan(stairs, now)
    return picture(height, draw)


def _plan(stairs: Sequence[Stair], now: datetime) -> tuple[list[Stair], int, Callable[["Figure"], None]]:
    most = sorted(stairs[1:], key=lambda stair: -max(stair.epsilon, default=0))[:MOST]
    chosen = [stairs[0], *sorted(most, key=stairs.index)]
    height = TOP + TALL + (len(chosen) - 1) * (BETWEEN + SMALL) + BOTTOM
    return chosen, height, lambda figure: _draw(figure, chosen, now, height)


def _draw(figure: "Figure", stairs: Sequence[Stair], now: datetime, height: int) -> None:
    moments = [moment for stair in stairs for moment in stair.at]
    first = min(moments, default=now - timedelta(days=1))
    room = max((now - first) * 0.03, timedelta(minutes=1))
    top = height - TOP
    for number, stair in enumerate(stairs):
        tall = SMALL if number else TALL
        axes = figure.add_axes(
            (LEFT / WIDTH, (top - tall) / height, (WIDTH - LEFT - RIGHT) / WIDTH, tall / height)
        )
        axes.patch.set_visible(False)
        _stair(axes, stair, first - room, now, basic=number == 0)
        axes.text(0, 1 + 8 / tall, _title(stair), transform=axes.transAxes, color=INK, va="bottom")
        if number + 1 < len(stairs):
            axes.set_xticklabels([])
        top -= tall + BETWEEN
    axes = figure.axes[0]
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, 1 + TOP / TALL), ncols=3, handlelength=1.4, columnspacing=1.2,
        borderaxespad=0, borderpad=0.3,
    )  # fmt: skip


def _title(stair: Stair) -> str:
    at = f" at δ = {stair.delta:g}" if stair.delta else ""
    return f"{stair.name}: cap ε = {stair.cap:g}{at}"


def _stair(axes: "Axes", stair: Stair, first: datetime, now: datetime, *, basic: bool) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    numbers: Callable[[datetime], float] = date2num
    moments = [numbers(moment) for moment in (first, *stair.at, now)]
    spent = [0, *stair.epsilon, stair.epsilon[-1] if stair.epsilon else 0]
    stated = [0, *stair.basic, stair.basic[-1] if stair.basic else 0]
    if basic:
        axes.step(
            moments, stated, where="post", color=ORIGINAL_EDGE, linewidth=1.2, linestyle=(0, (2, 2)),
            label="basic composition",
        )  # fmt: skip
    axes.fill_between(moments, spent, step="post", color=RELEASED, alpha=0.15, linewidth=0)
    axes.step(moments, spent, where="post", color=RELEASED, linewidth=1.8, label="ε spent")
    axes.axhline(stair.cap, color=THRESHOLD, linestyle=(0, (4, 2)), linewidth=1.6, label="cap")
    axes.set_xlim(moments[0], moments[-1])
    highest = max(stair.cap, spent[-1], min(stated[-1], 2 * stair.cap) if basic else 0)
    axes.set_ylim(0, highest * 1.08)
    axes.locator_params(axis="y", nbins=4 if basic else 2)
    locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    axes.grid(axis="y")
    axes.tick_params(axis="x", colors=SOFT)

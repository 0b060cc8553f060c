"""The plots of privacy: how many people share a combination, and the chance to pick the right one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.publish.plots.svg import (
    INK,
    ORIGINAL,
    ORIGINAL_EDGE,
    RELEASED,
    THRESHOLD,
    WIDTH,
    axes_on,
    drawing,
)
from anon_platform.publish.wording import SPACE, Counts, percent, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Bins = Sequence[Sequence[int]]
"""(lower bound in people, records), doubling from 1."""

LABELLED_BINS = 12
"""Above so many bins the bars are too narrow for numbers."""

NEAR = 0.9
"""Powers of two within which a mark would stand on another bar."""


@dataclass(frozen=True)
class Bar:
    """One bar: place and width in powers of two, height in per cent of the records. small: its mark if it is of few."""

    left: float
    width: float
    height: float
    small: str
    original: bool


def class_size_plot(before: Bins, after: Bins | None, *, k: int, smallest: int, unit: str, label: str) -> str:
    """Records by the size of their class, before and after, with the threshold k.

    smallest: people in the smallest class after. label: what the treated rows are called. Bars of fewer than
    k records are drawn at one height and marked `n < k`.
    """
    lowers = [lower for lower, _ in [*before, *(after or [])]] or [1]
    first, last = (int(math.log2(bound)) for bound in (min([*lowers, k]), max([*lowers, k])))

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, 320, left=56, right=14, top=40, bottom=56)
        counts = Counts(k)
        bars = [
            *_bars(before, (0.06, 0.5), 1, counts, original=True),
            *_bars(after or [], (0.5, 0.94), smallest, counts, original=False),
        ]
        top = max((bar.height for bar in bars), default=1.0)
        # two bars side by side leave less room for their numbers
        digits = 0 if {lower for lower, _ in before} & {lower for lower, _ in after or []} else 1
        _draw_bars(axes, bars, digits if last - first < LABELLED_BINS else None)
        axes.set_xlim(first - 0.1, last + 1.1)
        axes.set_ylim(0, top * 1.28)
        room = (WIDTH - 70) / (last - first + 1.2)
        step = math.ceil((len(f"{2 ** (last + 1):,}") * 6 + 6) / room)
        ticks = range(first, last + 2, step)
        axes.set_xticks([*ticks], [f"{2**tick:,}" for tick in ticks])
        axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= 100 and tick <= top * 1.28])  # noqa: PLR2004 - per cent
        axes.set_xlabel(f"{plural(unit)} who share the combination (each step doubles)")
        axes.set_ylabel("share of records, %")
        axes.grid(axis="y")
        axes.axvline(math.log2(k), color=THRESHOLD, linestyle=(0, (4, 2)), linewidth=1.6)
        axes.text(math.log2(k) + 0.12, top * 1.27, f"at least {k}", color=THRESHOLD, va="top", weight="bold")
        _legend(axes, label if after is not None else None)

    told = f"Records by the number of {plural(unit)} who share their combination, before and after; threshold {k}"
    return drawing("sizes", told, 320, draw)


def _bars(
    bins: Bins, place: tuple[float, float], smallest: int, counts: Counts, *, original: bool
) -> list[Bar]:
    """The bars of one histogram. place: from where to where in a bin."""
    total = sum(n for _, n in bins)
    found = []
    for lower, n in bins:
        exponent = math.log2(lower)
        # the bin that holds the smallest class begins there, not at the power of two
        left = max(exponent + place[0], min(math.log2(max(smallest, lower)), exponent + 0.86))
        height = max((counts.k if counts.small(n) else n) / total * 100, 0.4) if n else 0.0
        small = f"n {counts.shown(n)}" if counts.small(n) else ""
        found.append(Bar(left, exponent + place[1] - left, height, small, original))
    return [bar for bar in found if bar.height]


def _draw_bars(axes: "Axes", bars: Sequence[Bar], digits: int | None) -> None:
    """Bars with their numbers. digits: decimals of the numbers; without, only small counts are marked."""
    for bar in bars:
        axes.bar(
            bar.left,
            bar.height,
            bar.width,
            align="edge",
            color=ORIGINAL if bar.original else RELEASED,
            edgecolor=ORIGINAL_EDGE if bar.original else RELEASED,
            linewidth=1,
        )
        if digits is None and not bar.small:
            continue
        # a mark is wider than its bar: it stands above the neighbours
        near = [other.height for other in bars if bar.small and abs(other.left - bar.left) < NEAR]
        axes.annotate(
            bar.small or percent(bar.height / 100, digits or 0).removesuffix(f"{SPACE}%"),
            (bar.left + bar.width / 2, max([bar.height, *near])),
            (0, 3 if bar.height >= max(near, default=0.0) else 18),
            textcoords="offset points",
            ha="center",
            fontsize=11.5,
            color=INK,
        )


def _legend(axes: "Axes", label: str | None) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=ORIGINAL, edgecolor=ORIGINAL_EDGE, label="original")]
    if label is not None:
        handles.append(Patch(facecolor=RELEASED, edgecolor=RELEASED, label=label))
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=2,
        handlelength=1,
        handleheight=1,
    )


def risk_plot(
    before: tuple[float, float],
    after: tuple[float, float] | None,
    *,
    threshold: float | None,
    unit: str,
    label: str,
) -> str:
    """Maximum and mean risk before and after, as bars with their numbers; each pair is (maximum, mean)."""
    names = (f"The {unit} most at risk", "Average over all records")

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, 320, left=2, right=132, top=2, bottom=56)
        for group, name in enumerate(names):
            y = group * 3.8
            axes.text(0, y, name, weight="bold", va="center")
            bars = [(before[group], ORIGINAL, ORIGINAL_EDGE, "original")]
            if after is not None:
                bars.append((after[group], RELEASED, RELEASED, label))
            for number, (risk, fill, edge, who) in enumerate(bars, start=1):
                axes.barh(y + number * 0.95 - 0.05, risk, 0.8, color=fill, edgecolor=edge, linewidth=1)
                axes.annotate(
                    f"{percent(risk)} {who}",
                    (risk, y + number * 0.95 - 0.05),
                    (7, 0),
                    textcoords="offset points",
                    va="center",
                )
        if threshold is not None:
            axes.plot([threshold] * 2, [0.45, 2.75], color=THRESHOLD, linestyle=(0, (4, 2)), linewidth=1.6)
            axes.text(
                threshold,
                2.95,
                f"at most {percent(threshold)}",
                color=THRESHOLD,
                weight="bold",
                va="center",
                ha="left" if threshold < 0.5 else "right",  # noqa: PLR2004 - the half with room
            )
        axes.set_xlim(0, 1)
        axes.set_ylim(6.4, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        ticks = [0, 0.25, 0.5, 0.75, 1]
        axes.set_xticks(ticks, [f"{tick * 100:.0f} %" for tick in ticks])
        axes.get_xticklabels()[0].set_horizontalalignment("left")
        axes.set_xlabel(f"chance to pick the right {unit}")
        axes.grid(axis="x")

    told = f"Chance to pick the right {unit}: at most {percent(before[0])} and on average {percent(before[1])} before"
    if after is not None:
        told += f", at most {percent(after[0])} and on average {percent(after[1])} after"
    return drawing("risk", told, 320, draw)

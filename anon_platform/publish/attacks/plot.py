"""The plots of attacks: dots with their intervals, before and after, one line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.publish.free_text import share as nearly
from anon_platform.publish.plots.svg import INK, ORIGINAL_EDGE, RELEASED, THRESHOLD, axes_on, drawing
from anon_platform.publish.wording import decimal, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE_HEIGHT = 34
HALF = 0.5


@dataclass(frozen=True)
class Range:
    """A share and the ends of its interval, 0 to 1; None for the share where it is of few people."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Dots:
    """One line of a plot. before: of the raw data or of a control, drawn in grey; else in blue."""

    label: str
    share: Range
    before: bool


def attack_plot(
    name: str, rows: Sequence[Dots], *, limit: float | None, axis: str, whole: bool, area: bool = False
) -> str:
    """Shares with their intervals, one line each, with the threshold; a share that is 0 is a hollow dot.

    name: unique in the page. whole: the axis goes from 0 to 100 %, else as far as the intervals reach. area: the numbers
    are areas under a curve, from 0 to 1, not shares in per cent.
    """
    height = len(rows) * LINE_HEIGHT + 84
    longest = max((len(row.label) for row in rows), default=0)
    most = max([row.share.high for row in rows] + ([limit] if limit is not None else []), default=1.0)
    top = 1.0 if whole else min(max(most * 1.25, 0.02), 1.0)

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, height, left=min(longest * 6.6 + 16, 240), right=70, top=28, bottom=56)
        for y, row in enumerate(rows):
            colour, share = (ORIGINAL_EDGE if row.before else RELEASED), row.share
            axes.hlines(y, share.low, share.high, color=colour, linewidth=2.2)
            if share.value is not None:
                face = colour if share.value else "white"
                axes.plot(
                    share.value,
                    y,
                    "s" if row.before else "o",
                    ms=7.5,
                    mec=colour,
                    mfc=face,
                    mew=1.8,
                    clip_on=False,
                    zorder=4,
                )
            told = _told(share, area=area)
            axes.annotate(
                told, (1, y), (66, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                ha="right", va="center", color=INK,
            )  # fmt: skip
        if limit is not None:
            axes.axvline(limit, color=THRESHOLD, linestyle=(0, (4, 2)), linewidth=1.6, zorder=0)
            axes.annotate(
                f"at most {limit:g}" if area else f"at most {percent(limit)}", (limit, 1), (0, 6), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="right" if limit > top * HALF else "left", color=THRESHOLD, weight="bold",
            )  # fmt: skip
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.tick_params(axis="y", length=0, pad=9, labelcolor=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0, top)
        ticks = [top * step / 4 for step in range(5)]
        digits = 0 if whole else 1
        axes.set_xticks(ticks, [f"{tick:g}" if area else f"{tick * 100:.{digits}f} %" for tick in ticks])
        axes.grid(axis="x")
        axes.set_xlabel(axis)

    told = f"{axis}: " + ", ".join(
        f"{row.label} {percent(row.share.low)} to {percent(row.share.high)}" for row in rows
    )
    return drawing(name, told, height, draw)


def _told(share: Range, *, area: bool) -> str:
    """The number beside a line; of a few people what it is at most."""
    if area:
        return decimal(share.value or 0.0)
    if share.value is None:
        return f"≤\N{NO-BREAK SPACE}{percent(share.high, 2)}"
    return nearly(share.value, 1)

"""Drawings of usefulness: small bars of a column before and after, and how far chances can be trusted."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from anon_platform.publish.plots.svg import ORIGINAL, ORIGINAL_EDGE, RELEASED, SOFT, axes_on, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BAR, GAP, HEIGHT = 14, 3, 40
"""Pixels of the small bars."""


def small_bars(picture: Mapping[str, Any], told: str) -> str:
    """SVG text of a column's shares before (wide and grey) and after (narrow and blue), cell by cell.

    The last bar, behind a gap, is everything that is too rare to be shown alone.
    """
    pairs = list(zip(picture["before"], picture["after"], strict=True))
    few = tuple(picture["few"])
    shown = [*pairs, few] if any(few) else pairs
    highest = max((share for pair in shown for share in pair), default=0.0) or 1.0
    width = len(shown) * (BAR + GAP) + (3 * GAP if any(few) else 0)
    parts = []
    for place, (before, after) in enumerate(shown):
        x = place * (BAR + GAP) + (3 * GAP if place == len(pairs) else 0)
        parts.append(
            _bar(x, BAR, before / highest, ORIGINAL, f' stroke="{ORIGINAL_EDGE}" stroke-width="0.6"')
        )
        parts.append(_bar(x + BAR / 2 - 3, 6, after / highest, RELEASED, ""))
    line = f'<line x1="0" x2="{width}" y1="{HEIGHT + 0.5}" y2="{HEIGHT + 0.5}" stroke="{ORIGINAL_EDGE}"/>'
    return (
        f'<svg class="bars" role="img" aria-label="{escape(told)}" viewBox="0 0 {width} {HEIGHT + 1}"'
        f' width="{width}" height="{HEIGHT + 1}" xmlns="http://www.w3.org/2000/svg"><title>{escape(told)}</title>'
        f"{''.join(parts)}{line}</svg>"
    )


def _bar(x: float, width: float, share: float, colour: str, more: str) -> str:
    if not share:
        return ""
    height = max(round(share * (HEIGHT - 1), 2), 0.6)
    y = round(HEIGHT - height, 2)
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{colour}"{more}/>'


def calibration_plot(
    original: Sequence[Sequence[float]], released: Sequence[Sequence[float]], *, label: str
) -> str:
    """Reliability curves of both models: the chance that was said, and how often the event came."""
    highest = max(
        (value for curve in (original, released) for point in curve for value in point), default=1.0
    )
    top = min(1.0, highest * 1.1) or 1.0

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, 380, left=70, right=24, top=10, bottom=56)
        axes.plot(
            [0, top], [0, top], color=ORIGINAL_EDGE, linewidth=1, linestyle=(0, (1, 2)), label="perfect"
        )
        curves = (
            (original, SOFT, (0, (5, 2)), "s", "trained on original rows"),
            (released, RELEASED, "solid", "o", f"trained on {label} rows"),
        )
        for curve, colour, line, marker, name in curves:
            x, y = [point[0] for point in curve], [point[1] for point in curve]
            axes.plot(x, y, color=colour, linestyle=line, marker=marker, ms=5, linewidth=2, label=name)
        axes.set_xlim(0, top)
        axes.set_ylim(0, top)
        axes.locator_params(nbins=5)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f} %")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f} %")
        axes.tick_params(axis="x", pad=7)
        axes.set_xlabel("chance that the model says, tenths of the people")
        axes.set_ylabel("how often the event came")
        axes.grid()
        axes.legend(loc="upper left", handlelength=2.4, borderaxespad=0.3)

    told = "Reliability curves of the models trained on original and on released rows"
    return drawing("calibration", told, 380, draw)

"""The plots of usefulness: how far each column moved, and the model before and after."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anon_platform.publish.plots.svg import (
    INK,
    LINE,
    ORIGINAL_EDGE,
    RELEASED,
    SOFT,
    THRESHOLD,
    axes_on,
    drawing,
)
from anon_platform.publish.wording import decimal, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS_A_PANEL = 28
"""Columns in one panel of the fidelity plot, so that it fits on a printed page."""


def fidelity_plots(columns: Sequence[Mapping[str, Any]], *, threshold: float) -> list[str]:
    """How far each column's distribution moved: dots in order of distance, in panels of one scale."""
    panels = max(1, math.ceil(len(columns) / ROWS_A_PANEL))
    size = math.ceil(len(columns) / panels)
    longest = max((len(short(column["name"])) for column in columns), default=0)
    scale = max(threshold, max((column["distance"] for column in columns), default=0.0)) * 1.08 or 1.0
    found = []
    for number in range(panels):
        rows = columns[number * size : (number + 1) * size]
        # all panels are as high as the first, so that they line up
        found.append(_fidelity_panel(number, rows, size, longest, scale, threshold))
    return found


def _fidelity_panel(
    number: int,
    rows: Sequence[Mapping[str, Any]],
    size: int,
    longest: int,
    scale: float,
    threshold: float,
) -> str:
    height = size * 20 + 84

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, height, left=longest * 7.5 + 18, right=66, top=28, bottom=56)
        axes.hlines(range(len(rows)), 0, [row["distance"] for row in rows], color=LINE, linewidth=1.2)
        for over, marker, colour in ((False, "o", RELEASED), (True, "X", THRESHOLD)):
            spots = [
                (row["distance"], y) for y, row in enumerate(rows) if (row["distance"] > threshold) == over
            ]
            axes.plot(
                [x for x, _ in spots],
                [y for _, y in spots],
                marker,
                color=colour,
                ms=8 if over else 7,
                clip_on=False,
                zorder=4,
            )
        for y, row in enumerate(rows):
            over = row["distance"] > threshold
            axes.annotate(
                decimal(row["distance"]),
                (1, y),
                (60, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                ha="right",
                va="center",
                color=THRESHOLD if over else INK,
                weight="bold" if over else "normal",
            )
        axes.axvline(threshold, color=THRESHOLD, linestyle=(0, (4, 2)), linewidth=1.6, zorder=0)
        axes.annotate(
            f"at most {threshold:g}",
            (threshold, 1),
            (0, 6),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right" if threshold > scale * 0.6 else "left",
            color=THRESHOLD,
            weight="bold",
        )
        axes.set_yticks(range(len(rows)), [short(row["name"]) for row in rows])
        axes.tick_params(axis="y", length=0, pad=9, labelcolor=INK)
        axes.set_ylim(size - 0.4, -0.6)
        axes.set_xlim(0, scale)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("distance, 0 = unchanged")

    told = "Distance between original and released distribution: "
    told += ", ".join(f"{short(row['name'])} {decimal(row['distance'])}" for row in rows)
    return drawing(f"fidelity{number}", told, height, draw)


def roc_plot(original: Mapping[str, Any], released: Mapping[str, Any], *, label: str) -> str:
    """ROC curves of the model trained on original and on treated rows; both AUCs stand in the legend."""
    rates = [step / 100 for step in range(101)]

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, 380, left=70, right=24, top=10, bottom=56)
        axes.plot(
            [0, 1], [0, 1], color=ORIGINAL_EDGE, linewidth=1, linestyle=(0, (1, 2)), label="chance, AUC 0.5"
        )
        axes.plot(
            rates,
            original["true_positive_rate"],
            color=SOFT,
            linewidth=1.8,
            linestyle=(0, (5, 2)),
            label=f"trained on original rows, AUC {original['auc']:.3f}",
        )
        axes.plot(
            rates,
            released["true_positive_rate"],
            color=RELEASED,
            linewidth=2.2,
            label=f"trained on {label} rows, AUC {released['auc']:.3f}",
        )
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.005)
        ticks = [0, 0.25, 0.5, 0.75, 1]
        marks = [f"{tick * 100:.0f} %" for tick in ticks]
        axes.set_xticks(ticks, marks)
        axes.set_yticks(ticks, marks)
        axes.tick_params(axis="x", pad=7)
        axes.set_xlabel("false alarms (false-positive rate)")
        axes.set_ylabel("events found (true-positive rate)")
        axes.grid()
        handles, names = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], names[::-1], loc="lower right", handlelength=2.4, borderaxespad=0.3)

    told = f"ROC curves: AUC {original['auc']:.3f} trained on original rows, {released['auc']:.3f} on {label} rows"
    return drawing("roc", told, 380, draw)

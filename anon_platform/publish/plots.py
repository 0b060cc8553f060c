"""The plots of the report, from counts and metrics only; grey is the original, blue the release, vermillion the threshold."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anon_platform.publish.svg import (
    INK,
    LINE,
    ORIGINAL,
    ORIGINAL_EDGE,
    RELEASED,
    SOFT,
    THRESHOLD,
    WIDTH,
    drawing,
)
from anon_platform.publish.wording import Counts, decimal, percent, plural, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Bins = Sequence[Sequence[int]]
"""(lower bound in people, records), doubling from 1."""

ROWS_A_PANEL = 28
"""Columns in one panel of the fidelity plot, so that it fits on a printed page."""

LABELLED_BINS = 12
"""Above so many bins the bars are too narrow for numbers."""


def class_size_plot(before: Bins, after: Bins | None, *, k: int, smallest: int, unit: str, label: str) -> str:
    """Records by the size of their class, before and after, with the threshold k.

    smallest: people in the smallest class after. label: what the treated rows are called. Bars of fewer than
    k records are drawn at one height and labelled `< k`.
    """
    lowers = [lower for lower, _ in [*before, *(after or [])]] or [1]
    first, last = (int(math.log2(bound)) for bound in (min([*lowers, k]), max([*lowers, k])))

    def draw(figure: "Figure") -> None:
        axes = _axes(figure, 300, left=52, right=14, top=44, bottom=52)
        labelled = last - first < LABELLED_BINS
        top = max(
            _bars(axes, before, (0.06, 0.5), 1, Counts(k), labelled=labelled, original=True),
            _bars(axes, after or [], (0.5, 0.94), smallest, Counts(k), labelled=labelled, original=False),
        )
        axes.set_xlim(first - 0.1, last + 1.1)
        axes.set_ylim(0, top * 1.28)
        step = math.ceil((last - first + 2) / 12)
        ticks = range(first, last + 2, step)
        axes.set_xticks([*ticks], [f"{2**tick:,}" for tick in ticks])
        axes.set_xlabel(f"{plural(unit)} who share the combination (each step doubles)")
        axes.set_ylabel("share of records, %")
        axes.grid(axis="y")
        axes.axvline(math.log2(k), color=THRESHOLD, linestyle=(0, (4, 2)), linewidth=1.6)
        axes.text(math.log2(k) + 0.12, top * 1.27, f"at least {k}", color=THRESHOLD, va="top", weight="bold")
        _legend(axes, label if after is not None else None)

    told = f"Records by the number of {plural(unit)} who share their combination, before and after; threshold {k}"
    return drawing("sizes", told, 300, draw)


def _bars(
    axes: "Axes",
    bins: Bins,
    place: tuple[float, float],
    smallest: int,
    counts: Counts,
    *,
    labelled: bool,
    original: bool,
) -> float:
    """Draws one histogram; gives the height of its highest bar, in per cent."""
    total = sum(n for _, n in bins)
    shown = [(lower, n, max(counts.k if counts.small(n) else n, 1) / total * 100) for lower, n in bins if n]
    highest = max((height for _, _, height in shown), default=1.0)
    for lower, n, height in shown:
        exponent = math.log2(lower)
        # the bin that holds the smallest class begins there, not at the power of two
        start = exponent + place[0]
        left = max(start, min(math.log2(max(smallest, lower)), exponent + 0.86))
        width = exponent + place[1] - left
        axes.bar(
            left,
            height,
            width,
            align="edge",
            color=ORIGINAL if original else RELEASED,
            edgecolor=ORIGINAL_EDGE if original else RELEASED,
            linewidth=1,
        )
        if labelled or counts.small(n):
            text = counts.shown(n) if counts.small(n) else percent(height / 100)[:-2]
            axes.annotate(
                text,
                (left + width / 2, height),
                (0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=10,
                color=INK,
            )
    return highest


def _legend(axes: "Axes", label: str | None) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=ORIGINAL, edgecolor=ORIGINAL_EDGE, label="original")]
    if label is not None:
        handles.append(Patch(facecolor=RELEASED, edgecolor=RELEASED, label=label))
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, handlelength=1, handleheight=1
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
        axes = _axes(figure, 300, left=2, right=116, top=2, bottom=46)
        for group, name in enumerate(names):
            y = group * 3.5
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
        axes.set_ylim(6.2, -0.6)
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
    return drawing("risk", told, 300, draw)


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
    height = size * 18 + 76

    def draw(figure: "Figure") -> None:
        axes = _axes(figure, height, left=longest * 6.6 + 14, right=58, top=26, bottom=50)
        for y, row in enumerate(rows):
            over = row["distance"] > threshold
            colour = THRESHOLD if over else RELEASED
            axes.plot([0, row["distance"]], [y, y], color=LINE, linewidth=1.2, zorder=1)
            axes.plot(
                [row["distance"]], [y], marker="X" if over else "o", color=colour, markersize=7, clip_on=False
            )
            axes.annotate(
                decimal(row["distance"]),
                (1, y),
                (50, 0),
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
        axes.tick_params(axis="y", length=0, labelcolor=INK)
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
        axes = _axes(figure, 400, left=56, right=76, top=10, bottom=50)
        axes.plot([0, 1], [0, 1], color=ORIGINAL_EDGE, linewidth=1, linestyle=(0, (1, 2)), label="chance, AUC 0.5")
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
        axes.set_xlabel("false alarms (false-positive rate)")
        axes.set_ylabel("events found (true-positive rate)")
        axes.grid()
        handles, names = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], names[::-1], loc="lower right", handlelength=2.4, borderaxespad=0.3)

    told = f"ROC curves: AUC {original['auc']:.3f} trained on original rows, {released['auc']:.3f} on {label} rows"
    return drawing("roc", told, 400, draw)


def _axes(figure: "Figure", height: float, *, left: float, right: float, top: float, bottom: float) -> "Axes":
    """Axes with margins in pixels."""
    axes = figure.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    )
    axes.patch.set_visible(False)
    return axes

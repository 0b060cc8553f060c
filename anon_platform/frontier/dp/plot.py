"""ε from left to right: what a release is good for, and what attacks find."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from anon_platform.frontier.dp.trying import Tried
from anon_platform.publish.plots.svg import ORIGINAL_EDGE, RELEASED, SOFT, THRESHOLD, axes_on, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 320


def _axes(figure: "Figure", epsilons: Sequence[float]) -> "Axes":
    axes = axes_on(figure, HEIGHT, left=64, right=20, top=40, bottom=50)
    axes.set_xscale("log")
    axes.set_xticks(epsilons, [f"{epsilon:g}" for epsilon in epsilons])
    axes.minorticks_off()
    axes.set_xlabel("ε")
    axes.grid()
    return axes


def drawn_usefulness(points: Sequence[Tried]) -> str:
    """Distance of pairs, and the area under the curve of a model, at each ε."""
    epsilons = [point.epsilon for point in points]
    trials = [point.trial for point in points if point.trial is not None]

    def draw(figure: "Figure") -> None:
        axes = _axes(figure, epsilons)
        axes.plot(
            epsilons, [trial.pairs for trial in trials], "o-", color=RELEASED, label="distance of pairs"
        )
        axes.axhline(trials[0].floor, color=ORIGINAL_EDGE, linestyle=":", label="other people")
        areas = [trial.auc for trial in trials]
        if all(area is not None for area in areas):
            lost = [max((trial.auc_of_data or 0) - (trial.auc or 0), 0) for trial in trials]
            axes.plot(epsilons, lost, "s--", color=THRESHOLD, label="AUC lost")
        axes.set_ylim(bottom=0)
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.12, 1.0), ncols=3, handlelength=1.4, columnspacing=1.0
        )

    return drawing(
        "usefulness", "What is lost at each ε: distance of pairs of columns and model quality", HEIGHT, draw
    )


def drawn_attacks(points: Sequence[Tried]) -> str:
    """How well attacks do at each ε, with their intervals."""
    epsilons = [point.epsilon for point in points]
    trials = [point.trial for point in points if point.trial is not None]

    def draw(figure: "Figure") -> None:
        axes = _axes(figure, epsilons)
        areas = [trial.membership.auc for trial in trials]
        axes.fill_between(
            epsilons,
            [low for _, low, _ in areas],
            [high for _, _, high in areas],
            color=RELEASED,
            alpha=0.18,
            linewidth=0,
        )
        axes.plot(
            epsilons,
            [area for area, _, _ in areas],
            "o-",
            color=RELEASED,
            label="membership, area under the curve",
        )
        axes.axhline(0.5, color=SOFT, linestyle=":", label="a coin")
        axes.set_ylim(0.4, max(0.6, *(high + 0.02 for _, _, high in areas)))
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.12, 1.0), ncols=2, handlelength=1.4, columnspacing=1.2
        )

    return drawing(
        "membership",
        "How well nearness to a synthetic row tells who was in the data, at each ε",
        HEIGHT,
        draw,
    )


def drawn_widths(points: Sequence[Tried]) -> str:
    """Half widths of the statistics relative to those at the largest ε."""
    there = [point for point in points if not point.reason]
    epsilons = [point.epsilon for point in there]
    last = there[-1].half_widths if there else {}

    def draw(figure: "Figure") -> None:
        axes = _axes(figure, epsilons)
        names = [name for name, width in last.items() if 0 < width < float("inf")]
        for name in names[:8]:
            axes.plot(
                epsilons, [point.half_widths[name] / last[name] for point in there], "o-", label=name, ms=4
            )
        axes.set_yscale("log")
        axes.set_ylabel(f"half width, times that at ε = {epsilons[-1]:g}" if epsilons else "half width")
        axes.legend(loc="upper right", fontsize=10)

    return drawing("widths", "Half of the 95 % interval of each statistic at each ε", HEIGHT, draw)

"""Risk against loss: every setting a dot, the front a line, the policy's setting and the recommended one marked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from anon_platform.frontier.point import Point
from anon_platform.frontier.running import Frontier
from anon_platform.publish.plots.svg import INK, ORIGINAL_EDGE, RELEASED, SOFT, THRESHOLD, axes_on, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 400

GOOD = "#00664b"


def frontier_plot(found: Frontier, risk: str) -> str:
    """SVG text. risk: `max_risk` or `mean_risk`, on the axis from left to right."""
    front = found.front if risk == "max_risk" else found.front_mean
    limit = getattr(found.policy.thresholds, risk)
    words = "of the person most at risk" if risk == "max_risk" else "on average"

    def x(point: Point) -> float:
        return float(getattr(point, risk)) * 100

    def y(point: Point) -> float:
        return point.information_loss * 100

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, HEIGHT, left=64, right=20, top=46, bottom=56)
        there = [point for point in found.points if point.reason is None]
        for met, colour, marker, name in (
            (True, RELEASED, "o", "meets all thresholds"),
            (False, ORIGINAL_EDGE, "x", "misses one"),
        ):
            spots = [point for point in there if (not point.missed) == met]
            axes.plot(
                [x(p) for p in spots], [y(p) for p in spots], marker, color=colour, ms=6, label=name, zorder=3,
                clip_on=False,
            )  # fmt: skip
        _front(axes, [(x(found.points[i]), y(found.points[i])) for i in front])
        if limit is not None:
            axes.axvline(limit * 100, color=THRESHOLD, linestyle=(0, (4, 2)), linewidth=1.6, zorder=1)
        axes.set_xlim(left=0)
        _mark(axes, found, x, y)
        axes.set_ylim(0, max([*(y(p) for p in there), 1]) * 1.08)
        axes.set_xlabel(f"risk {words}, %")
        axes.set_ylabel("information loss, %")
        axes.grid()
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.1, 1.0), ncols=3, handlelength=1.2, columnspacing=1.2
        )

    told = f"Information loss against risk {words} of {len(found.points)} settings, {len(front)} of them on the front"
    return drawing(risk.replace("_", ""), told, HEIGHT, draw)


def _front(axes: "Axes", spots: Sequence[tuple[float, float]]) -> None:
    """A stair: between two points of the front nobody has shown less."""
    axes.step(
        [at for at, _ in spots], [loss for _, loss in spots], where="post", color=SOFT, linewidth=1.6,
        label="front", zorder=2,
    )  # fmt: skip


def _mark(axes: "Axes", found: Frontier, x: "object", y: "object") -> None:
    assert callable(x)
    assert callable(y)
    marked = [(found.own, "the policy", INK, 15.0, -16)]
    if found.advice.best is not None:
        marked.append((found.advice.best, "recommended", GOOD, 11.0, 12))
    for place, words, colour, size, away in marked:
        point = found.points[place]
        if point.reason is not None:
            continue
        at = (x(point), y(point))
        # words at the right edge stand before their mark
        left = at[0] < 0.7 * axes.get_xlim()[1]
        axes.plot(*at, "o", ms=size, mfc="none", mec=colour, mew=2, zorder=4, clip_on=False)
        axes.annotate(
            words,
            at,
            (10, away) if left else (-10, away),
            textcoords="offset points",
            color=colour,
            weight="bold",
            va="center",
            ha="left" if left else "right",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            zorder=5,
        )

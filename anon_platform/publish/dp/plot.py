"""Pictures of ε: what an attacker may believe afterwards, and what is left of the budget."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anon_platform.publish.dp.meaning import posterior
from anon_platform.publish.plots.svg import (
    INK,
    LINE,
    ORIGINAL,
    RELEASED,
    SOFT,
    THRESHOLD,
    axes_on,
    drawing,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def beliefs(epsilon: float, unit: str) -> str:
    """Belief after the release against belief before it, at most and at least, when odds change by e^ε at most."""

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, 300, left=52, right=14, top=14, bottom=46)
        before = [step / 200 for step in range(201)]
        most = [posterior(p, epsilon) for p in before]
        least = [posterior(p, -epsilon) for p in before]
        axes.fill_between(before, least, most, color=RELEASED, alpha=0.14, linewidth=0)
        axes.plot(before, most, color=RELEASED, linewidth=2.2)
        axes.plot(before, least, color=RELEASED, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.plot([0, 1], [0, 1], color=ORIGINAL, linewidth=1.2)
        half = posterior(0.5, epsilon)
        axes.plot([0.5], [half], "o", color=RELEASED, markersize=7)
        axes.annotate(
            f"50 % → {half:.0%}".replace("%", " %").replace("  ", " "),
            (0.5, half),
            (-10, 10),
            textcoords="offset points",
            color=INK,
            ha="right",
        )
        axes.text(0.97, 0.86, "nothing learnt", color=SOFT, ha="right", va="top", rotation=0, fontsize=12)
        ticks = [0, 0.25, 0.5, 0.75, 1]
        axes.set(xlim=(0, 1), ylim=(0, 1.005), xticks=ticks, yticks=ticks)
        axes.set_xticklabels([f"{tick:.0%}" for tick in ticks])
        axes.set_yticklabels([f"{tick:.0%}" for tick in ticks])
        axes.set_xlabel(f"sure before that a {unit} is in the data")
        axes.set_ylabel("sure afterwards, at most")
        axes.grid(visible=True)

    label = f"Whoever was 50 % sure is at most {posterior(0.5, epsilon):.0%} sure afterwards"
    return drawing("beliefs", label, 300, draw)


def spent_bars(shares: Sequence[Mapping[str, Any]]) -> str:
    """What is taken of each cap, with what plain addition would say."""
    height = 44 + 62 * len(shares)

    def draw(figure: "Figure") -> None:
        axes = axes_on(figure, height, left=10, right=24, top=8, bottom=36)
        longest = max(
            max(share["cap_epsilon"], min(share["basic"], 2 * share["cap_epsilon"])) for share in shares
        )
        for at, share in enumerate(shares):
            y = -at
            axes.barh(y, share["cap_epsilon"], height=0.34, color="#eef1f4", edgecolor=LINE)
            axes.barh(y, share["taken"], height=0.34, color=RELEASED)
            axes.plot([share["cap_epsilon"]] * 2, [y - 0.24, y + 0.24], color=THRESHOLD, linewidth=2)
            if share["basic"] <= longest:
                axes.plot([share["basic"]] * 2, [y - 0.17, y + 0.17], color=INK, linewidth=1.4, linestyle=":")
            whose = f"to {share['recipient']}" if share["recipient"] else "to all recipients together"
            axes.text(
                0,
                y + 0.3,
                f"{whose}: ε {share['taken']:.3g} of {share['cap_epsilon']:g}",
                color=INK,
                va="bottom",
            )
        axes.set(xlim=(0, longest * 1.02), ylim=(-len(shares) + 0.6, 0.75), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("ε taken by all releases so far (bar), its cap (line), by plain addition (dots)")

    label = "; ".join(f"ε {share['taken']:.3g} of {share['cap_epsilon']:g} taken" for share in shares)
    return drawing("spent", label, height, draw)

"""What a model makes of each feature, as small pictures side by side."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anon_platform.publish.plots.svg import LINE, RELEASED, SOFT, WIDTH, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS, PANEL = 3, 108
"""Pictures in a row, and the height of each in pixels."""

MOST = 24
"""Features that are drawn; those whose scores differ most, if there are more."""

NAME = 20
"""Letters of a column's name that have room."""


def shapes(model: Mapping[str, Any]) -> str:
    """The scores of every feature by bin or category, all on one scale; a missing value is a mark at the right."""
    told = _drawn(model["features"])
    height = PANEL * math.ceil(len(told) / ACROSS)
    scores = [score for feature in told for score in _scores(feature)]
    low, high = min([*scores, -0.1]), max([*scores, 0.1])
    room = (high - low) / 10

    def draw(figure: "Figure") -> None:
        for at, feature in enumerate(told):
            left, line = at % ACROSS, at // ACROSS
            width = WIDTH / ACROSS
            axes = figure.add_axes(
                (
                    (left * width + 30) / WIDTH,
                    1 - ((line + 1) * PANEL - 24) / height,
                    (width - 42) / WIDTH,
                    (PANEL - 46) / height,
                )
            )
            axes.patch.set_visible(False)
            _panel(axes, feature)
            axes.set_ylim(low - room, high + room)
            axes.tick_params(labelsize=10, length=0)

    names = ", ".join(feature["column"] for feature in told)
    return drawing("shapes", f"Scores of the features {names}", height, draw)


def _panel(axes: "Axes", feature: Mapping[str, Any]) -> None:
    scores = feature["scores"]
    places = list(range(len(scores)))
    axes.axhline(0, color=LINE, linewidth=1)
    if feature["kind"] == "categories":
        axes.bar(places, scores, width=0.7, color=RELEASED)
        axes.set_xticks([])
        axes.set_xlabel(f"{len(scores)} categories", fontsize=10, labelpad=2)
    else:
        axes.step([*places, len(scores)], [*scores, scores[-1]], where="post", color=RELEASED, linewidth=1.8)
        axes.set_xticks([0, len(scores)], [_short(feature["from"][0]), _short(feature["to"])])
    if feature["missing"] is not None:
        axes.plot([len(scores) + 0.6], [feature["missing"]], "o", color=SOFT, markersize=3.5)
    name = feature["column"]
    title = name if len(name) <= NAME else name[: NAME - 1] + "…"
    axes.set_title(title, fontsize=11, loc="left", pad=3)


def _drawn(features: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The features to draw, in their order."""
    if len(features) <= MOST:
        return list(features)

    def spread(at: int) -> float:
        return float(max(features[at]["scores"]) - min(features[at]["scores"]))

    kept = sorted(range(len(features)), key=spread, reverse=True)[:MOST]
    return [features[at] for at in sorted(kept)]


def _scores(feature: Mapping[str, Any]) -> list[float]:
    return [*feature["scores"], *([] if feature["missing"] is None else [feature["missing"]])]


def _short(bound: object) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)

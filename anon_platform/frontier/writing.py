"""The frontier as a page that is complete in itself, as JSON, and in words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anon_platform.frontier.plot import frontier_plot
from anon_platform.frontier.point import Point
from anon_platform.frontier.running import Frontier
from anon_platform.publish import keep_section, write_json
from anon_platform.publish.report import rendered, stylesheet
from anon_platform.publish.wording import DASH, decimal, listing, percent

PAGE, NUMBERS = "frontier.html", "frontier.json"

NAMES = {
    "k": "k",
    "l": "l",
    "t": "t",
    "max_risk": "maximum risk",
    "mean_risk": "mean risk",
    "unique_records": "lone records",
    "suppressed_records": "suppressed records",
    "fidelity": "column distance",
    "information_loss": "information loss",
    "model_loss": "model loss",
}


def write_frontier(found: Frontier, folder: Path) -> tuple[Path, Path]:
    """Writes page and JSON to the folder, and says where. Later reports of the same policy and source show it, too."""
    folder.mkdir(parents=True, exist_ok=True)
    page, numbers = folder / PAGE, folder / NUMBERS
    page.write_text(page_of(found), encoding="utf-8")
    write_json(numbers, as_json(found))
    told = content(found)
    keep_section(
        found.policy.dataset,
        policy_hash=found.policy.hash,
        fingerprint=found.fingerprint,
        sample=told["sample"],
        advice=told["recommendation"],
        plots=told["plots"],
    )
    return page, numbers


def as_json(found: Frontier) -> dict[str, Any]:
    """All points with their measures; no value of the data is in it."""
    return {
        "dataset": found.policy.dataset,
        "policy_hash": found.policy.hash,
        "sample": found.sample,
        "model_people": found.model_people,
        "points": [point.model_dump(mode="json") for point in found.points],
        "front": list(found.front),
        "front_mean_risk": list(found.front_mean),
        "policy": found.own,
        "recommended": found.advice.best,
        "in_the_way": [list(names) for names in found.advice.in_the_way],
    }


def recommendation(found: Frontier) -> str:
    """One or two sentences: which setting to take, or which thresholds are in the way."""
    best, own = found.advice.best, found.points[found.own]
    if best is not None:
        point = found.points[best]
        text = f"Of the settings that meet all thresholds the one with the least information loss is {point.setting.in_words()}"
        if best == found.own:
            return f"{text}: the policy's own."
        text += f" (information loss {percent(point.information_loss)}"
        if own.reason is None:
            text += f", the policy's own {percent(own.information_loss)}{_missing(own)}"
        return f"{text})."
    if found.advice.in_the_way:
        ways = [listing([NAMES[name] for name in names]) for names in found.advice.in_the_way]
        return (
            f"No setting that was tried meets all thresholds; without {' or without '.join(ways)} one would."
        )
    reasons = sorted({point.reason for point in found.points if point.reason is not None})
    if reasons and all(point.reason is not None for point in found.points):
        return f"No setting that was tried can be reached: {reasons[0]}."
    return "No setting that was tried meets the thresholds."


def _missing(point: Point) -> str:
    return f", which misses {listing([NAMES[name] for name in point.missed])}" if point.missed else ""


def rows_of(found: Frontier) -> list[dict[str, Any]]:
    """A line for each setting, in order of loss; those that cannot be reached last."""
    order = sorted(
        range(len(found.points)),
        key=lambda i: (found.points[i].reason is not None, found.points[i].information_loss, i),
    )
    return [_row(found, place) for place in order]


def _row(found: Frontier, place: int) -> dict[str, Any]:
    point = found.points[place]
    marks = [
        words
        for words, there in (
            ("recommended", place == found.advice.best),
            ("policy", place == found.own),
            ("front", place in {*found.front, *found.front_mean}),
        )
        if there
    ]
    setting = point.setting.in_words()
    if point.reason is not None:
        return {"setting": setting, "marks": marks, "reason": point.reason}
    model = DASH
    if point.model_loss is not None and point.model_interval is not None:
        low, high = point.model_interval
        model = f"{percent(point.model_loss)} ({percent(low)} to {percent(high)})"
    return {
        "setting": setting,
        "marks": marks,
        "reason": None,
        "k": f"{point.k:,}",
        "risk": f"{percent(point.max_risk)} / {percent(point.mean_risk)}",
        "suppressed": percent(point.suppressed),
        "loss": percent(point.information_loss),
        "distance": f"{decimal(point.distance)} {point.distance_of}",
        "model": model,
        "levels": ", ".join(f"{name} {level}" for name, level in point.levels.items()) or "local",
        "missed": listing([NAMES[name] for name in point.missed]),
    }


def page_of(found: Frontier) -> str:
    """The page as HTML text."""
    return rendered("frontier.html.j2", content(found), "anon_platform.frontier")


def content(found: Frontier) -> Mapping[str, Any]:
    """What the template shows."""
    there = any(point.reason is None for point in found.points)
    return {
        "title": found.policy.title,
        "dataset": found.policy.dataset,
        "policy_hash": found.policy.hash,
        "css": stylesheet(),
        "recommendation": recommendation(found),
        "good": found.advice.best is not None,
        "plots": [frontier_plot(found, risk) for risk in ("max_risk", "mean_risk")] if there else [],
        "rows": rows_of(found),
        "with_model": any(point.model_loss is not None for point in found.points),
        "settings": len(found.points),
        "sample": "all people" if found.sample is None else f"{found.sample:,} people drawn at random",
        "model_people": found.model_people,
    }

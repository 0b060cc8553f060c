"""The trade-off of ε as a page that is complete in itself, as JSON, and in words."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anon_platform.frontier.dp.plot import drawn_attacks, drawn_usefulness, drawn_widths
from anon_platform.frontier.dp.running import TradeOff
from anon_platform.frontier.dp.trying import Tried
from anon_platform.publish import write_json
from anon_platform.publish.report import rendered, stylesheet
from anon_platform.publish.wording import DASH, decimal, listing, percent

PAGE, NUMBERS = "frontier.html", "frontier.json"


def write_trade_off(found: TradeOff, folder: Path) -> tuple[Path, Path]:
    """Writes page and JSON to the folder, and says where."""
    folder.mkdir(parents=True, exist_ok=True)
    page, numbers = folder / PAGE, folder / NUMBERS
    page.write_text(rendered("trade_off.html.j2", content(found), "anon_platform.frontier"), encoding="utf-8")
    write_json(numbers, as_json(found))
    return page, numbers


def as_json(found: TradeOff) -> dict[str, Any]:
    """All points; of a synthetic table they are exact, and for its owner only."""
    return {
        "dataset": found.policy.dataset,
        "policy_hash": found.policy.hash,
        "sample": found.sample,
        "points": [_point(point) for point in found.points],
        "policy": found.own,
        "recommended": found.best,
    }


def _point(point: Tried) -> dict[str, Any]:
    """JSON has no infinity: an interval without an end has no width."""
    widths = {name: width if math.isfinite(width) else None for name, width in point.half_widths.items()}
    return {**asdict(point), "half_widths": widths}


def recommendation(found: TradeOff) -> str:
    """A sentence: which ε to take, or that the thresholds do not say."""
    own = found.points[found.own]
    if found.best is not None:
        best = found.points[found.best]
        if found.best == found.own:
            return f"ε = {best.epsilon:g}, the policy's own, is the least of those tried that meets its thresholds."
        return (
            f"ε = {best.epsilon:g} is the least of those tried that meets the policy's thresholds; its own is {own.epsilon:g}"
            f"{', which misses ' + listing(list(own.missed)) if own.missed else ''}."
        )
    limits = found.policy.thresholds
    if limits.marginal_error is None and not limits.half_width:
        return "The policy demands no exactness, so that any ε would do; write thresholds, or choose by the figures below."
    return "No ε that was tried meets the policy's thresholds; raise ε, or ask for less."


def rows_of(found: TradeOff) -> list[dict[str, str]]:
    """A line for each ε."""
    return [_row(found, at, point) for at, point in enumerate(found.points)]


def _row(found: TradeOff, at: int, point: Tried) -> dict[str, str]:
    marks = [
        word for word, there in (("recommended", at == found.best), ("policy", at == found.own)) if there
    ]
    line = {"epsilon": f"{point.epsilon:g}", "marks": ", ".join(marks), "reason": point.reason}
    line["missed"] = listing(list(point.missed)) if point.missed else ""
    trial = point.trial
    if trial is None:
        widths = [
            f"{name} ± {width:.4g}" if math.isfinite(width) else f"{name}: no end"
            for name, width in point.half_widths.items()
        ]
        return {**line, "widths": "; ".join(widths)}
    area, low, high = trial.membership.auc
    return {
        **line,
        "pairs": decimal(trial.pairs),
        "auc": DASH if trial.auc is None else decimal(trial.auc),
        "membership": f"{area:.3f} ({low:.3f} to {high:.3f})",
        "singling_out": f"{percent(trial.singling_out.value)} (to {percent(trial.singling_out.high)})",
        "linkability": DASH
        if trial.linkability is None
        else f"{percent(trial.linkability.value)} (to {percent(trial.linkability.high)})",
        "inference": DASH
        if trial.inference is None
        else f"{percent(trial.inference.value)} (to {percent(trial.inference.high)})",
    }


def content(found: TradeOff) -> dict[str, Any]:
    """What the template shows."""
    tables = [point for point in found.points if point.trial is not None]
    first = tables[0].trial if tables else None
    plots = [drawn_usefulness(tables), drawn_attacks(tables)] if tables else [drawn_widths(found.points)]
    return {
        "title": found.policy.title,
        "dataset": found.policy.dataset,
        "policy_hash": found.policy.hash,
        "css": stylesheet(),
        "recommendation": recommendation(found),
        "good": found.best is not None,
        "plots": plots,
        "rows": rows_of(found),
        "tables": bool(tables),
        "floor": decimal(first.floor) if first is not None else "",
        "auc_of_data": decimal(first.auc_of_data)
        if first is not None and first.auc_of_data is not None
        else "",
        "target": found.policy.synthetic.target if found.policy.synthetic is not None else None,
        "unit": found.policy.privacy_unit.name,
        "sample": "all people" if found.sample is None else f"{found.sample:,} people drawn at random",
    }

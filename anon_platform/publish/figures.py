"""Which plots a report has, and what is said beside each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.headlines import before_in_words, moved_most
from anon_platform.publish.plots.curves import (
    ROWS_A_PANEL,
    fidelity_plots,
    roc_plot,
)
from anon_platform.publish.plots.risk import class_size_plot, risk_plot
from anon_platform.publish.wording import Counts, decimal, listing, percent, plural, short

MOST_COLUMNS = 2 * ROWS_A_PANEL
"""Columns in the fidelity plot; the others moved less and stand in the column table."""


@dataclass(frozen=True)
class Figure:
    """drawings: SVG texts of one scale. wide: fills the width of the page, with its words beside it if it is one."""

    title: str
    drawings: tuple[str, ...]
    text: str
    wide: bool = False


def figures(manifest: Mapping[str, Any], assessment: Mapping[str, Any], counts: Counts) -> list[Figure]:
    """The plots of what was measured, in the order of the report."""
    found = [*_risk(manifest, assessment, counts)]
    fidelity, model = assessment["detail"].get("fidelity"), assessment["detail"].get("model")
    curves = model if isinstance(model, Mapping) else None
    shown = moved_most(fidelity or [], MOST_COLUMNS)
    alone = len(shown) > ROWS_A_PANEL or curves is None
    if fidelity and shown:
        found.append(_fidelity(manifest, fidelity, shown, wide=alone))
    if curves is not None:
        found.append(_model(manifest, curves, counts, wide=alone or not shown))
    return found


def _label(manifest: Mapping[str, Any]) -> str:
    return "released" if manifest["passed"] else "treated"


def _risk(manifest: Mapping[str, Any], assessment: Mapping[str, Any], counts: Counts) -> Iterator[Figure]:
    if not manifest["quasi_identifiers"]:
        return
    unit, label = manifest["people"]["name"], _label(manifest)
    before, privacy = assessment["before"], assessment["detail"].get("privacy")
    after = privacy["class_sizes"] if privacy else None
    smallest = privacy["k"] if privacy else 1
    yield Figure(
        f"How many {plural(unit)} share a combination",
        (
            class_size_plot(
                before["class_sizes"], after, k=counts.k, smallest=smallest, unit=unit, label=label
            ),
        ),
        f"Records by the number of {plural(unit)} behind their combination of quasi-identifiers."
        f" {before_in_words(before, unit)}"
        + (f" {_after_in_words(manifest, privacy, counts)}" if privacy else "")
        + f" Bars of fewer than {counts.k} records are marked n <\N{NO-BREAK SPACE}{counts.k}.",
    )
    risk = privacy["risk"] if privacy else None
    yield Figure(
        f"Chance to pick the right {unit}",
        (
            risk_plot(
                (before["max_risk"], before["mean_risk"]),
                (risk["maximum"], risk["mean"]) if risk else None,
                threshold=manifest["plan"]["thresholds"].get("max_risk"),
                unit=unit,
                label=label,
            ),
        ),
        f"For an attacker who knows that a {unit} is in the data and knows all quasi-identifiers: one divided by"
        f" the number of {plural(unit)} who share the combination. Before, timestamps are taken by day.",
    )


def _after_in_words(manifest: Mapping[str, Any], privacy: Mapping[str, Any], counts: Counts) -> str:
    unit = manifest["people"]["name"]
    if not privacy["people"]:
        return "After, no record is left."
    if privacy["k"] >= counts.k:
        return f"After, no combination is shared by fewer than {privacy['k']:,}."
    return f"After, some combinations are still shared by fewer than {counts.k} {plural(unit)}."


def _fidelity(
    manifest: Mapping[str, Any], fidelity: list[dict[str, Any]], shown: list[dict[str, Any]], *, wide: bool
) -> Figure:
    threshold = manifest["plan"]["thresholds"]["fidelity"]
    over = [column["name"] for column in fidelity if column["distance"] > threshold]
    text = (
        "Total variation distance between the original values, at the released level of detail, and the"
        f" {_label(manifest)} values: 0 means unchanged, 1 nothing in common. It shows what leaving out records did;"
        " detail lost to coarser levels shows as fewer distinct values in the column table."
    )
    if over:
        text += f" Over the {threshold:g} allowed: {listing([short(name) for name in over])}."
    if rest := len(fidelity) - len(shown):
        text += f" The other {rest} columns moved at most {decimal(shown[-1]['distance'])}."
    return Figure(
        "How far each column moved", tuple(fidelity_plots(shown, threshold=threshold)), text, wide=wide
    )


def _model(manifest: Mapping[str, Any], model: Mapping[str, Any], counts: Counts, *, wide: bool) -> Figure:
    unit, label = manifest["people"]["name"], _label(manifest)
    settings = manifest["policy"].get("model") or {}
    target = settings.get("target", {}).get("column")
    low, high = model["interval"]
    loss, limit = model["loss"], manifest["plan"]["thresholds"].get("model_loss")
    text = (
        f"The model this release is for{f', predicting {target},' if target else ''} was trained twice, on original"
        f" and on {label} rows, and tested on the same held-out {plural(unit)}"
        f" ({counts.shown(model['test_rows'])} rows of {counts.shown(model['test_people'])} {plural(unit)}),"
        f" none of whom was in training. It loses {percent(loss)} of its lift over chance (95 % interval"
        f" {percent(low)} to {percent(high)})"
    )
    text += f"; at most {percent(limit)} may be lost." if limit is not None else "."
    if loss < 0:
        text += (
            f" A loss below zero means that the model trained on the {label} rows did better in this test:"
            " coarser values can keep a model from learning noise."
        )
    return Figure(
        "The model before and after",
        (roc_plot(model["original"], model["released"], label=label),),
        text,
        wide=wide,
    )

"""The first screen: the verdict, what was missed, and a handful of figures in plain words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.checks import demanded, few_records, measure, row_of
from anon_platform.publish.wording import Counts, counted, listing, percent, plural, short

CHANCE = 0.5
"""Area under the curve of a model that guesses."""


@dataclass(frozen=True)
class Headline:
    """One figure of the first screen. missed: whether it is a reason to refuse."""

    label: str
    figure: str
    text: str
    missed: bool = False


@dataclass(frozen=True)
class Missed:
    """A threshold that refuses the release."""

    name: str
    meaning: str
    value: str
    threshold: str
    note: str


def missed_thresholds(manifest: Mapping[str, Any], counts: Counts) -> list[Missed]:
    """What refuses the release, with how far it was missed and what would meet it."""
    unit = manifest["people"]["name"]
    rows = [row_of(m, manifest["rows"], unit, counts) for m in manifest["metrics"] if not m["passed"]]
    return [Missed(row.name, row.meaning, row.value, row.threshold, row.note) for row in rows]


def headlines(manifest: Mapping[str, Any], assessment: Mapping[str, Any], counts: Counts) -> list[Headline]:
    """Up to six figures; those that could not be measured are left out."""
    metrics = {metric["name"]: metric for metric in manifest["metrics"]}
    detail = assessment["detail"]
    return [
        *_classes(manifest, metrics, assessment, counts),
        *_attacks(detail.get("attacks"), metrics),
        *_rows(manifest, metrics, counts),
        *_model(detail.get("model"), metrics, manifest["passed"]),
        *_fidelity(detail.get("fidelity"), metrics),
    ]


def _classes(
    manifest: Mapping[str, Any], metrics: Mapping[str, Any], assessment: Mapping[str, Any], counts: Counts
) -> Iterator[Headline]:
    unit, names = manifest["people"]["name"], manifest["quasi_identifiers"]
    if "k" in metrics:
        k = metrics["k"]
        people = counted(int(k["value"]), unit)
        if k["passed"]:
            text = f"Every combination of {listing([short(name) for name in names])} is shared by at least {people}."
        else:
            people = f"{counts.shown(int(k['value']))} {plural(unit)}"
            text = f"Some combination of {listing([short(name) for name in names])} is shared by too few; {demanded(k)} are demanded."
        yield Headline("Smallest group", people, text, not k["passed"])
    if "maximum risk" in metrics:
        most, mean, before = metrics["maximum risk"], metrics["mean risk"], assessment["before"]
        yield Headline(
            "Chance of a right pick",
            f"at most {measure(most['value'], most['unit'], most['threshold'])}",
            f"To pick the right {unit} out of the data: before, {percent(before['max_risk'])} for the {unit} most at risk and {percent(before['mean_risk'])}"
            f" on average. After, on average {percent(mean['value'])}.",
            not most["passed"],
        )


def _attacks(found: Mapping[str, Any] | None, metrics: Mapping[str, Any]) -> Iterator[Headline]:
    """The linkage that found most before the release, and what it finds after."""
    with_truth = [
        one
        for one in (found or {}).get("linkage", ())
        if f"recall of {one['name']}" in metrics
        and one["before"]
        and all(way["recall"] for way in one["before"])
    ]
    if not with_truth:
        return
    worst = max(with_truth, key=lambda one: max(way["recall"]["value"] for way in one["before"]))
    metric = metrics[f"recall of {worst['name']}"]
    before = max(way["recall"]["value"] for way in worst["before"])
    if metric["value"] is None:
        yield Headline(f"Found by the {worst['name']}", "not measured", metric["note"], missed=True)
        return
    yield Headline(
        f"Found by the {worst['name']}",
        f"at most {measure(metric['value'], metric['unit'], metric['threshold'])}",
        f"Of its people who are in the data, the right record of so many is found after the release (upper end of the 95 %"
        f" interval); on the original it is {percent(before)}.",
        not metric["passed"],
    )


def _rows(manifest: Mapping[str, Any], metrics: Mapping[str, Any], counts: Counts) -> Iterator[Headline]:
    rows, passed = manifest["rows"], manifest["passed"]
    share = metrics.get("suppressed records")
    missed = [m for m in manifest["metrics"] if m["check"] == "row_accounting" and not m["passed"]]
    verb = "released" if passed else "treated"
    text = (
        f"{counts.whole(rows['in'], rows['out'])} rows in = {counts.shown(rows['out'])} {verb}"
        f" + {counts.shown(rows['suppressed'])} suppressed"
    )
    if share is not None:
        few = few_records(share, rows, counts)
        text += f" ({few or measure(share['value'], share['unit'], share['threshold'])})"
    elif missed:
        text = "Rows in, rows treated and rows suppressed do not add up."
    yield Headline(
        "Rows released" if passed else "Rows released: none",
        counts.shown(rows["out"]) if passed else "0",
        f"{text.rstrip('.')}.",
        bool(missed),
    )


def _model(
    found: Mapping[str, Any] | str | None, metrics: Mapping[str, Any], passed: object
) -> Iterator[Headline]:
    metric = metrics.get("model loss")
    if found is None or metric is None:
        return
    label = "Predictive power kept"
    if isinstance(found, str):
        yield Headline(label, "not measured", "No model could be compared; the checks say why.", missed=True)
        return
    before, after = found["original"]["auc"], found["released"]["auc"]
    rows = "released" if passed else "treated"
    text = f"AUC {before:.3f} with the original rows, {after:.3f} with the {rows} rows."
    if before <= CHANCE:
        yield Headline(
            label,
            "none to keep",
            f"{text} Even the original model does no better than chance.",
            not metric["passed"],
        )
        return
    kept = 1 - found["loss"]
    more = " Above 100 % means that nothing was lost in this test." if kept > 1 else ""
    yield Headline(label, percent(kept), f"{text}{more}", not metric["passed"])


def _fidelity(fidelity: list[dict[str, Any]] | None, metrics: Mapping[str, Any]) -> Iterator[Headline]:
    metric = metrics.get("largest column distance")
    if not fidelity or metric is None:
        return
    worst = max(fidelity, key=lambda column: column["distance"])
    yield Headline(
        "Largest column change",
        measure(metric["value"], metric["unit"], metric["threshold"]),
        f"The values of {short(worst['name'])} moved most, on a scale from 0 (unchanged) to 1; {demanded(metric)} is allowed.",
        not metric["passed"],
    )


def before_in_words(before: Mapping[str, Any], unit: str) -> str:
    """How exposed the original records are."""
    share = before["unique_share"]
    if share == 1:
        return f"Before, every record was unique: each combination belonged to one {unit}."
    if share == 0:
        return f"Before, no record was unique, though some combinations were shared by few {plural(unit)}."
    return f"Before, {percent(share)} of the records were unique: their combination belonged to one {unit}."


def moved_most(fidelity: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Columns by distance, largest first; at most so many.

    >>> moved_most([{"name": "a", "distance": 0.1}, {"name": "b", "distance": 0.2}], 1)
    [{'name': 'b', 'distance': 0.2}]
    """
    return sorted(fidelity, key=lambda column: (-column["distance"], column["name"]))[:most]

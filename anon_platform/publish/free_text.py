"""Free text in the report: what was found by type, how much of marked notes is found, what is left of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.wording import Counts, percent


@dataclass(frozen=True)
class Recall:
    """One type of identifier in the notes with known answers, as their marks call it."""

    name: str
    marked: str
    characters: str
    whole: str


@dataclass(frozen=True)
class Text:
    """A column of free text that leaves. replaced: type and spans that were replaced."""

    column: str
    leaks: str
    replaced: tuple[tuple[str, str], ...]
    measured: str
    recalls: tuple[Recall, ...]


def texts(manifest: Mapping[str, Any], assessment: Mapping[str, Any], counts: Counts) -> list[Text]:
    """Every de-identified column, in the policy's order."""
    found = manifest.get("stages", {}).get("anonymized", {}).get("text_found", {})
    gold = assessment["detail"].get("text", {})
    return [_text(name, by_type, gold.get(name), manifest, counts) for name, by_type in found.items()]


def _text(
    name: str,
    replaced: Mapping[str, int],
    gold: Mapping[str, Any] | None,
    manifest: Mapping[str, Any],
    counts: Counts,
) -> Text:
    by_count = sorted(replaced.items(), key=lambda each: (-each[1], each[0]))
    shown = [(label, counts.shown(n)) for label, n in by_count]
    scores = {**gold["by_label"], "all but ages and organizations": gold["overall"]} if gold else {}
    recalls = [
        _recall(label, score, counts) for label, score in scores.items() if score["recall"] is not None
    ]
    return Text(name, _leaks(name, manifest), tuple(shown), _measured(gold), tuple(recalls))


def _recall(label: str, score: Mapping[str, Any], counts: Counts) -> Recall:
    characters = f"{share(score['recall'], 2)} ({share(score['low'], 2)} to {share(score['high'], 2)})"
    whole = f"{share(score['whole'], 1)} ({share(score['whole_low'], 1)} to {share(score['whole_high'], 1)})"
    return Recall(label, counts.shown(score["entities"]), characters, whole)


def share(value: float, decimals: int) -> str:
    r"""A share in percent; one that is less than all is never shown as all.

    >>> share(0.99999, 2).replace("\xa0", " "), share(1.0, 1).replace("\xa0", " ")
    ('> 99.99 %', '100.0 %')
    """
    almost = 1 - 10.0 ** -(decimals + 2)
    return percent(value, decimals) if value == 1 or value <= almost else f"> {percent(almost, decimals)}"


def _leaks(name: str, manifest: Mapping[str, Any]) -> str:
    metrics = {metric["name"]: metric for metric in manifest["metrics"]}
    found = metrics.get(f"own identifiers left in {name}")
    if found is None:
        return "The policy names no columns whose values must not stand in the text (known_from)."
    left = "No note says" if not found["value"] else f"{found['value']:,.0f} notes say"
    return (
        f"{left} a value that its row, or another row of the same {manifest['people']['name']}, holds in the columns that"
        " must not stand in the text: looked for in the released bytes by plain comparison, exact and normalised."
        f"{_others(name, metrics)}"
    )


def _others(name: str, metrics: Mapping[str, Mapping[str, Any]]) -> str:
    found = metrics.get(f"identifiers of anybody left in {name}")
    if found is None or found["value"] is None:
        return ""
    share = "None says" if not found["value"] else f"{percent(found['value'], 3)} of the notes say"
    return f" {share} what anybody else in the dataset is called or reached by, where the original note does, too."


def _measured(gold: Mapping[str, Any] | None) -> str:
    if gold is None:
        return "How many other identifiers were missed is not known: the policy names no notes with known answers (gold)."
    precision = gold["precision"]
    return (
        f"Measured on {gold['documents']:,} notes with known answers, with what each row holds and by the settings of this"
        " release: the share of marked characters that are found, with a 95 % interval (bootstrap over notes), and the share"
        " of marks that are found to the last letter (95 % Wilson interval)."
        + ("" if precision is None else f" Of the characters found, {share(precision, 1)} are marked.")
    )

"""The attacks that were tried on a release, in words: what the attacker knew, what was found before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.attacks.plot import Dots, Range, attack_plot
from anon_platform.publish.free_text import share as nearly
from anon_platform.publish.wording import DASH, Counts, decimal, listing, percent, plural, short

MEMBERSHIP = "membership attack on the model"

KINDS = {
    "singling_out": (
        "Singling out",
        (
            "Predicates are drawn from the release, such as one value in each of a few columns. An attempt succeeds when exactly"
            " one {unit} of the source satisfies the predicate."
        ),
    ),
    "linkability": (
        "Linkability",
        (
            "The attacker holds two parts of a {unit}’s record, from two places. An attempt succeeds when the release shows that"
            " they belong together: the records nearest to each part have one in common."
        ),
    ),
    "inference": (
        "Inference",
        "The attacker knows some columns of a {unit} and guesses a secret from the nearest records of the release.",
    ),
}
"""Title and what is tried, by attack."""


@dataclass(frozen=True)
class Way:
    """One way of matching, on one side."""

    name: str
    side: str
    matched: str
    claims: str
    right: str
    precision: str
    recall: str
    picked: str


@dataclass(frozen=True)
class Verdict:
    """A measure of an attack beside its threshold."""

    name: str
    value: str
    threshold: str
    state: str
    note: str


@dataclass(frozen=True)
class Attack:
    """One attack as the report shows it. ways: of linkage; attempts: of the others, one line each."""

    title: str
    known: tuple[str, ...]
    ways: tuple[Way, ...]
    truth: bool
    attempts: tuple[tuple[str, ...], ...]
    heads: tuple[str, ...]
    drawing: str
    caption: str
    verdicts: tuple[Verdict, ...]


def attacks_of(manifest: Mapping[str, Any], assessment: Mapping[str, Any], counts: Counts) -> list[Attack]:
    """Every attack that was tried, in the order of the checks."""
    found = assessment["detail"].get("attacks")
    if not found:
        return []
    metrics = {metric["name"]: metric for metric in manifest["metrics"]}
    unit = manifest["people"]["name"]
    told = [_linkage(each, number, metrics, unit, counts) for number, each in enumerate(found["linkage"])]
    told += [
        _on_people(name, found[name], metrics, unit, counts, found["confidence"])
        for name in KINDS
        if name in found
    ]
    if "membership" in found:
        told.append(_membership(found["membership"], metrics, unit))
    return told


def _linkage(
    found: Mapping[str, Any], number: int, metrics: Mapping[str, Any], unit: str, counts: Counts
) -> Attack:
    name = found["name"]
    verdicts = _verdicts(metrics, [f"certain re-identification by {name}", f"recall of {name}"])
    title = f"Linkage with the {name}"
    if "after" not in found:
        failed = ("The attack could not be run, so the release is refused.",)
        return Attack(title, failed, (), False, (), (), "", "", verdicts)  # noqa: FBT003
    tried = found["after"][0]["attacked"]
    drawn = "" if tried == found["people"] else f", of whom {tried:,} were drawn at random"
    known = (
        (
            f"The attacker holds a file of {found['people']:,} people{drawn}. Of each the file tells"
            f" {listing(found['columns'])}. On the raw data the same attacker compares {listing(found['columns_before'])}: what"
            " the file is worth where nothing protects the data."
        ),
        (
            f"A claim is made where exactly one {unit} fits. Exact matching asks for equal values; generalization-aware matching"
            " asks whether a released label covers the value; probabilistic matching lets columns disagree, by how much each"
            " agreement says (Fellegi and Sunter, weights learnt from all pairs)."
        ),
    )
    ways = [_way(each, side, counts) for side in ("before", "after") for each in found[side]]
    measure = "recall" if found["truth"] else "certain"
    rows = [
        Dots(f"{each['way']}, {side}", _range(each[measure], counts), before=side == "before")
        for side in ("before", "after")
        for each in found[side]
    ]
    limit = found["max_recall"] if found["truth"] else found["max_certain"]
    of = (
        f"people of the file who are in the source, of whom the right {unit} is found"
        if found["truth"]
        else "people of the file with exactly one candidate"
    )
    return Attack(
        title, known, tuple(ways), bool(found["truth"]), (), (),
        attack_plot(f"linkage{number}", rows, limit=limit, axis=f"share of the {name} re-identified", whole=True),
        f"Share of the {of}, with its interval. Grey squares: the raw data; blue dots: the release; hollow: nobody at all.",
        verdicts,
    )  # fmt: skip


def _way(found: Mapping[str, Any], side: str, counts: Counts) -> Way:
    precision, recall = found["precision"], found["recall"]
    right = found["certain"]["successes"]
    return Way(
        found["way"],
        "raw data" if side == "before" else "release",
        _count(found["matched"], counts),
        _count(found["claims"], counts),
        _count(right, counts) if recall is not None else DASH,
        DASH
        if precision is None or _few(found["claims"], counts) or not precision["n"]
        else _share(precision, counts),
        DASH if recall is None else _share(recall, counts),
        percent(found["picked"], 2),
    )


def _on_people(
    name: str,
    found: Mapping[str, Any],
    metrics: Mapping[str, Any],
    unit: str,
    counts: Counts,
    confidence: float,
) -> Attack:
    title, told = KINDS[name]
    against = found["control"]
    known = [told.format(unit=unit), _knows(name, found)]
    if against == "control people":
        known.append(
            f"The same is tried on control people, who are like those of the source and not in it. The risk is what works on {plural(unit)} of the source beyond that: (main − control) / (1 − control)."
        )
    elif name == "inference":
        known.append(
            "The policy names no control people, so the risk is what is guessed beyond an attacker who knows nothing and always"
            " guesses the commonest value. What the release tells of people in general counts as risk here."
        )
    else:
        known.append(
            "The policy names no control people, so nothing is taken off: the risk is the success itself."
        )
        if any(risk["control"]["low"] > risk["main"]["low"] for risk in found["risks"].values()):
            known.append(
                "Blind guesses, which put values together that need not stand together in the release, succeed more often"
                " than what is drawn from the release: its rows do not help this attacker."
            )
    rows, attempts = [], []
    for what, risk in found["risks"].items():
        secret = what.removeprefix("inference of ")
        rows.append(Dots(f"{short(secret)}, {against}", _range(risk["control"], counts), before=True))
        rows.append(Dots(f"{short(secret)}, attack", _range(risk["main"], counts), before=False))
        attempts.append(
            (
                what,
                f"{risk['main']['n']:,}",
                _share(risk["main"], counts),
                _share(risk["control"], counts),
                f"{percent(risk['value'])} ({percent(risk['low'])} to {percent(risk['high'])})",
            )
        )
    return Attack(
        title, tuple(known), (), False, tuple(attempts),  # noqa: FBT003
        ("Attack", "Attempts", "Success", f"Success of {against}", "Risk"),
        attack_plot(name, rows, limit=None, axis="share of attempts that succeed", whole=name == "inference"),
        f"Share of the attempts that succeed, with its {confidence * 100:g} % interval. Grey squares: {against}; blue dots: the attack; hollow: none at all.",
        _verdicts(metrics, list(found["risks"])),
    )  # fmt: skip


def _knows(name: str, found: Mapping[str, Any]) -> str:
    if name == "singling_out":
        return f"Columns: {listing(found['columns'], 12)}; up to {found['together']} of them in a predicate."
    if name == "linkability":
        return f"One part: {listing(found['one'], 12)}; the other: {listing(found['other'], 12)}."
    return f"Known: {listing(found['known'], 12)}; secret: {listing(found['secrets'], 12)}."


def _membership(found: Mapping[str, Any] | str, metrics: Mapping[str, Any], unit: str) -> Attack:
    title, verdicts = "Membership in training", _verdicts(metrics, [MEMBERSHIP])
    if isinstance(found, str):
        return Attack(title, (f"The attack could not be run: {found}.",), (), False, (), (), "", "", verdicts)  # noqa: FBT003
    area, caught, advantage = found["auc"], found["caught"], found["advantage"]
    known = (
        (
            f"The model of the policy was trained on the released rows of {found['trained_on']:,} {plural(unit)}. The attacker sees"
            f" how well it fits each record, and says that a {unit} was in training where it fits well. Asked were"
            f" {found['members']:,} {plural(unit)} who were in training and as many who were not."
        ),
    )
    attempts = [
        ("area under the curve", f"{decimal(area[0])} ({decimal(area[1])} to {decimal(area[2])})", "0.5"),
        (
            "found where 1 in 100 others is accused",
            f"{percent(caught['value'])} ({percent(caught['low'])} to {percent(caught['high'])})",
            percent(0.01),
        ),
        (
            "advantage at the mean loss of training",
            f"{percent(advantage[0])} ({percent(advantage[1])} to {percent(advantage[2])})",
            percent(0.0),
        ),
    ]
    rows = [Dots("attack", Range(*area), before=False), Dots("a coin", Range(0.5, 0.5, 0.5), before=True)]
    return Attack(
        title, known, (), False, tuple(attempts), ("Measure", "Found", "By a coin"),  # noqa: FBT003
        attack_plot("membership", rows, limit=found["max_auc"], axis="area under the curve of the attack", whole=True, area=True),
        "How well the attack tells members from others: 0.5 is a coin, 1 is certainty.", verdicts,
    )  # fmt: skip


def _verdicts(metrics: Mapping[str, Any], names: Sequence[str]) -> tuple[Verdict, ...]:
    return tuple(_verdict(metrics[name]) for name in names if name in metrics)


def _verdict(metric: Mapping[str, Any]) -> Verdict:
    value = metric["value"]
    area = metric["unit"].startswith("area")
    shown = "not measured" if value is None else decimal(value) if area else percent(value, 2)
    limit = decimal(metric["threshold"]) if area else percent(metric["threshold"], 2)
    return Verdict(
        metric["name"], shown, f"at most {limit}", "met" if metric["passed"] else "missed", metric["note"]
    )


def _few(n: int | None, counts: Counts) -> bool:
    """Whether a count is of a few people, or was of a few before it was taken out of the assessment."""
    return n is None or counts.small(n)


def _count(n: int | None, counts: Counts) -> str:
    return counts.shown(1 if n is None else n)


def _share(share: Mapping[str, Any], counts: Counts) -> str:
    """A share with its interval; of a few people only what lies above it."""
    if _few(share["successes"], counts):
        return f"at most {percent(share['high'], 2)}"
    return f"{nearly(share['value'], 1)} ({nearly(share['low'], 1)} to {nearly(share['high'], 1)})"


def _range(share: Mapping[str, Any], counts: Counts) -> Range:
    """What is drawn; of a few people only the interval."""
    return Range(None if _few(share["successes"], counts) else share["value"], share["low"], share["high"])

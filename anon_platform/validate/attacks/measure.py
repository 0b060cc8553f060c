"""The attacks of the policy, run on the files that leave, each beside its threshold."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from anon_platform.policy import Attacks, Linkage
from anon_platform.table import PERSON
from anon_platform.validate.attacks.intervals import Share
from anon_platform.validate.attacks.linkage import Found, Held, attack_raw, attack_release, worst
from anon_platform.validate.attacks.of_model import attack_model
from anon_platform.validate.attacks.on_people import attack_people
from anon_platform.validate.files import read_released
from anon_platform.validate.metric import Metric, most

if TYPE_CHECKING:  # the evidence holds what the attacks read
    from anon_platform.validate.evidence import Evidence


def measure_attacks(
    evidence: "Evidence", attacks: Attacks, say: Callable[[str], None]
) -> tuple[list[Metric], dict[str, Any]]:
    """Metrics and the numbers behind them. An attack that could not be run has a metric without a value, which is missed."""
    metrics: list[Metric] = []
    detail: dict[str, Any] = {"confidence": attacks.confidence, "linkage": []}
    for linkage in attacks.linkage:
        say(f"attack: linkage with {linkage.name}")
        found, told = _linkage(evidence, linkage, attacks.confidence)
        metrics += found
        detail["linkage"].append(told)
    found, told = attack_people(evidence, attacks, say)
    metrics += found
    detail |= told
    if attacks.membership is not None:
        say("attack: membership in training")
        metric, membership = attack_model(evidence, attacks, attacks.membership)
        metrics.append(metric)
        detail["membership"] = membership
    return metrics, detail


def _linkage(
    evidence: "Evidence", linkage: Linkage, confidence: float
) -> tuple[list[Metric], dict[str, Any]]:
    held = evidence.held.get(linkage.name)
    if held is None:
        return [_unmeasured(linkage, name, limit) for name, limit in _limits(linkage)], {"name": linkage.name}
    names = [each.column for each in held.covered]
    released = read_released(evidence.data, names).select(pl.col(name).cast(pl.String) for name in names)
    after = attack_release(held, released.with_columns(evidence.kept[PERSON]), confidence)
    before = attack_raw(held, _raw(evidence, held), confidence)
    metrics = []
    for name, limit in _limits(linkage):
        share = worst(after, name)
        if share is None:
            metrics.append(_unmeasured(linkage, name, limit))
        else:
            metrics.append(_metric(linkage, name, share, limit, confidence))
    told = {
        "name": linkage.name,
        "columns": list(linkage.compared),
        "columns_before": list(linkage.raw_columns),
        "people": held.total,
        "truth": held.person is not None,
        "before": [_told(each) for each in before],
        "after": [_told(each) for each in after],
        "max_certain": linkage.max_certain,
        "max_recall": linkage.max_recall,
    }
    return metrics, told


def _limits(linkage: Linkage) -> list[tuple[str, float]]:
    limits = (("certain", linkage.max_certain), ("recall", linkage.max_recall))
    return [(name, limit) for name, limit in limits if limit is not None]


NAMES = {"certain": "certain re-identification by {}", "recall": "recall of {}"}
UNITS = {
    "certain": "share of people in the file",
    "recall": "share of the file's people who are in the source",
}


def _metric(linkage: Linkage, measure: str, share: Share, limit: float, confidence: float) -> Metric:
    """The upper end of the interval beside its threshold."""
    name = NAMES[measure].format(linkage.name)
    metric = most("linkage", name, share.high, limit, UNITS[measure])
    note = f"upper end of the {confidence * 100:g} % interval, {share.n:,} people attacked"
    return metric.model_copy(update={"note": "; ".join(filter(None, [metric.note, note]))})


def _unmeasured(linkage: Linkage, measure: str, limit: float) -> Metric:
    return Metric(
        check="linkage", name=NAMES[measure].format(linkage.name), value=None, threshold=limit, at_least=False,
        passed=False, unit=UNITS[measure], note="the attack could not be run",
    )  # fmt: skip


def _raw(evidence: "Evidence", held: Held) -> pl.DataFrame:
    """The snapshot's compared columns as text, and PERSON."""
    names = list(dict.fromkeys(each.column for each in held.raw))
    return pl.concat(
        batch.select(PERSON, *[pl.col(name).cast(pl.String) for name in names])
        for batch in evidence.source.batches([PERSON, *names])
    )


def _told(found: Found) -> dict[str, Any]:
    return asdict(found)

"""The release laid beside those that its recipient has already, measured on the bytes that leave."""

import math
from typing import Any

import polars as pl

from anon_platform.frequency import SEQUENCE, DistinctL, people_for_risk, sequence_classes
from anon_platform.policy import Policy
from anon_platform.table import PERSON, ROW, TOKEN
from anon_platform.validate.differencing import (
    CLASS,
    KINDS,
    RECORD,
    Demand,
    Trace,
    groups,
    histories,
    numbered_values,
)
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released
from anon_platform.validate.metric import Metric, least

CHECK = "differencing"

COUNTED = "earlier releases to this recipient"

NOT_FOUND = (
    "{release} cannot be held against this one, since its records cannot be found again (other quasi-identifiers,"
    " and no person column); if the recipient deleted it, run: anon withdraw"
)

UNTRACED = "{n} earlier release{s} left no trace to hold this one against; if the recipient deleted {it}, run: anon withdraw"


def released_trace(evidence: Evidence) -> Trace | None:
    """What the release has to be remembered by; None without quasi-identifiers."""
    policy = evidence.policy
    names, sensitive = policy.quasi_identifiers, policy.sensitive
    if evidence.identities is None:
        return None
    rows = read_released(evidence.data, [*names, *sensitive]).with_columns(
        evidence.kept[ROW], evidence.kept[PERSON]
    )
    found = rows.join(evidence.identities, on=ROW, how="left", maintain_order="left")
    trace = found.select(TOKEN, RECORD).with_columns(numbered_values(rows, names, sensitive))
    if policy.privacy_unit.linked:
        sequences = sequence_classes(rows, names, PERSON)
        of_person = rows.select(PERSON).join(sequences, on=PERSON, how="left", maintain_order="left")
        trace = trace.with_columns(of_person[SEQUENCE].alias(CLASS))
    return Trace(trace, tuple(names), tuple(sensitive), policy.privacy_unit.column is None)


def measure_earlier(evidence: Evidence, now: Trace | None) -> tuple[list[Metric], list[dict[str, Any]]]:
    """People and values of the smallest group that both releases together tell apart; and for the report, by release.

    now: `released_trace(evidence)`.
    """
    if now is None:
        return [], []
    policy, n = evidence.policy, len(evidence.earlier) + len(evidence.untraced)
    metrics = [
        Metric(
            check=CHECK,
            name=COUNTED,
            value=float(n),
            threshold=None,
            at_least=False,
            passed=True,
            unit="releases",
        )
    ]
    if evidence.untraced:
        it, s = ("them", "s") if len(evidence.untraced) > 1 else ("it", "")
        metrics.append(_unmeasured(policy, UNTRACED.format(n=len(evidence.untraced), s=s, it=it)))
    compared: dict[str, dict[str, pl.DataFrame]] = {}
    for release, trace in histories(evidence.earlier, now).items():
        found = groups(trace, now)
        if found is None:
            metrics.append(_unmeasured(policy, NOT_FOUND.format(release=release)))
        else:
            compared[release] = found
    if compared:
        metrics += _metrics(policy, compared)
    return metrics, [_told(release, found, policy) for release, found in compared.items()]


def demand_of(policy: Policy) -> Demand | None:
    """What every group across releases has to have; None where neither k nor a maximum risk is demanded.

    l: of each sensitive column the most that thresholds.l and its distinct l-diversity ask for.
    """
    wanted = policy.thresholds
    k = max(wanted.k or 1, people_for_risk(wanted.max_risk))
    if k == 1:
        return None
    asked = {
        name: [model.l for model in policy.models_of(name) if isinstance(model, DistinctL)]
        for name in policy.sensitive
    }
    return Demand(k, {name: max(each) for name, each in asked.items() if each})


def needed(policy: Policy) -> int | None:
    """People that every group needs; None where nothing is demanded."""
    demand = demand_of(policy)
    return None if demand is None else demand.k


def _metrics(policy: Policy, compared: dict[str, dict[str, pl.DataFrame]]) -> list[Metric]:
    demand, unit = demand_of(policy), f"{policy.privacy_unit.name}s in the smallest group"
    metrics = [_of("k across releases", "people", needed(policy), unit, compared)]
    for i, name in enumerate(policy.sensitive):
        title, what = f"l of {name} across releases", "distinct values in a group"
        limit = None if demand is None else demand.l.get(name)
        metrics.append(_of(title, f"l{i}", limit, what, compared))
    return metrics


def _of(
    name: str, column: str, limit: int | None, unit: str, compared: dict[str, dict[str, pl.DataFrame]]
) -> Metric:
    worst, where = math.inf, ""
    for release, found in compared.items():
        for kind, of_kind in found.items():
            if of_kind.height and of_kind[column].min() < worst:  # type: ignore[operator]
                worst = float(of_kind[column].min())  # type: ignore[arg-type]
                small = 0 if limit is None else of_kind.filter(pl.col(column) < limit).height
                where = f"with {release}, among records {KINDS[kind]}"
                where += f": {small:,} group{'s' if small != 1 else ''} too small" if small else ""
    if not math.isfinite(worst):  # nothing is in either release
        return least(CHECK, name, limit or 0, limit, unit)
    metric = least(CHECK, name, worst, limit, unit)
    return metric.model_copy(update={"note": "; ".join(filter(None, [metric.note, where]))})


def _unmeasured(policy: Policy, note: str) -> Metric:
    return Metric(
        check=CHECK, name="k across releases", value=None, threshold=needed(policy), at_least=True, passed=False,
        unit=f"{policy.privacy_unit.name}s in the smallest group", note=note,
    )  # fmt: skip


def _told(release: str, found: dict[str, pl.DataFrame], policy: Policy) -> dict[str, Any]:
    """Groups and the smallest of each kind. No count of people: how many came and went may be a small one."""
    k = needed(policy)
    return {
        "release": release,
        "kinds": {
            kind: {
                "groups": of_kind.height,
                "smallest": int(of_kind["people"].min()) if of_kind.height else None,  # type: ignore[arg-type]
                "too_small": 0 if k is None else of_kind.filter(pl.col("people") < k).height,
            }
            for kind, of_kind in found.items()
        },
    }

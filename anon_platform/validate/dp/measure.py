"""The assessment of a differentially private release. All of it rests on the policy, on noise, and on the files that leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.dp import Loss, epsilon_of
from anon_platform.policy import DPPolicy
from anon_platform.validate.assessment import Assessment
from anon_platform.validate.dp.constraints import broken_rows
from anon_platform.validate.dp.documents import document_faults
from anon_platform.validate.dp.regulations import judged
from anon_platform.validate.dp.tables import Table, faults_of, released, strays, types_named
from anon_platform.validate.files import read_as
from anon_platform.validate.metric import Metric, least, most
from anon_platform.validate.regulations import metrics_of

CHECKS = (
    "privacy_loss",
    "privacy_budget",
    "public_domains",
    "file_accounting",
    "constraints",
    "expected_error",
    "model_quality",
)


@dataclass(frozen=True)
class Spent:
    """What releases lost together under a cap, this one among them."""

    whose: str
    """Of whom the cap is, in words."""
    epsilon: float
    """As the rule of the account adds up."""
    cap_epsilon: float
    delta: float
    """δ of the cap, at which ε is told."""
    basic_epsilon: float
    """What plain addition of each release's ε would say."""


@dataclass(frozen=True)
class DPEvidence:
    """What the checks look at."""

    policy: DPPolicy
    data: Path
    """The folder of the files that leave."""
    tables: list[Table]
    documents: tuple[str, ...]
    """Files that are no tables, by name."""
    granted: Loss
    spent: Loss
    accounts: list[Spent]
    half_widths: Mapping[str, float]
    """By statistic half of the widest 95 % interval that was expected."""
    fit: Mapping[str, float]


def assess_dp(evidence: DPEvidence) -> Assessment:
    """Every check of the release; one that fails refuses it."""
    metrics = [
        *_loss(evidence),
        *_budget(evidence),
        *_domains(evidence),
        *_constraints(evidence),
        *_errors(evidence),
        *_quality(evidence),
    ]
    rulings = judged(evidence.policy, evidence.spent)
    metrics += metrics_of(rulings)
    detail: dict[str, Any] = {
        "accounts": [vars(each) for each in evidence.accounts],
        "half_widths": dict(evidence.half_widths),
        "fit": dict(evidence.fit),
        "regulations": [each.as_json() for each in rulings],
    }
    return Assessment(metrics=tuple(metrics), detail=detail)


def _loss(evidence: DPEvidence) -> list[Metric]:
    stated = evidence.policy.privacy_loss
    spent = epsilon_of(evidence.spent, stated.delta)
    over = max(0, evidence.spent.units - evidence.granted.units)
    over += max(0, evidence.spent.delta_units - evidence.granted.delta_units)
    return [
        most("privacy_loss", "ε of this release", spent, stated.epsilon, f"at δ = {stated.delta:g}"),
        most("privacy_loss", "δ of this release", stated.delta, 1 / stated.people, "chance"),
        most("privacy_loss", "units spent beyond what was granted", float(over), 0.0, "units"),
    ]


def _budget(evidence: DPEvidence) -> list[Metric]:
    return [
        most(
            "privacy_budget",
            f"ε of all releases, {each.whose}"[:200],
            each.epsilon,
            each.cap_epsilon,
            f"at δ = {each.delta:g}",
        )
        for each in evidence.accounts
    ]


def _domains(evidence: DPEvidence) -> list[Metric]:
    outside = sum(strays(evidence.data, table) for table in evidence.tables)
    faults = faults_of(evidence.data, evidence.tables, evidence.documents)
    said = document_faults(evidence.data, evidence.policy)
    accounted = most(
        "file_accounting", "files and columns unaccounted for", float(len(faults)), 0.0, "faults"
    )
    public = most(
        "public_domains", "values outside their public domain", float(outside + len(said)), 0.0, "values"
    )
    return [
        public if not said else public.model_copy(update={"note": "; ".join(said)}),
        accounted if not faults else accounted.model_copy(update={"note": "; ".join(faults)}),
    ]


def _constraints(evidence: DPEvidence) -> list[Metric]:
    settings = evidence.policy.synthetic
    if settings is None or not settings.constraints:
        return []
    frames = [frame for table in evidence.tables for frame in typed(evidence.data, table)]
    broken = sum(broken_rows(frame, settings.constraints) for frame in frames)
    return [most("constraints", "rows that break a constraint", float(broken), 0.0, "rows")]


def _quality(evidence: DPEvidence) -> list[Metric]:
    """What the noisy evaluation of a model says; one that was to be told and could not be is 0."""
    settings, limit = evidence.policy.trained_model, evidence.policy.thresholds.area_under_curve
    if settings is None or not settings.held_out or ("auc" not in evidence.fit and limit is None):
        return []
    note = (
        f"95 % interval {evidence.fit['auc_low']:.3f} to {evidence.fit['auc_high']:.3f}"
        if "auc" in evidence.fit
        else "too few people held out to tell it from noise"
    )
    return [least("model_quality", "area under the curve", evidence.fit.get("auc", 0.0), limit, note)]


def typed(data: Path, table: Table) -> list[pl.DataFrame]:
    """The Parquet file, since a CSV file beside it says the same; a CSV file alone as numbers, days and texts."""
    found = released(data, table.name)
    if "parquet" in found:
        return [found["parquet"]]
    return [
        frame.with_columns(read_as(frame[name], types_named(kind)) for name, kind in table.types.items())
        for frame in found.values()
    ]


def _errors(evidence: DPEvidence) -> list[Metric]:
    limits = evidence.policy.thresholds
    metrics = [
        most(
            "expected_error",
            f"half width of {name}",
            width,
            limits.half_width.get(name),
            "of the 95 % interval",
        )
        for name, width in evidence.half_widths.items()
    ]
    if "distance" in evidence.fit:
        metrics.append(
            most(
                "expected_error",
                "distance from the noisy marginals",
                evidence.fit["distance"],
                limits.marginal_error,
                "total variation, mean",
            )
        )
    return metrics

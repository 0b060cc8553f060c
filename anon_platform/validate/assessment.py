"""Every measure beside its threshold, and the verdict."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import polars as pl

from anon_platform.anonymize.hierarchy import SUPPRESSED
from anon_platform.policy import Policy
from anon_platform.spec import Spec
from anon_platform.validate.accounting import Accounting, account
from anon_platform.validate.attacks.measure import measure_attacks
from anon_platform.validate.earlier import measure_earlier, released_trace
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released
from anon_platform.validate.metric import Metric, least, most
from anon_platform.validate.prediction import measure_model, model_metrics
from anon_platform.validate.privacy import Privacy, measure_privacy, released_counts
from anon_platform.validate.privacy_models import measure_attackers, measure_models, measure_population
from anon_platform.validate.regulations import Measured, judge, metrics_of
from anon_platform.validate.risk import measure_risk, risk_metrics
from anon_platform.validate.text.gold import measure_text_gold
from anon_platform.validate.text.leaks import leaks_by_column, measure_text_leaks
from anon_platform.validate.text.others import measure_others_in_text
from anon_platform.validate.text.reviewed import measure_review
from anon_platform.validate.utility import ColumnFidelity, Limits, measure_utility, utility_metrics


class Assessment(Spec):
    """What was measured on the bytes to be released; detail: the numbers behind the metrics, for the report."""

    metrics: tuple[Metric, ...]
    detail: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether every threshold is met."""
        return all(metric.passed for metric in self.metrics)

    def missed(self) -> list[Metric]:
        """Metrics that refuse the release."""
        return [metric for metric in self.metrics if not metric.passed]

    def check_passed(self, check: str) -> bool:
        """Whether all metrics of one asset check hold."""
        return all(metric.passed for metric in self.metrics if metric.check == check)


CHECKS = (
    "k_anonymity",
    "l_diversity",
    "reidentification_risk",
    "differencing",
    "text_deidentification",
    "text_review",
    "row_accounting",
    "referential_integrity",
    "statistical_fidelity",
    "information_loss",
    "query_accuracy",
    "model_utility",
    "linkage",
    "singling_out",
    "linkability",
    "inference",
    "membership",
)


BESIDE_EARLIER = (
    "rows that would single somebody out beside an earlier release to this recipient are held back, so that more data, or"
    " anon withdraw once the recipient has deleted it, lowers this"
)


def assess(evidence: Evidence, *, progress: Callable[[str], None] | None = None) -> Assessment:
    """Measures the release against the policy. progress: hears what is measured next."""
    say = progress or (lambda _: None)
    policy = evidence.policy
    say("row accounting")
    accounting = account(evidence)
    detail: dict[str, Any] = {"accounting": asdict(accounting)}
    metrics = [_accounting(accounting)]
    if accounting.faults:
        # positions cannot be trusted, so nothing counted by position would mean anything
        return Assessment(metrics=tuple(metrics), detail=detail)
    say("k, l, t and risk")
    counted = released_counts(evidence)
    privacy = measure_privacy(evidence, counted)
    detail["privacy"] = asdict(privacy)
    metrics += [
        *_privacy(privacy, policy),
        *_suppression(accounting, policy, earlier=bool(evidence.earlier)),
        *_cells(evidence),
    ]
    say("privacy models")
    metrics += measure_models(evidence, counted)
    metrics += [*measure_attackers(evidence, counted), *measure_population(evidence, counted)]
    say("risk before and after")
    risks = measure_risk(evidence, counted)
    if risks is not None:
        detail["risk"] = risks.as_json()
    metrics += risk_metrics(risks, policy)
    say("earlier releases to the same recipient")
    of_earlier, detail["earlier"] = measure_earlier(evidence, released_trace(evidence))
    metrics += of_earlier
    say("identifiers in free text")
    of_gold, detail["text"] = measure_text_gold(evidence)
    leaks = measure_text_leaks(evidence)
    metrics += [*leaks, *measure_others_in_text(evidence), *of_gold, *measure_review(evidence)]
    say("statistical fidelity")
    useful = measure_utility(evidence, say=say)
    limits = Limits(policy.utility)
    detail["fidelity"] = [asdict(column) for column in useful.fidelity]
    detail["utility"] = useful.as_json()
    metrics.append(limits.shown("fidelity", _fidelity(useful.fidelity, policy.thresholds.fidelity)))
    metrics += utility_metrics(useful, policy.utility)
    if policy.model is not None and policy.thresholds.model_loss is not None:
        say("model utility")
        found = measure_model(evidence, policy.model)
        detail["model"] = found if isinstance(found, str) else asdict(found)
        metrics += model_metrics(found, policy)
    if policy.attacks is not None:
        found_by_attacks, detail["attacks"] = measure_attacks(evidence, policy.attacks, say)
        metrics += found_by_attacks
    if policy.regulation:  # last, since clauses rest on all that was measured
        say("clauses of regulations")
        judged = judge(evidence, Measured(tuple(metrics), detail), leaks_by_column(leaks))
        detail["regulations"] = [one.as_json() for one in judged]
        metrics += metrics_of(judged)
    return Assessment(metrics=tuple(metrics), detail=detail)


def _accounting(accounting: Accounting) -> Metric:
    return Metric(
        check="row_accounting",
        name="rows and columns unaccounted for",
        value=float(len(accounting.faults)),
        threshold=0.0,
        at_least=False,
        passed=not accounting.faults,
        unit="faults",
        note="; ".join(accounting.faults),
    )


def _privacy(privacy: Privacy, policy: Policy) -> list[Metric]:
    wanted, unit = policy.thresholds, policy.privacy_unit.name
    found = []
    if policy.quasi_identifiers:
        found.append(least("k_anonymity", "k", privacy.k, wanted.k, f"{unit}s in the smallest class"))
        risk = privacy.risk
        found.append(
            most("reidentification_risk", "maximum risk", risk.maximum, wanted.max_risk, "probability")
        )
        found.append(most("reidentification_risk", "mean risk", risk.mean, wanted.mean_risk, "probability"))
        found.append(
            most(
                "reidentification_risk",
                "sample uniques",
                risk.unique_share,
                wanted.unique_records,
                "share of records",
            )
        )
    for name in policy.sensitive:
        found.append(
            least("l_diversity", f"l of {name}", privacy.l[name], wanted.l, "distinct values in a class")
        )
        found.append(most("l_diversity", f"t of {name}", privacy.t[name], wanted.t, "distance, 0 to 1"))
    return found


def _suppression(accounting: Accounting, policy: Policy, *, earlier: bool) -> list[Metric]:
    share = accounting.suppressed / accounting.rows_in if accounting.rows_in else 0.0
    limit = policy.thresholds.suppressed_records
    metric = most("row_accounting", "suppressed records", share, limit, "share of records")
    if earlier and not metric.passed:
        metric = metric.model_copy(update={"note": f"{metric.note}; {BESIDE_EARLIER}"})
    return [metric]


def _cells(evidence: Evidence) -> list[Metric]:
    """For each quasi-identifier with a limit the share of released cells that are suppressed; 0 when nothing leaves."""
    limits = evidence.policy.thresholds.suppressed_cells
    released = read_released(evidence.data, list(limits)) if limits else pl.DataFrame()
    found = []
    for name, limit in limits.items():
        share = released[name].eq_missing(pl.Series([SUPPRESSED])).mean()
        value = float(share) if isinstance(share, float) else 0.0
        found.append(most("row_accounting", f"suppressed cells of {name}", value, limit, "share of cells"))
    return found


def _fidelity(fidelity: list[ColumnFidelity], limit: float) -> Metric:
    worst = max(fidelity, key=lambda column: column.distance, default=None)
    over = [column.name for column in fidelity if column.distance > limit]
    distance = worst.distance if worst is not None else 0.0
    metric = most("statistical_fidelity", "largest column distance", distance, limit, "total variation")
    note = f"column {worst.name}" if worst is not None else ""
    if over:
        note = f"{', '.join(over)} moved too far; {metric.note}, or fewer suppressed records"
    return metric.model_copy(update={"note": note})

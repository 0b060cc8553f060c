"""The measures of the model beside their limits."""

from collections.abc import Iterator

from anon_platform.policy import Policy
from anon_platform.validate.metric import Metric, most
from anon_platform.validate.prediction.measure import ModelLoss
from anon_platform.validate.utility import Limits

CHECK = "model_utility"


def model_metrics(found: ModelLoss | str, policy: Policy) -> Iterator[Metric]:
    """Loss, calibration and groups; what cannot be measured is missed where it is demanded."""
    limits = Limits(policy.utility)
    yield limits.shown("model_loss", _loss(found, policy.thresholds.model_loss))
    if isinstance(found, str):
        for limit, name in (("calibration_error", "calibration error"), ("group_loss", "largest group loss")):
            yield from limits.beside(limit, CHECK, name, None, "", note=found)
        return
    for other in found.learners[1:]:
        words = other.learner.replace("_", " ")
        note = f"95 % interval {other.interval[0]:.3f} to {other.interval[1]:.3f}"
        yield from limits.beside(
            None, CHECK, f"model loss of {words}", other.loss, "share of lift", note=note
        )
    first = found.learners[0]
    note = f"on original rows {first.original.calibration.error:.3f}"
    error = first.released.calibration.error
    unit = "distance, 0 to 1"
    yield from limits.beside("calibration_error", CHECK, "calibration error", error, unit, note=note)
    if policy.model is not None and policy.model.groups:
        yield from _groups(found, limits)


def _groups(found: ModelLoss, limits: Limits) -> Iterator[Metric]:
    worst, name, unit = found.fairness.worst, "largest group loss", "distance of AUC"
    if worst is None:
        note = "no group has enough held-out people with and without the event"
        yield from limits.beside("group_loss", CHECK, name, None, unit, note=note)
        return
    low, high = worst.interval
    note = (
        f"{worst.column} {worst.name}, beyond what everybody loses, 95 % interval {low:.3f} to {high:.3f};"
        f" the worst of {len(found.fairness.groups)} groups"
    )
    if few := sum(found.fairness.hidden.values()):
        note += f"; {few} more have too few people"
    yield from limits.beside("group_loss", CHECK, name, worst.excess, unit, note=note)


def _loss(found: ModelLoss | str, limit: float | None) -> Metric:
    if isinstance(found, str):
        return Metric(
            check=CHECK, name="model loss", value=None, threshold=limit, at_least=False,
            passed=limit is None, unit="share of lift", note=found,
        )  # fmt: skip
    metric = most(CHECK, "model loss", found.loss, limit, "share of lift")
    interval = f"95 % interval {found.interval[0]:.3f} to {found.interval[1]:.3f}"
    return metric.model_copy(update={"note": "; ".join(filter(None, [metric.note, interval]))})

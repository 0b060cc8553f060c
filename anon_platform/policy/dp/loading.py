"""From a document to a differentially private policy, or to all of its faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anon_platform.policy.dp.model import DPPolicy
from anon_platform.policy.faults import Fault, did_you_mean
from anon_platform.policy.loading import validated
from anon_platform.policy.rules.privacy import Broken
from anon_platform.policy.yaml_nodes import Document

FITS = {
    "numbers": {"integer", "number"},
    "dates": {"date", "datetime"},
    "categories": {"string", "integer", "boolean"},
}
"""Declared types by the kind of domain."""


@dataclass(frozen=True)
class DPReading:
    """A differentially private policy as far as it can be understood."""

    document: Document
    faults: list[Fault]
    policy: DPPolicy | None = None


def dp_reading_of(document: Document, file: Path) -> DPReading:
    """Everything that can be said of the document without looking at its source."""
    policy, faults = validated(DPPolicy, document, {"folder": file.resolve().parent})
    if policy is None:
        return DPReading(document, faults)
    policy._file = file  # noqa: SLF001 - the loader is the one place that knows
    return DPReading(document, [document.fault(at, message) for at, message in _broken(policy)], policy)


def _broken(policy: DPPolicy) -> Iterator[Broken]:
    yield from _columns(policy)
    kinds = (bool(policy.statistics), policy.synthetic is not None, policy.trained_model is not None)
    if sum(kinds) != 1:
        yield (), "say what is released: one of statistics: […], synthetic: {…} and trained_model: {…}"
    names = [each.name for each in policy.statistics]
    for name in policy.thresholds.half_width:
        if name not in names:
            told = did_you_mean(name, names) or "; name one of them"
            yield ("thresholds", "half_width", name), f"no such statistic{told}"
    if policy.thresholds.marginal_error is not None and policy.synthetic is None:
        yield ("thresholds", "marginal_error"), "only a synthetic table has marginals; remove it"
    if policy.thresholds.area_under_curve is not None and (
        policy.trained_model is None or not policy.trained_model.held_out
    ):
        yield (
            ("thresholds", "area_under_curve"),
            "only a model that is evaluated on people held out has one; remove it, or raise trained_model.held_out",
        )
    unit = policy.privacy_unit.column
    if unit is None:
        if policy.privacy_loss.contribution != 1:
            yield ("privacy_loss", "contribution"), "each row is a person, who has no second one; write 1"
    elif unit not in policy.columns:
        told = did_you_mean(unit, policy.columns) or "; name one of them"
        yield ("privacy_unit", "column"), f"no such column under columns{told}"
    elif not policy.columns[unit].suppressed:
        yield ("columns", unit, "domain"), "nothing is measured of the person key; remove the domain"


def _columns(policy: DPPolicy) -> Iterator[Broken]:
    for name, column in policy.columns.items():
        at = ("columns", name)
        if name.startswith("__"):
            yield at, "names that begin with two underscores are reserved; rename the column in the source"
        if column.date_format is not None and column.type not in ("date", "datetime"):
            yield (*at, "date_format"), "only dates have a date_format; add type: date or type: datetime"
        if column.domain is None:
            continue
        if column.role == "direct_identifier":
            yield (
                (*at, "domain"),
                "a direct identifier has no public domain, and nothing is measured of it; remove it",
            )
        if column.type is not None and column.type not in FITS[column.domain.kind]:
            fitting = " or ".join(sorted(FITS[column.domain.kind]))
            yield (*at, "type"), f"a domain of {column.domain.kind} needs type {fitting}; correct one of them"

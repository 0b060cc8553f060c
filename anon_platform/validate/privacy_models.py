"""Every further privacy model of the policy, measured on the released bytes, each beside its threshold."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from anon_platform.errors import PolicyError
from anon_platform.frequency import (
    Cells,
    ClassModel,
    ColumnModel,
    beside_population,
    cells_of,
    classes,
    k_of,
    presence,
    risk_of,
)
from anon_platform.policy import Policy
from anon_platform.table import PERSON
from anon_platform.validate.counts import ReleasedCounts, with_sequences
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import file_counts, read_as
from anon_platform.validate.metric import Metric, least, most


def measure_models(evidence: Evidence, counted: ReleasedCounts) -> list[Metric]:
    """The models below thresholds.sensitive; l and t of the thresholds are measured with k and risk.

    The reference distribution is that of the released table: it is what an attacker sees.
    """
    found: list[Metric] = []
    for column, models in evidence.policy.thresholds.sensitive.items():
        if column not in evidence.policy.sensitive:
            continue
        empty = pl.Series(column, [], dtype=evidence.source.schema[column])
        dtype = evidence.treat[column](empty).dtype
        found += column_metrics(counted.counts, counted.names, column, models, dtype)
    return found


def file_metrics(
    data: Path,
    quasi_identifiers: Sequence[str],
    models: Mapping[str, Sequence[ColumnModel]],
    types: Mapping[str, str],
    link: str | None = None,
) -> list[Metric]:
    """The models by sensitive column, from the bytes of the files alone. types: of the released columns, in one word."""
    found: list[Metric] = []
    for column, of_column in models.items():
        counted = file_counts(data, quasi_identifiers, [column], link)
        dtype = DTYPES.get(types.get(column, ""), pl.String())
        found += column_metrics(counted.counts, counted.names, column, of_column, dtype)
    return found


DTYPES: dict[str, pl.DataType] = {
    **{f"int{bits}": pl.Int64() for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": pl.UInt64() for bits in (8, 16, 32, 64)},
    "float32": pl.Float64(),
    "float64": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}
"""What a type in one word means, for values of a CSV file that have an order."""


def column_metrics(
    counts: pl.DataFrame,
    names: Sequence[str],
    column: str,
    models: Sequence[ColumnModel],
    dtype: pl.DataType,
) -> list[Metric]:
    """The models of one sensitive column. dtype: what its values are, where a CSV file made text of them."""
    cells, values = cells_of(counts, names, column)
    found = []
    for model in models:
        try:
            bound = model.bound(read_as(values, dtype))
        except PolicyError as error:
            found.append(_unmeasured("l_diversity", f"{model.label} of {column}", model, str(error)))
            continue
        found.append(_of_model(model, bound, cells, column))
    return found


def _of_model(model: ColumnModel, bound: ClassModel, cells: Cells, column: str) -> Metric:
    measured = bound.measure(cells)
    worst = 0.0
    if len(measured):
        worst = float(measured.min() if model.at_least else measured.max())
    # a release without a class holds nothing that could be as diverse as demanded
    passed = bool(bound.met(cells).all()) and (cells.classes > 0 or not model.at_least)
    name = f"{model.label} of {column}"
    if not math.isfinite(worst):
        return _unmeasured(
            "l_diversity", name, model, "no number is high enough for a class; see what it lacks"
        )
    note = "" if passed else _missed(worst, model)
    return Metric(
        check="l_diversity", name=name, value=worst, threshold=model.threshold, at_least=model.at_least,
        passed=passed, unit=model.unit, note=note,
    )  # fmt: skip


def _missed(worst: float, model: ColumnModel) -> str:
    by = abs(worst - model.threshold)
    if model.at_least:
        return f"missed by {by:.4g}; a threshold of {math.floor(worst * 1e4) / 1e4:g} would be met"
    return f"missed by {by:.4g}; a threshold above {worst:.4f} would be met"


def _unmeasured(check: str, name: str, model: ColumnModel, note: str) -> Metric:
    return Metric(
        check=check, name=name, value=None, threshold=model.threshold, at_least=model.at_least,
        passed=False, unit=model.unit, note=note,
    )  # fmt: skip


def measure_attackers(evidence: Evidence, counted: ReleasedCounts) -> list[Metric]:
    """The k and the maximum risk of the classes over what each attacker knows."""
    policy, found = evidence.policy, []
    for attacker in policy.attackers:
        known, names = counted.counts, tuple(attacker.knows)
        if policy.privacy_unit.linked:
            over = with_sequences(known.select(*attacker.knows, PERSON, "n"), attacker.knows, PERSON)
            known, names = over.counts, over.names
        of_classes = classes(known, names, person=PERSON)
        unit = f"{policy.privacy_unit.name}s in the smallest class"
        found.append(least("k_anonymity", f"k for {attacker.name}", k_of(of_classes), attacker.k, unit))
        risk = risk_of(of_classes).maximum
        name = f"maximum risk for {attacker.name}"
        found.append(most("reidentification_risk", name, risk, attacker.max_risk, "probability"))
    return found


def measure_population(evidence: Evidence, counted: ReleasedCounts) -> list[Metric]:
    """k-map and δ-presence, against population tables or an estimate."""
    policy = evidence.policy
    of_classes = classes(counted.counts, counted.names, person=PERSON)
    mapped = policy.thresholds.k_map
    found = []
    if mapped is not None and mapped.people_needed is not None:
        unit = f"{policy.privacy_unit.name}s in the smallest class"
        metric = least("k_anonymity", "k-map", k_of(of_classes), mapped.people_needed, unit)
        believed = (
            f"{mapped.people_needed} in the data stand for {mapped.k} in the population, wrongly with a chance of at most"
            f" {mapped.significance:g}"
        )
        found.append(metric.model_copy(update={"note": "; ".join(filter(None, [metric.note, believed]))}))
    elif mapped is not None:
        found.append(_k_map(policy, of_classes, evidence.population.get("k_map")))
    if policy.thresholds.delta_presence is not None:
        found += _presence(policy, of_classes, evidence.population.get("delta_presence"))
    return found


NO_POPULATION = "the population could not be generalized like the data, so that nothing was counted"


def _k_map(policy: Policy, of_classes: pl.DataFrame, population: pl.DataFrame | None) -> Metric:
    mapped = policy.thresholds.k_map
    assert mapped is not None
    unit = "people of the population in the smallest class"
    if population is None:
        metric = least("k_anonymity", "k-map", 0, mapped.k, unit)
        return metric.model_copy(update={"value": None, "note": NO_POPULATION})
    both = beside_population(of_classes, population, policy.quasi_identifiers)
    smallest = both.filter(pl.col("people") > 0)["population"].min()
    return least("k_anonymity", "k-map", int(smallest or 0), mapped.k, unit)  # type: ignore[arg-type]


def _presence(policy: Policy, of_classes: pl.DataFrame, population: pl.DataFrame | None) -> list[Metric]:
    wanted = policy.thresholds.delta_presence
    assert wanted is not None
    check, unit = "reidentification_risk", "probability"
    lower, upper = 0.0, 1.0
    note = NO_POPULATION
    if population is not None:
        both = beside_population(of_classes, population, policy.quasi_identifiers)
        of_population = presence(both["people"].to_numpy(), both["population"].to_numpy())
        lower, upper = (float(of_population.min()), float(of_population.max())) if len(both) else (0.0, 0.0)
        note = (
            "a released class has more people than the population; name the population that the data is from"
        )
    metrics = [
        least(check, "lowest presence", lower, wanted.lower, unit),
        most(check, "highest presence", min(upper, 1.0), wanted.upper, unit),
    ]
    if population is None or upper > 1.0:
        return [
            metric.model_copy(update={"value": None, "passed": False, "note": note}) for metric in metrics
        ]
    return metrics

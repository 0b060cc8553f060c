"""What a differentially private run would do and how exact it would be; no row is read, and nothing is spent."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from anon_platform.errors import BudgetError, PolicyError, SourceError
from anon_platform.ingest import column_type, schema_faults, source_files, source_schema
from anon_platform.pipeline.dp.measuring import Expected, expected, planned, widest
from anon_platform.policy import DPColumn, DPPolicy
from anon_platform.policy.rules.privacy import Broken
from anon_platform.publish import pdf_fault

TYPES = {
    "numbers": "a number",
    "dates": "a date or time",
    "categories": "text, a whole number or a truth value",
}


@dataclass(frozen=True)
class DPPlan:
    """What a run of the policy would do."""

    policy: DPPolicy
    files: int
    types: Mapping[str, str]
    """The type of every column of the source, in one word."""
    expected: tuple[Expected, ...]
    """What will be measured, with what noise."""

    def numbers(self) -> dict[str, Any]:
        """The expected half widths by measurement, for Dagster."""
        return {"measurements": len(self.expected)} | {
            "half width": {
                each.name: each.half_width for each in self.expected if each.half_width is not None
            }
        }

    def as_json(self) -> dict[str, object]:
        """The plan for machines and for the manifest."""
        policy = self.policy
        return {
            "dataset": policy.dataset,
            "policy_hash": policy.hash,
            "columns": [
                {"name": name, "role": column.role, "type": self.types[name], "treatment": column.in_words()}
                for name, column in policy.columns.items()
            ],
            "expected": [vars(each) for each in self.expected],
            "thresholds": policy.thresholds.model_dump(mode="json"),
        }


def dp_plan_of(policy: DPPolicy) -> DPPlan:
    """The plan of a sound policy."""
    schema = source_schema(policy.source)
    types = {
        name: str(column_type(column, schema[name]).base_type()).lower()
        for name, column in policy.columns.items()
    }
    return DPPlan(policy, len(source_files(policy.source)), types, expected(policy))


def require_sound(policy: DPPolicy) -> DPPlan:
    """The plan of a policy that stands in no file; `PolicyError` names all faults."""
    faults = dp_faults(policy)
    if faults:
        raise PolicyError("; ".join(message for _, message in faults))
    return dp_plan_of(policy)


def dp_faults(policy: DPPolicy) -> list[Broken]:
    """What is wrong with the source, the statistics or the table that the policy names."""
    try:
        schema = source_schema(policy.source)
    except SourceError as error:
        return [(("source", "path"), str(error))]
    faults: list[Broken] = list(schema_faults(list(policy.columns), policy.columns, schema))
    faults += [
        (
            ("columns", name, "domain"),
            f"a domain of {column.domain.kind} needs {TYPES[column.domain.kind]}; declare the type",
        )
        for name, column in policy.columns.items()
        if column.domain is not None and name in schema and not _fits(column, schema[name])
    ]
    if policy.publish.pdf and (fault := pdf_fault()) is not None:
        faults.append((("publish", "pdf"), fault))
    types = {
        name: column_type(policy.columns[name], schema[name]) for name in policy.domains if name in schema
    }
    return faults or _of_what_is_measured(policy, types)


def _of_what_is_measured(policy: DPPolicy, types: Mapping[str, pl.DataType]) -> list[Broken]:
    """What cannot be measured at all, or not as exactly as the policy demands: known before anything is spent."""
    try:
        found = expected(policy)
        _require_types(policy, types)
    except (PolicyError, BudgetError) as error:
        return [((_section(policy),), str(error))]
    widths = widest(found)
    return [
        (
            ("thresholds", "half_width", name),
            f"the 95 % interval {_in_words(widths[name])}; raise this limit, ε, or the statistic's share",
        )
        for name, limit in policy.thresholds.half_width.items()
        if widths.get(name, 0.0) > limit
    ]


def _in_words(width: float) -> str:
    return (
        f"would be ± {width:.4g}" if math.isfinite(width) else "has no end, since noise may hide so few rows"
    )


def _require_types(policy: DPPolicy, types: Mapping[str, pl.DataType]) -> None:
    """Raises what measuring would, after the loss was spent, where columns cannot hold what is asked of them."""
    if policy.synthetic is not None:
        from anon_platform.dp.synthetic import check

        check(policy.synthetic, policy.domains, policy.required, types)
        return
    if policy.trained_model is not None:
        from anon_platform.dp.models.train import check as check_model

        check_model(policy.trained_model, policy.domains, policy.required, types)
        return
    from anon_platform.dp.statistics.measure import require_schema

    require_schema(planned(policy), types)


def _section(policy: DPPolicy) -> str:
    if policy.trained_model is not None:
        return "trained_model"
    return "statistics" if policy.statistics else "synthetic"


def _fits(column: DPColumn, found: pl.DataType) -> bool:
    dtype = column_type(column, found)
    assert column.domain is not None
    if column.domain.kind == "numbers":
        return dtype.is_numeric()
    if column.domain.kind == "dates":
        return isinstance(dtype, (pl.Date, pl.Datetime))
    first = None if column.domain.values == "found" else column.domain.values[0]
    if first is None:
        return dtype in (pl.String(), pl.Boolean()) or dtype.is_integer()
    if dtype == pl.String():
        return isinstance(first, str)
    if dtype == pl.Boolean():
        return isinstance(first, bool)
    return dtype.is_integer() and isinstance(first, int) and not isinstance(first, bool)

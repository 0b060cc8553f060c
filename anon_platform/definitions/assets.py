"""The five assets of a dataset: each calls one stage and shows what the stage returned."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import dagster as dg

from anon_platform.definitions.progress import logged
from anon_platform.definitions.shown import BUDGET, asset_metadata, check_result, checks_of, stage_metadata
from anon_platform.errors import AnonError
from anon_platform.policy import ANY_POLICY, DPPolicy

if TYPE_CHECKING:  # the pipeline is imported when a stage runs, so that definitions load quickly
    from anon_platform.pipeline import StageReport

T = TypeVar("T")

BUDGET_TEXT = "What is left of the privacy budget covers this release; looked at before the source is read."

DESCRIPTIONS = {
    "raw": "The source, checked for schema, types and completeness, copied to restricted staging without the"
    " columns that the policy suppresses.",
    "analyzed": "Profile of the columns and re-identification risk of the original records.",
    "anonymized": "Treated rows in staging: levels found on the frequency table, records of small classes suppressed.",
    "validated": "The bytes to be released, measured against every threshold; promoted if, and only if, all hold.",
    "cataloged": "The release in the catalog; staging is wiped.",
}

DP_DESCRIPTIONS = {
    "raw": "The privacy loss reserved, then the columns that have a public domain copied to restricted staging.",
    "analyzed": "As many rows of everybody as the policy counts, and how large the noise will be.",
    "anonymized": "Measured with noise, once: the privacy loss is spent.",
    "validated": "The files to be released against budget, public domains and limits; promoted if, and only if, all hold.",
    "cataloged": "The release in the catalog; staging is wiped.",
}

KINDS = {
    "raw": {"duckdb", "parquet"},
    "analyzed": {"polars"},
    "anonymized": {"polars", "parquet"},
    "validated": {"polars", "scikitlearn"},
    "cataloged": {"parquet"},
}


def stage_assets(policy: ANY_POLICY, file: Path) -> list[dg.AssetsDefinition]:
    """Raw → analyzed → anonymized → validated → cataloged, in the dataset's group."""
    assets: list[dg.AssetsDefinition] = []
    before: dg.AssetKey | None = None
    for stage in DESCRIPTIONS:
        assets.append(_stage_asset(policy, file, stage, before))
        before = assets[-1].key
    return assets


def _stage_asset(
    policy: ANY_POLICY, file: Path, stage: str, before: dg.AssetKey | None
) -> dg.AssetsDefinition:
    key = dg.AssetKey([policy.dataset, stage])
    names = checks_of(policy) if stage == "validated" else {}
    before_reading = {BUDGET: BUDGET_TEXT} if stage == "raw" and isinstance(policy, DPPolicy) else {}

    @dg.asset(
        key=key,
        deps=[before] if before is not None else [],
        group_name=policy.dataset,
        kinds=KINDS[stage],
        owners=[policy.owner] if "@" in policy.owner else [],
        tags={"anon/stage": stage},
        description=(DP_DESCRIPTIONS if isinstance(policy, DPPolicy) else DESCRIPTIONS)[stage],
        metadata=asset_metadata(policy, stage),
        code_version=policy.hash[:12],
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, blocking=True, description=text)
            for name, text in {**names, **before_reading}.items()
        ],
    )
    def materialize(context: dg.AssetExecutionContext) -> Iterator[Any]:
        from anon_platform.pipeline import STAGES

        if before_reading:
            yield from _budget(policy)
        report = _value_free(lambda: STAGES[stage](file, logged(context)))
        results = [check_result(name, report) for name in names]
        yield from _results(policy, report, results, stage)

    return materialize


def _results(
    policy: ANY_POLICY, report: "StageReport", checks: Sequence[dg.AssetCheckResult], stage: str
) -> Iterator[Any]:
    """The materialization with its checks; for a refused release the checks and a failure that is not retried."""
    if report.assessment is None or report.assessment.passed:
        yield dg.MaterializeResult(metadata=stage_metadata(policy, report, stage), check_results=checks)
        return
    yield from checks
    missed = "; ".join(
        f"{metric.name}: {metric.note or 'threshold missed'}" for metric in report.assessment.missed()
    )
    raise dg.Failure(
        description=f"Release refused, no data left. {missed}",
        metadata=stage_metadata(policy, report, stage),
        allow_retries=False,
    )


def _budget(policy: ANY_POLICY) -> Iterator[dg.AssetCheckResult]:
    """The check that the budget covers the release; where it does not, the run ends before the source is read."""
    from anon_platform.pipeline.dp import fits_budget

    assert isinstance(policy, DPPolicy)
    fit = _value_free(lambda: fits_budget(policy))
    yield dg.AssetCheckResult(
        check_name=BUDGET,
        passed=not fit.reason,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"ε asked": policy.privacy_loss.epsilon, "δ asked": policy.privacy_loss.delta, **fit.left}
        | ({"reason": fit.reason} if fit.reason else {}),
    )
    if fit.reason:
        raise dg.Failure(description=f"Nothing was read or spent. {fit.reason}", allow_retries=False)


def _value_free(stage: Callable[[], T]) -> T:
    """What the stage returns; its error as a failure without a chain, for Dagster stores every link of one."""
    try:
        return stage()
    except AnonError as error:
        message = f"{type(error).__name__}: {error}"
    raise dg.Failure(description=message, allow_retries=False)

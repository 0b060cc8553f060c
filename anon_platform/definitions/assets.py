"""The five assets of a dataset: each calls one stage and shows what the stage returned."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from anon_platform.definitions.progress import logged
from anon_platform.definitions.shown import asset_metadata, check_result, checks_of, stage_metadata
from anon_platform.errors import AnonError
from anon_platform.policy import ANY_POLICY

if TYPE_CHECKING:  # the pipeline is imported when a stage runs, so that definitions load quickly
    from anon_platform.pipeline import StageReport

DESCRIPTIONS = {
    "raw": "The source, checked for schema, types and completeness, copied to restricted staging without the"
    " columns that the policy suppresses.",
    "analyzed": "Profile of the columns and re-identification risk of the original records.",
    "anonymized": "Treated rows in staging: levels found on the frequency table, records of small classes suppressed.",
    "validated": "The bytes to be released, measured against every threshold; promoted if, and only if, all hold.",
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

    @dg.asset(
        key=key,
        deps=[before] if before is not None else [],
        group_name=policy.dataset,
        kinds=KINDS[stage],
        owners=[policy.owner] if "@" in policy.owner else [],
        tags={"anon/stage": stage},
        description=DESCRIPTIONS[stage],
        metadata=asset_metadata(policy, stage),
        code_version=policy.hash[:12],
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, blocking=True, description=text)
            for name, text in names.items()
        ],
    )
    def materialize(context: dg.AssetExecutionContext) -> Iterator[Any]:
        from anon_platform.pipeline import STAGES

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


def _value_free(stage: Callable[[], "StageReport"]) -> "StageReport":
    """The stage's report; its error as a failure without a chain, for Dagster stores every link of one."""
    try:
        return stage()
    except AnonError as error:
        message = f"{type(error).__name__}: {error}"
    raise dg.Failure(description=message, allow_retries=False)

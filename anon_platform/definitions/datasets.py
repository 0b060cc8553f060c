"""One policy file becomes five assets and a frontier, a job, and where the policy asks for them a sensor and a schedule."""

from pathlib import Path

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from anon_platform.definitions.assets import DESCRIPTIONS, stage_assets
from anon_platform.definitions.automation import release_schedule, source_sensor
from anon_platform.definitions.frontier import frontier_asset, has_frontier
from anon_platform.errors import PolicyError
from anon_platform.policy import ANY_POLICY, DPPolicy, Policy, dataset_name, load_any_policy

DATASET_TAG = "anon/dataset"
"""Run tag with the dataset's name; `dagster.yaml` lets one run a dataset go at a time."""


def dataset_definitions(file: Path) -> dg.Definitions:
    """Assets, job, sensor and schedule of the policy in `file`, or a failing asset that says what is wrong with it."""
    try:
        policy = load_any_policy(file)
    except PolicyError as error:
        return broken_policy(dataset_name(file), str(error))
    job = release_job(policy)
    assets = stage_assets(policy, file)
    if isinstance(policy, Policy | DPPolicy) and has_frontier(policy):
        assets.append(frontier_asset(policy, file))
    return dg.Definitions(
        assets=assets,
        jobs=[job],
        sensors=[source_sensor(policy, job)] if policy.watch is not None else [],
        schedules=[release_schedule(policy, job)] if policy.schedule is not None else [],
    )


def release_job(policy: ANY_POLICY) -> UnresolvedAssetJobDefinition:
    """The job that makes a release: all five assets of the dataset."""
    return dg.define_asset_job(
        f"{policy.dataset}_release",
        selection=dg.AssetSelection.assets(*(dg.AssetKey([policy.dataset, stage]) for stage in DESCRIPTIONS)),
        description=f"From source to catalog: {policy.title}",
        tags={DATASET_TAG: policy.dataset},
    )


def broken_policy(name: str, message: str) -> dg.Definitions:
    """An asset that fails with the policy's faults, and a check that shows them."""
    key = dg.AssetKey([name, "raw"])

    @dg.asset(
        key=key,
        group_name=name,
        kinds={"yaml"},
        description=f"**This policy cannot be used.**\n\n```\n{message}\n```",
    )
    def broken() -> dg.MaterializeResult[None]:
        raise dg.Failure(description=message, allow_retries=False)

    @dg.asset_check(asset=key, name="policy_file", description="The policy file is sound.")
    def policy_file() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, metadata={"faults": dg.MetadataValue.text(message)})

    return dg.Definitions(assets=[broken], asset_checks=[policy_file])

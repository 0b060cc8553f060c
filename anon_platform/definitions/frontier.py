"""The frontier of a dataset as an asset: risk against loss for settings around its policy; no part of a release."""

from pathlib import Path

import dagster as dg

from anon_platform.definitions.progress import logged
from anon_platform.errors import AnonError
from anon_platform.policy import ANY_POLICY, DPPolicy, Policy

FRONTIER = "frontier"

DESCRIPTION = (
    "Risk against usefulness for settings around the policy, and the one that meets the thresholds at"
    " the least loss. Materialized when asked for; a release goes on without it."
)
DESCRIPTION_OF_EPSILON = (
    "What a release is good for at several ε. Nothing is released or spent; of a synthetic table the page is exact, and"
    " for the owner of the data only. Materialized when asked for."
)


class FrontierConfig(dg.Config):
    """What is tried in a run."""

    sample: int = 0
    """People drawn at random; 0 for all."""
    model: bool = False
    """Whether the policy's model is trained at every setting."""
    jobs: int = 2
    """Processes."""


def has_frontier(policy: ANY_POLICY) -> bool:
    """Whether there is anything to try: one table, k, quasi-identifiers that leave, no population table."""
    if isinstance(policy, DPPolicy):
        return True
    if not isinstance(policy, Policy):
        return False
    thresholds = policy.thresholds
    return bool(policy.quasi_identifiers) and thresholds.k is not None and not thresholds.populations()


def frontier_asset(policy: Policy | DPPolicy, file: Path) -> dg.AssetsDefinition:
    """`[dataset, frontier]`, which reads the source as a release does and shows what it found."""

    @dg.asset(
        key=dg.AssetKey([policy.dataset, FRONTIER]),
        deps=[dg.AssetKey([policy.dataset, "raw"])],
        group_name=policy.dataset,
        kinds={"polars"},
        owners=[policy.owner] if "@" in policy.owner else [],
        tags={"anon/stage": FRONTIER},
        description=DESCRIPTION_OF_EPSILON if isinstance(policy, DPPolicy) else DESCRIPTION,
        code_version=policy.hash[:12],
    )
    def frontier(context: dg.AssetExecutionContext, config: FrontierConfig) -> dg.MaterializeResult[None]:
        if isinstance(policy, DPPolicy):
            return _of_epsilon(file, context, config)
        return _materialized(file, context, config)

    return frontier


def _of_epsilon(
    file: Path, context: dg.AssetExecutionContext, config: FrontierConfig
) -> dg.MaterializeResult[None]:
    """The trade-off of ε; nothing exact is in the metadata, which more people see than the page."""
    from anon_platform.frontier.dp import run_trade_off, write_trade_off
    from anon_platform.home import home
    from anon_platform.pipeline.run import sound_dp

    try:
        policy = sound_dp(file)
        found = run_trade_off(
            policy, sample=config.sample or None, jobs=config.jobs, progress=logged(context)
        )
    except AnonError as error:
        message = f"{type(error).__name__}: {error}"
    else:
        page, _ = write_trade_off(found, home() / FRONTIER / policy.dataset)
        return dg.MaterializeResult(
            metadata={"ε tried": len(found.points), "page": dg.MetadataValue.path(str(page))}
        )
    raise dg.Failure(description=message, allow_retries=False)


def _materialized(
    file: Path, context: dg.AssetExecutionContext, config: FrontierConfig
) -> dg.MaterializeResult[None]:
    """What was found, in numbers; an error as a failure without a chain, for Dagster stores every link of one."""
    from anon_platform.frontier import run_frontier, sweep_of, write_frontier
    from anon_platform.frontier.running import MODEL_PEOPLE, frontier_policy
    from anon_platform.frontier.writing import recommendation
    from anon_platform.home import home

    try:
        policy = frontier_policy(file)
        people = MODEL_PEOPLE if config.model and policy.model is not None else None
        found = run_frontier(
            policy, sweep_of(policy, {}, {}), sample=config.sample or None, model_people=people, jobs=config.jobs,
            progress=logged(context),
        )  # fmt: skip
    except AnonError as error:
        message = f"{type(error).__name__}: {error}"
    else:
        page, _ = write_frontier(found, home() / FRONTIER / policy.dataset)
        own = found.points[found.own]
        return dg.MaterializeResult(
            metadata={
                "recommendation": recommendation(found),
                "settings": len(found.points),
                "on the front": len(found.front),
                "reused": found.reused,
                "information loss of the policy": own.information_loss,
                "maximum risk of the policy": own.max_risk,
                "page": dg.MetadataValue.path(str(page)),
            }
        )
    raise dg.Failure(description=message, allow_retries=False)

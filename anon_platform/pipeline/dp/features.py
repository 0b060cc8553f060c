"""The statistics of a release as features: read from its files, joined to any rows by their groups."""

import json
from pathlib import Path

from anon_platform.dp.statistics.features import Features, features
from anon_platform.dp.statistics.measure import Result
from anon_platform.errors import IntegrityError
from anon_platform.pipeline.dp.measuring import planned
from anon_platform.pipeline.dp.releasing import table_of
from anon_platform.pipeline.dp.verifying import files_of
from anon_platform.policy import DPPolicy
from anon_platform.publish import MANIFEST, read_json
from anon_platform.validate.dp.measure import typed


def features_of(release: Path) -> tuple[Features, ...]:
    """A feature table for each statistic of the release by groups; joining one costs no further loss.

    release: the folder of a release of statistics; any other raises `IntegrityError`. Rows to be joined have the columns of
    the groups as the source has them: a number finds its bin, a day its period, a name its category.
    """
    manifest = read_json(release / MANIFEST)
    policy = None
    if manifest.get("kind") == "dp":
        policy = DPPolicy.model_validate_json(json.dumps(manifest["policy"]), context={"folder": release})
    if policy is None or not policy.statistics:
        raise IntegrityError(f"{release} is no release of statistics; see: anon releases")
    plan = planned(policy)
    results = [
        Result(file.name, typed(release / "data", table_of(policy, file))[0], plan.loss, file.what)
        for file in files_of(manifest)
    ]
    return features(plan, results)

"""A query in SQL as a policy of its own, under the domains, the contribution bound and the caps of a given one."""

from pathlib import Path
from typing import Any

from anon_platform.dp.statistics import Statistic
from anon_platform.errors import PolicyError
from anon_platform.policy import DPPolicy, kind_of, load_any_policy
from anon_platform.policy.loading import validated_value

QUERIES = "_queries"
"""Ends the dataset's name of what was asked: a query is a release of its own, and no new one of the dataset."""

PURPOSE = 200


def query_policy(
    file: Path,
    sql: str,
    *,
    epsilon: float,
    delta: float,
    keys_delta: float,
    recipient: str | None,
    purpose: str,
) -> DPPolicy:
    """The policy of a query; FROM names the dataset of the policy in `file`.

    `PolicyError` for SQL that cannot be answered and for a policy that is not differentially private.
    """
    from anon_platform.dp.statistics.sql import parse_sql

    if kind_of(file) != "dp":
        raise PolicyError(
            f"{file.name} is no differentially private policy; name one with privacy_loss and domains, such as"
            " policies/readmission_statistics.yaml"
        )
    given = load_any_policy(file)
    assert isinstance(given, DPPolicy)
    statistics = parse_sql(sql, given.dataset, given.privacy_unit.column or "")
    loss = given.privacy_loss.model_dump() | {"epsilon": epsilon, "delta": delta, "keys_delta": keys_delta}
    publish = given.publish.model_dump() | {"purpose": purpose[:PURPOSE], "pdf": False}
    if recipient is not None:
        publish["recipient"] = recipient
    said: dict[str, Any] = {
        name: value
        for name, value in given.model_dump(by_alias=True).items()
        if name not in {"statistics", "synthetic", "trained_model", "thresholds", "schedule", "watch"}
    }
    said |= {
        "dataset": (given.dataset[: 62 - len(QUERIES)] + QUERIES),
        "title": f"A query on {given.dataset}",
        "privacy_loss": loss,
        "statistics": tuple(_named(each) for each in statistics),
        "publish": publish,
    }
    policy = validated_value(DPPolicy, said, {"folder": given.source.folder}, of="the query")
    policy._file = file  # noqa: SLF001 - what the query does not say stands there
    return policy


def _named(statistic: Statistic) -> dict[str, Any]:
    return statistic.model_dump()

"""The manifest: what a release is, where it comes from, and the hash of every file in it."""

import platform
from importlib.metadata import version
from typing import Any

from anon_platform.pipeline.plan import Plan
from anon_platform.policy import ANY_POLICY
from anon_platform.validate import Assessment
from anon_platform.version import RELEASED_DATA_VERSION, VERSION

RESTS_ON_MANIFEST = (
    "people: the release carries no person key; they were counted in staging, by position, on the rows that leave",
    "the number of rows that came in and were suppressed",
    "the fidelity and model measures, which compare with the original",
)
"""What nobody can measure again from the released files alone."""

OF_REGULATIONS = "the verdicts on clauses of regulations: they rest on the policy's treatments and on the original columns as well"

OF_ATTACKS = (
    "the attacks: they know whose each row is, and hold files that are not in the release (see: anon attack)"
)


def build_manifest(
    *,
    plan: Plan,
    release_id: str,
    created_at: str,
    stages: dict[str, dict[str, Any]],
    assessment: Assessment,
    ledger_head: tuple[int, str],
) -> dict[str, Any]:
    """The manifest as JSON values, without the hashes of the files; no cell value is in it.

    ledger_head: number and hash of the newest audit event: the release is an outside witness of the ledger.
    """
    policy = plan.policy
    anonymized = stages["anonymized"]
    return {
        **in_every_manifest(policy, release_id, created_at, assessment, ledger_head),
        "plan": plan.as_json(),
        "input_fingerprint": stages["raw"]["fingerprint"],
        "rows": {
            "in": stages["raw"]["rows"],
            "out": anonymized["rows_out"],
            "suppressed": anonymized["rows_suppressed"],
        },
        "people": {
            "in": stages["raw"]["people"],
            "out": anonymized["people_out"],
            "name": policy.privacy_unit.name,
        },
        "columns": policy.released,
        "types": anonymized["types"],
        "quasi_identifiers": policy.quasi_identifiers,
        "sensitive": policy.sensitive,
        "levels": anonymized["levels"],
        "stages": stages,
        "rests_on_manifest": [
            *RESTS_ON_MANIFEST,
            *([OF_REGULATIONS] if policy.regulation else []),
            *([OF_ATTACKS] if policy.attacks is not None else []),
        ],
    }


def in_every_manifest(
    policy: ANY_POLICY,
    release_id: str,
    created_at: str,
    assessment: Assessment,
    ledger_head: tuple[int, str],
) -> dict[str, Any]:
    """What a release of whatever kind says of itself: for whom and what, by which policy, with which verdict."""
    return {
        "format": 1,
        "dataset": policy.dataset,
        "release_id": release_id,
        "created_at": created_at,
        "title": policy.title,
        "owner": policy.owner,
        "recipient": policy.publish.recipient,
        "purpose": policy.publish.purpose,
        "retention_days": policy.publish.retention_days,
        "pdf": policy.publish.pdf,
        "policy": policy.model_dump(mode="json", by_alias=True),
        "policy_hash": policy.hash,
        "versions": versions(),
        "metrics": [metric.model_dump(mode="json") for metric in assessment.metrics],
        "passed": assessment.passed,
        "ledger_head": {"seq": ledger_head[0], "hash": ledger_head[1]},
    }


def versions() -> dict[str, Any]:
    """What made the release."""
    return {
        "anon_platform": VERSION,
        "released_data": RELEASED_DATA_VERSION,
        "python": platform.python_version(),
        "polars": version("polars"),
        "duckdb": version("duckdb"),
    }

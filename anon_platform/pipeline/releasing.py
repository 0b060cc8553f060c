"""From measured rows to a release folder: evidence for the validator, then assessment, report and manifest."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.analyze import Analysis
from anon_platform.anonymize.hierarchy import LevelLabels
from anon_platform.pipeline.attacks.external import control_rows, held_files, relations
from anon_platform.pipeline.contents import seen_columns
from anon_platform.pipeline.earlier import earlier_releases, identities
from anon_platform.pipeline.manifest import build_manifest
from anon_platform.pipeline.plan import plan_of
from anon_platform.pipeline.population import populations
from anon_platform.pipeline.recoding import Recoding, evident
from anon_platform.pipeline.reviewed import newest_review
from anon_platform.pipeline.staging import Work
from anon_platform.pipeline.treatments import (
    as_left,
    at_released_detail,
    hierarchy_of,
    ladders_of,
    perturbed_columns,
    steps_before_search,
    with_levels,
)
from anon_platform.policy import Policy
from anon_platform.policy.regulations import looks_at_columns
from anon_platform.publish import MANIFEST, file_hashes, read_json, section_of, write_json, write_report
from anon_platform.table import ROW, Table
from anon_platform.validate import Assessment, Evidence

SMALL_CELL = 11
"""Smallest count shown where the policy has no k (CMS cell size suppression policy)."""


def evidence_of(policy: Policy, work: Work) -> Evidence:
    """What the validator looks at: the written files, and staging."""
    folder = work.part("anonymized")
    table = work.snapshot(policy.engine)
    levels = work.require("anonymized")["levels"]
    ladders = ladders_of(table, policy, policy.quasi_identifiers)
    earlier = earlier_releases(policy, work) if policy.quasi_identifiers else None
    recoded = None
    if policy.recoding.model == "local":
        recoded = evident(
            Recoding.read(folder), steps_before_search(policy, table), _hierarchies(policy, table)
        )
    treat = at_released_detail(table, policy, with_levels(table, policy, levels, ladders))
    return Evidence(
        policy=policy,
        data=folder / "data",
        kept=pl.read_parquet(folder / "kept.parquet", glob=False),
        suppressed=pl.read_parquet(folder / "suppressed.parquet", glob=False)[ROW],
        source=table,
        treat=treat,
        as_left=as_left(policy, table),
        perturbed=perturbed_columns(policy),
        population=populations(policy, work, table, levels),
        recoded=recoded,
        seen=seen_columns(policy, folder / "data", table) if looks_at_columns(policy.regulation) else {},
        identities=identities(policy, table) if earlier is not None else None,
        earlier=earlier.traces if earlier is not None else {},
        untraced=earlier.untraced if earlier is not None else (),
        reviewed=newest_review(policy),
        held=held_files(policy, work, table, folder / "data", treat),
        related=relations(policy, table),
        control=control_rows(policy, work),
        ladders=ladders,
        levels=levels,
    )


def _hierarchies(policy: Policy, table: Table) -> dict[str, LevelLabels]:
    return {name: hierarchy_of(policy, table, name) for name in policy.quasi_identifiers}


def write_release(
    policy: Policy, work: Work, assessment: Assessment, ledger_head: tuple[int, str], folder: Path
) -> None:
    """Writes the release to `folder`, a draft in staging: data, assessment, report and manifest."""
    folder.mkdir()
    stages = {name: work.require(name) for name in ("raw", "analyzed", "anonymized")}
    work.take("anonymized", "data", folder / "data")
    analysis = Analysis.model_validate(as_tuples(read_json(work.part("analysis.json"))))
    found = {"before": analysis.model_dump(mode="json"), **assessment.model_dump(mode="json")}
    whole = {"passed": assessment.passed, **found}
    write_json(folder / "assessment.json", without_small_cells(whole, policy.thresholds.k or SMALL_CELL))
    manifest = build_manifest(
        plan=plan_of(policy),
        release_id=work.release_id,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        stages=stages,
        assessment=assessment,
        ledger_head=ledger_head,
    )
    # the report shows the hashes of the data, the manifest has its hash too
    manifest["files"] = file_hashes(folder)
    drawn = section_of(policy.dataset, policy.hash, stages["raw"]["fingerprint"])
    write_report(folder / "report.html", manifest=manifest, assessment={**whole, "frontier": drawn})
    manifest["files"] = file_hashes(folder)
    write_json(folder / MANIFEST, manifest)


def without_small_cells(assessment: dict[str, Any], least: int) -> dict[str, Any]:
    """The assessment with histogram counts of 1 to least − 1 records as null: such a count points at people."""

    def censored(sizes: list[list[int]]) -> list[list[int | None]]:
        return [[lower, n if n >= least else None] for lower, n in sizes]

    before = {**assessment["before"], "class_sizes": censored(assessment["before"]["class_sizes"])}
    detail = dict(assessment["detail"])
    if "attacks" in detail:
        detail["attacks"] = without_small_counts(detail["attacks"], least)
    if "privacy" in detail:
        detail["privacy"] = {**detail["privacy"], "class_sizes": censored(detail["privacy"]["class_sizes"])}
    return {**assessment, "before": before, "detail": detail}


def without_small_counts(told: Any, least: int) -> Any:  # noqa: ANN401 - any JSON value
    """What attacks found, with counts of 1 to least − 1 people and the shares they would tell as null.

    The ends of the intervals stay: the upper one stands beside the threshold.
    """
    if isinstance(told, list):
        return [without_small_counts(each, least) for each in told]
    if not isinstance(told, dict):
        return told
    found = {name: without_small_counts(each, least) for name, each in told.items()}
    for count in ("successes", "claims", "matched"):
        if 0 < (found.get(count) or 0) < least:
            found[count] = None
            if count == "successes":
                found["value"] = None
            if count == "claims":
                found["precision"] = None
    return found


def as_tuples(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON value with tuples for lists, as settings want them."""
    if isinstance(value, list):
        return tuple(as_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: as_tuples(item) for key, item in value.items()}
    return value

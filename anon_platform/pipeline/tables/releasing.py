"""From measured tables to one release folder: a folder for each table, and what holds for all of them together."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.pipeline.manifest import RESTS_ON_MANIFEST, in_every_manifest
from anon_platform.pipeline.plan import plan_of_tables
from anon_platform.pipeline.releasing import evidence_of, write_release
from anon_platform.pipeline.staging import Work
from anon_platform.pipeline.tables.dropped import references_of
from anon_platform.pipeline.treatments import Progress
from anon_platform.policy import TablesPolicy
from anon_platform.publish import (
    MANIFEST,
    TABLES,
    file_hashes,
    read_json,
    write_json,
    write_tables_report,
)
from anon_platform.table import PERSON, TOKEN
from anon_platform.validate import Assessment, Evidence, Metric, assess
from anon_platform.validate.metric import least, most
from anon_platform.validate.references import Referred, measure_references
from anon_platform.validate.together import k_together


@dataclass(frozen=True)
class TablesAssessment:
    """by_table: what was measured of each table alone; whole: that, and what holds for all together.

    evidence: by table what it was measured on.
    """

    by_table: Mapping[str, Assessment]
    whole: Assessment
    referred: tuple[Referred, ...]
    people_out: int
    evidence: Mapping[str, Evidence]


def assess_tables(policy: TablesPolicy, works: Mapping[str, Work], progress: Progress) -> TablesAssessment:
    """Every measure of every table, then references and k over all of them."""
    evidence = {name: evidence_of(part, works[name]) for name, part in policy.parts.items()}
    by_table = {
        name: assess(each, progress=lambda what, name=name: progress(f"{name}: {what}", 0, 0))  # type: ignore[misc]
        for name, each in evidence.items()
    }
    metrics = [
        metric.model_copy(update={"name": f"{name}: {metric.name}"})
        for name, assessment in by_table.items()
        for metric in assessment.metrics
    ]
    found: list[Referred] = []
    # where rows do not add up in a table, nothing counted across tables would mean anything
    if all(assessment.check_passed("row_accounting") for assessment in by_table.values()):
        progress("references and all tables together", 0, 0)
        of_references, found = measure_references(evidence, references_of(policy))
        metrics += [*of_references, *_together(policy, evidence)]
    detail = {
        "references": [asdict(each) for each in found],
        "tables": {name: {"passed": assessment.passed} for name, assessment in by_table.items()},
        "regulations": [
            {**pack, "table": name}
            for name, assessment in by_table.items()
            for pack in assessment.detail.get("regulations", ())
        ],
    }
    whole = Assessment(metrics=tuple(metrics), detail=detail)
    return TablesAssessment(by_table, whole, tuple(found), _people_out(evidence), evidence)


def _together(policy: TablesPolicy, evidence: Mapping[str, Evidence]) -> list[Metric]:
    k = k_together(evidence)
    if k is None:
        return []
    wanted, unit = policy.thresholds, policy.privacy_unit.name
    name = "all tables together"
    metrics = [least("k_anonymity", f"k of {name}", k, wanted.k, f"{unit}s with the same rows in all tables")]
    risk = 1 / k if k else 1.0
    return [
        *metrics,
        most("reidentification_risk", f"maximum risk of {name}", risk, wanted.max_risk, "probability"),
    ]


def _people_out(evidence: Mapping[str, Evidence]) -> int:
    tokens = [
        each.source.counts([PERSON, TOKEN]).join(each.kept.select(PERSON), on=PERSON, how="semi")[TOKEN]
        for each in evidence.values()
    ]
    return pl.concat(tokens).n_unique()


def write_tables(
    policy: TablesPolicy,
    work: Work,
    works: Mapping[str, Work],
    found: TablesAssessment,
    ledger_head: tuple[int, str],
    folder: Path,
) -> None:
    """Writes the release to `folder`, a draft in staging: a release folder for each table, and those of the whole."""
    stages = {name: work.require(name) for name in ("raw", "analyzed", "anonymized")}
    (folder / TABLES).mkdir(parents=True)
    # the report of a table that passed says that it is released
    written = [name for name, assessed in found.by_table.items() if found.whole.passed or not assessed.passed]
    for name in written:
        write_release(
            policy.parts[name], works[name], found.by_table[name], ledger_head, folder / TABLES / name
        )
    assessment = {"passed": found.whole.passed, **found.whole.model_dump(mode="json")}
    write_json(folder / "assessment.json", assessment)
    manifest = _manifest(policy, work, stages, found, ledger_head)
    tables = {name: read_json(folder / TABLES / name / MANIFEST) for name in written}
    manifest["files"] = file_hashes(folder)
    write_tables_report(folder / "report.html", manifest=manifest, tables=tables, assessment=assessment)
    manifest["files"] = file_hashes(folder)
    write_json(folder / MANIFEST, manifest)


def _manifest(
    policy: TablesPolicy,
    work: Work,
    stages: dict[str, dict[str, Any]],
    found: TablesAssessment,
    ledger_head: tuple[int, str],
) -> dict[str, Any]:
    """As `manifest.build_manifest`, for all tables; columns have their table before them."""
    raw, anonymized = stages["raw"], stages["anonymized"]
    columns = {f"{name}.{column}": part for name, part in policy.parts.items() for column in part.released}
    return {
        **in_every_manifest(
            policy, work.release_id, datetime.now(UTC).isoformat(timespec="seconds"), found.whole, ledger_head
        ),
        "plan": plan_of_tables(policy).as_json(),
        "input_fingerprint": raw["fingerprint"],
        "rows": {
            "in": raw["rows"],
            "out": anonymized["rows_out"],
            "suppressed": anonymized["rows_suppressed"],
        },
        "people": {"in": raw["people"], "out": found.people_out, "name": policy.privacy_unit.name},
        "tables": list(policy.parts),
        "references": [asdict(each.reference) for each in found.referred],
        "columns": list(columns),
        "types": anonymized["types"],
        "quasi_identifiers": _with_table(policy, "quasi_identifiers"),
        "sensitive": _with_table(policy, "sensitive"),
        "levels": anonymized["levels"],
        "stages": stages,
        "rests_on_manifest": [
            *RESTS_ON_MANIFEST,
            "k of all tables together: who is whose is known in staging only",
        ],
    }


def _with_table(policy: TablesPolicy, columns: str) -> list[str]:
    return [f"{name}.{column}" for name, part in policy.parts.items() for column in getattr(part, columns)]

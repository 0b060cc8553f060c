"""The five stages of a dataset, one call each; every stage leaves its result in staging for the next."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.analyze import analyze
from anon_platform.errors import IntegrityError, ReleaseRefusedError, SourceError
from anon_platform.ingest import fingerprint, snapshot, source_files
from anon_platform.keys import Key, load_key
from anon_platform.ledger import INSTANCE_KEY, CatalogEntry, Ledger
from anon_platform.ledger.audit import Event, canonical_json
from anon_platform.ledger.budget import Budget
from anon_platform.pipeline.attacks.external import external_fingerprint
from anon_platform.pipeline.earlier import Earlier, earlier_releases, going_together, keep_trace
from anon_platform.pipeline.engine import open_table
from anon_platform.pipeline.keys_used import checks_of_keys, require_same_keys
from anon_platform.pipeline.plan import plan
from anon_platform.pipeline.population import population_fingerprint
from anon_platform.pipeline.releasing import as_tuples, evidence_of, write_release
from anon_platform.pipeline.staging import Work, current, exclusive, remember, staging, value_free
from anon_platform.pipeline.treating import fit, treat_rows, treated_by, type_names
from anon_platform.pipeline.treatments import (
    Progress,
    silent,
)
from anon_platform.policy import ANY_POLICY, Policy, load_any_policy, load_policy
from anon_platform.publish import (
    MANIFEST,
    promote,
    read_json,
    refuse,
    sha256_of,
    write_json,
)
from anon_platform.spec import Spec
from anon_platform.validate import Assessment, Evidence, assess, released_trace
from anon_platform.version import RELEASED_DATA_VERSION

NOTHING_EARLIER = Earlier({}, (), {})
"""What a policy without quasi-identifiers is held against."""


class StageReport(Spec):
    """What a stage did, in counts and metrics; what Dagster shows and the manifest keeps."""

    stage: str
    dataset: str
    release_id: str
    path: str
    numbers: dict[str, Any]
    reused: bool = False
    """Whether the result was there already, so that nothing was done."""
    assessment: Assessment | None = None
    """Of the validated stage."""


@value_free
def raw(file: Path, progress: Progress = silent) -> StageReport:
    """Checks the policy against the source and copies the source to staging, typed, complete and numbered."""
    policy = plan(file).policy
    assert isinstance(policy, Policy)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        progress("fingerprint of the source", 0, 0)
        key = load_key(INSTANCE_KEY)
        found = fingerprint(source_files(policy.source), key)
        populations = population_fingerprint(policy, key)
        attacked = external_fingerprint(policy, key)
        keys = checks_of_keys(policy)
        # a rotated key makes another release; a policy without keys keeps its id
        used = [canonical_json(keys)] if keys else []
        # an attack that may find more with another file makes another release
        used += [attacked] if attacked else []
        identity = "|".join([policy.hash, found, str(RELEASED_DATA_VERSION), populations, *used])
        work = Work(policy.dataset, key.derive("release").token(identity, 20))
        remember(work, policy.hash)
        if work.released.exists():
            record(ledger, "raw.materialized", policy, work, "already released", {}, found)
            return from_manifest("raw", work)
        require_not_lost(ledger, work)
        wipe_others(work)
        numbers = work.done("raw")
        if numbers is None:
            people = key.derive("people") if policy.privacy_unit.column or policy.tells_people else None
            numbers = copied(policy, work, found, people, progress) | {
                "populations": populations,
                "attacks": attacked,
                "keys": keys,
            }
            work.finish("raw", numbers)
            told = {name: numbers[name] for name in ("rows", "people")}
            record(ledger, "raw.materialized", policy, work, "ok", told)
        return report_of("raw", work, numbers)


def copied(policy: Policy, work: Work, found: str, people: Key | None, progress: Progress) -> dict[str, Any]:
    """The numbers of the snapshot, which is left as the draft of `raw`. found: the source's fingerprint."""
    with work.draft("raw") as draft:
        came = snapshot(
            policy, draft, key=people, progress=lambda done: progress("copying to staging", done, 0)
        )
        if fingerprint(source_files(policy.source), load_key(INSTANCE_KEY)) != found:
            raise SourceError(f"the source {policy.source.path} changed while it was read; run again")
        if policy.privacy_unit.one_row and came.people != came.rows:
            raise SourceError(
                f"the source {policy.source.path} has {came.rows} rows of {came.people} people, but the policy says that"
                " everybody has one; correct the source, or write linked: true instead of one_row"
            )
        types = type_names(open_table(draft, policy.engine, spill=work.part("spill")).schema)
    return {
        "rows": came.rows,
        "people": came.people,
        "files": came.files,
        "columns": len(policy.columns),
        "columns_suppressed": len(policy.columns) - len(policy.released),
        "fingerprint": found,
        "types": types,
    }


@value_free
def analyzed(file: Path, progress: Progress = silent) -> StageReport:
    """Profiles the snapshot and measures the risk of the original records."""
    policy = load_policy(file)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("analyzed", work)
        numbers = work.done("analyzed")
        if numbers is None:
            progress("profile and risk of the original", 0, 0)
            numbers = profiled(policy, work)
            work.finish("analyzed", numbers)
            record(ledger, "analyzed.materialized", policy, work, "ok", numbers)
        return report_of("analyzed", work, numbers)


def profiled(policy: Policy, work: Work) -> dict[str, Any]:
    """The risk of the original records; the whole analysis is left in `analysis.json`."""
    analysis = analyze(work.snapshot(policy.engine), policy.quasi_identifiers)
    write_json(work.part("analysis.json"), analysis.model_dump(mode="json"))
    return {
        "rows": analysis.rows,
        "people": analysis.people,
        "max_risk": analysis.max_risk,
        "mean_risk": analysis.mean_risk,
        "unique_share": analysis.unique_share,
    }


@value_free
def anonymized(file: Path, progress: Progress = silent) -> StageReport:
    """Searches the levels on the frequency table, treats the rows in batches and writes them to staging."""
    policy = load_policy(file)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("anonymized", work)
        work.require("analyzed")
        numbers = work.done("anonymized")
        require_same_keys(policy, work)
        if numbers is None:
            numbers = fitted_rows(policy, work, progress)
            work.finish("anonymized", numbers)
            record(ledger, "anonymized.materialized", policy, work, "ok", flat(numbers))
        return report_of("anonymized", work, numbers)


def fitted_rows(
    policy: Policy, work: Work, progress: Progress, dropped: pl.Series | None = None
) -> dict[str, Any]:
    """The numbers of the treated rows, which are left as the draft of `anonymized`. dropped: as in `fit`.

    Where the recipient has releases already, levels stay as they were while they meet the demands, and rows that would
    single somebody out beside an earlier release are held back.
    """
    table = work.snapshot(policy.engine)
    earlier = earlier_releases(policy, work) if policy.quasi_identifiers else NOTHING_EARLIER
    fitted = fit(policy, work, table, progress, dropped, stay=earlier.levels)
    if earlier.traces:
        progress("beside earlier releases", 0, 0)
    held = going_together(policy, table, treated_by(policy, table, fitted, dropped), earlier)
    out = [rows for rows in (dropped, held) if rows is not None and len(rows)]
    with work.draft("anonymized") as draft:
        numbers = treat_rows(policy, table, fitted, draft, progress, pl.concat(out) if out else dropped)
    return numbers | ({"rows_held_back": len(held)} if held is not None else {})


@value_free
def validated(file: Path, progress: Progress = silent) -> StageReport:
    """Measures the written files against the thresholds; promotes them to a release if, and only if, all hold.

    A refused release leaves report and assessment under `refused/`, and no data; the caller sees it in the
    report's assessment.
    """
    policy = load_policy(file)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("validated", work)
        work.require("anonymized")
        require_same_keys(policy, work)
        evidence = evidence_of(policy, work)
        assessment = assess(evidence, progress=lambda what: progress(what, 0, 0))
        return settled(
            ledger,
            policy,
            work,
            assessment,
            lambda draft: write_release(policy, work, assessment, ledger.head(), draft),
            {work: evidence},
        )


def settled(
    ledger: Ledger,
    policy: ANY_POLICY,
    work: Work,
    assessment: Assessment,
    write: Callable[[Path], None],
    evidence: Mapping[Work, Evidence],
) -> StageReport:
    """The report of a measured release, which is promoted if every threshold holds, and else refused without its data.

    write: writes the release to a draft folder. evidence: of each part of the release, which later releases to the same
    recipient will be held against.
    """
    numbers: dict[str, Any] = {
        metric.name: metric.value for metric in assessment.metrics if metric.value is not None
    }
    traces = {part: released_trace(found) for part, found in evidence.items()} if assessment.passed else {}
    for part, trace in traces.items():
        if trace is not None:
            keep_trace(evidence[part].policy, part, trace)
    with work.draft("release") as draft:
        write(draft)
        if assessment.passed:
            promote(draft, work.released)
        else:
            refuse(draft, work.refused)
    if not assessment.passed:
        work.wipe()
        missed = {metric.name: metric.value or 0.0 for metric in assessment.missed()}
        record(ledger, "release.refused", policy, work, "refused", {"missed": missed})
        return report_of("validated", work, numbers, path=work.refused, assessment=assessment)
    record(ledger, "release.promoted", policy, work, "ok", numbers)
    numbers["types"] = read_json(work.released / MANIFEST)["types"]
    return report_of("validated", work, numbers, path=work.released, assessment=assessment)


def cataloged(file: Path, progress: Progress = silent) -> StageReport:
    """Enters the release in the catalog and wipes staging."""
    return cataloged_of(load_any_policy(file), progress)


@value_free
def cataloged_of(policy: ANY_POLICY, progress: Progress = silent) -> StageReport:
    """Enters the release in the catalog and wipes staging; a privacy loss that is not settled yet is now."""
    del progress
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if not work.released.exists():
            raise ReleaseRefusedError(
                f"dataset {policy.dataset}: there is no validated release to catalog; materialize validated first,"
                " and if it was refused read the report it left"
            )
        manifest = read_json(work.released / MANIFEST)
        metrics = {
            metric["name"]: metric["value"] for metric in manifest["metrics"] if metric["value"] is not None
        }
        known = {entry.release_id for entry in ledger.releases(policy.dataset)}
        entry = ledger.catalog(
            CatalogEntry(
                dataset=policy.dataset,
                release_id=work.release_id,
                promoted_at=manifest["created_at"],
                path=str(work.released),
                rows_out=manifest["rows"]["out"],
                people=manifest["people"]["out"],
                policy_hash=policy.hash,
                input_fingerprint=manifest["input_fingerprint"],
                manifest_sha256=sha256_of(work.released / MANIFEST),
                metrics=metrics,
            )
        )
        if work.release_id not in known:
            _record_lost_promotion(ledger, policy, work, manifest)
            record(ledger, "release.cataloged", policy, work, "ok", {"rows": entry.rows_out})
        settle(ledger, work.release_id)
        work.wipe()
        numbers = {"releases": len(ledger.releases(policy.dataset)), "rows": entry.rows_out}
        reused = work.release_id in known
        return report_of("cataloged", work, numbers, path=work.released, reused=reused)


def _record_lost_promotion(ledger: Ledger, policy: ANY_POLICY, work: Work, manifest: dict[str, Any]) -> None:
    """The event of a promotion after which the run was killed before it could write one."""
    events = ledger.events(policy.dataset)
    if not any(
        event.action == "release.promoted" and event.release_id == work.release_id for event in events
    ):
        found = manifest["input_fingerprint"]
        record(
            ledger, "release.promoted", policy, work, "recovered", {"rows": manifest["rows"]["out"]}, found
        )


def settle(ledger: Ledger, release_id: str) -> None:
    """Settles the privacy loss of a release that is out, where it has one and was not settled when it was promoted."""
    budget = Budget(ledger)
    held = budget.find(release_id)
    if held is not None and held.state == "spent":
        budget.settle(release_id)


def require_not_lost(ledger: Ledger, work: Work) -> None:
    """A release that is in the catalog but not in its place is not made a second time under the same id."""
    if any(entry.release_id == work.release_id for entry in ledger.releases(work.dataset)):
        raise IntegrityError(
            f"release {work.release_id} of {work.dataset} is in the catalog, but its folder {work.released} is gone;"
            " put a copy back, or change the policy's publish.purpose to make a new release"
        )


def wipe_others(work: Work) -> None:
    """Deletes what runs on other inputs left behind."""
    for folder in staging(work.dataset).iterdir():
        if folder.is_dir() and folder.name != work.release_id:
            Work(work.dataset, folder.name).wipe()


def from_manifest(stage: str, work: Work) -> StageReport:
    """The report of a stage whose release is out already."""
    manifest = read_json(work.released / MANIFEST)
    assessment = None
    numbers: dict[str, Any]
    if stage == "validated":
        known = read_json(work.released / "assessment.json")
        assessment = Assessment(metrics=as_tuples(known["metrics"]), detail=known["detail"])
        numbers = {metric.name: metric.value for metric in assessment.metrics if metric.value is not None}
        numbers["types"] = manifest["types"]
    else:
        numbers = manifest["stages"][stage]
    return StageReport(
        stage=stage, dataset=work.dataset, release_id=work.release_id, path=str(work.released),
        numbers=numbers, reused=True, assessment=assessment,
    )  # fmt: skip


def report_of(
    stage: str,
    work: Work,
    numbers: dict[str, Any],
    *,
    path: Path | None = None,
    assessment: Assessment | None = None,
    reused: bool = False,
) -> StageReport:
    """The report of a stage. path: where its result is; the stage's part of staging when left out."""
    return StageReport(
        stage=stage, dataset=work.dataset, release_id=work.release_id, path=str(path or work.part(stage)),
        numbers=numbers, assessment=assessment, reused=reused,
    )  # fmt: skip


def flat(numbers: dict[str, Any]) -> dict[str, Any]:
    """The numbers that are single ones."""
    return {name: value for name, value in numbers.items() if isinstance(value, (int, float))}


def record(
    ledger: Ledger,
    action: str,
    policy: ANY_POLICY,
    work: Work,
    outcome: str,
    details: dict[str, Any],
    found: str = "",
) -> None:
    """Writes an event to the ledger. found: the input's fingerprint, where staging does not know it."""
    known = work.done("raw") or {}
    ledger.append(
        Event(
            action=action,
            dataset=policy.dataset,
            policy_hash=policy.hash,
            input_fingerprint=found or known.get("fingerprint", ""),
            release_id=work.release_id,
            outcome=outcome,
            details=details,
        )
    )

"""When a release is made by itself: a new file in the source folder, or the clock."""

import hashlib
import json
import time
from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from anon_platform.errors import SourceError
from anon_platform.policy import ANY_POLICY

Seen = dict[str, list[int]]
"""By path: time of the last change in nanoseconds, size in bytes."""


def source_sensor(policy: ANY_POLICY, job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Starts a run when files of the source are new or changed, and none was written to for the settle time."""

    @dg.sensor(
        name=f"{policy.dataset}_new_source_data",
        job=job,
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Watches {', '.join(source.path for source in policy.sources)} for files that have settled for {policy.watch.settle_seconds} s."
        if policy.watch
        else None,
    )
    def watch(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        settle = policy.watch.settle_seconds if policy.watch is not None else 0
        try:
            seen = look(policy)
        except SourceError as error:
            yield dg.SkipReason(str(error))
            return
        before: Seen = json.loads(context.cursor) if context.cursor else {}
        if seen == before:
            yield dg.SkipReason("no new file")
            return
        writing = unsettled(seen, before, settle, time.time_ns())
        if writing:
            yield dg.SkipReason(f"{writing} files are still being written, or were less than {settle} s ago")
            return
        context.update_cursor(json.dumps(seen, sort_keys=True))
        yield dg.RunRequest(run_key=run_key(seen, policy.hash))

    return watch


def look(policy: ANY_POLICY) -> Seen:
    """The source's files as they are now."""
    from anon_platform.ingest import source_files  # when it looks, so that definitions load quickly

    found: Seen = {}
    for source in policy.sources:
        for path in source_files(source):
            status = path.stat()
            found[str(path)] = [status.st_mtime_ns, status.st_size]
    return found


def unsettled(seen: Seen, before: Seen, settle_seconds: int, now_ns: int) -> int:
    """How many new or changed files were written to within the settle time."""
    changed = [mark for path, mark in seen.items() if before.get(path) != mark]
    return sum(now_ns - mtime < settle_seconds * 1_000_000_000 for mtime, _ in changed)


def run_key(seen: Seen, policy_hash: str) -> str:
    """The same for the same files and policy, so that Dagster starts one run for them, ever."""
    text = "\n".join(f"{path}:{mtime}:{size}" for path, (mtime, size) in sorted(seen.items()))
    return hashlib.sha256(f"{text}\n{policy_hash}".encode()).hexdigest()


def release_schedule(policy: ANY_POLICY, job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """The policy's schedule."""
    assert policy.schedule is not None
    return dg.ScheduleDefinition(
        name=f"{policy.dataset}_schedule",
        job=job,
        cron_schedule=policy.schedule.cron,
        execution_timezone=policy.schedule.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )

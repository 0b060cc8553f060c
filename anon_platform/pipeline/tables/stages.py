"""The stages of a policy over several tables: each does for every table what the stage of one table does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.ingest import fingerprint, source_files
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY, Ledger
from anon_platform.ledger.audit import canonical_json
from anon_platform.pipeline.attacks.external import external_fingerprint
from anon_platform.pipeline.keys_used import checks_of_keys, require_same_keys
from anon_platform.pipeline.plan import plan
from anon_platform.pipeline.population import population_fingerprint
from anon_platform.pipeline.stages import (
    StageReport,
    copied,
    fitted_rows,
    flat,
    from_manifest,
    profiled,
    record,
    report_of,
    require_not_lost,
    settled,
    wipe_others,
)
from anon_platform.pipeline.staging import Work, current, exclusive, remember, value_free
from anon_platform.pipeline.tables.dropped import dropped_rows, require_keys
from anon_platform.pipeline.tables.releasing import assess_tables, write_tables
from anon_platform.pipeline.treatments import Progress, silent
from anon_platform.policy import TablesPolicy, load_any_policy
from anon_platform.table import TOKEN
from anon_platform.version import RELEASED_DATA_VERSION

ADDED = ("rows", "files", "columns", "columns_suppressed", "rows_out", "rows_suppressed")
"""Numbers of the tables that add up."""


@value_free
def raw(file: Path, progress: Progress = silent) -> StageReport:
    """Checks the policy against its sources and copies every table to staging; keys have to be unique."""
    policy = plan(file).policy
    assert isinstance(policy, TablesPolicy)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        progress("fingerprints of the sources", 0, 0)
        key = load_key(INSTANCE_KEY)
        prints = {name: fingerprint(source_files(part.source), key) for name, part in policy.parts.items()}
        found = key.derive("tables").token("|".join(f"{name}:{prints[name]}" for name in sorted(prints)), 26)
        crowds = " ".join(filter(None, (population_fingerprint(part, key) for part in policy.parts.values())))
        keys = checks_of_keys(policy)
        # a rotated key makes another release; a policy without keys keeps its id
        used = [canonical_json(keys)] if keys else []
        attacked = {name: external_fingerprint(part, key) for name, part in policy.parts.items()}
        used += [f"{name} {files}" for name, files in sorted(attacked.items()) if files]
        identity = "|".join([policy.hash, found, str(RELEASED_DATA_VERSION), crowds, *used])
        work = Work(policy.dataset, key.derive("release").token(identity, 20))
        remember(work, policy.hash)
        if work.released.exists():
            record(ledger, "raw.materialized", policy, work, "already released", {}, found)
            return from_manifest("raw", work)
        require_not_lost(ledger, work)
        wipe_others(work)
        known, works = work.done("raw"), works_of(policy, work)
        by_table: dict[str, dict[str, Any]] = {}
        for name, part in policy.parts.items():
            numbers = works[name].done("raw")
            if numbers is None:
                numbers = copied(part, works[name], prints[name], key.derive("people"), _in(progress, name))
                numbers["attacks"] = attacked[name]
                works[name].finish("raw", numbers)
            by_table[name] = numbers
        require_keys(policy, works)
        numbers = summed(by_table) | {
            "people": _people(policy, works),
            "fingerprint": found,
            "populations": crowds,
            "keys": keys,
        }
        work.finish("raw", numbers)
        if known is None:
            record(ledger, "raw.materialized", policy, work, "ok", flat(numbers))
        return report_of("raw", work, numbers)


@value_free
def analyzed(file: Path, progress: Progress = silent) -> StageReport:
    """Profiles every table and measures the risk of its original records."""
    policy = _tables_policy(file)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("analyzed", work)
        known, works = work.done("analyzed"), works_of(policy, work)
        by_table: dict[str, dict[str, Any]] = {}
        for name, part in policy.parts.items():
            numbers = works[name].done("analyzed")
            if numbers is None:
                progress(f"{name}: profile and risk of the original", 0, 0)
                numbers = profiled(part, works[name])
                works[name].finish("analyzed", numbers)
            by_table[name] = numbers
        # what adds up over tables is known from raw; risks do not
        numbers = {"rows": sum(each["rows"] for each in by_table.values()), **_of_tables(by_table)}
        work.finish("analyzed", numbers)
        if known is None:
            record(ledger, "analyzed.materialized", policy, work, "ok", flat(numbers))
        return report_of("analyzed", work, numbers)


@value_free
def anonymized(file: Path, progress: Progress = silent) -> StageReport:
    """Treats the tables, first those that others refer to; rows of a suppressed record go with it."""
    policy = _tables_policy(file)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("anonymized", work)
        work.require("analyzed")
        require_same_keys(policy, work)
        known, works = work.done("anonymized"), works_of(policy, work)
        by_table: dict[str, dict[str, Any]] = {}
        for name, part in policy.parts.items():
            numbers = works[name].done("anonymized")
            if numbers is None:
                dropped = dropped_rows(policy, name, works)
                numbers = fitted_rows(part, works[name], _in(progress, name), dropped)
                numbers |= {"rows_dropped": 0 if dropped is None else len(dropped)}
                works[name].finish("anonymized", numbers)
            by_table[name] = numbers
        numbers = summed(by_table)
        work.finish("anonymized", numbers)
        if known is None:
            record(ledger, "anonymized.materialized", policy, work, "ok", flat(numbers))
        return report_of("anonymized", work, numbers)


@value_free
def validated(file: Path, progress: Progress = silent) -> StageReport:
    """Measures every table and all of them together; promotes the release if, and only if, every threshold holds."""
    policy = _tables_policy(file)
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("validated", work)
        work.require("anonymized")
        require_same_keys(policy, work)
        works = works_of(policy, work)
        found = assess_tables(policy, works, progress)
        return settled(
            ledger,
            policy,
            work,
            found.whole,
            lambda draft: write_tables(policy, work, works, found, ledger.head(), draft),
            {works[name]: evidence for name, evidence in found.evidence.items()},
        )


def works_of(policy: TablesPolicy, work: Work) -> dict[str, Work]:
    """The part of the work that is about each table."""
    return {name: work.of_table(name) for name in policy.parts}


def summed(by_table: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What adds up, then everything by table; types and levels with the table before the column."""
    added = {name: sum(each[name] for each in by_table.values() if name in each) for name in ADDED}
    found = {name: value for name, value in added.items() if any(name in each for each in by_table.values())}
    for name in ("types", "levels"):
        if any(name in each for each in by_table.values()):
            found[name] = {
                f"{table}.{column}": value
                for table, each in by_table.items()
                for column, value in each.get(name, {}).items()
            }
    return found | _of_tables(by_table)


def _of_tables(by_table: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Single numbers, by table."""
    return {
        f"{number} by table": {table: each[number] for table, each in by_table.items() if number in each}
        for number in dict.fromkeys(name for each in by_table.values() for name in flat(each))
    }


def _people(policy: TablesPolicy, works: Mapping[str, Work]) -> int:
    """People who have a row in any table."""
    tokens = [works[name].snapshot(policy.engine).counts([TOKEN])[TOKEN] for name in policy.parts]
    return pl.concat(tokens).n_unique()


def _tables_policy(file: Path) -> TablesPolicy:
    policy = load_any_policy(file)
    assert isinstance(policy, TablesPolicy)
    return policy


def _in(progress: Progress, table: str) -> Progress:
    return lambda what, done, total: progress(f"{table}: {what}", done, total)

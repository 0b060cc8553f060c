"""What a run would do, and everything that is wrong with it, without reading a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.anonymize import Generalize, OfCounts, OfRows
from anon_platform.anonymize.hierarchy import needs_counts
from anon_platform.errors import KeyUnavailableError, SourceError
from anon_platform.ingest import column_type, schema_faults, source_files, source_schema
from anon_platform.keys import load_key
from anon_platform.policy import Column, Fault, FaultyPolicyError, Policy
from anon_platform.policy.loading import Reading, read_policy


@dataclass(frozen=True)
class PlannedColumn:
    """One line of the plan."""

    name: str
    role: str
    type: str
    treatment: str


@dataclass(frozen=True)
class Plan:
    """What a run of the policy would do."""

    policy: Policy
    schema: Mapping[str, pl.DataType]
    files: int
    columns: tuple[PlannedColumn, ...]
    passes: tuple[str, ...]
    thresholds: Mapping[str, float]
    engine: str
    """What counts the rows, in words."""

    def as_json(self) -> dict[str, object]:
        """The plan for machines and for the manifest."""
        return {
            "dataset": self.policy.dataset,
            "policy_hash": self.policy.hash,
            "files": self.files,
            "columns": [vars(column) for column in self.columns],
            "passes": list(self.passes),
            "thresholds": dict(self.thresholds),
            "engine": self.engine,
        }


def plan(file: Path) -> Plan:
    """The plan of a policy file; `FaultyPolicyError` names all faults of policy, source schema and keys at once."""
    reading = read_policy(file)
    faults = [
        *reading.faults,
        *_schema_faults(reading),
        *_population_faults(reading),
        *_key_faults(reading),
    ]
    if reading.policy is None or faults:
        raise FaultyPolicyError(file, faults)
    return plan_of(reading.policy)


def plan_of(policy: Policy) -> Plan:
    """The plan of a sound policy."""
    schema = source_schema(policy.source)
    return Plan(
        policy,
        schema,
        len(source_files(policy.source)),
        tuple(
            PlannedColumn(name, column.role, _type_name(column, schema[name]), column.in_words())
            for name, column in policy.columns.items()
        ),
        tuple(_passes(policy)),
        policy.thresholds.numbers(),
        policy.engine.in_words(),
    )


def _type_name(column: Column, found: pl.DataType) -> str:
    """The type in one word: an enumeration would list its categories, which are cell values."""
    return column.type or str(column_type(column, found).base_type()).lower()


def _passes(policy: Policy) -> list[str]:
    kept, staged = len(policy.released), len(policy.staged)
    counted = [*policy.quasi_identifiers, *policy.sensitive]
    passes = [f"copy {staged} of {len(policy.columns)} columns to staging, checking types and completeness"]
    alone = [name for name in policy.released if _needs_its_column(policy.columns[name])]
    if alone:
        passes.append(f"read {', '.join(alone)}, each by itself, for steps that need the whole column")
    if counted:
        passes.append(
            f"count the combinations of {', '.join(counted)} and {policy.privacy_unit.name}; {policy.recoding.in_words()}"
        )
    passes.append(
        f"treat {kept} columns in batches, suppress records, write {' and '.join(policy.publish.formats)}"
    )
    passes.append("measure the written files against the thresholds")
    return passes


def _needs_its_column(column: Column) -> bool:
    return any(
        needs_counts(step.hierarchy) if isinstance(step, Generalize) else isinstance(step, OfCounts | OfRows)
        for step in column.treat
    )


def _schema_faults(reading: Reading) -> list[Fault]:
    source = reading.draft.parts.get("source") if reading.draft is not None else None
    if reading.draft is None or source is None:
        return []
    try:
        schema = source_schema(source)
    except SourceError as error:
        return [reading.document.fault(("source", "path"), str(error))]
    found = schema_faults(reading.draft.names, reading.draft.columns, schema)
    return [reading.document.fault(at, message) for at, message in found]


def _population_faults(reading: Reading) -> list[Fault]:
    """A population that cannot be read would only be missed when the release is measured."""
    thresholds = reading.draft.parts.get("thresholds") if reading.draft is not None else None
    faults = []
    for name, population in (thresholds.populations() if thresholds is not None else {}).items():
        at = ("thresholds", name, "population")
        try:
            schema = source_schema(population)
        except SourceError as error:
            faults.append(reading.document.fault((*at, "path"), str(error).replace("source.path", "path")))
            continue
        wanted = population.columns
        # without a header the first line of a CSV file has cells, which are not named
        known = (
            f"it has {', '.join(schema)}" if set(wanted.values()) & set(schema) else "nor any other of these"
        )
        faults += [
            reading.document.fault((*at, "columns", ours), f"the population has no such column; {known}")
            for ours, theirs in wanted.items()
            if theirs not in schema
        ]
    return faults


def _key_faults(reading: Reading) -> list[Fault]:
    faults = []
    for name, column in (reading.draft.columns if reading.draft is not None else {}).items():
        for i, step in enumerate(column.treat):
            key = getattr(step, "key", None)
            if key is not None:
                try:
                    load_key(key)
                except KeyUnavailableError as error:
                    faults.append(reading.document.fault(("columns", name, "treat", i, "key"), str(error)))
    return faults

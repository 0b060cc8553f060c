"""What a run would do, and everything that is wrong with it, without reading a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.anonymize import Generalize, OfCounts, OfRows, Tokenize
from anon_platform.anonymize.hierarchy import needs_counts
from anon_platform.errors import KeyUnavailableError, SourceError
from anon_platform.ingest import column_type, schema_faults, source_files, source_schema
from anon_platform.keys import load_key
from anon_platform.pipeline.attacks.files import attack_file_faults
from anon_platform.pipeline.dp.plan import DPPlan, dp_faults, dp_plan_of
from anon_platform.pipeline.keys_used import keys_of
from anon_platform.policy import Column, DPPolicy, FaultyPolicyError, Policy, TablesPolicy
from anon_platform.policy.dp import DPReading
from anon_platform.policy.loading import Reading
from anon_platform.policy.rules.privacy import Broken, Draft
from anon_platform.policy.rules.risk import populations_of
from anon_platform.policy.tables_loading import place_in, read_any_policy
from anon_platform.publish import pdf_fault
from anon_platform.vault import Vault


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


@dataclass(frozen=True)
class TablesPlan:
    """What a run of a policy over several tables would do: the plan of each, in the order they are treated."""

    policy: TablesPolicy
    tables: Mapping[str, Plan]

    @property
    def columns(self) -> list[str]:
        """All columns, each with its table."""
        return [f"{name}.{column.name}" for name, plan in self.tables.items() for column in plan.columns]

    def as_json(self) -> dict[str, object]:
        """The plan for machines and for the manifest."""
        return {
            "dataset": self.policy.dataset,
            "policy_hash": self.policy.hash,
            "files": sum(plan.files for plan in self.tables.values()),
            "tables": {name: plan.as_json() for name, plan in self.tables.items()},
            "thresholds": self.policy.thresholds.numbers(),
            "engine": self.policy.engine.in_words(),
        }


def plan(file: Path) -> Plan | TablesPlan | DPPlan:
    """The plan of a policy file; `FaultyPolicyError` names all faults of policy, source schema and keys at once."""
    reading = read_any_policy(file)
    broken: list[Broken] = []
    if isinstance(reading, DPReading):
        broken += dp_faults(reading.policy) if reading.policy is not None and not reading.faults else []
    elif isinstance(reading, Reading):
        broken += _of_source(reading.draft) if reading.draft is not None else []
    elif reading.policy is not None:
        for name, draft in reading.drafts.items():
            rules = reading.policy.tables[name]
            broken += [(place_in(name, rules, at), message) for at, message in _of_source(draft)]
    faults = [*reading.faults, *(reading.document.fault(at, message) for at, message in broken)]
    if reading.policy is None or faults:
        raise FaultyPolicyError(file, faults)
    if isinstance(reading.policy, TablesPolicy):
        return plan_of_tables(reading.policy)
    if isinstance(reading.policy, DPPolicy):
        return dp_plan_of(reading.policy)
    return plan_of(reading.policy)


def plan_of_tables(policy: TablesPolicy) -> TablesPlan:
    """The plan of a sound policy over several tables."""
    return TablesPlan(policy, {name: plan_of(part) for name, part in policy.parts.items()})


def _of_source(draft: Draft) -> list[Broken]:
    """What is wrong with the source, populations and keys that the policy of one table names."""
    return [
        *_schema_faults(draft),
        *_population_faults(draft),
        *attack_file_faults(draft),
        *_key_faults(draft),
        *_pdf_faults(draft),
    ]


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


def _schema_faults(draft: Draft) -> list[Broken]:
    source = draft.parts.get("source")
    if source is None:
        return []
    try:
        schema = source_schema(source)
    except SourceError as error:
        return [(("source", "path"), str(error))]
    return list(schema_faults(draft.names, draft.columns, schema))


def _population_faults(draft: Draft) -> list[Broken]:
    """A population that cannot be read would only be missed when the release is measured."""
    faults: list[Broken] = []
    for at, population in populations_of(draft):
        try:
            schema = source_schema(population)
        except SourceError as error:
            faults.append(((*at, "path"), str(error).replace("source.path", "path")))
            continue
        wanted = population.columns
        # without a header the first line of a CSV file has cells, which are not named
        known = (
            f"it has {', '.join(schema)}" if set(wanted.values()) & set(schema) else "nor any other of these"
        )
        faults += [
            ((*at, "columns", ours), f"the population has no such column; {known}")
            for ours, theirs in wanted.items()
            if theirs not in schema
        ]
    return faults


def _pdf_faults(draft: Draft) -> list[Broken]:
    """A release that could not write its report would only fail at its end."""
    publish = draft.parts.get("publish")
    fault = pdf_fault() if publish is not None and publish.pdf else None
    return [] if fault is None else [(("publish", "pdf"), fault)]


def _key_faults(draft: Draft) -> list[Broken]:
    faults: list[Broken] = []
    for name, column in draft.columns.items():
        for i, step in enumerate(column.treat):
            for at, key in keys_of(step):
                try:
                    loaded = load_key(key)
                    if isinstance(step, Tokenize):
                        with Vault.open() as vault:
                            vault.require_key(loaded)
                except KeyUnavailableError as error:
                    faults.append((("columns", name, "treat", i, *at), str(error)))
    return faults

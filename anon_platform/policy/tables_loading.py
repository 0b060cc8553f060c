"""From a YAML file to a policy over one table or several, or to all of its faults."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from anon_platform.anonymize import KEYED
from anon_platform.policy.dp.loading import DPReading, dp_reading_of
from anon_platform.policy.dp.model import DPPolicy
from anon_platform.policy.faults import Fault, FaultyPolicyError, Path_, did_you_mean
from anon_platform.policy.loading import Reading, read_document, reading_of, validated
from anon_platform.policy.model import Policy
from anon_platform.policy.rules.privacy import Broken, Draft
from anon_platform.policy.rules.whole import broken_rules
from anon_platform.policy.tables import TABLE_NAME, TableRules, TablesPolicy
from anon_platform.policy.thresholds import Thresholds
from anon_platform.policy.yaml_nodes import Document

RECORDS_POLICY = Policy | TablesPolicy
"""A policy whose release has treated records of people."""

ANY_POLICY = Policy | TablesPolicy | DPPolicy


@dataclass(frozen=True)
class TablesReading:
    """A policy over several tables as far as it can be understood. drafts: of each table what is sound."""

    document: Document
    faults: list[Fault]
    policy: TablesPolicy | None = None
    drafts: Mapping[str, Draft] = field(default_factory=dict)


def load_any_policy(file: Path) -> ANY_POLICY:
    """The policy in `file`, of whatever kind; `FaultyPolicyError` names every fault with its place."""
    reading = read_any_policy(file)
    if reading.policy is None or reading.faults:
        raise FaultyPolicyError(file, reading.faults)
    return reading.policy


def kind_of(file: Path) -> Literal["table", "tables", "dp"]:
    """Whether the policy in `file` treats one table or several, or releases under differential privacy; a file that cannot be read is one of a table."""
    document = read_document(file)
    said = {} if document.faults else document.value
    return "tables" if "tables" in said else "dp" if "privacy_loss" in said else "table"


def read_any_policy(file: Path) -> Reading | TablesReading | DPReading:
    """Everything that can be said of a policy file without looking at its sources."""
    document = read_document(file)
    if document.faults:
        return Reading(document, document.faults)
    if "privacy_loss" in document.value:
        return dp_reading_of(document, file)
    if "tables" not in document.value:
        return reading_of(document, file)
    policy, faults = validated(TablesPolicy, document, {"folder": file.resolve().parent})
    if policy is None:
        return TablesReading(document, faults)
    policy._file = file  # noqa: SLF001 - the loader is the one place that knows
    drafts = {name: _draft(policy, name) for name in policy.tables}
    faults = [document.fault(at, message) for at, message in _broken(policy, drafts)]
    return TablesReading(document, faults, policy, drafts)


def place_in(name: str, rules: TableRules, at: Path_) -> Path_:
    """Where the file says what the policy of one table would say at this place."""
    own = {"source", "columns", "attackers", "attacks", "risk", "model", "utility"}
    own |= {part for part in ("thresholds", "recoding") if getattr(rules, part) is not None}
    if at[:2] == ("privacy_unit", "column"):
        return ("tables", name, "person")
    return ("tables", name, *at) if at and at[0] in own else at


def _draft(policy: TablesPolicy, name: str) -> Draft:
    said = policy.said_of(name)
    columns = said.pop("columns")
    unit = Policy.model_fields["privacy_unit"].annotation
    assert unit is not None
    said["privacy_unit"] = unit(**said["privacy_unit"])
    return Draft(tuple(columns), columns, said)


def _broken(policy: TablesPolicy, drafts: Mapping[str, Draft]) -> Iterator[Broken]:
    for name, rules in policy.tables.items():
        yield from ((place_in(name, rules, at), message) for at, message in broken_rules(drafts[name]))
        yield from _table(policy, name, rules)
    for role, threshold in (("quasi_identifier", "k"), ("sensitive", "l")):
        demanded = getattr(policy.thresholds, threshold) is not None
        if demanded and not any(draft.leaving(role) for draft in drafts.values()):
            message = f"no {role} column of any table leaves, so that this guards nothing; remove it"
            yield ("thresholds", threshold), message
    yield from _reviewed(policy)
    yield from _circle(policy)


def _reviewed(policy: TablesPolicy) -> Iterator[Broken]:
    """Demands that no review could meet, since samples are drawn of one table's policy."""
    places: dict[Path_, Thresholds | None] = {("thresholds",): policy.thresholds}
    places |= {("tables", name, "thresholds"): rules.thresholds for name, rules in policy.tables.items()}
    for at, thresholds in places.items():
        if thresholds is not None and thresholds.reviewed_recall is not None:
            yield (
                (*at, "reviewed_recall"),
                "notes of several tables cannot be reviewed yet; remove it, or write a policy of the table with the notes",
            )


def _table(policy: TablesPolicy, name: str, rules: TableRules) -> Iterator[Broken]:
    at: Path_ = ("tables", name)
    if not re.fullmatch(TABLE_NAME, name):
        yield at, "a table's name has small letters, digits and _, and begins with a letter; rename it"
    if rules.key is not None and rules.key not in rules.columns:
        yield (*at, "key"), _no_column(rules.key, rules)
    for column, to in rules.references.items():
        yield from _reference(policy, (*at, "references", column), rules, column, to)


def _reference(policy: TablesPolicy, at: Path_, rules: TableRules, column: str, to: str) -> Iterator[Broken]:
    if column not in rules.columns:
        yield at, _no_column(column, rules)
        return
    if to not in policy.tables:
        yield at, f"no such table{did_you_mean(to, policy.tables) or '; name one below tables'}"
        return
    referred = policy.tables[to]
    if referred.key is None or referred.key not in referred.columns:
        yield at, f"table {to} has no key to refer to; write key: … there"
        return
    ours, theirs = rules.columns[column], referred.columns[referred.key]
    if ours.treat != theirs.treat or not any(isinstance(step, KEYED) for step in ours.treat):
        yield (
            at,
            (
                f"the column and the key of {to} have to leave with the same pseudonym, or rows could not be joined;"
                " give both one treat, such as {technique: pseudonymize, key: …}, or remove the reference"
            ),
        )


def _no_column(name: str, rules: TableRules) -> str:
    return f"no such column under columns{did_you_mean(name, rules.columns) or '; name one of them'}"


def _circle(policy: TablesPolicy) -> Iterator[Broken]:
    """References in a circle have no table that comes first; one to the own table takes rows with their rows, again and again."""
    done: set[str] = set()
    for name in policy.in_order():
        rules = policy.tables[name]
        for column, to in rules.references.items():
            if to in policy.tables and to not in done:
                message = (
                    "references run in a circle, so that no table can be treated first; remove one of them"
                )
                yield ("tables", name, "references", column), message
        done.add(name)

"""One policy over several tables that share people and keys, such as patients, encounters and conditions."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from anon_platform.anonymize import KEYED
from anon_platform.policy.attacks import Attacks
from anon_platform.policy.engine import Engine
from anon_platform.policy.model import Column, Model, Policy, Publish, Schedule, Watch
from anon_platform.policy.recoding import Recoding
from anon_platform.policy.regulations import Regulations
from anon_platform.policy.risk import Risk
from anon_platform.policy.rules.privacy import GUARDS
from anon_platform.policy.source import Source
from anon_platform.policy.statements import Statements
from anon_platform.policy.thresholds import Attacker, Thresholds
from anon_platform.policy.utility import Utility
from anon_platform.spec import Spec

TABLE_NAME = r"^[a-z][a-z0-9_]{0,30}$"


class TablesUnit(Spec):
    """Whose privacy is protected; each table says which of its columns holds this person."""

    name: str = "person"
    """What reports call the unit, such as patient."""


class TableRules(Spec):
    """One table of several: its source and columns, whose its rows are, and what ties them to other tables."""

    source: Source
    person: str
    """The column that tells whose row it is: the same values in every table."""
    key: str | None = None
    """The column that others refer to; each of its values stands in one row."""
    references: dict[str, str] = Field(default_factory=dict)
    """Column and the table whose key it holds. Both leave with the same pseudonym; rows of a suppressed record go with it."""
    columns: dict[str, Column] = Field(min_length=1)
    thresholds: Thresholds | None = None
    """This table's own thresholds, in place of those of the policy."""
    recoding: Recoding | None = None
    """This table's own recoding, in place of that of the policy."""
    attackers: tuple[Attacker, ...] = ()
    risk: Risk | None = None
    attacks: Attacks | None = None
    model: Model | None = None
    utility: Utility | None = None


class TablesPolicy(Spec):
    """One dataset of several tables: they are released together or not at all."""

    version: Literal[1]
    dataset: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")
    title: str
    owner: str
    """Who answers for the policy, a mail address or a team."""
    privacy_unit: TablesUnit
    tables: dict[str, TableRules] = Field(min_length=1)
    thresholds: Thresholds
    """Hold for every table that has what they guard, unless it says its own; k for all tables taken together, too."""
    regulation: Regulations = Field(default=(), strict=False)
    """Rules whose every clause is checked on the bytes of every table; a clause that fails refuses the release."""
    statements: Statements | None = None
    """What the owner states for clauses that no program can measure."""
    recoding: Recoding = Field(default_factory=Recoding)
    publish: Publish
    schedule: Schedule | None = None
    watch: Watch | None = None
    engine: Engine = Field(default_factory=Engine)

    _file: Path = PrivateAttr(default=Path("policy.yaml"))
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _remember_folder(self, info: ValidationInfo) -> "TablesPolicy":
        self._folder = Path((info.context or {}).get("folder", "."))
        return self

    @property
    def file(self) -> Path:
        """The YAML file this policy was read from."""
        return self._file

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the identified data lies."""
        return tuple(rules.source for rules in self.tables.values())

    @cached_property
    def parts(self) -> Mapping[str, Policy]:
        """By table the policy that it would have alone, in an order in which what is referred to comes first."""
        return {name: self._alone(name) for name in self.in_order()}

    def in_order(self) -> list[str]:
        """The tables, each after those that it refers to; in the policy's order where references run in a circle."""
        found: list[str] = []
        waiting = list(self.tables)
        while waiting:
            ready = [
                name
                for name in waiting
                if not {to for to in self.tables[name].references.values() if to != name} & set(waiting)
            ]
            found += ready or waiting
            waiting = [name for name in waiting if name not in found]
        return found

    def said_of(self, name: str) -> dict[str, Any]:
        """What is said of one table, in the sections of a policy of one table."""
        rules = self.tables[name]
        leaving = [column for column in rules.columns.values() if not column.suppressed]
        linked = any(isinstance(step, KEYED) for column in leaving for step in column.treat)
        unit: dict[str, Any] = {"column": rules.person, "name": self.privacy_unit.name}
        if rules.person == rules.key:
            unit["one_row"] = True
        elif linked:
            unit["linked"] = True
        return {
            "version": 1,
            "dataset": f"{self.dataset}__{name}",
            "title": f"{self.title}: {name}",
            "owner": self.owner,
            "source": rules.source,
            "privacy_unit": unit,
            "columns": rules.columns,
            "thresholds": rules.thresholds or _of_use(self.thresholds, {column.role for column in leaving}),
            "regulation": self.regulation,
            "statements": self.statements,
            "recoding": rules.recoding or self.recoding,
            "attackers": rules.attackers,
            "risk": rules.risk,
            "attacks": rules.attacks,
            "model": rules.model,
            "utility": rules.utility,
            "publish": self.publish,
            "engine": self.engine,
        }

    def _alone(self, name: str) -> Policy:
        policy = Policy.model_validate(self.said_of(name), context={"folder": self._folder})
        policy._file = self._file  # noqa: SLF001 - the same file says it
        return policy

    def canonical(self) -> str:
        """The policy as one line of JSON, the same for policies that say the same of the released data."""
        unsaid = {"engine"} | ({"statements"} if self.statements is None else set())
        said = self.model_dump(mode="json", exclude=unsaid)
        return json.dumps(said, sort_keys=True, separators=(",", ":"))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def _of_use(thresholds: Thresholds, roles: set[str]) -> Thresholds:
    """The thresholds without those that guard nothing in a table whose leaving columns have these roles."""
    idle = [name for role, names in GUARDS.items() if role not in roles for name in names]
    return thresholds.model_copy(update=dict.fromkeys(idle))

"""The policy as a value. Nothing that decides privacy has a default; unknown keys are refused."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator, model_validator

from anon_platform.anonymize import DeidentifyText, Generalize, OfPeople, OfRecords, Suppress, Technique
from anon_platform.frequency import ColumnModel, DistinctL, TCloseness
from anon_platform.policy.attacks import Attacks
from anon_platform.policy.cron import cron_fault
from anon_platform.policy.engine import Engine
from anon_platform.policy.recoding import Recoding
from anon_platform.policy.regulations import Regulations
from anon_platform.policy.risk import Risk
from anon_platform.policy.source import Population, Source
from anon_platform.policy.statements import Statements
from anon_platform.policy.thresholds import Attacker, Thresholds
from anon_platform.policy.utility import Cell, Utility
from anon_platform.spec import Spec

Role = Literal[
    "direct_identifier",
    "quasi_identifier",
    "sensitive",
    "insensitive",
    "free_text",
    "image",
    "timestamp",
    "location",
]

ColumnType = Literal["string", "integer", "number", "boolean", "date", "datetime"]


class PrivacyUnit(Spec):
    """Whose privacy is protected: k, risk and model splits count them, not rows."""

    column: str | None = None
    """The column that tells one person from another, such as patient_id."""
    each_row_is_a_person: Literal[True] | None = None
    """Written instead of `column` when nobody has two rows."""
    name: str = "person"
    """What reports call the unit, such as patient."""
    linked: Literal[True] | None = None
    """Written when a pseudonym that leaves links a person's rows: then k people must share the whole set of rows."""

    one_row: Literal[True] | None = None
    """Written when everybody has one row, so that a pseudonym of the person links nothing; a source where somebody has two stops the run."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.one_row and (self.column is None or self.linked):
            raise ValueError(
                "one_row goes with column: <person column>, and rows of nobody are linked; remove the other"
            )
        if (self.column is None) == (self.each_row_is_a_person is None):
            raise ValueError(
                "say whose privacy: either column: <person column> or each_row_is_a_person: true"
            )
        return self


def _steps(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else [value]


class SourceColumn(Spec):
    """One column as the source has it."""

    role: Role
    type: ColumnType | None = None
    """The type its values must have; CSV columns without one are text, Parquet columns keep theirs."""
    date_format: str | None = None
    """For dates in text, strptime style, such as "%m/%d/%Y"; ISO 8601 when left out."""
    required: bool = False
    """Whether a missing value stops the run."""


class Column(SourceColumn):
    """One column of the source: what it is, and what is done to it before it leaves."""

    treat: Annotated[tuple[Technique, ...], BeforeValidator(_steps)] = Field(default=(), strict=False)
    """Steps in order; left out, the values leave as they are (sensitive and insensitive columns only)."""

    @property
    def suppressed(self) -> bool:
        """Whether the column is left out of the release."""
        return any(isinstance(step, Suppress) for step in self.treat)

    @property
    def searched(self) -> Generalize | None:
        """The step whose level the k-anonymity search picks, if there is one."""
        return next(
            (step for step in self.treat if isinstance(step, Generalize) and step.level is None), None
        )

    def in_words(self) -> str:
        """What is done to the column, in a few words."""
        words = []
        for step in self.treat:
            if isinstance(step, Generalize):
                levels = " > ".join(step.hierarchy.level_names)
                searched = f"generalize{_wishes(step)}, level searched: {levels} > *"
                words.append(f"generalize to {step.level}" if step.level else searched)
                continue
            settings = step.model_dump(exclude={"technique"}, exclude_defaults=True)
            shown = ", ".join(_setting(key, value) for key, value in settings.items())
            words.append(step.technique.replace("_", " ") + (f" ({shown})" if shown else ""))
        return ", then ".join(words) or "released as it is"


def _wishes(step: Generalize) -> str:
    """Weight and coarsest level, where they are given."""
    wishes = [] if step.weight is None else [f"weight {step.weight:g}"]
    wishes += [] if step.coarsest is None else [f"no coarser than {step.coarsest}"]
    return f" ({', '.join(wishes)})" if wishes else ""


def _setting(key: str, value: object) -> str:
    """A setting in a few words; of a table its size, since its keys may be values of the column."""
    if isinstance(value, dict):
        return f"{key} of {len(value)}"
    if isinstance(value, tuple):
        return f"{key} {', '.join(map(str, value))}"
    return f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"


class Target(Spec):
    """What the model predicts."""

    column: str
    positive: str
    """The value that counts as the event, as text."""


Learner = Literal["gradient_boosting", "logistic_regression"]


class Model(Spec):
    """The model the data is for; it is trained on original and released rows and tested on held-out people."""

    target: Target
    features: tuple[str, ...] = Field(min_length=1)
    test_share: float = Field(gt=0, lt=1)
    """Share of people held out for the test."""
    seed: int = Field(ge=0, le=2**32 - 1)
    max_people: int = Field(default=150_000, ge=100)
    """At most so many people, drawn at random, train and test the model; all when there are fewer."""
    learners: tuple[Learner, ...] = Field(
        default=("gradient_boosting", "logistic_regression"), min_length=1, strict=False
    )
    """How it is trained; thresholds are about the first one, the others are shown beside it."""
    groups: dict[str, Annotated[tuple[Cell, ...], Field(min_length=1)]] = Field(
        default_factory=dict, strict=False
    )
    """By column, values that are groups of people, such as sex: [F, M]; does anonymization cost one of them more? Others are one group."""


class Publish(Spec):
    """How the release is written, and for whom."""

    formats: tuple[Literal["parquet", "csv"], ...] = Field(min_length=1)
    recipient: str
    purpose: str
    retention_days: int | None = Field(default=None, ge=1)
    pdf: bool = False
    """Whether the report is written as report.pdf, too; needs the extra `pdf`."""


@cache
def _timezones() -> frozenset[str]:
    """Names of the time zone database; looked up once, since it walks a folder tree."""
    return frozenset(available_timezones())


class Schedule(Spec):
    """When a release is made by itself."""

    cron: str
    timezone: str = "UTC"

    @field_validator("cron")
    @classmethod
    def _fires(cls, cron: str) -> str:
        fault = cron_fault(cron)
        if fault is not None:
            raise ValueError(fault)
        return cron

    @field_validator("timezone")
    @classmethod
    def _known(cls, timezone: str) -> str:
        if timezone not in _timezones():
            raise ValueError("write a name of the IANA time zone database, such as UTC or America/New_York")
        return timezone


class Watch(Spec):
    """Whether a new file in the source folder starts a release."""

    settle_seconds: int = Field(ge=1)
    """A file counts as complete when it was not written to for so long."""


class Policy(Spec):
    """One dataset's rules, from source to release."""

    version: Literal[1]
    dataset: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    title: str
    owner: str
    """Who answers for the policy, a mail address or a team."""
    source: Source
    privacy_unit: PrivacyUnit
    columns: dict[str, Column] = Field(min_length=1)
    thresholds: Thresholds
    regulation: Regulations = Field(default=(), strict=False)
    """Rules whose every clause is checked on the bytes that leave, one or a list; a clause that fails refuses the release."""
    statements: Statements | None = None
    """What the owner states for clauses that no program can measure."""
    recoding: Recoding = Field(default_factory=Recoding)
    attackers: tuple[Attacker, ...] = ()
    """What several attackers know, each with numbers of its own; beside the thresholds, which hold for all of it."""
    risk: Risk | None = None
    """Against whom risk is measured beside the classes of the data."""
    attacks: Attacks | None = None
    """Attacks that are run on the release before it leaves."""
    model: Model | None = None
    utility: Utility | None = None
    """How useful the release must be, and for what; some measures are taken and shown without it as well."""
    publish: Publish
    schedule: Schedule | None = None
    watch: Watch | None = None
    engine: Engine = Field(default_factory=Engine)

    _file: Path = PrivateAttr(default=Path("policy.yaml"))

    @property
    def file(self) -> Path:
        """The YAML file this policy was read from."""
        return self._file

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the identified data lies."""
        return (self.source,)

    def populations(self) -> dict[str, Population]:
        """The population tables that thresholds and risk rest on, by the name of the model (k_map, delta_presence, risk)."""
        found = self.thresholds.populations()
        if (
            self.risk is not None
            and self.risk.population is not None
            and self.risk.population.table is not None
        ):
            found["risk"] = self.risk.population.table
        return found

    @property
    def parts(self) -> "Mapping[str, Policy]":
        """Itself, as the one table that it is about."""
        return {"": self}

    @property
    def released(self) -> list[str]:
        """Columns that leave, in the policy's order."""
        return [name for name, column in self.columns.items() if not column.suppressed]

    @property
    def staged(self) -> list[str]:
        """Columns that are copied to staging: those that leave, that texts are searched for, that are attacked, and groups of people."""
        known = [
            name
            for column in self.columns.values()
            for step in column.treat
            if isinstance(step, OfRecords)
            for name in (
                *step.known_from,
                *((step.gold.row,) if isinstance(step, DeidentifyText) and step.gold else ()),
            )
        ]
        attacked = self.attacks.raw_columns if self.attacks is not None else []
        groups = self.model.groups if self.model is not None else {}
        return [name for name in self.columns if name in {*self.released, *known, *attacked, *groups}]

    @property
    def treats_people(self) -> bool:
        """Whether a step that leaves treats people, so that staging has to tell them apart as other tables do."""
        steps = [step for name in self.released for step in self.columns[name].treat]
        return any(
            isinstance(step, OfPeople) or (isinstance(step, DeidentifyText) and step.shift_dates is not None)
            for step in steps
        )

    @property
    def tells_people(self) -> bool:
        """Whether staging has to tell people apart by their keys: for steps, or for the truth of an attack."""
        attacked = self.attacks is not None and any(each.truth is not None for each in self.attacks.linkage)
        return self.treats_people or attacked

    def with_role(self, role: Role) -> list[str]:
        """Columns of this role that leave."""
        return [name for name in self.released if self.columns[name].role == role]

    @property
    def quasi_identifiers(self) -> list[str]:
        """Quasi-identifiers that leave."""
        return self.with_role("quasi_identifier")

    @property
    def sensitive(self) -> list[str]:
        """Sensitive columns that leave."""
        return self.with_role("sensitive")

    def models_of(self, column: str) -> "tuple[ColumnModel, ...]":
        """The privacy models that a sensitive column must meet: its own, and those that l and t demand of all."""
        wanted = self.thresholds
        models: list[ColumnModel] = []
        if wanted.l is not None:
            models.append(DistinctL(model="distinct_l", l=wanted.l))
        if wanted.t is not None:
            models.append(TCloseness(model="t_closeness", distance="equal", t=wanted.t))
        return (*models, *wanted.sensitive.get(column, ()))

    def canonical(self) -> str:
        """The policy as one line of JSON, the same for policies that say the same of the released data."""
        # without the engine: it decides how rows are counted, not what is released, so that a run on a larger machine
        # finds the same release, and no second one of the same data appears under another name
        unsaid = {"engine"} | ({"statements"} if self.statements is None else set())
        said = self.model_dump(mode="json", exclude=unsaid)
        return json.dumps(said, sort_keys=True, separators=(",", ":"))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

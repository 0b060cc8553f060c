"""The policy of a differentially private release as a value."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from anon_platform.dp.domain import Domain
from anon_platform.dp.models import ModelRelease
from anon_platform.dp.statistics import Statistic
from anon_platform.dp.synthetic import Synthesis
from anon_platform.policy.dp.privacy_loss import NAME, PrivacyLoss
from anon_platform.policy.dp.thresholds import DPThresholds
from anon_platform.policy.model import Publish, Schedule, SourceColumn, Watch
from anon_platform.policy.source import Source
from anon_platform.spec import Spec


def _several(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else [value]


class DPUnit(Spec):
    """Whose privacy is protected."""

    column: str | None = None
    """The column that tells one person from another, such as patient_id."""
    each_row_is_a_person: Literal[True] | None = None
    """Written instead of `column` when nobody has two rows."""
    name: str = "person"
    """What reports call the unit, such as patient."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.column is None) == (self.each_row_is_a_person is None):
            raise ValueError(
                "say whose privacy: either column: <person column> or each_row_is_a_person: true"
            )
        return self


class DPColumn(SourceColumn):
    """One column of the source; it is read if, and only if, it has a domain."""

    domain: Domain | None = None
    """What it may hold, from public knowledge."""

    @property
    def suppressed(self) -> bool:
        """Whether nothing is measured of it."""
        return self.domain is None

    @property
    def treat(self) -> tuple[()]:
        """No value leaves, so none is treated."""
        return ()

    def in_words(self) -> str:
        """What becomes of the column, in a few words."""
        return "not read" if self.domain is None else "measured with noise"


class DPPolicy(Spec):
    """One dataset's rules for a release in which everything that was measured has noise on it."""

    version: Literal[1]
    dataset: str = Field(pattern=NAME)
    title: str
    owner: str
    """Who answers for the policy, a mail address or a team."""
    source: Source
    privacy_unit: DPUnit
    privacy_loss: PrivacyLoss
    columns: dict[str, DPColumn] = Field(min_length=1)
    statistics: Annotated[tuple[Statistic, ...], Field(strict=False)] = ()
    """Counts, sums, means, quantiles and feature tables to measure; or a synthetic table, or a model."""
    synthetic: Synthesis | None = None
    """A table of invented people, drawn from noisy counts; or statistics, or a model."""
    trained_model: ModelRelease | None = None
    """A model trained on noisy sums; or statistics, or a synthetic table."""
    regulation: Annotated[
        tuple[Literal["nist_sp_800_226"], ...], BeforeValidator(_several), Field(strict=False)
    ] = ()
    """Rules whose every clause is checked, one or a list; a clause that fails refuses the release."""
    thresholds: DPThresholds = Field(default_factory=DPThresholds)
    publish: Publish
    schedule: Schedule | None = None
    watch: Watch | None = None

    _file: Path = PrivateAttr(default=Path("policy.yaml"))

    @property
    def file(self) -> Path:
        """The YAML file this policy was read from."""
        return self._file

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the identified data lies."""
        return (self.source,)

    @property
    def staged(self) -> list[str]:
        """Columns that are copied to staging: those with a domain."""
        return list(self.domains)

    @property
    def domains(self) -> dict[str, Domain]:
        """The domain of every column that is read."""
        return {name: column.domain for name, column in self.columns.items() if column.domain is not None}

    @property
    def required(self) -> frozenset[str]:
        """Columns that are read and have no missing value."""
        return frozenset(name for name, column in self.columns.items() if column.domain and column.required)

    def canonical(self) -> str:
        """The policy as one line of JSON, the same for policies that say the same of the released data.

        Without what is left at its default, so that a setting that is new changes no hash: a release of an older policy
        would be paid for again.
        """
        said = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps(said, sort_keys=True, separators=(",", ":"))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

"""What the clauses of Safe Harbor look at: the released columns with their treatment, their look and their values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from anon_platform.anonymize import KEYED, DeidentifyText, Surrogate
from anon_platform.anonymize.hierarchy import SUPPRESSED
from anon_platform.anonymize.technique import has_text
from anon_platform.errors import IntegrityError
from anon_platform.policy import Column
from anon_platform.table import PERSON
from anon_platform.validate.evidence import Content, Evidence, Seen
from anon_platform.validate.files import read_released
from anon_platform.validate.safe_harbor.notes import Notes, notes_of

RANDOM = frozenset({"tokenize"})
"""Techniques whose codes are drawn at random, so that nothing in them comes from the original."""

NEAR_UNIQUE = 0.95
"""Share of the people with a value of their own from which on a column singles people out by itself."""

ENOUGH_PEOPLE = 20
"""Values from which on it says something that nobody shares one."""


@dataclass(frozen=True)
class Released:
    """A column that leaves. read: its released values, in the order of the rows, for measures of the clauses."""

    name: str
    policy: Column
    seen: Seen
    read: Callable[[], pl.Series] = field(compare=False)
    people: pl.Series = field(compare=False)

    @property
    def content(self) -> Content:
        """What the released values look like."""
        return self.seen.released

    @property
    def techniques(self) -> tuple[str, ...]:
        """What is done to the column, in order."""
        return tuple(step.technique for step in self.policy.treat)

    @property
    def derived(self) -> bool:
        """Whether codes leave that are computed from the original under a key."""
        made = (*KEYED, Surrogate)
        return any(isinstance(step, made) and step.technique not in RANDOM for step in self.policy.treat)

    @property
    def random(self) -> bool:
        """Whether codes leave that are drawn at random."""
        return any(technique in RANDOM for technique in self.techniques)

    @property
    def coded(self) -> bool:
        """Whether codes leave in place of values: then the treatment decides, whatever the codes look like."""
        return self.derived or self.random

    @property
    def searched_text(self) -> bool:
        """Whether it is a text that was searched for identifiers."""
        return any(isinstance(step, DeidentifyText) for step in self.policy.treat)

    @property
    def plain(self) -> bool:
        """Whether values leave that a reader may take for what they look like."""
        hidden = self.coded or self.searched_text or self.content.kind == "empty"
        return not (hidden or (self.content.distinct == 1 and self.values == [SUPPRESSED]))

    @cached_property
    def values(self) -> list[str]:
        """The distinct released values as text, without nulls; none where values have no text."""
        values = self.read()
        return values.drop_nulls().unique().cast(pl.String).to_list() if has_text(values.dtype) else []

    @cached_property
    def alone(self) -> float:
        """Share of the people with a value who have one that nobody else has, 0 to 1; 0 where nobody has a value."""
        values = self.read()
        if not has_text(values.dtype):
            return 0.0
        rows = pl.DataFrame({"value": values, "who": self.people}).drop_nulls("value").unique()
        people = rows["who"].n_unique()
        single = rows.filter(pl.col("value").is_unique())
        return single["who"].n_unique() / people if people else 0.0

    @property
    def singles_out(self) -> bool:
        """Whether almost everybody has a value that nobody else has, among enough people to say so."""
        return self.alone >= NEAR_UNIQUE and len(self.values) >= ENOUGH_PEOPLE


@dataclass(frozen=True)
class Case:
    """Everything that the clauses of a rule may look at. year: the present one, by which ages are told."""

    columns: tuple[Released, ...]
    notes: Notes
    year: int

    def plain(self) -> list[Released]:
        """Columns whose values a reader may take for what they look like."""
        return [column for column in self.columns if column.plain]


def case_of(evidence: Evidence, leaks: Mapping[str, float], year: int) -> Case:
    """The case of a release. leaks: by text column the notes that say a value of their own row.

    A column that nothing has looked at raises `IntegrityError`: it would pass every clause.
    """
    names = evidence.policy.released
    if missed := [name for name in names if name not in evidence.seen]:
        raise IntegrityError(
            f"column {', '.join(missed)}: nothing has looked at the released values, so that no clause can be judged"
        )
    columns = tuple(
        Released(
            name,
            evidence.policy.columns[name],
            evidence.seen[name],
            _reader(evidence, name),
            evidence.kept[PERSON],
        )
        for name in names
    )
    return Case(columns, notes_of(evidence, leaks), year)


def _reader(evidence: Evidence, name: str) -> Callable[[], pl.Series]:
    return lambda: read_released(evidence.data, [name])[name]

"""Attacks that are run on every release, and what they may find at most."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from anon_platform.policy.source import Source
from anon_platform.spec import Spec

Share = Annotated[float, Field(ge=0, le=1)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]

LATEST_YEAR = 2200


class External(Source):
    """A file about people that an attacker may hold, one row a person, such as a voter list."""

    id: str | None = None
    """The column that names a person of the file; needed with truth."""


class YearsSince(Spec):
    """Whole years since a date of the file, such as an age from a date of birth."""

    since: str
    """The column of the file that holds the date."""
    in_years: tuple[int, int] = Field(strict=False)
    """First and last calendar year of the records: the person has any of the ages of that time."""
    date_format: str | None = None
    """For dates in text, strptime style, such as "%m/%d/%Y"; ISO 8601 when left out."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        first, last = self.in_years
        if not 0 < first <= last <= LATEST_YEAR:
            raise ValueError("in_years is the first and the last calendar year, such as [1999, 2008]")
        return self


class Truth(Source):
    """Who is who: a file of pairs, one row a person of the external file who is in the source."""

    external: str
    """The column that holds the external file's id."""
    person: str
    """The column that holds the value of the source's person column."""


class Linkage(Spec):
    """A file that is linked with the release: by equal values, by what covers a value, and by likelihood."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,62}$")
    """What the file is called in the report, such as voter list; measures are called by it."""
    external: External
    columns: dict[str, str] = Field(default_factory=dict)
    """For every released column that the file tells of, the column of the file."""
    years: dict[str, YearsSince] = Field(default_factory=dict)
    """The same for released columns of whole years since a date of the file, such as an age."""
    before: dict[str, str] = Field(default_factory=dict)
    """The same for columns of the source, those that do not leave too: what the attack finds on the raw data. The `columns` that are named alike when left out."""
    truth: Truth | None = None
    """Pairs that are known, so that right and wrong claims are told apart; without it every claim counts as right."""
    people: int = Field(default=50_000, ge=100)
    """At most so many people of the file, drawn at random; all when there are fewer."""
    max_certain: Share | None = None
    """Share of the people of the file who are re-identified with certainty, at most: the upper end of its Wilson interval."""
    max_recall: Share | None = None
    """With truth: share of the people of the file who are in the source that are re-identified, at most: the upper end of its Wilson interval."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.columns and not self.years:
            raise ValueError(
                "the file tells of no released column; write columns: {<released column>: <its column>}"
            )
        if self.max_certain is None and self.max_recall is None:
            raise ValueError(
                "an attack needs a threshold; write max_certain: … or, with truth, max_recall: …"
            )
        if self.max_recall is not None and self.truth is None:
            raise ValueError("without truth nobody knows the recall; write max_certain, or truth: {…}")
        if self.truth is not None and self.external.id is None:
            raise ValueError("truth goes by the id of the external file; write external: {id: …}")
        return self

    @property
    def raw_columns(self) -> dict[str, str]:
        """Columns of the source and of the file that the attack on the raw data compares."""
        return self.before or self.columns

    @property
    def compared(self) -> dict[str, str | YearsSince]:
        """Every released column that the file tells of, and how."""
        return {**self.columns, **self.years}


class Attempted(Spec):
    """An attack that is tried on a sample of people, one record each."""

    attempts: int = Field(ge=50)
    """Attempts, on as many people at most."""
    at_most: Share
    """The risk beyond what works on people who are not in the release (see `control`): the upper end of its interval, at most."""


class SinglingOut(Attempted):
    """Predicates drawn from the release that are true of exactly one person of the source."""

    columns: Names
    """Released columns that the predicates are about."""
    together: int = Field(default=3, ge=2)
    """Columns in a predicate over several of them."""


class Linkability(Attempted):
    """Two parts of a person's record, known from elsewhere, found to belong together by the release."""

    one: Names
    """Released columns of the one part."""
    other: Names
    """Those of the other part."""
    neighbours: int = Field(default=1, ge=1)
    """Nearest records of each part among which a common one counts."""


class Inference(Attempted):
    """The secret of a person guessed from the released record that is nearest in what is known of the person."""

    known: Names
    """Released columns that the attacker knows."""
    secrets: Names
    """Released columns that the attacker guesses, each alone."""
    tolerance: float = Field(default=0.05, ge=0, lt=1)
    """A guessed number counts when it is off by so much of the true one, at most; other values have to be equal."""


class Membership(Spec):
    """Whether somebody was among those a model was trained on, told from how well the model of the policy fits."""

    people: int = Field(default=20_000, ge=100)
    """At most so many people who were in training, and as many who were not."""
    max_auc: Share
    """Area under the curve of the attack, at most: the upper end of its interval; 0.5 is a coin."""


class Attacks(Spec):
    """Attacks that are run on every release. One that finds more than allowed, or cannot be run, refuses it."""

    seed: int = Field(ge=0, le=2**32 - 1)
    """Of every draw."""
    confidence: float = Field(default=0.95, ge=0.8, lt=1)
    """Of every interval."""
    linkage: tuple[Linkage, ...] = ()
    singling_out: SinglingOut | None = None
    linkability: Linkability | None = None
    inference: Inference | None = None
    membership: Membership | None = None
    control: Source | None = None
    """People like those of the source who are not in it, in a file of the same columns: what an attack finds of them it finds of anybody. Without it nothing is taken off the success of singling out and linkability, and off that of inference what a blind guess of the commonest value gets."""

    @property
    def raw_columns(self) -> list[str]:
        """Columns of the source that attacks on the raw data need, whether they leave or not."""
        return [name for linkage in self.linkage for name in linkage.raw_columns]

    @property
    def files(self) -> dict[str, Source]:
        """Every file that the attacks rest on, by what it is."""
        found: dict[str, Source] = {}
        for linkage in self.linkage:
            found[f"external {linkage.name}"] = linkage.external
            if linkage.truth is not None:
                found[f"truth {linkage.name}"] = linkage.truth
        if self.control is not None:
            found["control"] = self.control
        return found

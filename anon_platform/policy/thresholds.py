"""What must hold on the bytes that leave."""

import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from anon_platform.anonymize.hierarchy import Hierarchy, ladder
from anon_platform.errors import PolicyError
from anon_platform.frequency import (
    BetaLikeness,
    ColumnModel,
    DeltaDisclosure,
    DistinctL,
    EntropyL,
    HierarchicalBound,
    OrderedTCloseness,
    RecursiveL,
    TCloseness,
    people_for_k_map,
    people_for_risk,
)
from anon_platform.policy.risk import RiskBound
from anon_platform.policy.source import Population
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

Share = Annotated[float, Field(ge=0, le=1)]


class HierarchicalTCloseness(Spec):
    """The distribution in every class is at most `t` from that of the table, values as far apart as in a hierarchy.

    Monotone: the earth mover's distance is convex (Li et al. 2007, section 4.3). Source: the same, section 4.2.
    """

    model: Literal["t_closeness"]
    distance: Literal["hierarchical"]
    t: Share
    """Distance, at most."""
    hierarchy: Hierarchy
    """Over the released values of the column."""

    monotone: ClassVar[bool] = True
    at_least: ClassVar[bool] = False
    unit: ClassVar[str] = "distance, 0 to 1"
    label: ClassVar[str] = "t (hierarchical)"

    @property
    def threshold(self) -> float:
        """The t of the policy."""
        return self.t

    def bound(self, values: "pl.Series") -> HierarchicalBound:
        """With the ancestors of each value; a value that the hierarchy cannot place raises `PolicyError`.

        A null has no ancestor but the root.
        """
        fault = self.hierarchy.fault(values.dtype)
        if fault is not None:
            raise PolicyError(fault)
        return HierarchicalBound(self.t, ladder(self.hierarchy, values, column=values.name).codes[:-1])


SensitiveModel = Annotated[
    DistinctL
    | EntropyL
    | RecursiveL
    | Annotated[TCloseness | OrderedTCloseness | HierarchicalTCloseness, Field(discriminator="distance")]
    | BetaLikeness
    | DeltaDisclosure,
    Field(discriminator="model"),
]

SENSITIVE_MODELS = (
    DistinctL, EntropyL, RecursiveL, TCloseness, OrderedTCloseness, HierarchicalTCloseness, BetaLikeness,
    DeltaDisclosure,
)  # fmt: skip


def models_of_manifest(sensitive: dict[str, Any]) -> dict[str, tuple[ColumnModel, ...]]:
    """The models below `thresholds.sensitive` of a manifest's policy, but for those that need a file it only names."""
    known: TypeAdapter[Any] = TypeAdapter(SensitiveModel)
    found: dict[str, tuple[ColumnModel, ...]] = {}
    for column, models in sensitive.items():
        for model in models:
            try:
                read = known.validate_json(json.dumps(model))
            except ValidationError:
                continue
            found[column] = (*found.get(column, ()), read)
    return found


class KMap(Spec):
    """Every class that leaves is shared by at least `k` people of a population, who need not be in the data.

    The population is a table, or it is estimated from the share of it that the data is a random sample of.
    Source: Sweeney 2002, k-map; El Emam, Dankar 2008 for the estimate.
    """

    k: int = Field(ge=2)
    """People of the population in every class, at least."""
    population: Population | None = None
    """The table; instead of sampling_fraction."""
    sampling_fraction: float | None = Field(default=None, gt=0, le=1)
    """Share of the population that is in the data, drawn at random."""
    significance: float | None = Field(default=None, gt=0, lt=1)
    """With sampling_fraction: the chance, at most, that a class which passes has fewer than k people, such as 0.05."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.population is None) == (self.sampling_fraction is None):
            raise ValueError("say which population: either population: {…} or sampling_fraction: …")
        if (self.sampling_fraction is None) != (self.significance is None):
            raise ValueError("sampling_fraction and significance go together; write both, or population: {…}")
        return self

    @property
    def people_needed(self) -> int | None:
        """People of the data that a class needs when the population is estimated; None when it is a table."""
        if self.sampling_fraction is None or self.significance is None:
            return None
        return people_for_k_map(self.k, self.sampling_fraction, self.significance)


class DeltaPresence(Spec):
    """For everybody in a population, the chance to be in the data lies between `lower` and `upper`.

    Source: Nergiz, Atzori, Clifton 2007, Hiding the presence of individuals from shared databases.
    """

    lower: Share
    """People of the data over people of the population in a class, at least."""
    upper: Share
    """The same, at most."""
    population: Population
    """The table."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.lower > self.upper:
            raise ValueError("lower is above upper; exchange them")
        return self


def people_for(k: int | None, max_risk: float | None) -> int:
    """People a class needs to meet both; a single one when neither is demanded."""
    return max(k or 1, people_for_risk(max_risk))


class Attacker(Spec):
    """Somebody who knows some of the quasi-identifiers; the classes over these have numbers of their own."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,62}$")
    """Who it is, such as neighbour; measures are called by it."""
    knows: tuple[str, ...] = Field(min_length=1)
    """Quasi-identifiers that leave."""
    k: int = Field(ge=2)
    """People in every class over `knows`, at least."""
    max_risk: RiskBound | None = None
    """Prosecutor risk of the record most at risk from this attacker, at most."""

    @property
    def people_needed(self) -> int:
        """People that k and max_risk together demand of a class."""
        return people_for(self.k, self.max_risk)


class Thresholds(Spec):
    """What must hold on the bytes that leave; one missed threshold refuses the release."""

    k: int | None = Field(default=None, ge=2)
    """k-anonymity: people in every equivalence class, at least. Required with quasi-identifiers, unless k_map is there."""
    l: int | None = Field(default=None, ge=1)
    """Distinct l-diversity of every sensitive column, at least. Required with sensitive columns, unless each has a model below `sensitive`."""
    t: Share | None = None
    """t-closeness (equal-distance EMD) of every sensitive column, at most. Measured even when left out."""
    max_risk: RiskBound | None = None
    """Prosecutor risk of the record most at risk, at most: a number, or a preset such as cell_size_11 or ema_policy_0070. Required with quasi-identifiers, unless k_map or mean_risk is there."""
    suppressed_records: Share | None = None
    """Share of records that may be left out to reach k and l. Required with quasi-identifiers."""
    mean_risk: RiskBound | None = None
    """Prosecutor risk of the average record, at most. Measured even when left out."""
    unique_records: Share | None = None
    """Share of records that are alone with their combination of quasi-identifiers, at most; for policies without k."""
    journalist_risk: RiskBound | None = None
    """Chance to pick the right person of a population (`risk.population`), for the record most at risk, at most."""
    marketer_risk: RiskBound | None = None
    """Share of the people whom somebody picks rightly who picks one person of the population for each, at most."""
    population_uniques: Share | None = None
    """Share of the population that is alone with its combination, at most; of an estimate the upper end of its 95 % interval."""
    known_events_unique: Share | None = None
    """Share of people whom `risk.known_events` rows of theirs single out, at most; the upper end of the 95 % interval."""
    k_map: KMap | None = None
    """k-anonymity within a population instead of within the data; may stand in place of k and max_risk."""
    delta_presence: DeltaPresence | None = None
    """How surely an attacker may learn that somebody of a population is in the data."""
    sensitive: dict[str, Annotated[tuple[SensitiveModel, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """By sensitive column, the models that it must meet beside l and t; any number together."""
    suppressed_cells: dict[str, Share] = Field(default_factory=dict)
    """By quasi-identifier, the share of its released cells that may be `*`; any when left out."""
    fidelity: Share
    """Total variation distance between original and released distribution of any column, at most."""
    text_recall: Share | None = None
    """Characters found of those that are marked in `gold` notes of deidentify_text, at least; the lower end of the 95 % interval counts."""
    others_in_text: Share | None = None
    """Share of notes that may still say what some row of the dataset holds in the columns of `known_from`, of anybody, at most. Measured even when left out; of the note's own person none is ever allowed."""
    model_loss: Share | None = None
    """Share of the original model's lift (AUC - 0.5) that may be lost. Required with a model."""

    reviewed_recall: float | None = Field(default=None, gt=0, lt=1)
    """Share of the identifiers in notes that are found, as people who looked at a sample of the notes measured it: the lower end of its interval (`anon review`), at least. Not demanded when left out."""

    def populations(self) -> dict[str, Population]:
        """The population tables that the thresholds rest on, by the name of the model."""
        models: dict[str, KMap | DeltaPresence | None] = {
            "k_map": self.k_map,
            "delta_presence": self.delta_presence,
        }
        return {
            name: model.population
            for name, model in models.items()
            if model is not None and model.population is not None
        }

    def numbers(self) -> dict[str, float]:
        """The thresholds that are one number each, without those left out."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in found.items() if isinstance(value, (int, float))}

"""All risks of one table, original or released, and of one attacker's knowledge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.frequency import classes, k_of, risk_of
from anon_platform.table import PERSON
from anon_platform.validate.counts import with_sequences
from anon_platform.validate.risk.copula import CopulaUniqueness, copula_uniqueness
from anon_platform.validate.risk.events import KnownEvents, unique_by_events
from anon_platform.validate.risk.journalist import Journalist, against_estimate, against_table
from anon_platform.validate.risk.sample import Ints, sizes_of
from anon_platform.validate.risk.uniques import PopulationUniques, alone_of_sample_uniques, population_uniques
from anon_platform.validate.risk.wildcards import has_wild_cells, people_matched


@dataclass(frozen=True)
class ClassRisk:
    """What the classes alone say. k: people of the smallest class. above: share of records over the bound, None without.

    maximum, mean, unique_share: prosecutor risk, as `frequency.Risk`. Nulls and `*` are values of their own.
    """

    k: int
    maximum: float
    mean: float
    unique_share: float
    above: float | None
    records: int


@dataclass(frozen=True)
class Against:
    """Who the data is a sample of. fraction: of the population that is in it. table: its frequency table, with `n`."""

    fraction: float | None = None
    table: pl.DataFrame | None = None


@dataclass(frozen=True)
class RiskPicture:
    """Everything measured of one table. wild: the classes when `*` and nulls match all, where that differs.

    journalist, uniques, copula: of the population, where there is one. table_uniques: share of a population table that is
    alone. events: by number of known rows, where rows of a person are linked.
    """

    classes: ClassRisk
    wild: ClassRisk | None = None
    journalist: Journalist | None = None
    uniques: PopulationUniques | None = None
    table_uniques: float | None = None
    copula: CopulaUniqueness | None = None
    events: tuple[KnownEvents, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What to measure. bound: of max_risk. linked: whether rows of a person are. events: known rows, at most."""

    bound: float | None
    linked: bool
    against: Against
    events: int
    seed: int


def class_risk(counts: pl.DataFrame, names: Sequence[str], *, linked: bool, bound: float | None) -> ClassRisk:
    """The risk of the classes over `names`. counts: frequency table over these and PERSON, with `n`."""
    return _of_classes(_classes(counts, names, linked=linked), bound)


def picture(counts: pl.DataFrame, names: Sequence[str], wanted: Wanted) -> RiskPicture:
    """All risks over `names`. counts: frequency table over these and PERSON, with `n`."""
    of_classes = _classes(counts, names, linked=wanted.linked)
    people, records = (of_classes[name].to_numpy().astype("int64") for name in ("people", "n"))
    wild = None
    if not wanted.linked and has_wild_cells(counts, names):
        matched = people_matched(counts, names, PERSON)
        wild = None if matched is None else _of_classes(matched, wanted.bound)
    events: list[KnownEvents] = []
    if wanted.linked and wanted.events:
        events = unique_by_events(counts, names, PERSON, most=wanted.events, seed=wanted.seed)
    against, own = wanted.against, _of_classes(of_classes, wanted.bound)
    if against.table is not None:
        theirs = _population(of_classes, against.table, names)
        return RiskPicture(
            own, wild, against_table(people, records, theirs), table_uniques=_alone(against.table, names)
        )
    if against.fraction is None:
        return RiskPicture(own, wild, events=tuple(events))
    sample = sizes_of(of_classes, against.fraction)
    copula = None
    if not wanted.linked:  # a set of rows has no margins
        of_people = _people_by(counts, names)
        copula = copula_uniqueness(of_people, names, sample.population, seed=wanted.seed)
    return RiskPicture(
        own,
        wild,
        against_estimate(people, records, against.fraction, alone_of_sample_uniques(sample)),
        population_uniques(sample, seed=wanted.seed),
        copula=copula,
        events=tuple(events),
    )


def _classes(counts: pl.DataFrame, names: Sequence[str], *, linked: bool) -> pl.DataFrame:
    if not linked or not names:
        return classes(counts, names, person=PERSON)
    over = with_sequences(counts.select(*names, PERSON, "n"), names, PERSON)
    return classes(over.counts, over.names, person=PERSON)


def _of_classes(of_classes: pl.DataFrame, bound: float | None) -> ClassRisk:
    risk, records = risk_of(of_classes), int(of_classes["n"].sum())
    above = None
    if bound is not None:
        # the same hair as thresholds have: 1/5 does not exceed 0.2
        over = of_classes.filter(1 / pl.col("people") > bound + 1e-9)["n"].sum()
        above = int(over) / records if records else 0.0
    return ClassRisk(k_of(of_classes), risk.maximum, risk.mean, risk.unique_share, above, records)


def _people_by(counts: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    return counts.group_by(names).agg(n=pl.col(PERSON).n_unique()).sort(names)


def _population(of_classes: pl.DataFrame, table: pl.DataFrame, names: Sequence[str]) -> Ints:
    """People of the population in each class, 0 where it has none."""
    if not names:
        return np.full(of_classes.height, int(table["n"].sum()), dtype=np.int64)
    theirs = table.group_by(names).agg(__population__=pl.col("n").sum().cast(pl.Int64))
    joined = of_classes.select(names).join(
        theirs, on=list(names), how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["__population__"].fill_null(0).to_numpy()


def _alone(table: pl.DataFrame, names: Sequence[str]) -> float:
    """Share of the population whose combination belongs to one person."""
    sizes = table.group_by(names).agg(pl.col("n").sum()) if names else table.select(pl.col("n").sum())
    total = int(sizes["n"].sum())
    return sizes.filter(pl.col("n") == 1).height / total if total else 0.0

"""What is searched, on codes: the finest classes of a frequency table, the ladders over them and the demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.anonymize.hierarchy import Ladder, ladder
from anon_platform.anonymize.hierarchy.levels import LevelLabels
from anon_platform.anonymize.k_anonymity.demand import Demand, Known, Sensitive
from anon_platform.anonymize.k_anonymity.grouped import Codes, Grouped, Ints
from anon_platform.anonymize.k_anonymity.linked import LinkedGroups, linked_groups
from anon_platform.anonymize.k_anonymity.look import upward
from anon_platform.anonymize.k_anonymity.possible import require_alike, require_crowds, require_enough_people
from anon_platform.anonymize.k_anonymity.presence import Crowd, beside, widened
from anon_platform.errors import PolicyError
from anon_platform.frequency import ColumnModel

Populations = Sequence[tuple[Crowd, pl.DataFrame]]
"""What is demanded beside a population, and its frequency table over the quasi-identifiers, `n` people each."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a release; for the meaning see `solve`."""

    person: str | None
    sensitive: Mapping[str, Sequence[ColumnModel]]
    k: int
    suppressed_share: float
    attackers: Sequence[tuple[Sequence[str], int]] = ()
    mean_risk: float | None = None
    unique_records: float | None = None
    linked: bool = False
    populations: Populations = ()


@dataclass(frozen=True)
class Problem:
    """A search.

    ladders: of the data, one a quasi-identifier. steps: the same in the search, with codes for the values of populations.
    bottom: the finest classes. people, records: of the data. who: person numbers, where rows are linked, and group: of
    each the group in `bottom`, which is empty where they are not.
    """

    ladders: dict[str, Ladder]
    steps: list[Ladder]
    bottom: Grouped
    demand: Demand
    people: int
    records: int
    who: pl.Series
    group: Ints

    def kept(self, node: Sequence[int]) -> pl.DataFrame:
        """The classes that may leave at a node, one row each, as labels; of linked rows the people who may."""
        maps = [upward(step, 0, level) for step, level in zip(self.steps, node, strict=True)]
        if isinstance(self.bottom, LinkedGroups):
            linked, became = self.bottom.rolled(maps)
            stays = linked.of_groups(self.demand.kept(linked))[became][self.group]
            return self.who.filter(pl.Series(stays)).to_frame()
        classes = self.bottom.roll_up(maps)
        good = self.demand.kept(classes)
        if not self.steps:
            return pl.DataFrame({"class": np.flatnonzero(good)})
        return pl.DataFrame(
            {
                name: step.labels[level].gather(pl.Series(codes[good].astype(np.uint32)))
                for name, step, level, codes in zip(
                    self.ladders, self.steps, node, classes.codes, strict=True
                )
            }
        )


def posed(counts: pl.DataFrame, hierarchies: Mapping[str, LevelLabels], asked: Asked) -> Problem:
    """The problem on codes. What no generalization can meet raises `PolicyError`, before any work where that can be told."""
    person, populations = asked.person, asked.populations
    ladders = {name: ladder(kind, counts[name].unique(), column=name) for name, kind in hierarchies.items()}
    people = counts[person].n_unique() if person is not None else int(counts["n"].sum())
    require_enough_people(people, asked.k, asked.attackers)
    coded = {name: _coded(counts, name) for name in asked.sensitive}
    bound = [
        _bound(name, asked.sensitive[name], found, asked.suppressed_share) for name, found in coded.items()
    ]
    steps = {
        name: widened(built, hierarchies[name], [of[name] for _, of in populations], column=name)
        for name, built in ladders.items()
    }
    bottom, group = _finest(counts, steps, [found.codes for found in coded.values()], asked)
    records = int(bottom.records.sum())
    demand = _demand(asked, list(ladders), bound, records)
    require_alike(bottom, list(steps.values()), demand)
    require_crowds(bottom, people, demand)
    who = (
        counts[person].unique().sort()
        if person is not None and len(group)
        else pl.Series([], dtype=pl.UInt32)
    )
    return Problem(ladders, list(steps.values()), bottom, demand, people, records, who, group)


def _finest(
    counts: pl.DataFrame, steps: Mapping[str, Ladder], values: Sequence[Ints], asked: Asked
) -> tuple[Grouped, Ints]:
    """The classes at the finest levels; where rows are linked also the group of each person."""
    codes, records = _codes(counts, steps), counts["n"].to_numpy().astype(np.int64)
    if asked.linked and asked.populations:
        raise PolicyError(
            "a population has one row a person, linked rows are compared in sets; demand one of both"
        )
    # without quasi-identifiers there is nothing to compare rows by
    if asked.linked and asked.person is not None and steps:
        return linked_groups(codes, records, counts[asked.person].to_numpy().astype(np.int64), values)
    bottom = _group(codes, records, None if asked.person is None else counts[asked.person], values)
    crowds = [(_codes(of, steps), of["n"].to_numpy().astype(np.int64)) for _, of in asked.populations]
    return beside(bottom, crowds) if crowds else bottom, np.zeros(0, np.int64)


def _demand(asked: Asked, names: Sequence[str], bound: Sequence[Sensitive], records: int) -> Demand:
    crowds = tuple(crowd for crowd, _ in asked.populations)
    allowed = int(asked.suppressed_share * records + 1e-9)
    return Demand(
        asked.k,
        # where every class of a population has to be in the data something must leave
        allowed if all(crowd.monotone for crowd in crowds) else min(allowed, records - 1),
        tuple(bound),
        tuple(Known(tuple(names.index(name) for name in knows), least) for knows, least in asked.attackers),
        asked.mean_risk,
        asked.unique_records,
        crowds,
    )


@dataclass(frozen=True)
class _Coded:
    """A sensitive column. values: distinct, null first; codes: of each row of the counts; records: by code."""

    values: pl.Series
    codes: np.ndarray
    records: np.ndarray


def _coded(counts: pl.DataFrame, name: str) -> _Coded:
    values = counts[name].unique().sort()
    index = pl.DataFrame({"value": values, "code": pl.int_range(len(values), dtype=pl.Int64, eager=True)})
    found = pl.DataFrame({"value": counts[name]}).join(
        index, on="value", how="left", nulls_equal=True, maintain_order="left"
    )
    codes = found["code"].to_numpy()
    return _Coded(values, codes, np.bincount(codes, weights=counts["n"].to_numpy(), minlength=len(values)))


def _bound(name: str, models: Sequence[ColumnModel], found: _Coded, left_out: float) -> Sensitive:
    """The models bound to the column; one that no class can meet raises `PolicyError`."""
    total = int(found.records.sum())
    overall = found.records / max(total, 1)
    bound = []
    for model in models:
        try:
            bound.append(model.bound(found.values))
        except PolicyError as fault:
            raise PolicyError(f"column {name}, {model.label}: {fault}") from None
        reason = bound[-1].possible(overall, total, left_out)
        if reason is not None:
            raise PolicyError(f"column {name}, {model.label}: {reason}")
    return Sensitive(tuple(bound), overall)


def _group(codes: Codes, records: Ints, person: pl.Series | None, values: Sequence[Ints]) -> Grouped:
    if person is None:
        # every record is a person of its own, so people add up like records
        base = Grouped.of(codes, records, np.arange(len(records), dtype=np.int64), values)
        return Grouped(base.codes, base.records, base.records, base.pairs, base.values)
    return Grouped.of(codes, records, person.to_numpy().astype(np.int64), values)


def _codes(counts: pl.DataFrame, steps: Mapping[str, Ladder]) -> Codes:
    """Quasi-identifiers × rows: the codes at the finest levels."""
    codes = [leaf_codes(counts[name], built) for name, built in steps.items()]
    return np.stack(codes) if codes else np.zeros((0, counts.height), np.int32)


def leaf_codes(values: pl.Series, built: Ladder) -> Codes:
    """For each value its code at the finest level; a null is a value."""
    table = pl.DataFrame({"value": built.values, "code": built.codes[0]})
    frame = pl.DataFrame({"value": values})
    found = frame.join(table, on="value", how="left", nulls_equal=True, maintain_order="left")
    return found["code"].to_numpy()

"""From a frequency table of original values to a fitted function: levels for the columns, classes that may leave."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.anonymize.generalize import to_levels
from anon_platform.anonymize.hierarchy import Ladder, ladder
from anon_platform.anonymize.hierarchy.levels import LevelLabels
from anon_platform.anonymize.k_anonymity.demand import Demand, Known, Sensitive
from anon_platform.anonymize.k_anonymity.grouped import Grouped
from anon_platform.anonymize.k_anonymity.lattice import Solution, search, upward
from anon_platform.anonymize.technique import Treat
from anon_platform.errors import PolicyError
from anon_platform.frequency import ColumnModel


@dataclass(frozen=True)
class Fitted:
    """A solved k-anonymity problem, ready to be mapped over the rows.

    levels: the chosen level of each quasi-identifier.
    treat: for each quasi-identifier the function from original value to released label.
    kept: the classes that may leave, one row each, as labels; every other record is suppressed.
    """

    levels: dict[str, str]
    treat: dict[str, Treat]
    kept: pl.DataFrame
    solution: Solution
    people: int
    records: int

    def keep(self, batch: pl.DataFrame) -> pl.DataFrame:
        """The rows of a treated batch whose class may leave."""
        if not self.levels:
            return batch if self.kept.height else batch.clear()
        return batch.join(
            self.kept, on=list(self.levels), how="semi", nulls_equal=True, maintain_order="left"
        )


def solve(
    counts: pl.DataFrame,
    hierarchies: Mapping[str, LevelLabels],
    *,
    person: str | None,
    sensitive: Mapping[str, Sequence[ColumnModel]],
    k: int,
    suppressed_share: float,
    attackers: Sequence[tuple[Sequence[str], int]] = (),
    mean_risk: float | None = None,
    unique_records: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Fitted:
    """The full-domain generalization of least loss with k people in every class that meets all models.

    counts: frequency table over the quasi-identifiers (original values), `person` (numbers), the keys of `sensitive`
    (released values) and `n`. sensitive: the models of each column, held against its distribution over all records.
    attackers: quasi-identifiers that are known, and people in a class over these. mean_risk, unique_records: shares
    of the records that leave. Demands that no generalization can meet raise `PolicyError`, before any work where
    that can be told.
    """
    names = list(hierarchies)
    ladders = {name: ladder(hierarchies[name], counts[name].unique(), column=name) for name in names}
    people = counts[person].n_unique() if person is not None else int(counts["n"].sum())
    require_enough_people(people, k, attackers)
    coded = {name: _coded(counts, name) for name in sensitive}
    bound = tuple(_bound(name, sensitive[name], coded[name], suppressed_share) for name in sensitive)
    bottom = _group(counts, ladders, person, [found.codes for found in coded.values()])
    records = int(bottom.records.sum())
    demand = Demand(
        k,
        int(suppressed_share * records + 1e-9),
        bound,
        tuple(Known(tuple(names.index(name) for name in knows), least) for knows, least in attackers),
        mean_risk,
        unique_records,
    )
    steps = [ladders[name] for name in names]
    found = search(bottom, steps, demand, progress=progress)
    if found is None:
        raise PolicyError(
            "no generalization reaches k and all models with so few records suppressed; lower them, or allow more"
            " suppression (thresholds.suppressed_records)"
        )
    classes = bottom.roll_up([upward(step, 0, level) for step, level in zip(steps, found.node, strict=True)])
    good = demand.kept(classes)
    kept = pl.DataFrame(
        {
            name: step.labels[level].gather(pl.Series(codes[good].astype(np.uint32)))
            for name, step, level, codes in zip(names, steps, found.node, classes.codes, strict=True)
        }
        if names
        else {"class": np.flatnonzero(good)}
    )
    levels = {name: step.names[level] for name, step, level in zip(names, steps, found.node, strict=True)}
    return Fitted(levels, to_levels(ladders, levels), kept, found, people, records)


def require_enough_people(people: int, k: int, attackers: Sequence[tuple[Sequence[str], int]]) -> None:
    """Refuses more people in a class than there are, saying what is possible."""
    if k > people:
        raise PolicyError(
            f"thresholds.k: {k} people a class demanded, the source has {people}; write k: {people} or less"
        )
    for _, least in attackers:
        if least > people:
            raise PolicyError(
                f"attackers: {least} people a class demanded, the source has {people}; write k: {people} or less"
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


def _group(
    counts: pl.DataFrame, ladders: Mapping[str, Ladder], person: str | None, values: Sequence[np.ndarray]
) -> Grouped:
    """The classes at the finest levels."""
    rows = counts.height
    codes = [_leaf_codes(counts[name], ladders[name]) for name in ladders]
    stacked = np.stack(codes) if codes else np.zeros((0, rows), np.int32)
    records = counts["n"].to_numpy().astype(np.int64)
    if person is None:
        # every record is a person of its own, so people add up like records
        base = Grouped.of(stacked, records, np.arange(rows, dtype=np.int64), values)
        return Grouped(base.codes, base.records, base.records, base.pairs, base.values)
    return Grouped.of(stacked, records, counts[person].to_numpy().astype(np.int64), values)


def _leaf_codes(values: pl.Series, built: Ladder) -> np.ndarray:
    table = pl.DataFrame({"value": built.values, "code": built.codes[0]})
    frame = pl.DataFrame({"value": values})
    found = frame.join(table, on="value", how="left", nulls_equal=True, maintain_order="left")
    return found["code"].to_numpy()

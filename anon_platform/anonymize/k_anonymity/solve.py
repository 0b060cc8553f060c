"""From a frequency table of original values to a fitted function: levels for the columns, classes that may leave."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.anonymize.generalize import to_levels
from anon_platform.anonymize.hierarchy import Ladder, ladder
from anon_platform.anonymize.hierarchy.levels import LevelLabels
from anon_platform.anonymize.k_anonymity.grouped import Grouped
from anon_platform.anonymize.k_anonymity.lattice import Demand, Solution, search, upward
from anon_platform.anonymize.technique import Treat
from anon_platform.errors import PolicyError


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
    sensitive: Sequence[str],
    k: int,
    l: int,
    suppressed_share: float,
    progress: Callable[[int, int], None] | None = None,
) -> Fitted:
    """The full-domain generalization of least loss with k people and l distinct values in every class.

    counts: frequency table over the quasi-identifiers (original values), `person` (numbers), `sensitive`
    (released values) and `n`. Demands that no generalization can meet raise `PolicyError` before any work.
    """
    names = list(hierarchies)
    ladders = {name: ladder(hierarchies[name], counts[name].unique(), column=name) for name in names}
    people = counts[person].n_unique() if person is not None else int(counts["n"].sum())
    require_possible(counts, people, sensitive, k=k, l=l)
    bottom = _group(counts, ladders, person, sensitive)
    records = int(bottom.records.sum())
    demand = Demand(k, (l,) * len(sensitive), int(suppressed_share * records + 1e-9))
    steps = [ladders[name] for name in names]
    found = search(bottom, steps, demand, progress=progress)
    if found is None:
        raise PolicyError(
            f"no generalization reaches k = {k} and l = {l}; lower them or allow more suppression"
        )
    classes = bottom.roll_up([upward(step, 0, level) for step, level in zip(steps, found.node, strict=True)])
    good = demand.met(classes)
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


def require_possible(counts: pl.DataFrame, people: int, sensitive: Sequence[str], *, k: int, l: int) -> None:
    """Refuses k above the number of people and l above the number of distinct values, saying what is possible."""
    if k > people:
        raise PolicyError(
            f"thresholds.k: {k} people a class demanded, the source has {people}; write k: {people} or less"
        )
    for name in sensitive:
        distinct = counts[name].n_unique()
        if l > distinct:
            raise PolicyError(
                f"thresholds.l: {l} distinct values demanded, column {name} has {distinct}; write l: {distinct} or less"
            )


def _group(
    counts: pl.DataFrame, ladders: Mapping[str, Ladder], person: str | None, sensitive: Sequence[str]
) -> Grouped:
    """The classes at the finest levels."""
    rows = counts.height
    codes = [_leaf_codes(counts[name], ladders[name]) for name in ladders]
    stacked = np.stack(codes) if codes else np.zeros((0, rows), np.int32)
    records = counts["n"].to_numpy().astype(np.int64)
    values = [counts[name].rank("dense").fill_null(0).to_numpy().astype(np.int64) for name in sensitive]
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

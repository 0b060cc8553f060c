"""From a frequency table of original values to a fitted function: levels for the columns, classes that may leave."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from anon_platform.anonymize.generalize import to_levels
from anon_platform.anonymize.hierarchy.levels import SUPPRESSED, LevelLabels
from anon_platform.anonymize.k_anonymity.lattice import Solution, search
from anon_platform.anonymize.k_anonymity.price import caps_of, prices, weights_of
from anon_platform.anonymize.k_anonymity.problem import Asked, Populations, Problem, posed
from anon_platform.anonymize.technique import Treat
from anon_platform.errors import PolicyError
from anon_platform.frequency import ColumnModel


@dataclass(frozen=True)
class Fitted:
    """A solved k-anonymity problem, ready to be mapped over the rows.

    levels: the chosen level of each quasi-identifier.
    treat: for each quasi-identifier the function from original value to released label.
    kept: the classes that may leave, one row each, as labels; of linked rows the people who may, in the column of person
        numbers. Every other record is suppressed.
    """

    levels: dict[str, str]
    treat: dict[str, Treat]
    kept: pl.DataFrame
    solution: Solution
    people: int
    records: int

    def keep(self, batch: pl.DataFrame) -> pl.DataFrame:
        """The rows of a treated batch whose class, or of linked rows whose person, may leave."""
        if not self.levels:
            return batch if self.kept.height else batch.clear()
        return batch.join(
            self.kept, on=self.kept.columns, how="semi", nulls_equal=True, maintain_order="left"
        )

    def release(self, batch: pl.DataFrame) -> pl.DataFrame:
        """All rows of a batch with original values, in order: labels, `*` in all of them where the row is suppressed.

        The quasi-identifiers become text; a null stays null, or as its level has it. The Boolean column `kept` is added:
        false for suppressed rows. A value that was not there when the table was counted raises `SourceError`.
        """
        if "kept" in batch.columns:
            raise PolicyError("column kept: the name is needed for what is kept; rename the column")
        treated = batch.with_columns(self.treat[name](batch[name]).alias(name) for name in self.levels)
        return treated.with_columns(self._kept(treated)).with_columns(
            pl.when("kept").then(name).otherwise(pl.lit(SUPPRESSED)).alias(name) for name in self.levels
        )

    def _kept(self, treated: pl.DataFrame) -> pl.Series:
        """For each row of a treated batch whether it may leave."""
        if not self.levels:
            return pl.repeat(self.kept.height > 0, treated.height, dtype=pl.Boolean, eager=True).alias("kept")
        on = self.kept.columns
        found = treated.select(on).join(
            self.kept.with_columns(kept=True), on=on, how="left", nulls_equal=True, maintain_order="left"
        )
        return found["kept"].fill_null(value=False)


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
    linked: bool = False,
    populations: Populations = (),
    weights: Mapping[str, float] | None = None,
    caps: Mapping[str, str] | None = None,
    seconds: float | None = None,
    stay: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Fitted:
    """The full-domain generalization of least loss with k people in every class that meets all models.

    counts: frequency table over the quasi-identifiers (original values), `person` (numbers), the keys of `sensitive`
    (released values) and `n`. sensitive: the models of each column, held against its distribution over the records that
    leave.
    attackers: quasi-identifiers that are known, and people in a class over these. mean_risk, unique_records: shares
    of the records that leave. linked: a pseudonym leaves, so that k people must share the whole set of their rows.
    populations: what is demanded beside them, and their frequency tables over the quasi-identifiers, `n` people each.
    weights: what the loss of a quasi-identifier counts, 1 where none is given. caps: the coarsest level allowed of a
    quasi-identifier. seconds: to stop after, with the best generalization so far. stay: levels to keep where they still
    meet the demand and the caps, as of an earlier release of the same people.
    Demands that no generalization can meet raise `PolicyError`, before any work where that can be told.
    """
    asked = Asked(
        person, sensitive, k, suppressed_share, attackers, mean_risk, unique_records, linked, populations
    )
    problem = posed(counts, hierarchies, asked)
    costs = prices(problem.steps, weights_of(list(problem.ladders), weights), caps_of(problem.ladders, caps))
    found = search(
        problem.bottom, problem.steps, problem.demand, at=costs, seconds=seconds,
        stay=_node(problem, stay or {}, caps or {}), progress=progress,
    )  # fmt: skip
    if found is None:
        raise PolicyError(_unreached(caps or {}))
    levels = {
        name: built.names[level]
        for (name, built), level in zip(problem.ladders.items(), found.node, strict=True)
    }
    treat = to_levels(problem.ladders, levels)
    return Fitted(levels, treat, problem.kept(found.node), found, problem.people, problem.records)


def _node(problem: Problem, levels: Mapping[str, str], caps: Mapping[str, str]) -> tuple[int, ...] | None:
    """The node of these levels; None where a column has no level of that name, or has one above its cap."""
    node = []
    for name, built in problem.ladders.items():
        names = list(built.names)
        if levels.get(name) not in names:
            return None
        at = names.index(levels[name])
        if name in caps and at > names.index(caps[name]):
            return None
        node.append(at)
    return tuple(node) or None


def _unreached(caps: Mapping[str, str]) -> str:
    within = f" with the caps of {', '.join(caps)}" if caps else ""
    or_caps = ", or take back caps" if caps else ""
    return (
        f"no generalization{within} reaches k and all models with so few records suppressed; lower them, or allow more"
        f" suppression (thresholds.suppressed_records){or_caps}"
    )

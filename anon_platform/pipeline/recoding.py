"""Local recoding in a run: the search, the table that says which combination became what, and what the validator needs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from anon_platform.anonymize import Treat
from anon_platform.anonymize.hierarchy import SUPPRESSED, LevelLabels, ladder
from anon_platform.errors import SourceError
from anon_platform.pipeline.treatments import steps_before_search, treated_counts
from anon_platform.policy import Policy
from anon_platform.table import Table
from anon_platform.validate import Recoded as Evident

if TYPE_CHECKING:
    from anon_platform.anonymize.local import Recoded

KEPT = "__kept"
LABEL = "__label of "
TABLE = "recoding.parquet"


class Recoding:
    """Which combination of quasi-identifiers, treated up to the search, became what.

    table: the combinations, for each column its label as `__label of <column>`, and whether such rows are kept.
    """

    def __init__(self, table: pl.DataFrame) -> None:
        self.table = table
        self.columns = [name for name in table.columns if LABEL + name in table.columns]

    @classmethod
    def of(cls, found: "Recoded") -> "Recoding":
        """As the search found it."""
        names, at = found.labels.columns, found.of.to_series(-1)
        kept = at.is_not_null()
        labels = [
            pl.select(
                pl.when(kept)
                .then(found.labels[name].gather(at))
                .otherwise(pl.lit(SUPPRESSED))
                .alias(LABEL + name)
            ).to_series()
            for name in names
        ]
        return cls(found.of.select(names).with_columns(*labels, kept.alias(KEPT)))

    @classmethod
    def read(cls, folder: Path) -> "Recoding":
        """As a stage wrote it."""
        return cls(pl.read_parquet(folder / TABLE, glob=False))

    def with_all(self, policy: Policy, table: Table) -> "Recoding":
        """With the combinations that only dropped records have: nothing of them is released."""
        counts = treated_counts(table, self.columns, steps_before_search(policy, table), [])
        missing = counts.select(self.columns).join(self.table, on=self.columns, how="anti", nulls_equal=True)
        stars = [pl.lit(SUPPRESSED).alias(LABEL + name) for name in self.columns]
        told = missing.with_columns(*stars, pl.lit(value=False).alias(KEPT)).select(self.table.columns)
        return Recoding(pl.concat([self.table, told]))

    def write(self, folder: Path) -> None:
        """For a later process; original values are in it, so the folder is in staging."""
        self.table.write_parquet(folder / TABLE)

    def release(self, treated: pl.DataFrame) -> pl.DataFrame:
        """`treated` with labels in place of its quasi-identifiers, and in KEPT whether each row may leave."""
        # what no column of the source may be called stands for what was found
        found = treated.select(self.columns).join(
            self.table, on=self.columns, how="left", nulls_equal=True, maintain_order="left"
        )
        if found[KEPT].null_count():
            raise SourceError(
                f"{found[KEPT].null_count()} rows have combinations that were not there when the table was counted;"
                " run again on a source that does not change meanwhile"
            )
        labels = [found[LABEL + name].alias(name) for name in self.columns]
        return treated.with_columns(*labels, found[KEPT])


def evident(
    recoding: Recoding, before: Mapping[str, Treat], hierarchies: Mapping[str, LevelLabels]
) -> Evident:
    """What the validator needs. before: the steps before the search; hierarchies: as they stand for the snapshot."""

    def labels(originals: pl.DataFrame) -> pl.DataFrame:
        treated = originals.select(before[name](originals[name]).alias(name) for name in recoding.columns)
        return recoding.release(treated).drop(KEPT)

    return Evident(
        tuple(recoding.columns),
        labels,
        {name: _covers(name, hierarchies[name]) for name in recoding.columns},
    )


def _covers(name: str, hierarchy: LevelLabels) -> Any:  # noqa: ANN401 - a function of two series
    def covers(values: pl.Series, labels: pl.Series) -> pl.Series:
        from anon_platform.anonymize.local.reading import covered

        return covered(values, labels, ladder(hierarchy, values.unique(), column=name))

    return covers


def weights_and_caps(policy: Policy) -> tuple[dict[str, float], dict[str, str]]:
    """What the quasi-identifiers wish of the search."""
    steps = {name: policy.columns[name].searched for name in policy.quasi_identifiers}
    weights = {name: step.weight for name, step in steps.items() if step and step.weight is not None}
    caps = {name: step.coarsest for name, step in steps.items() if step and step.coarsest is not None}
    return weights, caps

"""The population tables of k-map and δ-presence, generalized like the data and counted."""

import shutil
from collections.abc import Mapping

import polars as pl

from anon_platform.anonymize.hierarchy import Ladder, ladder
from anon_platform.errors import SourceError
from anon_platform.ingest import fingerprint, snapshot, source_files
from anon_platform.keys import Key, load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.pipeline.staging import Work
from anon_platform.pipeline.treatments import hierarchy_of, in_turn
from anon_platform.policy import Policy, Population, PrivacyUnit
from anon_platform.table import PolarsTable, Table


def populations(
    policy: Policy, work: Work, table: Table, levels: Mapping[str, str]
) -> dict[str, pl.DataFrame]:
    """By model (k_map, delta_presence) the frequency table of its population over the released quasi-identifiers.

    levels: the released level of each quasi-identifier. A population that cannot be generalized like the data, since
    the levels are not one a column or depend on the values that occur, is left out, so that its model is missed.
    The copy of the population in staging is deleted at once.
    """
    if set(levels) != set(policy.quasi_identifiers):
        return {}
    counted = {
        name: _counted(policy, population, work, table, levels)
        for name, population in policy.thresholds.populations().items()
    }
    if population_fingerprint(policy, load_key(INSTANCE_KEY)) != work.require("raw")["populations"]:
        raise SourceError("a population table changed since the run began; run again")
    return {name: counts for name, counts in counted.items() if counts is not None}


def population_fingerprint(policy: Policy, key: Key) -> str:
    """What the population tables hold, as `ingest.fingerprint`; empty without one.

    A release rests on them as on its source: other populations make another release.
    """
    found = {
        name: fingerprint(source_files(population), key)
        for name, population in policy.thresholds.populations().items()
    }
    return " ".join(f"{name}:{found[name]}" for name in sorted(found))


def _counted(
    policy: Policy, population: Population, work: Work, table: Table, levels: Mapping[str, str]
) -> pl.DataFrame | None:
    folder = work.part("population")
    shutil.rmtree(folder, ignore_errors=True)
    columns = {theirs: policy.columns[ours] for ours, theirs in population.columns.items()}
    everybody = policy.model_copy(
        update={
            "source": population,
            "columns": columns,
            "privacy_unit": PrivacyUnit(each_row_is_a_person=True),
        }
    )
    try:
        snapshot(everybody, folder)
        rows = PolarsTable.over(folder)
        counts = rows.counts(list(columns)).rename(
            {theirs: ours for ours, theirs in population.columns.items()}
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    labels = {}
    for name, level in levels.items():
        treated = _like_the_data(policy, name, level, table, counts[name])
        if treated is None:
            return None
        labels[name] = treated
    return counts.with_columns(**labels).group_by(list(levels)).agg(pl.col("n").sum())


def _like_the_data(
    policy: Policy, name: str, level: str, table: Table, values: pl.Series
) -> pl.Series | None:
    """The population's labels; None when values of the data would get other labels beside those of the population."""
    column = policy.columns[name]
    searched = column.searched
    assert searched is not None
    before = [step for step in column.treat if step is not searched]
    ours = in_turn(before, name, table.schema[name])(table.counts([name])[name]).unique()
    theirs = in_turn(before, name, values.dtype)(values)
    if ours.dtype != theirs.dtype:
        theirs = theirs.cast(ours.dtype)
    hierarchy = hierarchy_of(policy, table, name)
    alone = ladder(hierarchy, ours, column=name)
    both = ladder(hierarchy, pl.concat([ours, theirs.alias(name)]).unique(), column=name)
    if not _labels(ours, alone, level).equals(_labels(ours, both, level), null_equal=True):
        return None
    return _labels(theirs, both, level).alias(name)


def _labels(values: pl.Series, built: Ladder, level: str) -> pl.Series:
    at = built.names.index(level)
    codes = pl.Series(built.codes[at].astype("uint32"))
    known = pl.DataFrame({"value": built.values, "label": built.labels[at].gather(codes)})
    frame = pl.DataFrame({"value": values})
    return frame.join(known, on="value", how="left", nulls_equal=True, maintain_order="left")["label"]

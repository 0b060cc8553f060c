"""The population tables of k-map and δ-presence, generalized like the data and counted."""

import shutil
from collections.abc import Mapping

import polars as pl

from anon_platform.anonymize import Technique, Treat
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
    """By model (k_map, delta_presence, risk) the frequency table of its population over the released quasi-identifiers.

    levels: the released level of each quasi-identifier. A population that cannot be generalized like the data, since
    the levels are not one a column or depend on the values that occur, is left out, so that its model is missed.
    The copy of the population in staging is deleted at once.
    """
    if set(levels) != set(policy.quasi_identifiers):
        return {}
    counted = {
        name: _at_levels(policy, counts, table, levels)
        for name, counts in _counted(policy, work, policy.populations()).items()
    }
    return {name: counts for name, counts in counted.items() if counts is not None}


def populations_before_search(policy: Policy, work: Work, table: Table) -> dict[str, pl.DataFrame]:
    """By model the frequency table of its population over the quasi-identifiers, treated like the data up to the search.

    The copy of the population in staging is deleted at once.
    """
    wanted = policy.thresholds.populations()
    return {
        name: _summed(
            counts, {of: _before_search(policy, of, table, counts[of]) for of in policy.quasi_identifiers}
        )
        for name, counts in _counted(policy, work, wanted).items()
    }


def population_fingerprint(policy: Policy, key: Key) -> str:
    """What the population tables hold, as `ingest.fingerprint`; empty without one.

    A release rests on them as on its source: other populations make another release.
    """
    found = {
        name: fingerprint(source_files(population), key) for name, population in policy.populations().items()
    }
    return " ".join(f"{name}:{found[name]}" for name in sorted(found))


def _counted(policy: Policy, work: Work, wanted: Mapping[str, Population]) -> dict[str, pl.DataFrame]:
    """By model the frequency table of its population, as it came, under the names of our columns."""
    found = {name: _read(policy, population, work) for name, population in wanted.items()}
    if found and population_fingerprint(policy, load_key(INSTANCE_KEY)) != work.require("raw")["populations"]:
        raise SourceError("a population table changed since the run began; run again")
    return found


def _read(policy: Policy, population: Population, work: Work) -> pl.DataFrame:
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
        return rows.counts(list(columns)).rename(
            {theirs: ours for ours, theirs in population.columns.items()}
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _at_levels(
    policy: Policy, counts: pl.DataFrame, table: Table, levels: Mapping[str, str]
) -> pl.DataFrame | None:
    labels = {}
    for name, level in levels.items():
        treated = _like_the_data(policy, name, level, table, counts[name])
        if treated is None:
            return None
        labels[name] = treated
    return _summed(counts, labels)


def _summed(counts: pl.DataFrame, treated: Mapping[str, pl.Series]) -> pl.DataFrame:
    return counts.with_columns(**treated).group_by(list(treated)).agg(pl.col("n").sum())


def _like_the_data(
    policy: Policy, name: str, level: str, table: Table, values: pl.Series
) -> pl.Series | None:
    """The population's labels; None when values of the data would get other labels beside those of the population."""
    ours = _ours(policy, name, table)(table.counts([name])[name]).unique()
    theirs = _before_search(policy, name, table, values)
    hierarchy = hierarchy_of(policy, table, name)
    alone = ladder(hierarchy, ours, column=name)
    both = ladder(hierarchy, pl.concat([ours, theirs.alias(name)]).unique(), column=name)
    if not _labels(ours, alone, level).equals(_labels(ours, both, level), null_equal=True):
        return None
    return _labels(theirs, both, level).alias(name)


def _before_search(policy: Policy, name: str, table: Table, values: pl.Series) -> pl.Series:
    """The population's values after the steps before the search, of the type that the data's have."""
    theirs = in_turn(_steps(policy, name), name, values.dtype)(values)
    dtype = _ours(policy, name, table)(pl.Series(name, [], dtype=table.schema[name])).dtype
    return theirs if theirs.dtype == dtype else theirs.cast(dtype)


def _ours(policy: Policy, name: str, table: Table) -> Treat:
    return in_turn(_steps(policy, name), name, table.schema[name])


def _steps(policy: Policy, name: str) -> list[Technique]:
    column = policy.columns[name]
    assert column.searched is not None
    return [step for step in column.treat if step is not column.searched]


def _labels(values: pl.Series, built: Ladder, level: str) -> pl.Series:
    at = built.names.index(level)
    codes = pl.Series(built.codes[at].astype("uint32"))
    known = pl.DataFrame({"value": built.values, "label": built.labels[at].gather(codes)})
    frame = pl.DataFrame({"value": values})
    return frame.join(known, on="value", how="left", nulls_equal=True, maintain_order="left")["label"]

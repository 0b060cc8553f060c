"""The policy's steps fitted to the columns of a snapshot."""

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from anon_platform.anonymize import Technique, Treat
from anon_platform.anonymize.generalize import to_levels
from anon_platform.anonymize.hierarchy import ladder
from anon_platform.policy import Policy
from anon_platform.table import Table


def steps_before_search(policy: Policy, schema: Mapping[str, pl.DataType]) -> dict[str, Treat]:
    """For each released column its steps, in one function; for quasi-identifiers those before the search."""
    found = {}
    for name in policy.released:
        column = policy.columns[name]
        steps = [step for step in column.treat if step is not column.searched]
        found[name] = in_turn(steps, name, schema[name])
    return found


def in_turn(steps: Sequence[Technique], name: str, dtype: pl.DataType) -> Treat:
    """The steps of one column as one function."""
    fitted: list[Treat] = []
    for step in steps:
        fitted.append(step.fit(name, dtype))
        dtype = fitted[-1](pl.Series(name, [], dtype=dtype)).dtype
    return chained(fitted)


def chained(functions: Sequence[Treat]) -> Treat:
    """One function after the other."""

    def treat(values: pl.Series) -> pl.Series:
        for function in functions:
            values = function(values)
        return values

    return treat


def treated_counts(
    table: Table, columns: Sequence[str], by: Mapping[str, Treat], extra: Sequence[str]
) -> pl.DataFrame:
    """Frequency table over treated `columns` and untreated `extra`; one pass over the rows, as originals."""
    counts = table.counts([*columns, *extra])
    treated = counts.with_columns(by[name](counts[name]).alias(name) for name in columns)
    return treated.group_by(*columns, *extra).agg(pl.col("n").sum())


def with_levels(table: Table, policy: Policy, levels: Mapping[str, str]) -> dict[str, Treat]:
    """For each released column the whole function from original to released value, at the chosen levels.

    Built from the distinct values of the snapshot, so that a later process gets the same functions.
    """
    before = steps_before_search(policy, table.schema)
    ladders = {}
    for name in levels:
        searched = policy.columns[name].searched
        assert searched is not None
        values = before[name](table.counts([name])[name]).unique()
        ladders[name] = ladder(searched.hierarchy, values, column=name)
    chosen = to_levels(ladders, levels)
    return {
        name: chained([before[name], chosen[name]]) if name in chosen else before[name] for name in before
    }


Progress = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and of how much (0 when unknown)."""


def silent(what: str, done: int, total: int) -> None:
    """A progress that nobody hears."""
    del what, done, total

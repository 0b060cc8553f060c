"""The policy's steps fitted to the columns of a snapshot.

Most steps are functions of single values. A step may also ask for the counts of its column, and is a function of
values then; or it treats equal values of different rows differently, by secret draws (PRAM, rank swapping, noise), or
those of different people (shifted dates). Columns with such a step are perturbed: they are treated to the end in
`as_left`, a view of the snapshot, and every later step counts and reads that view, where their values take no further
treatment.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from anon_platform.anonymize import (
    OfCounts,
    OfPeople,
    OfRecords,
    OfRows,
    Technique,
    Treat,
    TreatRows,
    WholeColumn,
)
from anon_platform.anonymize.generalize import to_levels
from anon_platform.anonymize.hierarchy import Choice, Ladder, LevelLabels, ladder, needs_counts, resolved
from anon_platform.anonymize.order import secret_draws
from anon_platform.errors import PolicyError
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.policy import Policy
from anon_platform.table import PERSON, ROW, TOKEN, Table

if TYPE_CHECKING:
    from anon_platform.anonymize.order import Draws


def perturbed_columns(policy: Policy) -> frozenset[str]:
    """Released columns whose values depend on secret draws of the rows, or on the person."""
    columns = policy.columns
    return frozenset(
        n for n in policy.released if any(isinstance(s, OfRows | OfPeople) for s in columns[n].treat)
    )


def as_left(policy: Policy, table: Table) -> Table:
    """The snapshot with perturbed columns as they leave; the same table where the policy has none.

    The draws come from the instance's key, the dataset, the column and the row's position: another release of the
    same rows has the same draws, so that nobody averages them out.
    """
    functions = {
        name: _rows_in_turn(policy.columns[name].treat, _whole(policy, table, name))
        for name in sorted(perturbed_columns(policy))
    }
    if not functions:
        return table
    return table.map(
        lambda batch: batch.with_columns(
            treat(batch[name], batch[by]).alias(name) for name, (treat, by) in functions.items()
        )
    )


def steps_before_search(policy: Policy, table: Table) -> dict[str, Treat]:
    """For each released column of `as_left` its steps, in one function; for quasi-identifiers those before the search."""
    perturbed = perturbed_columns(policy)
    return {
        name: (lambda values: values) if name in perturbed else _of_values(policy, table, name)
        for name in policy.released
    }


def _of_values(policy: Policy, table: Table, name: str) -> Treat:
    """The steps that are functions of values, of the original column; draws are left out."""
    column = policy.columns[name]
    if any(isinstance(step, OfRecords) for step in column.treat):
        # what becomes of a text is known row by row only; as a function of values it shows nothing
        return lambda values: pl.Series(values.name, [None] * len(values), dtype=pl.String)
    steps = [
        step
        for step in column.treat
        if step is not column.searched and not isinstance(step, OfRows | OfPeople)
    ]
    return in_turn(steps, name, table.schema[name], _whole(policy, table, name))


def in_turn(
    steps: Sequence[Technique], name: str, dtype: pl.DataType, whole: WholeColumn | None = None
) -> Treat:
    """The steps of one column as one function of values. whole: the column, for steps that ask for its counts."""
    treat: Treat = chained([])
    for step in steps:
        fitted = _fit(step, name, dtype, whole, treat)
        treat = chained([treat, fitted])
        dtype = fitted(pl.Series(name, [], dtype=dtype)).dtype
    return treat


def _fit(step: Technique, name: str, dtype: pl.DataType, whole: WholeColumn | None, before: Treat) -> Treat:
    if isinstance(step, OfRows | OfPeople | OfRecords):
        raise PolicyError(f"column {name}: {step.technique} treats rows, not values; it cannot stand here")
    if isinstance(step, OfCounts):
        return step.fit_counts(_treated(whole, before, dtype) if whole else _uncounted(name, dtype))
    return step.fit(name, dtype)


def _rows_in_turn(steps: Sequence[Technique], whole: WholeColumn) -> tuple[TreatRows, str]:
    """The steps of one column as one function of values and of ROW or TOKEN, which is named; one step needs these."""
    at = next(i for i, step in enumerate(steps) if isinstance(step, OfRows | OfPeople))
    step = steps[at]
    assert isinstance(step, OfRows | OfPeople)
    before = in_turn(steps[:at], whole.name, whole.dtype, whole)
    dtype = before(pl.Series(whole.name, [], dtype=whole.dtype)).dtype
    if isinstance(step, OfPeople):
        by, by_row = TOKEN, step.fit_people(whole.name)
    else:
        by, by_row = ROW, step.fit_rows(_treated(whole, before, dtype))
    # steps behind it find no counts: those of the original are not those of the perturbed column
    after = in_turn(steps[at + 1 :], whole.name, dtype)
    return lambda values, rows: after(by_row(before(values), rows)), by


def chained(functions: Sequence[Treat]) -> Treat:
    """One function after the other."""

    def treat(values: pl.Series) -> pl.Series:
        for function in functions:
            values = function(values)
        return values

    return treat


def _whole(policy: Policy, table: Table, name: str) -> WholeColumn:
    """The column of the snapshot, as it is."""

    def in_order() -> pl.Series:
        none = pl.Series(name, [], dtype=table.schema[name])
        return pl.concat([none, *(batch[name] for batch in table.batches([ROW, name]))])

    def draws(purpose: str) -> "Draws":
        return secret_draws(load_key(INSTANCE_KEY), f"{policy.dataset}/{name}/{purpose}", table.rows)

    def counts() -> pl.DataFrame:
        pairs = table.counts([name, PERSON])
        return people_by_value(pairs.rename({name: "value"}))

    return WholeColumn(name, table.schema[name], counts, in_order, draws)


def _treated(whole: WholeColumn, before: Treat, dtype: pl.DataType) -> WholeColumn:
    """The column after the steps `before`. People stay at the least of their original values' results."""

    def counts() -> pl.DataFrame:
        found = whole.counts()
        treated = before(found["value"].alias(whole.name)).alias("value")
        return found.with_columns(treated).group_by("value").agg(pl.col("n").sum(), pl.col("people").sum())

    return WholeColumn(whole.name, dtype, counts, lambda: before(whole.in_order()), whole.draws)


def _uncounted(name: str, dtype: pl.DataType) -> WholeColumn:
    def refuse(*_: object) -> Any:  # noqa: ANN401 - it never returns
        raise PolicyError(
            f"column {name}: a step needs the counts of the column, which are not known here; write it before pram,"
            " rank_swap and noise, and not for a population"
        )

    return WholeColumn(name, dtype, refuse, refuse, refuse)


def people_by_value(pairs: pl.DataFrame) -> pl.DataFrame:
    """The values (`value`) with `n` records and `people`; who has several values counts at the least of them.

    pairs: frequency table over `value` and PERSON.
    """
    records = pairs.group_by("value").agg(pl.col("n").sum())
    once = pairs.group_by(PERSON).agg(pl.col("value").min()).group_by("value").agg(people=pl.len())
    found = records.join(once, on="value", how="left", nulls_equal=True)
    return found.with_columns(pl.col("people").fill_null(0).cast(pl.Int64), pl.col("n").cast(pl.Int64))


def treated_counts(
    table: Table, columns: Sequence[str], by: Mapping[str, Treat], extra: Sequence[str]
) -> pl.DataFrame:
    """Frequency table over treated `columns` and untreated `extra`; one pass over the rows, as originals."""
    counts = table.counts([*columns, *extra])
    treated = counts.with_columns(by[name](counts[name]).alias(name) for name in columns)
    return treated.group_by(*columns, *extra).agg(pl.col("n").sum())


def hierarchies_for(policy: Policy, counts: pl.DataFrame) -> dict[str, LevelLabels]:
    """The hierarchy of each quasi-identifier; those that fit themselves to counts, fitted to these.

    counts: frequency table over the quasi-identifiers (treated, before the search), PERSON and others.
    """
    return {name: _fitted(_searched(policy, name), name, counts) for name in policy.quasi_identifiers}


def hierarchy_of(policy: Policy, table: Table, name: str) -> LevelLabels:
    """The hierarchy of one quasi-identifier, as it stands for the snapshot."""
    hierarchy = _searched(policy, name)
    if not needs_counts(hierarchy):
        return hierarchy
    before = {name: _of_values(policy, table, name)}
    return _fitted(hierarchy, name, treated_counts(table, [name], before, [PERSON]))


def inferred_in_words(policy: Policy, table: Table) -> dict[str, str]:
    """What each inferred hierarchy became, in words without values."""
    found = {name: hierarchy_of(policy, table, name) for name in policy.quasi_identifiers}
    return {name: hierarchy.in_words() for name, hierarchy in found.items() if isinstance(hierarchy, Choice)}


def _searched(policy: Policy, name: str) -> LevelLabels:
    searched = policy.columns[name].searched
    assert searched is not None
    return searched.hierarchy


def _fitted(hierarchy: LevelLabels, name: str, counts: pl.DataFrame) -> LevelLabels:
    """counts: frequency table over the column (treated, before the search) and PERSON."""
    if not needs_counts(hierarchy):
        return hierarchy
    pairs = counts.group_by(pl.col(name).alias("value"), PERSON).agg(pl.col("n").sum())
    people = people_by_value(pairs)
    return resolved(hierarchy, people["value"], people["people"])


def ladders_of(table: Table, policy: Policy, names: Iterable[str]) -> dict[str, Ladder]:
    """The hierarchies of quasi-identifiers over the distinct values of the snapshot, treated up to the search."""
    before = steps_before_search(policy, table)
    found = {}
    for name in names:
        hierarchy = _searched(policy, name)
        counts = treated_counts(table, [name], before, [PERSON] if needs_counts(hierarchy) else [])
        found[name] = ladder(_fitted(hierarchy, name, counts), counts[name].unique(), column=name)
    return found


def with_levels(
    table: Table, policy: Policy, levels: Mapping[str, str], ladders: Mapping[str, Ladder] | None = None
) -> dict[str, Treat]:
    """For each released column the whole function from its value in `as_left` to the released one.

    Built from the distinct values of the snapshot, so that a later process gets the same functions. ladders: as
    `ladders_of` gives them, where they are known already.
    """
    before = steps_before_search(policy, table)
    chosen = to_levels(ladders_of(table, policy, levels) if ladders is None else ladders, levels)
    return {
        name: chained([before[name], chosen[name]]) if name in chosen else before[name] for name in before
    }


def at_released_detail(table: Table, policy: Policy, treat: Mapping[str, Treat]) -> dict[str, Treat]:
    """`treat` for the snapshot itself: a perturbed column takes its other steps, so that only its draws are missing."""
    perturbed = perturbed_columns(policy)
    return {
        name: _of_values(policy, table, name) if name in perturbed else function
        for name, function in treat.items()
    }


Progress = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and of how much (0 when unknown)."""


def silent(what: str, done: int, total: int) -> None:
    """A progress that nobody hears."""
    del what, done, total

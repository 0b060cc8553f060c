"""Queries that the policy lists, row by row: which records of the original count, and what share of each released one."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from anon_platform.policy import Condition, Query
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.utility.coded import Coded, original_values, released_labels
from anon_platform.validate.utility.compared import LABEL, VALUE, Compared, in_numbers
from anon_platform.validate.utility.distances import Floats, Mass
from anon_platform.validate.utility.queries import Answer, averaged, counted

GROUPS = 200
"""Values of a column that have an answer each, the most frequent ones."""

Parts = tuple[np.ndarray, np.ndarray]
"""For each row of the source whether it counts, and for each released row the share of it that does."""


def listed_answers(
    evidence: Evidence, columns: Mapping[str, Compared], codes: Mapping[str, Coded], query: Query
) -> list[Answer] | str:
    """The answers to one query, one a group; or in words why there is none."""
    asked = [*query.where, *([query.group_by] if query.group_by is not None else [])]
    for name in [*asked, *([query.average] if query.average is not None else [])]:
        if name not in columns or name not in codes:
            return f"the values of {name} cannot be compared"
    if query.average is not None and codes[query.average].number is None:
        return f"{query.average} has no numbers to average"
    parts: list[Parts] = []
    for name, condition in query.where.items():
        fault = condition_fault(condition, columns[name])
        if fault is not None:
            return f"{name}: {fault}"
        parts.append(_parts(evidence, columns[name], _wanted(condition, columns[name])))
    number = codes[query.average] if query.average is not None else None
    rows = evidence.source.rows, evidence.kept.height
    return [
        answer
        for group in _groups(evidence, columns, query)
        if (answer := _answer([*parts, *group], rows, number)) is not None
    ]


def condition_fault(condition: Condition, column: Compared) -> str | None:
    """What a condition asks for that the column has not got."""
    ranged = not condition.values
    if ranged and not column.numeric:
        return "a range needs numbers or dates; write values"
    return None


def _answer(parts: Sequence[Parts], rows: tuple[int, int], number: Coded | None) -> Answer | None:
    before, after = (np.ones(count, np.float32) for count in rows)
    for is_in, share in parts:
        before, after = before * is_in, after * share
    return counted(before, after) if number is None else averaged(number, before, after)


def _groups(evidence: Evidence, columns: Mapping[str, Compared], query: Query) -> Iterator[list[Parts]]:
    if query.group_by is None:
        yield []
        return
    column = columns[query.group_by]
    counts = column.before.drop_nulls(VALUE).group_by(VALUE, maintain_order=True).agg(pl.col("n").sum())
    for value in counts.sort("n", VALUE, descending=True)[VALUE].head(GROUPS):
        yield [_parts(evidence, column, pl.Series([value], dtype=counts.schema[VALUE]))]


Range = tuple[float, float]
"""Numbers from the first on and below the second."""


def _wanted(condition: Condition, column: Compared) -> "pl.Series | Range":
    if condition.values:
        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in condition.values]
        found = column.before[VALUE].unique().drop_nulls()
        return found.filter(spelled_values(found).is_in(texts))
    low, high = condition.at_least, condition.below
    if low is None and high is None:
        low, high = (
            None if day is None else day.toordinal() - 719_163 for day in (condition.since, condition.before)
        )
    return (-np.inf if low is None else float(low), np.inf if high is None else float(high))


def spelled_values(values: pl.Series) -> pl.Series:
    """Values as a policy spells them: whole numbers without a decimal point."""
    if values.dtype.is_float():
        whole = values == values.round()
        return pl.select(
            pl.when(whole)
            .then(values.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(values.cast(pl.String))
        ).to_series()
    return values.cast(pl.String)


def _parts(evidence: Evidence, column: Compared, wanted: "pl.Series | Range") -> Parts:
    original = original_values(evidence, column.name)
    if isinstance(wanted, pl.Series):
        is_in = original.is_in(wanted.implode()).fill_null(value=False)
    else:
        is_in = ((original >= wanted[0]) & (original < wanted[1])).fill_null(value=False)
    known = label_shares(column, wanted)
    labels = pl.DataFrame({LABEL: released_labels(evidence, column)})
    share = labels.join(known, on=LABEL, how="left", nulls_equal=True, maintain_order="left")["share"]
    return is_in.cast(pl.Float32).to_numpy(), share.fill_null(0.0).cast(pl.Float32).to_numpy()


def label_shares(column: Compared, wanted: "pl.Series | Range") -> pl.DataFrame:
    """`label` and `share`: how much of each released label the wanted values or numbers are."""
    if column.numeric:
        spread = column.spread_labels().drop_nulls(["low", "high"])
        low, high = spread["low"].to_numpy(), spread["high"].to_numpy()
        released = column.released_mass()
        unit = released.unit if released is not None else 0.0
        shares = [_of_span(a, b, unit, wanted) for a, b in zip(low, high, strict=True)]
        return spread.select(LABEL).with_columns(pl.Series("share", shares, dtype=pl.Float64))
    assert isinstance(wanted, pl.Series)
    inside = pl.col(VALUE).is_in(wanted.implode()).fill_null(value=False)
    return column.covers.group_by(LABEL, maintain_order=True).agg(share=inside.mean())


def _of_span(low: float, high: float, unit: float, wanted: "pl.Series | Range") -> float:
    one = Mass(np.array([low]), np.array([high]), np.ones(1), unit)
    if not isinstance(wanted, pl.Series):
        ends: Floats = one.below(np.array(wanted, dtype=np.float64), strictly=True)
        return float(ends[1] - ends[0])
    values = in_numbers(wanted).cast(pl.Float64).to_numpy()
    if low == high:
        return float((values == low).any())
    # of a span of numbers that are not whole a single one has no share
    return float(((values >= low) & (values <= high)).sum() / (high - low + 1)) if unit else 0.0

"""Whom a known person may be: the people of a table whose labels fit what is known, counted without naming any."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.table import PERSON

MOST = 1000
"""Up to so many, people in several classes are counted one by one; above, a set is at least as large as its largest class."""

_ROW, _COMBINATION, _CLASS, _SET = "__known", "__combination", "__class", "__set"


@dataclass(frozen=True)
class Compared:
    """One comparison: a column of the table, the column of the known people, and which values go with which labels.

    related: `value` and `label` as text, see `relations`. A missing known value goes with every label.
    """

    column: str
    known: str
    related: pl.DataFrame


@dataclass(frozen=True)
class Candidates:
    """For each known person, in order, whom the table may mean by him.

    size: people who may be meant, exact up to `MOST`, at least so many above; 0: nobody. only: the one person if there is
    exactly one, −1 else.
    fitting, members: which classes fit whom, and whose rows are in them, to look up whether somebody is meant.
    """

    size: npt.NDArray[np.int64]
    only: npt.NDArray[np.int64]
    fitting: pl.DataFrame
    members: pl.DataFrame

    def hold(self, person: pl.Series) -> npt.NDArray[np.bool_]:
        """Whether each known person's candidates hold the person beside it; never where that is null."""
        asked = pl.DataFrame(
            {_ROW: np.arange(len(person), dtype=np.int64), PERSON: person.cast(pl.Int64)}
        ).drop_nulls()
        there = asked.join(self.members, on=PERSON).join(self.fitting, on=[_ROW, _CLASS], how="semi")
        found = np.zeros(len(person), np.bool_)
        found[there[_ROW].unique().to_numpy()] = True
        return found


@dataclass(frozen=True)
class Classed:
    """A table as classes of equal labels over some columns. members: `class` and person, each pair once."""

    labels: pl.DataFrame
    members: pl.DataFrame


def classed(rows: pl.DataFrame, compared: Sequence[Compared], whole: Collection[str] = ()) -> Classed:
    """The classes over the compared columns of those rows whose labels go with some value; rows have PERSON as well.

    whole: columns of which every label may be asked for.
    """
    columns = [each.column for each in compared]
    asked_for = [
        pl.col(each.column).is_in(each.related["label"].unique().implode())
        for each in compared
        if each.column not in whole
    ]
    asked_for.append(pl.lit(value=True))
    known = rows.select(*columns, pl.col(PERSON).cast(pl.Int64)).filter(pl.all_horizontal(asked_for)).unique()
    labels = known.select(columns).unique().with_row_index(_CLASS)
    return Classed(labels, known.join(labels, on=columns, nulls_equal=True).select(_CLASS, PERSON))


def as_codes(
    known: pl.DataFrame, compared: Sequence[Compared], rows: pl.DataFrame
) -> tuple[pl.DataFrame, list[Compared], pl.DataFrame]:
    """The same with numbers in place of texts, missing ones as they are: grouped and joined in a tenth of the time.

    Numbers are those of the distinct texts in order, so that they are the same in every run.
    """
    rows_coded = rows
    values: dict[str, pl.Enum] = {}
    found = []
    for each in compared:
        if each.known not in values:
            values[each.known] = _texts(
                known[each.known], *[c.related["value"] for c in compared if c.known == each.known]
            )
        labels = _texts(rows[each.column], each.related["label"])
        rows_coded = rows_coded.with_columns(_numbers(rows[each.column], labels).alias(each.column))
        related = each.related.select(
            _numbers(each.related["value"], values[each.known]).alias("value"),
            _numbers(each.related["label"], labels).alias("label"),
        )
        found.append(Compared(each.column, each.known, related))
    coded = [_numbers(known[name], kind).alias(name) for name, kind in values.items()]
    return pl.DataFrame(coded), found, rows_coded


def _texts(*series: pl.Series) -> pl.Enum:
    """Every text of these, in order."""
    return pl.Enum(pl.concat([each.drop_nulls().unique() for each in series]).unique().sort())


def _numbers(values: pl.Series, kind: pl.Enum) -> pl.Series:
    return values.cast(kind).to_physical().cast(pl.UInt32)


def candidates(
    known: pl.DataFrame, compared: Sequence[Compared], rows: pl.DataFrame, *, missing_fits: bool = True
) -> Candidates:
    """The candidates of each row of `known`. rows: the table, its compared columns as text, and PERSON.

    A person is a candidate when one of the person's rows fits in every comparison: several rows do not help each other,
    since nothing in the table says that they belong together. missing_fits: whether a missing known value goes with every
    label; else with none.
    """
    some_missing = [each.column for each in compared if missing_fits and known[each.known].null_count()]
    table = classed(rows, compared, some_missing)
    theirs = list(dict.fromkeys(each.known for each in compared))
    combinations = known.select(theirs).unique(maintain_order=True).with_row_index(_COMBINATION)
    fitting = _fitting(combinations, compared, table, missing_fits=missing_fits)
    sizes = _sizes(fitting, table)
    of_row = (
        known.select(theirs)
        .with_row_index(_ROW)
        .join(combinations, on=theirs, nulls_equal=True, maintain_order="left")
        .select(pl.col(_ROW).cast(pl.Int64), _COMBINATION)
    )
    found = of_row.join(sizes, on=_COMBINATION, how="left", maintain_order="left")
    return Candidates(
        found["size"].fill_null(0).to_numpy().astype(np.int64),
        found["only"].fill_null(-1).to_numpy().astype(np.int64),
        of_row.join(fitting, on=_COMBINATION).select(_ROW, _CLASS),
        table.members,
    )


def _fitting(
    combinations: pl.DataFrame, compared: Sequence[Compared], table: Classed, *, missing_fits: bool
) -> pl.DataFrame:
    """Combination and class, each pair that fits: column by column, so that no more is paired than classes begin so."""
    found = combinations
    # what leaves few labels a value first
    order = sorted(compared, key=lambda each: each.related.height / max(each.related["value"].n_unique(), 1))
    done: list[str] = []
    for each in order:
        label, labels = f"label {len(done)}", table.labels[each.column]
        pairs = each.related.rename({"value": each.known, "label": label})
        if missing_fits and found[each.known].null_count():
            nothing = pl.Series(each.known, [None], dtype=found.schema[each.known]).to_frame()
            pairs = pl.concat([pairs, nothing.join(labels.unique().to_frame(label), how="cross")])
        found = found.join(pairs, on=each.known, nulls_equal=True)
        done.append(each.column)
        begun = table.labels.select(done).unique()
        names = [f"label {i}" for i in range(len(done))]
        found = found.join(begun, left_on=names, right_on=done, how="semi", nulls_equal=True)
    names = [f"label {i}" for i in range(len(done))]
    whole = found.join(table.labels, left_on=names, right_on=done, nulls_equal=True)
    return whole.select(_COMBINATION, _CLASS)


def _sizes(fitting: pl.DataFrame, table: Classed) -> pl.DataFrame:
    """Size and only candidate by combination; combinations with the same classes are counted once."""
    members = table.members.join(fitting.select(_CLASS).unique(), on=_CLASS, how="semi")
    of_class = members.group_by(_CLASS).agg(
        people=pl.len(), low=pl.col(PERSON).min(), high=pl.col(PERSON).max()
    )
    sets = fitting.join(of_class, on=_CLASS).group_by(_COMBINATION).agg(
        pl.col(_CLASS).sort().cast(pl.String).str.join(",").alias(_SET),
        classes=pl.len(), total=pl.col("people").sum(), largest=pl.col("people").max(),
        low=pl.col("low").min(), high=pl.col("high").max(), first=pl.col(_COMBINATION).first(),
    )  # fmt: skip
    several = sets.filter((pl.col("classes") > 1) & (pl.col("total") <= MOST)).unique(_SET)
    counted = (
        several.select(_SET, _COMBINATION)
        .join(fitting, on=_COMBINATION)
        .join(members, on=_CLASS)
        .group_by(_SET)
        .agg(counted=pl.col(PERSON).n_unique())
    )
    size = (
        pl.when(pl.col("classes") == 1)
        .then("total")
        .otherwise(pl.col("counted").fill_null(pl.col("largest")))
    )
    only = pl.when(pl.col("low") == pl.col("high")).then("low")
    return sets.join(counted, on=_SET, how="left").select(_COMBINATION, size=size, only=only)

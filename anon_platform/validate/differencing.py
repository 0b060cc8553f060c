"""A release laid beside earlier ones: what whoever has both can tell apart that neither tells alone.

An attacker who has two releases of one dataset intersects the classes that a target is in, and looks at who is in one
release only: somebody who was admitted since, or has left. Each of these groups has to be as large, and as diverse, as
a class has to be. It is assumed that rows of the same record are recognized in both releases by everything else that is
released: no attacker can do better.
Source: Ganta, Kasiviswanathan, Smith 2008, Composition attacks and auxiliary information in data privacy; Xiao, Tao 2007,
m-invariance: towards privacy preserving re-publication of dynamic datasets; Byun, Sohn, Bertino, Li 2006, Secure
anonymization for incremental datasets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from anon_platform.table import TOKEN

RECORD = "__record__"
"""Keyed number of a record's original quasi-identifiers; 0 where a person's rows are one set."""

CLASS = "__class__"
"""Number of a released class, within its release."""

EARLIER = "__earlier__"
"""The class that the record was in earlier."""

KINDS = {
    "common": "in both releases",
    "added": "in the later release only",
    "removed": "in the earlier release only",
}


@dataclass(frozen=True)
class Trace:
    """What a release has to be remembered by; nobody can be told from it who does not hold the instance key.

    rows: TOKEN, RECORD and CLASS of every released row, and for each sensitive column the number of its value within the
    release, as `l0`, `l1`, …. names: the quasi-identifiers. by_row: whether every row is a person of its own; TOKEN then
    counts equal records.
    """

    rows: pl.DataFrame
    names: tuple[str, ...]
    sensitive: tuple[str, ...]
    by_row: bool = False

    @property
    def of_person(self) -> pl.Expr:
        """Whom to count."""
        return pl.struct(TOKEN, RECORD) if self.by_row else pl.col(TOKEN)


@dataclass(frozen=True)
class Demand:
    """What every group has to have. k: people. l: by sensitive column the distinct values, where they are demanded."""

    k: int
    l: Mapping[str, int]


def histories(earlier: Mapping[str, Trace], now: Trace) -> dict[str, Trace]:
    """What an attacker knows who has all earlier releases: by a name for each, the traces to lay beside `now`.

    Releases whose records can be found again become one trace, in which a class is a history: the classes that a record was
    in, release by release, and where it was in none. Whoever has only some of them sees unions of these. The others, with
    other quasi-identifiers, stand alone.
    """
    alike = {
        name: one for name, one in earlier.items() if one.names == now.names and one.by_row == now.by_row
    }
    found = {f"release {name}": one for name, one in earlier.items() if name not in alike}
    if len(alike) > 1:
        return {f"{len(alike)} earlier releases together": _together(list(alike.values())), **found}
    return {**{f"release {name}": one for name, one in alike.items()}, **found}


def _together(traces: Sequence[Trace]) -> Trace:
    """Every record once for each of its histories, with its sensitive values in the last release that it was in."""
    newest = traces[-1]
    key, history = [TOKEN, RECORD], [f"c{number}" for number, _ in enumerate(traces)]
    seen = pl.DataFrame()
    for number, trace in enumerate(traces):
        # once each: rows of one person that are alike would multiply with every release
        one = trace.rows.select(*key, pl.col(CLASS).alias(f"c{number}")).unique()
        seen = one if not number else seen.join(one, on=key, how="full", coalesce=True)
    distinct = seen.select(history).unique(maintain_order=True).with_row_index(CLASS)
    seen = seen.join(distinct, on=history, how="left", nulls_equal=True)
    last = pl.coalesce(
        pl.when(pl.col(name).is_not_null()).then(number)
        for number, name in reversed(list(enumerate(history)))
    )
    seen = seen.select(*key, CLASS, last.alias("last"))
    parts = [
        seen.filter(pl.col("last") == number).drop("last").join(_values(trace, newest), on=key)
        for number, trace in enumerate(traces)
    ]
    return Trace(pl.concat(parts), newest.names, newest.sensitive, newest.by_row)


def _values(trace: Trace, newest: Trace) -> pl.DataFrame:
    """TOKEN, RECORD and the sensitive values, numbered as in `newest`; one that the trace lacks is 0."""
    places = [trace.sensitive.index(name) if name in trace.sensitive else None for name in newest.sensitive]
    values = [
        (pl.lit(0, pl.UInt32) if place is None else pl.col(f"l{place}")).alias(f"l{i}")
        for i, place in enumerate(places)
    ]
    return trace.rows.select(TOKEN, RECORD, *values).unique()


def groups(earlier: Trace, now: Trace) -> dict[str, pl.DataFrame] | None:
    """By kind (common, added, removed) one row a group: `people` and `l0`, `l1`, … distinct values.

    None where the records cannot be found again: nobody has a person key and the quasi-identifiers are others. Where only
    these are others, a person's rows of one release are held against all of the other: the groups are then smaller than
    those of an attacker, never larger.
    """
    on = _on(earlier, now)
    if on is None:
        return None
    ours, theirs = now.rows, earlier.rows
    before = theirs.select(*on, pl.col(CLASS).alias(EARLIER)).unique()
    return {
        "common": _counted(ours.join(before, on=on), [EARLIER, CLASS], now),
        "added": _counted(ours.join(before, on=on, how="anti"), [CLASS], now),
        "removed": _counted(theirs.join(ours, on=on, how="anti"), [CLASS], earlier),
    }


def held_back(earlier: Mapping[str, Trace], now: Trace, demand: Demand) -> pl.Series:
    """`row` of the rows of `now` that must not leave, so that every group is as large as demanded; at best none.

    now: with `row`. Rows of a group that is too small are left out; a group that left is made large enough by letting go
    of the rest of its earlier class; a class that is too small then goes altogether. What was left out is not taken back, so
    that it ends.
    """
    rows = now.rows
    before = list(histories(earlier, now).values())
    while True:
        found = [_too_small(rows, [CLASS], now, demand)]
        for one in before:
            found += _small_groups(one, Trace(rows, now.names, now.sensitive, now.by_row), demand)
        out = pl.concat(found).unique()
        if out.is_empty():
            break
        rows = rows.filter(~pl.col("row").is_in(out.implode()))
    return now.rows.join(rows.select("row"), on="row", how="anti")["row"]


def _on(earlier: Trace, now: Trace) -> list[str] | None:
    if earlier.names == now.names and earlier.by_row == now.by_row:
        return [TOKEN, RECORD]
    return None if earlier.by_row or now.by_row else [TOKEN]


def _counted(rows: pl.DataFrame, by: Sequence[str], trace: Trace) -> pl.DataFrame:
    return rows.group_by(by).agg(
        trace.of_person.n_unique().alias("people"),
        *(pl.col(f"l{i}").n_unique() for i, _ in enumerate(trace.sensitive)),
    )


def _small(trace: Trace, demand: Demand) -> pl.Expr:
    small = pl.col("people") < demand.k
    for i, name in enumerate(trace.sensitive):
        if name in demand.l:
            small |= pl.col(f"l{i}") < demand.l[name]
    return small


def _too_small(rows: pl.DataFrame, by: Sequence[str], trace: Trace, demand: Demand) -> pl.Series:
    """`row` of the rows whose group is too small."""
    small = _counted(rows, by, trace).filter(_small(trace, demand))
    return rows.join(small.select(by), on=list(by), how="semi")["row"]


def _small_groups(earlier: Trace, now: Trace, demand: Demand) -> Iterator[pl.Series]:
    on = _on(earlier, now)
    if on is None:
        return
    before = earlier.rows.select(*on, pl.col(CLASS).alias(EARLIER)).unique()
    both = now.rows.join(before, on=on)
    yield _too_small(both, [EARLIER, CLASS], now, demand)
    yield _too_small(now.rows.join(before, on=on, how="anti"), [CLASS], now, demand)
    gone = _counted(earlier.rows.join(now.rows, on=on, how="anti"), [CLASS], earlier)
    few = gone.filter(_small(earlier, demand)).select(pl.col(CLASS).alias(EARLIER))
    yield both.join(few, on=EARLIER, how="semi")["row"]


def numbered_values(rows: pl.DataFrame, names: Sequence[str], sensitive: Sequence[str]) -> list[pl.Series]:
    """CLASS over `names`, and `l0`, `l1`, … of the sensitive columns: numbers within this release, nulls a value of their own."""
    classes = pl.Series(CLASS, [0], dtype=pl.UInt32).new_from_index(0, rows.height)
    if names:
        columns = [f"q{i}" for i, _ in enumerate(names)]
        plain = rows.select(pl.col(name).alias(column) for name, column in zip(names, columns, strict=True))
        distinct = plain.unique(maintain_order=True).with_row_index(CLASS)
        classes = plain.join(distinct, on=columns, how="left", nulls_equal=True, maintain_order="left")[CLASS]
    values = [
        rows[name].rank("dense").fill_null(0).cast(pl.UInt32).alias(f"l{i}")
        for i, name in enumerate(sensitive)
    ]
    return [classes, *values]

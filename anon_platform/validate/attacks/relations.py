"""Which released labels a known value may have become: the one thing every way of linking differs in."""

import polars as pl

from anon_platform.anonymize.hierarchy import SUPPRESSED, LevelLabels, ladder
from anon_platform.anonymize.hierarchy.levels import KnowsLeaves
from anon_platform.anonymize.local.reading import INTERVAL, covered, members_of

PAIRS = {"value": pl.String, "label": pl.String}
"""A relation: one row a known value and a label that it may have become, both as text, each pair once."""


def none_related() -> pl.DataFrame:
    """The empty relation."""
    return pl.DataFrame(schema=PAIRS)


def equal_values(values: pl.Series, labels: pl.Series) -> pl.DataFrame:
    """Each value with the label that is equal to it; missing values are equal to nothing.

    >>> equal_values(pl.Series(["a", "b", None]), pl.Series(["b", "c", None])).rows()
    [('b', 'b')]
    """
    both = values.drop_nulls().unique().sort()
    return pl.DataFrame(
        {
            "value": both.filter(both.is_in(labels.implode())),
            "label": both.filter(both.is_in(labels.implode())),
        },
        schema=PAIRS,
    )


def covering_labels(
    texts: pl.Series, values: pl.Series, labels: pl.Series, hierarchy: LevelLabels, *, column: str
) -> pl.DataFrame:
    """Each known value with every label that covers it: an ancestor, an interval that holds it, a set that names it, `*`.

    texts: known values as the relation calls them; values: what each stands for in the column, of its type before the
    search (a text may stand in several rows: an age that is known to a year). labels: those that are released. A value
    that the hierarchy does not know is covered by `*` only.
    """
    known = values.drop_nulls().unique()
    leaves = hierarchy.leaves() if isinstance(hierarchy, KnowsLeaves) else None
    if leaves is not None:
        known = known.filter(known.cast(pl.String).is_in(leaves.implode()))
    released = labels.drop_nulls().unique()
    built = ladder(hierarchy, known, column=column)
    parts = [pl.DataFrame(schema={"of": values.dtype, "label": pl.String})]
    for of_level, codes in zip(built.labels, built.codes, strict=True):
        label = of_level.gather(pl.Series(codes.astype("uint32")))
        parts.append(pl.DataFrame({"of": known, "label": label}))
    read = released.filter([_is_hull(label) for label in released])
    if len(read) and len(known):
        crossed = pl.DataFrame({"of": known}).join(pl.DataFrame({"label": read}), how="cross")
        parts.append(crossed.filter(covered(crossed["of"], crossed["label"], built)))
    related = pl.concat(parts).filter(pl.col("label").is_in(released.implode())).unique()
    stands_for = pl.DataFrame({"value": texts, "of": values}).drop_nulls().unique()
    found = stands_for.join(related, on="of", how="inner").select("value", "label")
    if SUPPRESSED in released:
        everything = texts.drop_nulls().unique().to_frame("value").with_columns(label=pl.lit(SUPPRESSED))
        found = pl.concat([found, everything])
    return found.unique()


def _is_hull(label: str) -> bool:
    """Whether a label is an interval or a set of local recoding, which no hierarchy has."""
    return INTERVAL.fullmatch(label) is not None or members_of(label) is not None


def years_since(days: pl.Series, first: int, last: int) -> pl.DataFrame:
    """Each day (`value`) with every number of whole years (`of`) since it between the beginning of year `first` and the end of `last`.

    days: dates. Before the day itself there is no such number. Who is born on 29 February has a birthday on 1 March.

    >>> from datetime import date
    >>> years_since(pl.Series([date(1950, 6, 1)]), 2000, 2000)["of"].to_list()
    [49, 50]
    """
    known = days.drop_nulls().unique().to_frame("value")
    year = pl.col("value").dt.year()
    new_year = (pl.col("value").dt.month() == 1) & (pl.col("value").dt.day() == 1)
    lowest = pl.lit(first) - year - pl.when(new_year).then(0).otherwise(1)
    ages = pl.int_ranges(pl.max_horizontal(lowest, pl.lit(0)), pl.lit(last) - year + 1, dtype=pl.Int64)
    return known.with_columns(of=ages).explode("of").drop_nulls()

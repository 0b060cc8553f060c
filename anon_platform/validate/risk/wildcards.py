"""Classes when a suppressed or missing value matches every value: what it means beside being a value of its own."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from anon_platform.anonymize.hierarchy import SUPPRESSED
from anon_platform.frequency import Cells
from anon_platform.frequency.likeness import log_ratio, relative_gain

MANY_PATTERNS = 64
"""Above so many patterns of wild cells nothing is computed: every pattern is joined with every other."""


def people_matched(counts: pl.DataFrame, names: Sequence[str], person: str) -> pl.DataFrame | None:
    """One row a class of `names`: its `n` records and the `people` whose rows match it when `*` and nulls match all.

    counts: frequency table over `names` and `person`, with `n`. Two rows match when they are equal in every column in
    which neither is wild, so that `people` is never fewer than of the class alone. None with more than 64 patterns of
    wild columns.
    Source: the meaning of suppressed cells in Samarati, Sweeney 1998, and the wildcard semantics of ARX (Prasser et al.
    2020, Flexible data anonymization using ARX).
    """
    columns = [f"q{i}" for i in range(len(names))]
    rows = counts.select(
        pl.col(person).alias("person"),
        pl.col("n").cast(pl.Int64),
        *(pl.col(name).alias(column) for name, column in zip(names, columns, strict=True)),
    ).with_columns(_known(counts, names, columns))
    of_classes = (
        rows.group_by(columns, maintain_order=True)
        .agg(pl.col("n").sum(), pl.col("known").first())
        .with_row_index("class")
    )
    patterns = of_classes["known"].unique().sort().to_list()
    if len(patterns) > MANY_PATTERNS:
        return None
    pairs = rows.select("person", "known", *columns)
    found = [
        _matched(of_classes.filter(pl.col("known") == pattern), pairs, pattern, patterns, columns)
        for pattern in patterns
    ]
    return of_classes.join(pl.concat(found), on="class").select("n", "people")


def diversity_matched(
    counts: pl.DataFrame, names: Sequence[str], sensitive: str
) -> tuple[int, float, float, float | None] | None:
    """(l, t, β, δ) when `*` and nulls of `names` match all.

    The fewest distinct values among the rows that match a class, the largest total variation between these and all, the
    greatest relative gain of a value, and the greatest |log₂| of its share to that in all, None where a class lacks a value.
    counts: frequency table over `names` and `sensitive`, with `n`; nulls of `sensitive` are a value of their own. (0, 0.0, 0.0, 0.0)
    for an empty one; None with more than 64 patterns of wild columns.
    Source: as `people_matched`; Li et al. 2007, section 4.2, for the distance; `frequency.likeness` for β and δ.
    """
    if counts.is_empty():
        return 0, 0.0, 0.0, 0.0
    columns = [f"q{i}" for i in range(len(names))]
    rows = counts.select(
        pl.col(sensitive).rank("dense").fill_null(0).alias("value"),
        pl.col("n").cast(pl.Int64),
        *(pl.col(name).alias(column) for name, column in zip(names, columns, strict=True)),
    ).with_columns(_known(counts, names, columns))
    rows = rows.group_by(*columns, "known", "value").agg(pl.col("n").sum())
    of_classes = rows.select("known", *columns).unique(maintain_order=True).with_row_index("class")
    patterns = of_classes["known"].unique().sort().to_list()
    if len(patterns) > MANY_PATTERNS:
        return None
    found = pl.concat(
        _rows_matched(of_classes.filter(pl.col("known") == pattern), rows, pattern, patterns, columns)
        for pattern in patterns
    )
    cells = found.group_by("class", "value").agg(pl.col("n").sum())
    overall = rows.group_by("value").agg(q=pl.col("n").sum() / rows["n"].sum())
    shared = (
        cells.with_columns(p=pl.col("n") / pl.col("n").sum().over("class"))
        .join(overall, on="value")
        .group_by("class")
        .agg(l=pl.len(), shared=pl.min_horizontal("p", "q").sum())
    )
    beta, delta = _likeness(cells, overall)
    return int(shared["l"].min()), max(0.0, 1.0 - float(shared["shared"].min())), beta, delta  # type: ignore[arg-type]


def _likeness(cells: pl.DataFrame, overall: pl.DataFrame) -> tuple[float, float | None]:
    """β and δ of classes whose records are `n` by `class` and `value`. overall: the share `q` of each value."""
    codes = overall.sort("value").with_row_index("code")
    coded = cells.join(codes, on="value").with_columns(pl.col("class").rank("dense") - 1)
    of_class = coded["class"].to_numpy().astype(np.int64)
    found = Cells(
        of_class,
        coded["code"].to_numpy().astype(np.int64),
        coded["n"].to_numpy(),
        int(of_class.max()) + 1,
        codes["q"].to_numpy(),
    )
    delta = float(log_ratio(found).max())
    return float(relative_gain(found).max()), delta if np.isfinite(delta) else None


def _rows_matched(
    of_pattern: pl.DataFrame,
    rows: pl.DataFrame,
    pattern: int,
    patterns: Sequence[int],
    columns: Sequence[str],
) -> pl.DataFrame:
    """`class`, `value` and `n` of the rows that match; no row matches a class twice."""
    matches = []
    for other in patterns:
        both = [column for place, column in enumerate(columns) if pattern & other & (1 << place)]
        theirs = rows.filter(pl.col("known") == other).group_by(*both, "value").agg(pl.col("n").sum())
        ours = of_pattern.select("class", *both)
        joined = ours.join(theirs, on=both) if both else ours.join(theirs, how="cross")
        matches.append(joined.select("class", "value", "n"))
    return pl.concat(matches)


def has_wild_cells(counts: pl.DataFrame, names: Sequence[str]) -> bool:
    """Whether some cell of `names` is wild beside others of its column that are not: else both meanings are the same."""
    for name in names:
        wild = _is_wild(counts[name])
        if wild.any() and not wild.all():
            return True
    return False


def _is_wild(values: pl.Series) -> pl.Series:
    starred = (
        values.eq_missing(SUPPRESSED)
        if values.dtype == pl.String
        else pl.Series([False]).new_from_index(0, len(values))
    )
    return starred | values.is_null()


def _known(counts: pl.DataFrame, names: Sequence[str], columns: Sequence[str]) -> pl.Series:
    """For each row the columns that are not wild, as the bits of a number."""
    bits = pl.Series("known", [0], dtype=pl.UInt64).new_from_index(0, counts.height)
    for place, _ in enumerate(columns):
        bits = bits | (~_is_wild(counts[names[place]])).cast(pl.UInt64) * (1 << place)
    return bits.alias("known")


def _matched(
    of_pattern: pl.DataFrame,
    pairs: pl.DataFrame,
    pattern: int,
    patterns: Sequence[int],
    columns: Sequence[str],
) -> pl.DataFrame:
    """`class` and `people`, for the classes whose known columns are those of `pattern`."""
    matches = []
    for other in patterns:
        both = [column for place, column in enumerate(columns) if pattern & other & (1 << place)]
        theirs = pairs.filter(pl.col("known") == other).select("person", *both)
        # over all columns each pair stands once, as the frequency table has it
        theirs = theirs if len(both) == len(columns) else theirs.unique()
        ours = of_pattern.select("class", *both)
        matches.append(
            (ours.join(theirs, on=both) if both else ours.join(theirs, how="cross")).select("class", "person")
        )
    return pl.concat(matches).unique().group_by("class").agg(people=pl.len().cast(pl.Int64))

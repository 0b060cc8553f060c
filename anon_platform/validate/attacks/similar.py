"""Texts that are alike but not equal: names with typing errors, for linkage with files that people filled in."""

import polars as pl

from anon_platform.errors import PolicyError

MOST_PAIRS = 60_000_000
"""Pairs of distinct texts that are compared at most: about a minute."""


def similar_texts(values: pl.Series, labels: pl.Series, least: float) -> pl.DataFrame:
    """Each value with every label whose Jaro-Winkler similarity to it is `least` or more; missing texts are like nothing.

    Case does not count. Returns a relation, see `relations`; more than `MOST_PAIRS` pairs raise `PolicyError`.
    Source: Winkler 1990, String comparator metrics and enhanced decision rules in the Fellegi-Sunter model; as DuckDB
    computes it.

    >>> similar_texts(pl.Series(["martha", None]), pl.Series(["MARHTA", "john"]), 0.9).rows()
    [('martha', 'MARHTA')]
    """
    import duckdb

    left = values.drop_nulls().unique().to_frame("value").with_columns(a=pl.col("value").str.to_lowercase())
    right = labels.drop_nulls().unique().to_frame("label").with_columns(b=pl.col("label").str.to_lowercase())
    if left.height * right.height > MOST_PAIRS:
        raise PolicyError(
            f"{left.height} different texts of the file and {right.height} released ones are too many to compare each with"
            " each; attack fewer people of the file"
        )
    with duckdb.connect() as connection:
        found = connection.execute(
            'select "value", "label" from "left" join "right" on jaro_winkler_similarity(a, b) >= $1', [least]
        ).fetchall()
    return pl.DataFrame(found, schema={"value": pl.String, "label": pl.String}, orient="row").sort(
        "value", "label"
    )

"""Equivalence classes and what they promise: the one definition of k, distinct l, equal-distance t and prosecutor risk.

Everything here is a pure function of a frequency table: one row a combination of values, `n` records each.
Nulls are a value of their own. People are counted, not records: a class of five records of one
person has k = 1. Without a person column every record is a person.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


@dataclass(frozen=True)
class Risk:
    """Re-identification risk of records whose class has f people (prosecutor: the target is in the data)."""

    maximum: float
    """1 / (people in the smallest class): 0.2 for k = 5."""

    mean: float
    """Mean over records of 1 / f."""

    unique_share: float
    """Share of records in a class of one person."""

    classes: int


def classes(
    counts: "pl.DataFrame",
    quasi_identifiers: Sequence[str],
    *,
    person: str | None = None,
    sensitive: Sequence[str] = (),
) -> "pl.DataFrame":
    """Equivalence classes: one row a class with `n` records, `people`, and `l:<name>` distinct values.

    counts: frequency table with the columns `quasi_identifiers`, `person`, `sensitive` and `n`.
    With no quasi-identifier all records are one class. An empty table has no class.
    Source: Sweeney 2002 (k-anonymity); Machanavajjhala et al. 2007, definition 3.1 (distinct l-diversity).

    >>> import polars as pl
    >>> counts = pl.DataFrame({"age": [30, 30, 41], "who": [1, 2, 1], "dx": ["a", "a", "b"], "n": [3, 1, 2]})
    >>> classes(counts, ["age"], person="who", sensitive=["dx"]).sort("age").rows()
    [(30, 4, 2, 1), (41, 2, 1, 1)]
    """
    import polars as pl

    measures = [
        pl.col("n").sum().cast(pl.UInt32),
        (pl.col("n").sum() if person is None else pl.col(person).n_unique()).cast(pl.UInt32).alias("people"),
        *[pl.col(name).n_unique().cast(pl.UInt32).alias(f"l:{name}") for name in sensitive],
    ]
    if quasi_identifiers:
        return counts.group_by(quasi_identifiers).agg(measures)
    return counts.select(measures) if counts.height else counts.clear().select(measures).clear()


def k_of(of_classes: "pl.DataFrame") -> int:
    """People in the smallest class; 0 for a table without records.

    >>> import polars as pl
    >>> k_of(pl.DataFrame({"people": [7, 5]}))
    5
    """
    return int(of_classes["people"].min() or 0)  # type: ignore[arg-type]


def l_of(of_classes: "pl.DataFrame", sensitive: str) -> int:
    """Fewest distinct values of `sensitive` in a class; 0 for a table without records."""
    return int(of_classes[f"l:{sensitive}"].min() or 0)  # type: ignore[arg-type]


def t_of(counts: "pl.DataFrame", quasi_identifiers: Sequence[str], sensitive: str) -> float:
    """Largest distance between a class's distribution of `sensitive` and that of all records, 0 to 1.

    Equal-distance EMD, that is total variation: 1 − Σ min(p, q), in records.
    Source: Li, Li, Venkatasubramanian 2007, section 4.2 (equal distance).

    >>> import polars as pl
    >>> counts = pl.DataFrame({"age": [1, 1, 2], "dx": ["a", "b", "a"], "n": [1, 1, 2]})
    >>> t_of(counts, ["age"], "dx")
    0.25
    """
    import polars as pl

    total = int(counts["n"].sum())
    if not total or not quasi_identifiers:
        return 0.0
    overall = counts.group_by(sensitive).agg(__q__=pl.col("n").sum() / total)
    cells = counts.group_by(*quasi_identifiers, sensitive).agg(pl.col("n").sum())
    size = pl.col("n").sum().over(quasi_identifiers)
    shared = (
        cells.with_columns(__p__=pl.col("n") / size)  # columns may be called p or q
        .join(overall, on=sensitive, nulls_equal=True)
        .group_by(quasi_identifiers)
        .agg(__shared__=pl.min_horizontal("__p__", "__q__").sum())
    )
    return max(0.0, 1.0 - float(shared["__shared__"].min()))  # type: ignore[arg-type]


def risk_of(of_classes: "pl.DataFrame") -> Risk:
    """Prosecutor risk of the classes; all zero for a table without records.

    Source: El Emam 2013, Guide to the De-Identification of Personal Health Information, chapter 16
    (prosecutor risk 1/f, its maximum and its mean over records).

    >>> import polars as pl
    >>> risk_of(pl.DataFrame({"n": [4, 1], "people": [2, 1]}))
    Risk(maximum=1.0, mean=0.6, unique_share=0.2, classes=2)
    """
    import polars as pl

    records = int(of_classes["n"].sum())
    if not records:
        return Risk(0.0, 0.0, 0.0, 0)
    unique = int(of_classes.filter(pl.col("people") == 1)["n"].sum())
    # summed by class size in order, so that equal tables give equal digits
    by_size = of_classes.group_by("people").agg(pl.col("n").sum()).sort("people")
    weighted = math.fsum((by_size["n"] / by_size["people"]).to_list())
    return Risk(1 / k_of(of_classes), weighted / records, unique / records, of_classes.height)


def class_size_histogram(of_classes: "pl.DataFrame") -> "pl.DataFrame":
    """Records by size of their class in people: `lower` (inclusive bound of the bin, doubling from 1) and `n`.

    >>> import polars as pl
    >>> class_size_histogram(pl.DataFrame({"n": [3, 2, 9], "people": [1, 2, 5]})).rows()
    [(1, 3), (2, 2), (4, 9)]
    """
    import polars as pl

    lower = (2 ** pl.col("people").log(2).floor()).cast(pl.Int64)
    # log2 of an exact power of two may fall one unit short in floating point
    exact = pl.when(lower * 2 <= pl.col("people")).then(lower * 2).otherwise(lower).alias("lower")
    return of_classes.group_by(exact).agg(pl.col("n").sum().cast(pl.Int64)).sort("lower")

"""Classes of people whose rows are linked by a pseudonym: alike is who has the same multiset of rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


SEQUENCE = "__sequence__"
"""Name of the column with the number of a sequence; no column of a policy begins like this."""


def sequence_classes(
    rows: "pl.DataFrame", quasi_identifiers: Sequence[str], person: str, n: str | None = None
) -> "pl.DataFrame":
    """One row a person: `person` and SEQUENCE, a number that is equal for people with the same multiset of rows.

    rows: released rows with the columns `quasi_identifiers` and `person`; or, with `n`, a frequency table of them, n
    rows each. Rows are compared in the
    quasi-identifiers, how often each combination occurs counts, their order does not (it is secret). Nulls are
    a value of their own. With no quasi-identifier the number of rows is all there is to compare.
    Source: Terrovitis, Mamoulis, Kalnis 2008 (k^m-anonymity of set-valued data) for an attacker who knows all m rows;
    Sweeney 2002 for k over the joined rows of a person.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"age": [30, 41, 41, 30, 30], "who": [1, 1, 2, 2, 3]})
    >>> found = sequence_classes(rows, ["age"], "who").sort("who")[SEQUENCE]
    >>> found[0] == found[1], found[0] == found[2]
    (True, False)
    """
    import polars as pl

    numbered = pl.DataFrame(
        {"__person__": rows[person], "__n__": rows[n] if n else pl.ones(rows.height, pl.UInt32, eager=True)}
    )
    if quasi_identifiers:
        names = [f"q{i}" for i in range(len(quasi_identifiers))]
        keys = rows.select(quasi_identifiers).rename(dict(zip(quasi_identifiers, names, strict=True)))
        distinct = keys.unique().with_row_index("__row__")
        numbered = numbered.with_columns(
            keys.join(distinct, on=names, how="left", nulls_equal=True, maintain_order="left")["__row__"]
        )
    else:
        numbered = numbered.with_columns(pl.lit(0, pl.UInt32).alias("__row__"))
    # "7:2,9:1": two rows of combination 7 and one of 9; exact, where a hash could join two sequences
    spelled = pl.concat_str(pl.col("__row__").first(), pl.lit(":"), pl.col("__n__").sum())
    of_person = (
        numbered.group_by("__person__", "__row__")
        .agg(spelled.alias("__spelled__"))
        .sort("__person__", "__row__")
        .group_by("__person__", maintain_order=True)
        .agg(pl.col("__spelled__").str.join(","))
    )
    number = (pl.col("__spelled__").rank("dense") - 1).cast(pl.UInt32)
    return of_person.select(pl.col("__person__").alias(person), number.alias(SEQUENCE))

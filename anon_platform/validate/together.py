"""All tables of a release taken together: whoever joins them knows a person's rows in every one."""

from collections.abc import Mapping

import polars as pl

from anon_platform.table import PERSON, TOKEN
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released

_CLASS, _SET = "class", "set"


def k_together(evidence: Mapping[str, Evidence]) -> int | None:
    """People who share the same rows of quasi-identifiers in all tables, at the fewest; None where one table has all.

    evidence: by table, with TOKEN in its snapshots. A person's rows of a table count as a multiset, without order; who
    has none in a table shares that with others who have none. Nulls are a value of their own.
    Source: Nergiz, Clifton, Nergiz 2007, Multirelational k-anonymity: k people share the whole of their rows.
    """
    sets = [_rows_of_people(each, name) for name, each in evidence.items() if each.policy.quasi_identifiers]
    if len(sets) <= 1:
        return None
    together = sets[0]
    for one in sets[1:]:
        together = together.join(one, on=TOKEN, how="full", coalesce=True)
    names = [name for name in together.columns if name != TOKEN]
    return int(together.group_by(names).len()["len"].min() or 0)  # type: ignore[arg-type]


def _rows_of_people(evidence: Evidence, name: str) -> pl.DataFrame:
    """By TOKEN the person's released rows over the quasi-identifiers, as one text of the numbers of their classes."""
    columns = evidence.policy.quasi_identifiers
    released = read_released(evidence.data, columns)
    numbers = released.unique().with_row_index(_CLASS)
    rows = released.with_columns(evidence.kept[PERSON]).join(numbers, on=columns, nulls_equal=True)
    tokens = evidence.source.counts([PERSON, TOKEN]).drop("n")
    sets = rows.group_by(PERSON).agg(pl.col(_CLASS).sort().cast(pl.String).str.join(",").alias(name))
    return sets.join(tokens, on=PERSON).drop(PERSON)

"""What a person's other rows say."""

from collections.abc import Sequence

import polars as pl

from anon_platform.table.table import PERSON, Table

_ONE = "__one__"


def with_other_rows(table: Table, columns: Sequence[str]) -> "OtherRows":
    """For each column the values of every person who has several of them; counted a column at a time, since few have."""
    found = {}
    for column in columns:
        pairs = table.counts([PERSON, column]).drop_nulls(column)
        lists = pairs.group_by(PERSON).agg(pl.col(column).sort())
        found[column] = lists.filter(pl.col(column).list.len() > 1)
    return OtherRows(found)


class OtherRows:
    """Values by person, for columns in which somebody has several."""

    def __init__(self, values: dict[str, pl.DataFrame]) -> None:
        self._values = values

    def joined(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows`, which have PERSON and the columns, with a list of all of the person's values in each column.

        Every cell becomes a list, also of one value; of none where the person has none.
        """
        for column, lists in self._values.items():
            several = lists.rename({column: _ONE})
            joined = rows.join(several, on=PERSON, how="left", maintain_order="left")
            one = pl.col(column).cast(pl.String)
            own = pl.concat_list(one).list.drop_nulls()
            rows = joined.with_columns(
                pl.coalesce(pl.col(_ONE).cast(pl.List(pl.String)), own).alias(column)
            ).drop(_ONE)
        return rows

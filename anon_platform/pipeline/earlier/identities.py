"""Which record is which, from one snapshot of a source to the next, as keyed numbers."""

import polars as pl

from anon_platform.keys import Key, load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.policy import Policy
from anon_platform.table import ROW, TOKEN, Table
from anon_platform.validate.differencing import RECORD

ABSENT = "\x00"
"""Stands for an empty cell; no text of a source begins with it."""


def identities(policy: Policy, table: Table) -> pl.DataFrame:
    """ROW, TOKEN and RECORD of every row of the snapshot, where quasi-identifiers leave.

    RECORD is a keyed number of the original quasi-identifiers, 0 where a person's rows are linked and so are one set. Without
    a person column a row is a person: TOKEN then tells equal records apart, by their order.
    """
    key, names = load_key(INSTANCE_KEY).derive("records"), policy.quasi_identifiers
    by_row = policy.privacy_unit.column is None
    token = [] if by_row else [TOKEN]
    found = []
    for batch in table.batches([ROW, *token, *names]):
        record = (
            pl.zeros(batch.height, pl.UInt64, eager=True).alias(RECORD)
            if policy.privacy_unit.linked
            else _records(batch.select(names), key)
        )
        found.append(batch.select(ROW, *token, record))
    rows = pl.concat(found)
    if by_row:
        rows = rows.with_columns(pl.int_range(pl.len(), dtype=pl.UInt64).over(RECORD).alias(TOKEN))
    return rows.select(ROW, TOKEN, RECORD)


def _records(rows: pl.DataFrame, key: Key) -> pl.Series:
    """A secret number for each combination, from the texts of its values: 64 bits of an HMAC."""
    texts = [pl.col(name).cast(pl.String).fill_null(ABSENT) for name in rows.columns]
    # the length before each text, so that no two rows are spelled alike
    spelled = pl.concat_str(
        *(part for text in texts for part in (text.str.len_bytes().cast(pl.String), pl.lit(":"), text))
    )
    numbered = rows.select(spelled.alias("text"))
    distinct = numbered["text"].unique()
    keyed = [int.from_bytes(key.mac(text.encode())[:8]) for text in distinct.to_list()]
    known = pl.DataFrame({"text": distinct, RECORD: pl.Series(keyed, dtype=pl.UInt64)})
    return numbered.join(known, on="text", how="left", maintain_order="left")[RECORD]

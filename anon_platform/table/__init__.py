"""A table: a schema and four verbs (counts, map, batches, write); every engine offers the same four."""

from anon_platform.table.on_duckdb import DuckDBTable
from anon_platform.table.on_polars import PolarsTable
from anon_platform.table.people import OtherRows, with_other_rows
from anon_platform.table.table import PERSON, ROW, TOKEN, Step, Table

__all__ = [
    "PERSON",
    "ROW",
    "TOKEN",
    "DuckDBTable",
    "OtherRows",
    "PolarsTable",
    "Step",
    "Table",
    "with_other_rows",
]

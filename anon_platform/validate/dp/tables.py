"""What stands in the files of a differentially private release beside noisy numbers: only what the policy says in public."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.validate.files import as_csv, read_as, read_csv

HAIR = 1e-9

FORMATS = (".parquet", ".csv")
"""Endings of files that hold a table; what has another one was looked at by nobody."""


@dataclass(frozen=True)
class Table:
    """A released table as it was made. types: of its columns; domains: of those that hold no noisy number."""

    name: str
    types: Mapping[str, str]
    domains: Mapping[str, Domain]
    required: frozenset[str]
    """Columns that miss no value."""


def released(data: Path, name: str) -> dict[str, pl.DataFrame]:
    """The table in every format that is there, by the ending of its file."""
    found: dict[str, pl.DataFrame] = {}
    for file in sorted(data.glob(f"{name}.*")):
        if file.suffix == ".parquet":
            found["parquet"] = pl.read_parquet(file, glob=False)
        elif file.suffix == ".csv":
            found["csv"] = read_csv(file)
    return found


def faults_of(data: Path, tables: list[Table], documents: Sequence[str] = ()) -> list[str]:
    """Files and columns that should not be there, or should and are not; of formats that differ. documents: other files."""
    faults = []
    known = {table.name for table in tables}
    faults += [
        f"file {file.name} is not of the release"
        for file in sorted(data.iterdir())
        if (file.stem not in known or file.suffix not in FORMATS) and file.name not in documents
    ]
    faults += [f"{name} is missing" for name in documents if not (data / name).is_file()]
    for table in tables:
        found = released(data, table.name)
        if not found:
            faults.append(f"{table.name} is missing")
        for ending, frame in found.items():
            if list(frame.columns) != list(table.types):
                faults.append(f"{table.name}.{ending} has other columns than were measured")
        parquet, csv = found.get("parquet"), found.get("csv")
        if parquet is not None and csv is not None and not _alike(parquet, csv):
            faults.append(f"{table.name}.csv holds other values than {table.name}.parquet")
    return faults


def strays(data: Path, table: Table) -> int:
    """Values outside the public domains of their columns, missing ones of required columns among them."""
    return sum(
        outside(
            read_as(frame[name], dtype) if ending == "csv" else frame[name],
            domain,
            required=name in table.required,
        )
        for ending, frame in released(data, table.name).items()
        for name, domain in table.domains.items()
        if name in frame.columns
        for dtype in (_type_in(domain, frame[name]),)
    )


def outside(values: pl.Series, domain: Domain, *, required: bool) -> int:
    """How many values the domain does not have.

    >>> outside(pl.Series(["F", "X", None]), Categories(kind="categories", values=("F", "M")), required=False)
    1
    """
    missing = values.null_count() if required else 0
    present = values.drop_nulls()
    if isinstance(domain, Categories):
        if domain.values == "found":
            return missing
        named = [str(value).lower() if isinstance(value, bool) else str(value) for value in domain.values]
        named += [domain.other] if domain.other is not None else []
        return missing + int((~present.cast(pl.String).is_in(named)).sum())
    if isinstance(domain, Numbers):
        low, high = domain.bounds
        number = present.cast(pl.Float64)
        within = number.is_between(low - HAIR, high + HAIR) & number.is_finite()
        return missing + int((~within).sum())
    return missing + int((~_days(present).is_between(*domain.bounds)).sum())


def _days(values: pl.Series) -> pl.Series:
    return (
        values.str.slice(0, 10).str.to_date("%Y-%m-%d") if values.dtype == pl.String else values.cast(pl.Date)
    )


def _type_in(domain: Domain, values: pl.Series) -> pl.DataType:
    """The type to read a CSV column as: of numbers a number; names and days are compared as text."""
    return pl.Float64() if isinstance(domain, Numbers) else values.dtype


def _alike(parquet: pl.DataFrame, csv: pl.DataFrame) -> bool:
    """Whether a CSV file says the same: written anew from the other one, it is the same."""
    return as_csv(parquet).equals(csv)


def types_named(name: str) -> pl.DataType:
    """The type that Polars writes as this name; one that CSV cannot tell from text is text.

    >>> types_named("Int64"), types_named("Datetime(time_unit='us', time_zone=None)")
    (Int64, Datetime(time_unit='us', time_zone=None))
    """
    if name.startswith("Datetime"):
        return pl.Datetime("us")
    whole = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
    plain: dict[str, pl.DataType] = {
        str(kind()): kind() for kind in (*whole, pl.Float32, pl.Float64, pl.Boolean, pl.Date)
    }
    return plain.get(name, pl.String())

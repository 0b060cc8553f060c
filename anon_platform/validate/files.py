"""What the released files alone can show: schema, rows, row-level classes. `verify` and the validator share it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.errors import IntegrityError, PolicyError
from anon_platform.frequency import classes, k_of, l_of, t_of
from anon_platform.validate.counts import ReleasedCounts, with_sequences


@dataclass(frozen=True)
class Measured:
    """Row-level measures of a release. l, t: by sensitive column. k counts rows, unless a pseudonym tells people apart."""

    rows: int
    columns: tuple[str, ...]
    k: int
    l: dict[str, int]
    t: dict[str, float]
    classes: int


def parquet_files(data: Path) -> list[Path]:
    """The released Parquet files, in order."""
    return sorted(data.glob("*.parquet"))


def read_released(data: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Columns of the release, in file order; from the CSV files as text where no Parquet was released."""
    parquet = parquet_files(data)
    if parquet:
        return pl.scan_parquet(list(parquet), glob=False).select(columns).collect()
    files = sorted(data.glob("*.csv"))
    if not files:
        raise IntegrityError(f"no data file in {data}")
    return pl.concat([read_csv(path).select(columns) for path in files])


def read_csv(path: Path) -> pl.DataFrame:
    """A released CSV file as text; an empty field is a null."""
    return _read(path)


def spelled(values: pl.Series) -> pl.Series:
    """The values as text, each as a released CSV file spells it.

    >>> spelled(pl.Series([1.0, None])).to_list()
    ['1.0', None]
    """
    return as_csv(pl.DataFrame({"value": values}))["value"]


def as_csv(frame: pl.DataFrame) -> pl.DataFrame:
    """The table as a released CSV file of it would be read: all is text."""
    return _read(frame.write_csv().encode())


def alike(expected: pl.Series, found: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Expected and released values in one type: from CSV all is text, so numbers are read and the rest is spelled.

    >>> [values.to_list() for values in alike(pl.Series([1.5]), pl.Series(["1.50"]))]
    [[1.5], [1.5]]
    """
    if expected.dtype == found.dtype:
        return expected, found
    if expected.dtype.is_numeric():
        return expected, found.cast(expected.dtype, strict=False)
    return spelled(expected).alias(expected.name), found


def read_as(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Values of a CSV file, which are text, as the type they were released in; others as they are.

    A value that cannot be read back raises `PolicyError`.

    >>> read_as(pl.Series(["10", None, "9"]), pl.Int64()).to_list()
    [10, None, 9]
    """
    if values.dtype == dtype or values.dtype != pl.String:
        return values
    if dtype == pl.Boolean():
        found = values.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    elif isinstance(dtype, pl.Datetime):
        found = values.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    elif dtype == pl.Date():
        found = values.str.to_date("%Y-%m-%d", strict=False)
    else:
        found = values.cast(dtype, strict=False)
    if found.null_count() != values.null_count():
        raise PolicyError("values of this type cannot be read back from CSV; add parquet to publish.formats")
    return found


def _read(source: Path | bytes) -> pl.DataFrame:
    return pl.read_csv(source, glob=False, infer_schema=False, missing_utf8_is_empty_string=False)


def _columns(path: Path) -> tuple[str, ...]:
    # an open file, since a name with brackets would be taken for a pattern
    with path.open("rb") as stream:
        return tuple(pl.read_parquet_schema(stream))


def released_columns(data: Path) -> tuple[str, ...]:
    """Column names of the release; `IntegrityError` when its files disagree."""
    found: set[tuple[str, ...]] = {_columns(path) for path in parquet_files(data)}
    for path in data.glob("*.csv"):
        found.add(tuple(pl.read_csv(path, glob=False, infer_schema=False, n_rows=0).columns))
    if len(found) != 1:
        raise IntegrityError(f"the files in {data} do not have one schema")
    return found.pop()


def file_counts(
    data: Path, quasi_identifiers: Sequence[str], sensitive: Sequence[str], link: str | None = None
) -> ReleasedCounts:
    """The frequency table of the files. link: the column with the pseudonym that links a person's rows, if one does."""
    rows = read_released(
        data, list(dict.fromkeys([*quasi_identifiers, *sensitive, *([link] if link else [])]))
    )
    counts = rows.group_by(rows.columns).agg(n=pl.len())
    if link is not None and quasi_identifiers:
        return with_sequences(counts, quasi_identifiers, link)
    return ReleasedCounts(counts, tuple(quasi_identifiers), link)


def measure_files(
    data: Path, quasi_identifiers: Sequence[str], sensitive: Sequence[str], link: str | None = None
) -> Measured:
    """Row-level k, l and t, from the bytes of the files; with `link` (see `file_counts`) k is in people."""
    columns = released_columns(data)
    if not (quasi_identifiers or sensitive):
        return Measured(count_rows(data), columns, 0, {}, {}, 0)
    counted = file_counts(data, quasi_identifiers, sensitive, link)
    counts, names = counted.counts, counted.names
    of_classes = classes(counts, names, person=counted.person, sensitive=sensitive)
    return Measured(
        int(counts["n"].sum()),
        columns,
        k_of(of_classes),
        {name: l_of(of_classes, name) for name in sensitive},
        {name: t_of(counts, names, name) for name in sensitive},
        of_classes.height,
    )


def count_rows(data: Path) -> int:
    """Rows of the release."""
    parquet = parquet_files(data)
    if parquet:
        return int(pl.scan_parquet(list(parquet), glob=False).select(pl.len()).collect().item())
    return sum(read_csv(path).height for path in sorted(data.glob("*.csv")))


def formats_agree(data: Path) -> bool:
    """Whether CSV and Parquet files stand in pairs and each pair says the same, cell by cell; one format agrees."""
    texts, parquet = sorted(data.glob("*.csv")), parquet_files(data)
    if not texts or not parquet:
        return True
    if [path.stem for path in texts] != [path.stem for path in parquet]:
        return False
    return all(_says(text, path) for text, path in zip(texts, parquet, strict=True))


def _says(text: Path, parquet: Path) -> bool:
    # written the same way, so that numbers and dates have one spelling
    again = pl.read_parquet(parquet, glob=False).write_csv().encode()
    return text.read_bytes() == again or read_csv(text).equals(_read(again))

"""Small releases beside their source, for measures of usefulness: ages in tens, towns in counties, stays as they are."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

from anon_platform.anonymize import Treat
from anon_platform.anonymize.hierarchy import Groups, Intervals, ladder
from anon_platform.policy import Policy, Utility
from anon_platform.table import PERSON, ROW, PolarsTable
from anon_platform.validate import Evidence

COUNTY = {"ash": "north", "bay": "north", "elm": "south", "oak": "south", "fir": "west", None: None}
SEARCHED = {"technique": "generalize", "hierarchy": {"kind": "flat"}}
TYPES = {"age": pl.Int64, "town": pl.String, "stay": pl.Int64, "weight": pl.Float64, "day": pl.Date}

Row = tuple[Any, ...]

POLICY: dict[str, Any] = {
    "version": 1,
    "dataset": "visits",
    "title": "Visits",
    "owner": "privacy@hospital.example",
    "source": {"format": "parquet", "path": "visits.parquet"},
    "privacy_unit": {"column": "who"},
    "columns": {
        "who": {"role": "direct_identifier", "treat": {"technique": "suppress"}},
        "age": {"role": "quasi_identifier", "type": "integer", "treat": SEARCHED},
        "town": {"role": "quasi_identifier", "treat": SEARCHED},
        "stay": {"role": "insensitive", "type": "integer"},
        "weight": {"role": "insensitive", "type": "number"},
        "day": {"role": "insensitive", "type": "date"},
    },
    "thresholds": {"k": 2, "max_risk": 0.5, "suppressed_records": 1, "fidelity": 1},
    "publish": {"formats": ("parquet",), "recipient": "us", "purpose": "tests"},
}


def decade(age: int | None) -> str | None:
    """The label of an age."""
    return None if age is None else f"[{age // 10 * 10}, {age // 10 * 10 + 10})"


def county(town: str | None) -> str | None:
    """The label of a town."""
    return COUNTY[town]


def month(day: Any) -> str | None:
    """The label of a day."""
    return None if day is None else f"{day:%Y-%m}"


def _labels(function: Any) -> Treat:
    return lambda values: pl.Series(values.name, [function(one) for one in values], dtype=pl.String)


TREAT: dict[str, Treat] = {
    "age": _labels(decade),
    "town": _labels(county),
    "stay": lambda values: values,
    "weight": lambda values: values,
    "day": _labels(month),
}

rows = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.none() | st.integers(18, 47),
        st.none() | st.sampled_from([town for town in COUNTY if town]),
        st.none() | st.integers(1, 6),
        st.none() | st.sampled_from([0.5, 1.25, 2.0, 7.0]),
        st.none() | st.dates(dt.date(2020, 1, 30), dt.date(2020, 2, 4)),
    ),
    min_size=1,
    max_size=14,
)
"""Person, age, town, stay, weight, day."""


def source_of(drawn: Sequence[Row]) -> pl.DataFrame:
    """A snapshot of these rows."""
    schema = {ROW: pl.UInt32, PERSON: pl.UInt32, **TYPES}
    return pl.DataFrame([(i, *row) for i, row in enumerate(drawn)], schema=schema, orient="row")


def release(
    folder: Path,
    source: pl.DataFrame,
    kept: Sequence[int],
    utility: dict[str, Any] | None = None,
    **settings: Any,
) -> Evidence:
    """A release of the rows `kept`, in that order."""
    staging, data = folder / "raw", folder / "data"
    staging.mkdir(parents=True)
    data.mkdir()
    source.write_parquet(staging / "part.parquet")
    left = source[list(kept)]
    left.select(TREAT[name](left[name]) for name in TYPES).write_parquet(data / "part-00000.parquet")
    policy = Policy.model_validate({**POLICY, **settings})
    policy = policy.model_copy(
        update={"utility": None if utility is None else Utility.model_validate(utility)}
    )
    alone = {town: (town,) for town in COUNTY if town}
    counties = {name: tuple(t for t in alone if COUNTY[t] == name) for name in ("north", "south", "west")}
    kinds = {
        "age": Intervals(kind="intervals", widths=(1, 10)),
        "town": Groups(kind="groups", named=(alone, counties)),
    }
    return Evidence(
        policy=policy,
        data=data,
        kept=left.select(ROW, PERSON),
        suppressed=source.filter(~pl.col(ROW).is_in(left[ROW].implode()))[ROW],
        source=PolarsTable.over(staging),
        treat=TREAT,
        ladders={name: ladder(kind, source[name].unique(), column=name) for name, kind in kinds.items()},
        levels={"age": "10", "town": "level 2"},
    )

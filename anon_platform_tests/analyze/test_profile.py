"""The profile of a snapshot and the risk of its records, counted once more in plain Python."""

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anon_platform.analyze import Analysis, ColumnProfile, analyze
from anon_platform.table import PERSON, ROW, PolarsTable
from anon_platform_tests import oracles

MOMENTS = [dt.datetime(2008, 3, day, hour, 7) for day in (1, 2) for hour in (0, 23)]

records = st.lists(
    st.fixed_dictionaries(
        {
            PERSON: st.integers(0, 4),
            "age": st.integers(30, 32) | st.none(),
            "sex": st.sampled_from(["F", "M", "", None]),
            "at": st.sampled_from([*MOMENTS, None]),
            "fee": st.sampled_from([0.5, 1.0, None]),
        }
    ),
    min_size=1,
    max_size=25,
)
SCHEMA = {
    ROW: pl.UInt32,
    PERSON: pl.UInt32,
    "age": pl.Int64,
    "sex": pl.String,
    "at": pl.Datetime("us"),
    "fee": pl.Float64,
}


def table(rows: list[dict[str, Any]], folder: Path, parts: int = 1) -> PolarsTable:
    """The rows as a snapshot of several files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    numbered = pl.DataFrame([{ROW: i, **row} for i, row in enumerate(rows)], schema=SCHEMA)
    size = -(-len(rows) // parts)
    for number in range(0, len(rows), size):
        numbered[number : number + size].write_parquet(folder / f"part-{number:03d}.parquet")
    return PolarsTable.over(folder)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records, st.lists(st.sampled_from(["age", "sex", "at"]), unique=True), st.integers(1, 3))
def test_the_analysis_is_what_plain_python_counts(
    tmp_path: Path, rows: list[dict[str, Any]], names: list[str], parts: int
) -> None:
    """Risks in people, moments by day (an attacker hardly knows the minute), missing values as one value."""
    found = analyze(table(rows, tmp_path / "snapshot", parts), names)
    days = [row | {"at": row["at"] and row["at"].date()} for row in rows]
    risk = oracles.risk(days, names, PERSON)
    assert (found.rows, found.people, found.classes) == (
        len(rows),
        oracles.people(rows, PERSON),
        risk.classes,
    )
    measured = (found.max_risk, found.mean_risk, found.unique_share)
    assert measured == pytest.approx([float(risk.maximum), float(risk.mean), float(risk.unique_share)])
    assert dict(found.class_sizes) == oracles.class_sizes(days, names, PERSON)
    assert [size for size, _ in found.class_sizes] == sorted(size for size, _ in found.class_sizes)
    types = {"age": "int64", "sex": "string", "at": "datetime", "fee": "float64"}
    assert found.columns == tuple(
        ColumnProfile(
            name=name,
            type=types[name],
            missing=sum(row[name] is None for row in rows),
            distinct=len({row[name] for row in rows}),
        )
        for name in types
    )


def test_a_worked_example(tmp_path: Path) -> None:
    """Three people in a class of four records, one alone in another: 1/3 for four of five records, 1 for the fifth."""
    base = {"sex": None, "at": None, "fee": None}
    rows = [
        {PERSON: person, "age": age, **base} for person, age in [(0, 30), (0, 30), (1, 30), (2, 30), (3, 41)]
    ]
    found = analyze(table(rows, tmp_path / "snapshot"), ["age"])
    assert found.model_dump(exclude={"columns"}) == {
        "rows": 5,
        "people": 4,
        "max_risk": 1.0,
        "mean_risk": pytest.approx((4 / 3 + 1) / 5),
        "unique_share": 0.2,
        "classes": 2,
        "class_sizes": ((1, 1), (2, 4)),
    }


def test_no_cell_value_is_in_an_analysis(tmp_path: Path) -> None:
    """It is written beside the release, and Dagster shows it."""
    rows = [
        {PERSON: i, "age": 7_654_321 + i, "sex": f"Quetzalcoatl{i}", "at": None, "fee": 0.123456 + i}
        for i in range(9)
    ]
    text = analyze(table(rows, tmp_path / "snapshot"), ["age", "sex"]).model_dump_json()
    assert "Quetzalcoatl" not in text
    assert "765432" not in text
    assert "0.12345" not in text
    assert Analysis.model_validate_json(text, strict=False).people == 9

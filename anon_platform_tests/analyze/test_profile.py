"""The profile and the risk of the original, against plain Python."""

from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.analyze import analyze
from anon_platform.table import PolarsTable

rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2) | st.none(), st.datetimes(datetime(2008, 1, 1), datetime(2008, 1, 3))),
    min_size=1,
    max_size=25,
)  # fmt: skip


@settings(max_examples=60)
@given(rows)
def test_risk_is_counted_in_people_and_timestamps_by_day(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple[int, int | None, datetime]]
) -> None:
    """The report says what an attacker could do before; a minute that nobody knows must not make it look worse."""
    file = tmp_path_factory.mktemp("profile") / "part.parquet"
    frame = pl.DataFrame(
        data, schema={"__person__": pl.UInt32, "age": pl.Int64, "at": pl.Datetime("us")}, orient="row"
    )
    frame.write_parquet(file)
    found = analyze(PolarsTable((file,)), ["age", "at"])
    people = defaultdict(set)
    records: Counter[tuple[int | None, object]] = Counter()
    for person, age, at in data:
        people[age, at.date()].add(person)
        records[age, at.date()] += 1
    smallest = min(len(members) for members in people.values())
    assert found.max_risk == pytest.approx(1 / smallest)
    assert found.mean_risk == pytest.approx(
        sum(records[key] / len(people[key]) for key in people) / len(data)
    )
    assert found.unique_share == pytest.approx(
        sum(records[key] for key in people if len(people[key]) == 1) / len(data)
    )
    assert (found.rows, found.people, found.classes) == (
        len(data),
        len({row[0] for row in data}),
        len(people),
    )
    age = next(column for column in found.columns if column.name == "age")
    assert (age.missing, age.distinct) == (sum(row[1] is None for row in data), len({row[1] for row in data}))


def test_the_profile_holds_no_cell(tmp_path: Path) -> None:
    """Names of columns and counts only."""
    file = tmp_path / "part.parquet"
    pl.DataFrame({"__person__": [0], "name": ["Canary"]}).write_parquet(file)
    assert "Canary" not in analyze(PolarsTable((file,)), ["name"]).model_dump_json()

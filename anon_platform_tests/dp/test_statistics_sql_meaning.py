"""What we read a query to means what DuckDB answers to it: nulls, bounds of ranges, NOT, days, groups."""

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp import Loss
from anon_platform.dp.bounding import bounded
from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.dp.statistics import plan_statistics
from anon_platform.dp.statistics.measure import measure
from anon_platform.dp.statistics.sql import parse_sql

DOMAINS: dict[str, Domain] = {
    "ward": Categories(kind="categories", values=("a", "b", "c")),
    "home": Categories(kind="categories", values=(True, False)),
    "code": Categories(kind="categories", values=(1, 2, 3)),
    "cost": Numbers(kind="numbers", bounds=(0, 100), step=0.5),
    "age": Numbers(kind="numbers", bounds=(0, 50)),
    "day": Dates(kind="dates", bounds=("2024-01-01", "2024-12-31")),  # type: ignore[arg-type]
}


def table() -> pl.DataFrame:
    """Within its domains, and with nulls."""
    rng = np.random.default_rng(4)

    def some(values: list[Any], dtype: Any) -> pl.Series:
        return pl.Series(
            [None if rng.random() < 0.15 else values[rng.integers(len(values))] for _ in range(400)],
            dtype=dtype,
        )

    days = [dt.date(2024, month, day) for month in range(1, 13) for day in (1, 15, 28)]
    return pl.DataFrame(
        {
            "person": rng.integers(0, 150, 400),
            "ward": some(["a", "b", "c"], pl.String),
            "home": some([True, False], pl.Boolean),
            "code": some([1, 2, 3], pl.Int32),
            "cost": some([n / 2 for n in range(200)], pl.Float64),
            "age": some(list(range(51)), pl.Int64),
            "day": some(days, pl.Date),
        }
    )


ROWS = table()


def ours(sql: str) -> dict[str, dict[Any, float]]:
    """Answers without noise, by result and by group; groups of nobody are left out."""
    plan = plan_statistics(parse_sql(sql, "stays", "person"), DOMAINS, Loss("pure", 10**18), 20)
    results = measure(plan, bounded(ROWS, "person", 20, np.random.default_rng(1)))
    by = plan.statistics[0].statistic.by
    return {
        result.name: dict(
            zip(result.frame.select(by).rows() if by else [()], result.frame["value"], strict=True)
        )
        for result in results
    }


def theirs(sql: str, by: int) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """DuckDB's answers: group and values."""
    with duckdb.connect() as connection:
        connection.register("stays", ROWS.to_arrow())
        return [(row[:by], row[by:]) for row in connection.execute(sql).fetchall()]


CONDITIONS = st.sampled_from(
    [
        "ward = 'a'", "ward <> 'a'", "ward IN ('a', 'c')", "ward NOT IN ('a', 'c')", "NOT ward = 'b'", "home = TRUE", "home <> TRUE",
        "ward IS NULL", "ward IS NOT NULL", "NOT ward IS NULL", "code = 2", "code IN (1, 3)", "cost >= 20", "cost < 60.5", "20 < cost",
        "NOT cost > 70", "age BETWEEN 10 AND 30", "age > 5 AND age <= 45", "(age >= 5 AND cost IS NOT NULL)",
        "day >= DATE '2024-03-15'", "day < '2024-11-01'", "day BETWEEN '2024-02-01' AND '2024-10-15'", "age <> 7", "age IS NULL",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(CONDITIONS, max_size=3), st.sampled_from([(), ("ward",), ("home", "code")]))
def test_a_query_means_what_duckdb_answers(conditions: list[str], by: tuple[str, ...]) -> None:
    asked = (
        "COUNT(*) AS n, COUNT(age) AS known, COUNT(DISTINCT person) AS people, SUM(cost) AS paid, AVG(age) AS mean,"
        " VAR_POP(cost) AS spread"
    )
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    groups = f" GROUP BY {', '.join(by)}" if by else ""
    sql = f"SELECT {', '.join([*by, asked])} FROM stays{where}{groups}"  # noqa: S608 - made up here
    found = ours(sql)
    counted = 0
    for group, (n, known, people, paid, mean, spread) in theirs(sql, len(by)):
        assert found["n"][group] == n
        assert found["known"][group] == known
        assert found["people"][group] == people
        assert found["paid"][group] == pytest.approx(float(paid or 0), abs=1e-6)
        assert mean is None or found["mean"][group] == pytest.approx(float(mean), abs=1e-6)
        assert spread is None or found["spread"][group] == pytest.approx(float(spread), abs=1e-6)
        counted += n
    assert sum(found["n"].values()) == counted


def test_a_quantile_is_that_of_sql() -> None:
    """PERCENTILE_DISC: the least value that enough are not above; DuckDB calls it quantile_disc."""
    found = ours("SELECT MEDIAN(age) AS m, QUANTILE(age, 0.9) AS q FROM stays GROUP BY ward")
    asked = "SELECT ward, quantile_disc(age, 0.5), quantile_disc(age, 0.9) FROM stays GROUP BY ward"
    for ward, (m, q) in theirs(asked, 1):
        assert (found["m"][ward], found["q"][ward]) == (m, q)

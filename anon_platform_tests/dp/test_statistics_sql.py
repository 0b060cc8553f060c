"""SQL that can be answered is read to statistics; everything else is refused with its place."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anon_platform.dp.statistics import Condition, Statistic
from anon_platform.dp.statistics.sql import LONGEST, POSSIBLE, parse_sql
from anon_platform.errors import PolicyError


def read(sql: str) -> tuple[Statistic, ...]:
    return parse_sql(sql, "stays", "patient")


def asked(name: str, measure: str, **more: Any) -> Statistic:
    return Statistic.model_validate({"name": name, "measure": measure, **more})


ACCEPTED: list[tuple[str, list[Statistic]]] = [
    ("SELECT COUNT(*) FROM stays", [asked("count", "count")]),
    ("select count(*) as n from stays; -- all of them", [asked("n", "count")]),
    ("SELECT COUNT(DISTINCT patient) FROM stays", [asked("people", "people")]),
    ("SELECT COUNT(cost) FROM stays", [asked("count_cost", "count", of="cost")]),
    (
        "SELECT ward, SUM(cost), AVG(cost), MEAN(cost) AS m, VARIANCE(cost) /* of values */ FROM stays GROUP BY ward",
        [
            asked("sum_cost", "sum", of="cost", by=["ward"]), asked("mean_cost", "mean", of="cost", by=["ward"]),
            asked("m", "mean", of="cost", by=["ward"]), asked("variance_cost", "variance", of="cost", by=["ward"]),
        ],
    ),
    (
        'SELECT MEDIAN("Length of stay"), QUANTILE(cost, 0.9), QUANTILE(cost, 0.1) FROM stays GROUP BY ward, "Admitted on"',
        [
            asked("quantiles_Length_of_stay", "quantiles", of="Length of stay", quantiles=[0.5], by=["ward", "Admitted on"]),
            asked("quantiles_cost", "quantiles", of="cost", quantiles=[0.9], by=["ward", "Admitted on"]),
            asked("quantiles_cost_2", "quantiles", of="cost", quantiles=[0.1], by=["ward", "Admitted on"]),
        ],
    ),
    ("SELECT HISTOGRAM(age) FROM stays", [asked("histogram_age", "histogram", of="age")]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "statistics"), ACCEPTED, ids=[sql for sql, _ in ACCEPTED])
def test_what_can_be_answered_is_read(sql: str, statistics: list[Statistic]) -> None:
    assert list(read(sql)) == statistics


WHERE: list[tuple[str, list[dict[str, Any]]]] = [
    ("a = 1 AND b <> 'x' AND c != 2.5", [{"column": "a", "equals": 1}, {"column": "b", "differs_from": "x"}, {"column": "c", "differs_from": 2.5}]),
    ("a < 1 AND (b <= 2 AND c > -3) AND d >= 4", [{"column": "a", "below": 1}, {"column": "b", "at_most": 2}, {"column": "c", "above": -3}, {"column": "d", "at_least": 4}]),
    ("1 < a AND 2 >= b AND 3 = c", [{"column": "a", "above": 1}, {"column": "b", "at_most": 2}, {"column": "c", "equals": 3}]),
    ("a IN ('x', 'y') AND b NOT IN (1)", [{"column": "a", "one_of": ["x", "y"]}, {"column": "b", "none_of": [1]}]),
    ("a BETWEEN 1 AND 9", [{"column": "a", "at_least": 1, "at_most": 9}]),
    ("a IS NULL AND b IS NOT NULL", [{"column": "a", "missing": True}, {"column": "b", "missing": False}]),
    ("NOT a < 1 AND NOT (b = 2)", [{"column": "a", "at_least": 1}, {"column": "b", "differs_from": 2}]),
    ("a = TRUE AND day >= DATE '2024-01-31'", [{"column": "a", "equals": True}, {"column": "day", "at_least": "2024-01-31"}]),
]  # fmt: skip


@pytest.mark.parametrize(("where", "conditions"), WHERE, ids=[where for where, _ in WHERE])
def test_comparisons_are_read(where: str, conditions: list[dict[str, Any]]) -> None:
    (found,) = read(f"SELECT COUNT(*) FROM stays WHERE {where}")  # noqa: S608 - read, never executed
    assert found.where == tuple(Condition.model_validate(one) for one in conditions)


COUNT = "SELECT COUNT(*) FROM stays"
REFUSED = [
    ("", f"it does not begin with SELECT; {POSSIBLE}"),
    ("DELETE FROM stays", f"it does not begin with SELECT (near line 1, column 6); {POSSIBLE}"),
    ("WITH a AS (SELECT 1) SELECT COUNT(*) FROM a", f"it does not begin with SELECT (near line 1, column 4); {POSSIBLE}"),
    (f"{COUNT}; DROP TABLE stays", "several statements (near line 1, column 32); ask for one at a time"),
    (f"{COUNT} UNION {COUNT}", f"one SELECT at a time, without UNION; {POSSIBLE}"),
    ("SELECT COUNT(* FROM stays", f"it cannot be read (near line 1, column 19); {POSSIBLE}"),
    ("SELECT COUNT(*) FROM (SELECT * FROM stays)", f"a subquery or function after FROM (near line 1, column 30) cannot be answered; {POSSIBLE}"),
    ("SELECT COUNT(*) FROM 'file.csv'", "there is no such table (near line 1, column 22); write FROM stays"),
    ("SELECT COUNT(*) FROM read_csv('x')", f"a subquery or function after FROM (near line 1, column 22) cannot be answered; {POSSIBLE}"),
    (f"{COUNT} JOIN others ON a = b", f"a join (near line 1, column 33) cannot be answered; {POSSIBLE}"),
    (f"{COUNT}, others", f"a join (near line 1, column 29) cannot be answered; {POSSIBLE}"),
    (f"{COUNT} AS s", f"another name for the table (near line 1, column 31) cannot be answered; {POSSIBLE}"),
    ("SELECT COUNT(*) FROM clinic.stays", f"a name before that of the table (near line 1, column 22) cannot be answered; {POSSIBLE}"),
    ("SELECT COUNT(*) FROM people", "there is no such table (near line 1, column 22); write FROM stays"),
    ("SELECT COUNT(*)", "no FROM; write FROM stays"),
    (f"{COUNT}\nWHERE a = 1\n  OR b = 2", f"OR under WHERE (near line 2, column 7) cannot be answered; {POSSIBLE}"),
    (f"{COUNT} WHERE a LIKE 'x%'", None),
    (f"{COUNT} WHERE a = b", f"a comparison with other than a constant (near line 1, column 34) cannot be answered; {POSSIBLE}"),
    (f"{COUNT} WHERE a = (SELECT 1)", None),
    (f"{COUNT} WHERE a IN (SELECT 1)", f"a subquery (near line 1, column 47) cannot be answered; {POSSIBLE}"),
    (f"{COUNT} WHERE UPPER(a) = 'X'", f"anything but the plain name of a column (near line 1, column 34) cannot be answered; {POSSIBLE}"),
    (f"{COUNT} WHERE NOT a BETWEEN 1 AND 2", None),
    (f"{COUNT} WHERE a > 1e999", "a column is compared with finite numbers (near line 1, column 34)"),
    (f"{COUNT} GROUP BY ward HAVING COUNT(*) > 9", None),
    (f"{COUNT} GROUP BY ROLLUP (ward)", None),
    (f"{COUNT} GROUP BY ALL", None),
    (f"{COUNT} GROUP BY 1", None),
    (f"{COUNT} ORDER BY 1", f"ORDER BY (near line 1, column 37) cannot be answered; {POSSIBLE}"),
    (f"{COUNT} LIMIT 1", None),
    (f"{COUNT} OFFSET 1", None),
    (f"{COUNT} TABLESAMPLE (10)", None),
    ("SELECT DISTINCT COUNT(*) FROM stays", f"SELECT DISTINCT cannot be answered; {POSSIBLE}"),
    ("SELECT cost FROM stays", "column cost of single rows (near line 1, column 8) cannot be answered; name it under GROUP BY too"),
    ("SELECT * FROM stays", None),
    ("SELECT ward FROM stays GROUP BY ward", f"nothing is counted or averaged; {POSSIBLE}"),
    ("SELECT MAX(cost) FROM stays", f"what is selected here (near line 1, column 12) cannot be answered; {POSSIBLE}"),
    ("SELECT SUM(cost * 2) FROM stays", None),
    ("SELECT SUM(DISTINCT cost) FROM stays", None),
    ("SELECT AVG(stays.cost) FROM stays", f"a name before that of the column (near line 1, column 12) cannot be answered; {POSSIBLE}"),
    ("SELECT COUNT(*) + 1 FROM stays", None),
    ("SELECT COUNT(*) OVER () FROM stays", None),
    ("SELECT COUNT(*) FILTER (WHERE a > 1) FROM stays", None),
    ("SELECT COUNT(DISTINCT ward) FROM stays", "COUNT(DISTINCT …) of other than people (near line 1, column 8) cannot be answered; write COUNT(DISTINCT patient), or GROUP BY the column"),
    ("SELECT COUNT(DISTINCT patient, ward) FROM stays", None),
    ("SELECT QUANTILE(cost, 2) FROM stays", "statistic quantiles_cost: quantiles are up to 20 shares between 0 and 1, such as 0.5 for the median (near line 1, column 17)"),
    ("SELECT QUANTILE(cost, 'a') FROM stays", "a quantile that is no number (near line 1, column 17) cannot be answered; write QUANTILE(column, 0.9)"),
    ('SELECT COUNT(*) AS "; --" FROM stays', "this name of a result (near line 1, column 8) cannot be answered; write letters, digits and _ after AS"),
    (COUNT + " " * LONGEST, "longer than 10,000 characters; ask for less at once"),
    (f"{COUNT} WHERE {'(' * 4000}a = 1{')' * 4000}", f"it is nested too deeply; {POSSIBLE}"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "message"), REFUSED, ids=[sql[:60] for sql, _ in REFUSED])
def test_what_cannot_be_answered_is_refused(sql: str, message: str | None) -> None:
    """The whole message, for the most likely ones; the others say the same of something else."""
    with pytest.raises(PolicyError) as refused:
        read(sql)
    assert str(refused.value).startswith("SQL: ")
    assert message is None or str(refused.value) == f"SQL: {message}"


def test_constants_of_a_query_are_in_no_message() -> None:
    """Somebody may ask about a name; messages end in logs."""
    for sql in (
        f"{COUNT} WHERE name LIKE 'Ada'",
        f"{COUNT} WHERE name = 'Ada' OR a = 1",
        f"{COUNT} WHERE 'Ada'",
    ):
        with pytest.raises(PolicyError) as refused:
            read(sql)
        assert "Ada" not in str(refused.value)


WORDS = st.sampled_from(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP",
        "BY",
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "IS",
        "NULL",
        "COUNT",
        "SUM",
        "AVG",
        "MEDIAN",
        "QUANTILE",
        "HISTOGRAM",
        "DISTINCT",
        "(",
        ")",
        "*",
        ",",
        ";",
        "=",
        "<",
        ">",
        "<=",
        "<>",
        ".",
        "+",
        "-",
        "/",
        "'x'",
        '"y"',
        "1",
        "0.5",
        "1e999",
        "stays",
        "patient",
        "ward",
        "cost",
        "AS",
        "DATE",
        "CASE",
        "WHEN",
        "END",
        "--",
        "/*",
        "*/",
        "::",
        "[",
        "]",
        "{",
        "}",
        "?",
        "$1",
        "@a",
        "UNION",
        "JOIN",
        "ON",
        "WITH",
        "HAVING",
        "ORDER",
        "LIMIT",
        "INTERVAL",
        "CAST",
        "LATERAL",
        "UNNEST",
        "EXCEPT",
        "QUALIFY",
        "OVER",
        "FILTER",
        "PIVOT",
        "VALUES",
        "TABLE",
        "'",
        '"',
        "`",
        "\\",
        "\n",
        "é",
    ]
)
SOUP = st.lists(WORDS, max_size=25).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        SOUP,
        SOUP.map(lambda soup: f"{COUNT} WHERE {soup}"),
        SOUP.map(lambda soup: f"SELECT {soup}"),
        st.text(),
    )
)
@example("SELECT COUNT(*) FROM stays WHERE a = '")
@example("SELECT \0")
@example("SELECT " + "NOT " * 2000 + "a FROM stays")
def test_no_text_does_anything_but_be_read_or_refused(sql: str) -> None:
    """A parser is large; an unexpected error would show the query in a stack trace."""
    try:
        found = read(sql)
    except PolicyError:
        return
    assert all(isinstance(one, Statistic) for one in found)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([sql for sql, _ in ACCEPTED]),
    st.integers(0, 200),
    st.integers(0, 30),
    st.text(max_size=5),
)
def test_no_damaged_query_does_either(sql: str, start: int, length: int, put: str) -> None:
    try:
        read(sql[:start] + put + sql[start + length :])
    except PolicyError as error:
        assert str(error).startswith("SQL: ")  # noqa: PT017

"""Statistics against slow loops: with next to no noise they are the exact bounded answers."""

import datetime as dt
import math
import statistics as plain_python
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp import Loss
from anon_platform.dp.bounding import bounded
from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.dp.statistics import Statistic, plan_statistics
from anon_platform.dp.statistics.measure import measure, require_schema
from anon_platform.errors import BudgetError, PolicyError

DOMAINS: dict[str, Domain] = {
    "ward": Categories(kind="categories", values=("a", "b", "c")),
    "kind": Categories(kind="categories", values=("x", "y"), other="rest"),
    "home": Categories(kind="categories", values=(True, False)),
    "age": Numbers(kind="numbers", bounds=(0, 20), bins=(5, 10)),
    "cost": Numbers(kind="numbers", bounds=(-1.0, 3.0), step=0.25),
    "day": Dates(kind="dates", bounds=("2024-01-10", "2024-04-20"), every="month"),  # type: ignore[arg-type]
    "found": Categories(kind="categories", values="found"),
}
NO_NOISE = Loss("pure", 10**18, 10**17)
"""ε of a thousand million: noise of whole numbers is 0 but for a chance that nobody will see."""

ROW = st.fixed_dictionaries(
    {
        "person": st.integers(0, 5) | st.none(),
        "ward": st.sampled_from(["a", "b", "c", "unknown", None]),
        "kind": st.sampled_from(["x", "y", "unknown", None]),
        "home": st.sampled_from([True, False, None]),
        "age": st.integers(-5, 30) | st.none(),
        "cost": st.sampled_from(
            [-9.0, -1.0, -0.25, 0.0, 0.5, 2.75, 3.0, 8.0, math.nan, math.inf, -math.inf, None]
        ),
        "day": st.dates(dt.date(2023, 12, 1), dt.date(2024, 5, 30)) | st.none(),
        "found": st.sampled_from(["p", "q", None]),
    }
)
SCHEMA: dict[str, Any] = {
    "person": pl.Int64, "ward": pl.String, "kind": pl.String, "home": pl.Boolean, "age": pl.Int64,
    "cost": pl.Float64, "day": pl.Date, "found": pl.String,
}  # fmt: skip


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


def statistic(measure_: str = "count", **more: Any) -> Statistic:
    return Statistic.model_validate({"name": "asked", "measure": measure_, **more})


def results(
    table: pl.DataFrame, asked: list[Statistic], contribution: int = 100, loss: Loss = NO_NOISE
) -> list[pl.DataFrame]:
    plan = plan_statistics(asked, DOMAINS, loss, contribution)
    return [
        result.frame
        for result in measure(plan, bounded(table, "person", contribution, np.random.default_rng(1)))
    ]


def seen(column: str, value: Any) -> Any:
    """The cell as its domain says, by plain Python."""
    domain = DOMAINS[column]
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(domain, Categories):
        return value if domain.values == "found" or value in domain.values else domain.other
    return min(max(value, domain.bounds[0]), domain.bounds[1])


def group(column: str, value: Any) -> Any:
    """The label of the cell's group, by plain Python."""
    known = seen(column, value)
    if known is None or column in ("ward", "kind", "home", "found"):
        return known
    if column == "age":
        return 0.0 if known < 5 else 5.0 if known < 10 else 10.0
    return known.replace(day=1)


LABELS = {
    "ward": ["a", "b", "c", None],
    "kind": ["x", "y", "rest", None],
    "home": [True, False, None],
    "age": [0.0, 5.0, 10.0, None],
    "day": [dt.date(2024, month, 1) for month in (1, 2, 3, 4)] + [None],
}


def slow(
    rows: list[dict[str, Any]], measure_: str, of: str | None, label: tuple[Any, ...], by: tuple[str, ...]
) -> float:
    """One answer for one group, by a loop."""
    mine = [row for row in rows if row["person"] is not None and tuple(group(c, row[c]) for c in by) == label]
    if measure_ == "people":
        return len({row["person"] for row in mine})
    if of is None:
        return len(mine)
    values = [float(known) for row in mine if (known := seen(of, row[of])) is not None]
    if measure_ == "count":
        return len(values)
    if measure_ == "sum":
        return sum(values)
    if not values:
        return math.nan
    return plain_python.fmean(values) if measure_ == "mean" else plain_python.pvariance(values)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(ROW, max_size=25),
    st.sampled_from([("ward",), ("kind", "home"), ("age",), ("day",), ()]),
    st.sampled_from(["cost", "age", "home"]),
)
def test_without_noise_answers_are_those_of_a_slow_loop(
    rows: list[dict[str, Any]], by: tuple[str, ...], of: str
) -> None:
    asked = [
        statistic("count", by=by), statistic("people", by=by), statistic("count", of=of, by=by),
        statistic("sum", of=of, by=by), statistic("mean", of=of, by=by), statistic("variance", of=of, by=by),
    ]  # fmt: skip
    asked = [one.model_copy(update={"name": f"s{n}"}) for n, one in enumerate(asked)]
    for one, found in zip(asked, results(frame(rows), asked), strict=True):
        labels = [tuple(row) for row in found.select(by).iter_rows()] if by else [()]
        assert len(labels) == math.prod(len(LABELS[column]) for column in by)
        for label, value, low, high in zip(labels, found["value"], found["low"], found["high"], strict=True):
            expected = slow(rows, one.measure, one.of, label, by)
            if math.isnan(expected):
                continue
            assert value == pytest.approx(expected, abs=1e-5), one
            assert low - 1e-5 <= expected <= high + 1e-5


def test_every_combination_of_public_keys_is_answered_by_an_empty_table() -> None:
    """That a group is missing would say that nobody is in it."""
    (found,) = results(frame([]), [statistic("count", by=("ward", "kind"))], loss=Loss("zcdp", 10**7))
    assert found.select("ward", "kind").rows() == [(w, k) for w in LABELS["ward"] for k in LABELS["kind"]]
    assert found["value"].null_count() == 0
    assert found["value"].n_unique() > 1


def test_a_mean_of_nobody_says_that_it_knows_nothing() -> None:
    """Noise alone passes for rows in one group of 40: in all four of them once in millions of runs."""
    (found,) = results(frame([]), [statistic("mean", of="cost", by=("ward",))], loss=Loss("zcdp", 10**7))
    assert (-1.0, 3.0) in found.select("low", "high").rows()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-5, 30), min_size=1, max_size=40), st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_without_noise_a_quantile_is_the_least_value_that_enough_are_not_above(
    ages: list[int], share: float
) -> None:
    rows = [dict.fromkeys(SCHEMA) | {"person": n, "age": age} for n, age in enumerate(ages)]
    (found,) = results(frame(rows), [statistic("quantiles", of="age", quantiles=(share,))])
    clipped = sorted(min(max(age, 0), 20) for age in ages)
    exact = clipped[math.ceil(round(share * len(ages), 9)) - 1]
    assert found["value"].item() == exact
    assert found["low"].item() <= exact <= found["high"].item()


def test_conditions_select_rows() -> None:
    rows = [
        dict.fromkeys(SCHEMA)
        | {"person": n, "ward": ward, "age": age, "cost": cost, "day": day, "home": home}
        for n, (ward, age, cost, day, home) in enumerate(
            [
                ("a", 3, 0.5, dt.date(2024, 1, 20), True),
                ("b", 7, None, dt.date(2024, 2, 20), False),
                ("c", None, math.nan, dt.date(2024, 3, 20), None),
                (None, 12, 1.0, None, True),
            ]
        )
    ]
    expected = [
        ({"column": "ward", "equals": "a"}, 1),
        ({"column": "ward", "differs_from": "a"}, 2),
        ({"column": "ward", "one_of": ["a", "c"]}, 2),
        ({"column": "ward", "none_of": ["a", "c"]}, 1),
        ({"column": "ward", "missing": True}, 1),
        ({"column": "cost", "missing": False}, 2),
        ({"column": "age", "at_least": 7}, 2),
        ({"column": "age", "above": 7}, 1),
        ({"column": "age", "at_most": 7}, 2),
        ({"column": "age", "below": 7.0}, 1),
        ({"column": "age", "above": 3, "below": 12}, 1),
        ({"column": "day", "at_least": "2024-02-20"}, 2),
        ({"column": "day", "below": dt.date(2024, 2, 20)}, 1),
        ({"column": "home", "equals": True}, 2),
    ]  # fmt: skip
    asked = [
        statistic(where=[where], by=[]).model_copy(update={"name": f"s{n}"})
        for n, (where, _) in enumerate(expected)
    ]
    assert [found["value"].item() for found in results(frame(rows), asked)] == [
        count for _, count in expected
    ]


def test_found_keys_are_those_of_many_people_and_their_answers_are_right() -> None:
    rows = [dict.fromkeys(SCHEMA) | {"person": n, "found": "p", "ward": "a"} for n in range(300)]
    rows += [dict.fromkeys(SCHEMA) | {"person": 1000 + n, "found": None, "ward": "b"} for n in range(200)]
    rows += [dict.fromkeys(SCHEMA) | {"person": 1, "found": "rare", "ward": "a"}]
    asked = [
        statistic("count", by=["found", "ward"]),
        statistic("people", by=["ward"], keys="found").model_copy(update={"name": "s"}),
    ]
    loss = Loss("pure", 20 * 10**9, 10**12)
    both, wards = results(frame(rows), asked, 3, loss)
    assert both.select("found", "ward").rows() == [("p", "a"), (None, "b")]
    assert both["value"].to_list() == pytest.approx([300, 200], abs=60)
    assert wards["ward"].to_list() == ["a", "b"]
    assert wards["value"].to_list() == pytest.approx([300, 200], abs=60)


def test_a_plan_keeps_within_its_loss() -> None:
    asked = [
        statistic("variance", of="cost", by=["ward"]), statistic("quantiles", of="age", quantiles=[0.5], share=3.0),
        statistic("count", by=["found"]), statistic("count", by=["ward", "kind"], totals="consistent"),
    ]  # fmt: skip
    asked = [one.model_copy(update={"name": f"s{n}"}) for n, one in enumerate(asked)]
    for loss in (Loss("zcdp", 24_000_000, 10**11), Loss("pure", 10**9, 10**11)):
        plan = plan_statistics(asked, DOMAINS, loss, 5)
        assert loss.units * 0.999 < plan.loss.units <= loss.units
        assert plan.loss.delta_units <= loss.delta_units
        parts = [planned.loss.units for planned in plan.statistics]
        assert parts[1] == pytest.approx(3 * parts[0], rel=1e-3)


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"measure": "mean", "of": "salary"}, PolicyError, "statistic asked: column salary has no domain; write what it may hold under domains"),
    (
        {"measure": "mean", "of": "ward"}, PolicyError,
        ("statistic asked: mean needs a column of numbers, or of true and false, with bounds;"
         " write kind: numbers and bounds for ward, or for categories the one that counts under category"),
    ),
    (
        {"measure": "count", "where": [{"column": "ward", "equals": "d"}]}, PolicyError,
        "statistic asked: where ward: a category that its domain does not name; name it there, or correct it",
    ),
    (
        {"measure": "count", "where": [{"column": "age", "equals": "d"}]}, PolicyError,
        "statistic asked: where age: the column holds numbers; compare it with numbers",
    ),
    (
        {"measure": "count", "by": ["found"]}, BudgetError,
        "statistic asked: keys that are found need a part of δ; state it, or name the keys in a domain",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("settings_", "kind", "message"), REFUSED, ids=[message[:60] for _, _, message in REFUSED]
)
def test_what_cannot_be_asked_is_refused_before_anything_is_read(
    settings_: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as refused:
        plan_statistics(
            [Statistic.model_validate({"name": "asked", **settings_})], DOMAINS, Loss("zcdp", 10**7), 1
        )
    assert str(refused.value) == message


def test_too_little_for_the_people_there_are_is_refused() -> None:
    with pytest.raises(BudgetError, match="its noise is larger than all 50 people together"):
        plan_statistics([statistic()], DOMAINS, Loss("zcdp", 100), 1, people=50)
    with pytest.raises(BudgetError, match="statistic asked: nothing of the privacy budget is left"):
        plan_statistics([statistic("mean", of="age")], DOMAINS, Loss("zcdp", 1), 1)


def test_a_column_that_cannot_hold_its_domain_is_refused_by_its_type_alone() -> None:
    plan = plan_statistics([statistic(by=["ward"])], DOMAINS, Loss("zcdp", 10**7), 1)
    with pytest.raises(
        PolicyError, match=r"^column ward: categories that are text need type: text, not Int64$"
    ):
        require_schema(plan, {"ward": pl.Int64()})
    with pytest.raises(PolicyError, match=r"^statistics: no column ward; the dataset has age$"):
        require_schema(plan, {"age": pl.Int64()})


def test_rows_that_were_bounded_more_loosely_than_the_noise_is_for_are_refused() -> None:
    plan = plan_statistics([statistic()], DOMAINS, Loss("zcdp", 10**7), 1)
    with pytest.raises(BudgetError, match=r"^the rows were bounded to 2 a person, the noise is for 1"):
        measure(plan, bounded(frame([]), "person", 2, np.random.default_rng(1)))


def test_odd_types_of_columns_are_read_as_their_domain_says() -> None:
    """An exception after reading would tell of the value that caused it; so nothing is out of range but missing."""
    table = pl.DataFrame(
        {
            "person": [1, 2, 3, 4],
            "ward": pl.Series(["a", "b", "zz", None], dtype=pl.Enum(["zz", "a", "b"])),
            "code": pl.Series([2**64 - 1, 7, 300, None], dtype=pl.UInt64),
            "cost": pl.Series(["1.25", "9.00", "-5.00", None]).cast(pl.Decimal(10, 2)),
            "day": pl.Series(
                [dt.datetime(2024, 2, 1, 23, 59), dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31), None]
            ),
            "found": pl.Series(["p", "q", "q", None], dtype=pl.Categorical),
        }
    )
    domains = {**DOMAINS, "code": Categories(kind="categories", values=(7, 300, -1))}
    asked = [
        statistic(by=["ward"]), statistic(by=["code"]), statistic("sum", of="cost"), statistic(by=["day"]),
        statistic(by=["found"]), statistic(where=[{"column": "found", "equals": "q"}]),
    ]  # fmt: skip
    asked = [one.model_copy(update={"name": f"s{n}"}) for n, one in enumerate(asked)]
    plan = plan_statistics(asked, domains, NO_NOISE, 1)
    found = [
        one.frame["value"].to_list()
        for one in measure(plan, bounded(table, "person", 1, np.random.default_rng(1)))
    ]
    assert found[:4] == [[1, 1, 0, 2], [1, 1, 0, 2], [3.25], [1, 1, 0, 1, 1]]
    assert found[5] == [2]


def test_where_nobody_is_found_there_are_no_groups() -> None:
    asked = [
        statistic(measure_, by=["found"], **more).model_copy(update={"name": measure_})
        for measure_, more in (
            ("count", {}), ("mean", {"of": "age"}), ("quantiles", {"of": "age", "quantiles": [0.5]}),
            ("target_encoding", {"of": "age"}), ("people", {}),
        )
    ]  # fmt: skip
    for found in results(frame([]), asked, 3, Loss("zcdp", 10**8, 10**12)):
        assert found.height == 0
        assert {"found", "value", "low", "high"} <= set(found.columns)


def test_constants_for_found_categories_have_the_type_of_their_column() -> None:
    plan = plan_statistics(
        [statistic(where=[{"column": "found", "equals": 3}])], DOMAINS, Loss("zcdp", 10**7), 1
    )
    with pytest.raises(
        PolicyError, match=r"^statistic asked: column found is String; compare it with values of this type$"
    ):
        require_schema(plan, SCHEMA)


def test_more_groups_than_noise_can_be_drawn_for_are_refused() -> None:
    days = Dates(kind="dates", bounds=("1990-01-01", "2020-01-01"), every="week")  # type: ignore[arg-type]
    wide = Numbers(kind="numbers", bounds=(0, 100000))
    asked = statistic("quantiles", of="age", quantiles=[0.5], by=["day"])
    with pytest.raises(PolicyError, match=r"^statistic asked: 1,567 groups, at most 976 are answered"):
        plan_statistics([asked], {"day": days, "age": wide}, Loss("zcdp", 10**7), 1)


def test_bounds_within_the_data_clip_without_a_word() -> None:
    """An error, or another result, would tell that somebody is beyond them."""
    rows = [dict.fromkeys(SCHEMA) | {"person": n, "age": n} for n in range(20)]
    asked = [
        statistic("sum", of="age", bounds=[12.0, 15.0]),
        statistic("mean", of="age", bounds=[12.0, 15.0]).model_copy(update={"name": "mean"}),
        statistic("quantiles", of="age", bounds=[12.0, 15.0], quantiles=[0.5]).model_copy(
            update={"name": "median"}
        ),
    ]
    clipped = [min(max(n, 12), 15) for n in range(20)]
    found = [one["value"].item() for one in results(frame(rows), asked)]
    assert found == pytest.approx([sum(clipped), plain_python.fmean(clipped), 12], abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.lists(ROW, max_size=25), st.sampled_from(["age", "day", "ward"]))
def test_a_histogram_counts_rows_by_group(rows: list[dict[str, Any]], of: str) -> None:
    (found,) = results(frame(rows), [statistic("histogram", of=of, by=["kind"])])
    assert found.select("kind", of).rows() == [
        (kind, label) for kind in LABELS["kind"] for label in LABELS[of]
    ]
    expected = [slow(rows, "count", None, label, ("kind", of)) for label in found.select("kind", of).rows()]
    assert found["value"].to_list() == expected


def test_a_share_is_the_mean_of_a_category() -> None:
    rows = [
        dict.fromkeys(SCHEMA) | {"person": n, "kind": kind, "found": "p"}
        for n, kind in enumerate(["x", "x", "z", None])
    ]
    asked = [
        statistic("mean", of="kind", category="x"), statistic("sum", of="kind", category="rest"),
        statistic("mean", of="found", category="p"),
    ]  # fmt: skip
    asked = [one.model_copy(update={"name": f"s{n}"}) for n, one in enumerate(asked)]
    found = [one["value"].item() for one in results(frame(rows), asked)]
    assert found == pytest.approx([2 / 3, 1, 1], abs=1e-9)
    with pytest.raises(PolicyError, match="a category that its domain does not name"):
        plan_statistics([statistic("mean", of="kind", category="y y")], DOMAINS, NO_NOISE, 1)

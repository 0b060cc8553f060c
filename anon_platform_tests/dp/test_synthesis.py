"""Synthetic tables through their one door."""

import datetime as dt
import json
import math

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from anon_platform.dp import Loss, loss_of
from anon_platform.dp.domain import Categories, Dates, Numbers
from anon_platform.dp.synthetic import Synthesis, expected, synthesize
from anon_platform.errors import BudgetError, PolicyError

HUGE = Loss("zcdp", 10**14)
"""ρ = 100,000: noise of less than one row."""


def visits(rows, seed=0):
    """Stays with days in order, a diagnosis that depends on sex, and an outcome that depends on age; some cells missing."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], rows)
    age = rng.integers(18, 90, rows)
    days = rng.integers(0, 300, rows)
    stay = rng.integers(0, 60, rows)
    diagnosis = np.where((sex == "F") & (rng.random(rows) < 0.3), "pregnant", rng.choice(["a", "b"], rows))
    outcome = np.where(rng.random(rows) < age / 120, "dead", rng.choice(["well", "ill"], rows))
    weight = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(70, 10, rows).round(1))
    first = dt.date(2020, 1, 1)
    return pl.DataFrame(
        {
            "sex": pl.Series(sex, dtype=pl.String),
            "age": age,
            "in": pl.Series([first + dt.timedelta(int(day)) for day in days], dtype=pl.Date),
            "out": pl.Series(
                [first + dt.timedelta(int(day)) for day in days + stay], dtype=pl.Datetime("us")
            ),
            "diagnosis": pl.Series(
                [None if at % 7 == 0 else text for at, text in enumerate(diagnosis)], dtype=pl.String
            ),
            "weight": pl.Series(weight, dtype=pl.Float64),
            "constant": pl.Series([True] * rows, dtype=pl.Boolean),
            "outcome": pl.Series(outcome, dtype=pl.String),
        }
    )


YEAR = (dt.date(2020, 1, 1), dt.date(2020, 12, 31))
DOMAINS = {
    "sex": Categories(kind="categories", values=["F", "M"]),
    "age": Numbers(kind="numbers", bounds=(18, 90), bins=6),
    "in": Dates(kind="dates", bounds=YEAR),
    "out": Dates(kind="dates", bounds=YEAR),
    "diagnosis": Categories(kind="categories", values=["a", "b", "pregnant"]),
    "weight": Numbers(kind="numbers", bounds=(30, 120), step=0.1, bins=5),
    "constant": Categories(kind="categories", values=[True, False]),
    "outcome": Categories(kind="categories", values=["well", "ill", "dead"]),
}
REQUIRED = {"sex", "age", "in", "out", "constant", "outcome"}
ORDER = {"column": "in", "at_most": "out"}
RULE = {"if": {"sex": "M"}, "then": {"diagnosis": ["a", "b", None]}}


def made(frame, loss, settings=None, contribution=1, domains=DOMAINS, required=REQUIRED, seed=0):
    settings = settings or Synthesis(rows="noisy", target="outcome", constraints=[ORDER, RULE])
    return synthesize(frame, settings, domains, required, loss, contribution, np.random.default_rng(seed))


def shares(frame, by):
    return {row[:-1]: row[-1] / frame.height for row in frame.group_by(by).len().iter_rows()}


def test_without_noise_the_table_has_the_shares_of_the_source() -> None:
    frame = visits(4000)
    table = made(frame, HUGE).table
    assert table.schema == frame.schema
    assert abs(table.height - 4000) <= 1
    truth = frame.with_columns(pl.col("weight").fill_nan(None))
    for pair in (["sex", "outcome"], ["diagnosis", "outcome"], ["diagnosis", "sex"], ["constant", "outcome"]):
        real, synthetic = shares(truth, pair), shares(table, pair)
        assert sum(abs(real.get(key, 0) - synthetic.get(key, 0)) for key in real | synthetic) < 0.04
    assert table["weight"].null_count() / table.height == pytest.approx(0.1, abs=0.02)
    dead = pl.col("outcome") == "dead"
    old = table.filter(pl.col("age") >= 78).select(dead.mean()).item()
    young = table.filter(pl.col("age") < 30).select(dead.mean()).item()
    assert old - young > 0.3


@pytest.mark.parametrize("loss", [HUGE, loss_of(0.3, 1e-9), loss_of(0.3, 0)])
def test_constraints_hold_in_every_row(loss) -> None:
    table = made(visits(2000), loss).table
    assert table.filter(pl.col("in").cast(pl.Datetime("us")) > pl.col("out")).is_empty()
    assert table.filter((pl.col("sex") == "M") & (pl.col("diagnosis") == "pregnant")).is_empty()
    assert table.height > 1000


def test_chains_of_numbers_with_different_steps_are_in_order() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "a": rng.integers(0, 20, 500),
            "b": rng.uniform(0, 20, 500),
            "c": [*[None] * 100, *rng.uniform(0, 20, 400).tolist()],
        }
    )
    domains = {
        "a": Numbers(kind="numbers", bounds=(0, 20), bins=4),
        "b": Numbers(kind="numbers", bounds=(0, 20), step=0.3, bins=3),
        "c": Numbers(kind="numbers", bounds=(0, 20), step=0.01, bins=5),
    }
    settings = Synthesis(
        rows=5000, constraints=[{"column": "a", "at_most": "b"}, {"column": "b", "at_most": "c"}]
    )
    table = made(frame, loss_of(1.0, 1e-6), settings, domains=domains, required={"a", "b"}).table
    assert table.height == 5000
    assert table.filter(pl.col("a") > pl.col("b") + 1e-9).is_empty()
    assert table.filter(pl.col("b") > pl.col("c") + 1e-9).is_empty()
    assert table["c"].null_count() > 0


@pytest.mark.parametrize("delta", [0.0, 1e-6])
@pytest.mark.parametrize("target", [None, "outcome"])
@pytest.mark.parametrize("contribution", [1, 4])
def test_no_more_than_the_loss_is_spent_and_little_less(delta, target, contribution) -> None:
    loss = loss_of(1.0, delta)
    found = made(visits(300), loss, Synthesis(rows=10, target=target), contribution)
    assert loss.units * 0.9 < found.spent.units <= loss.units
    assert found.spent.delta_units == 0
    assert found.spent.measure == loss.measure
    noise = sum(one["loss"]["units"] for one in found.measured)
    assert noise < found.spent.units  # choices cost, too


@pytest.mark.parametrize("delta", [0.0, 1e-6])
def test_twice_the_contribution_is_twice_the_noise(delta) -> None:
    once = made(visits(50), loss_of(1.0, delta)).measured
    twice = made(visits(50), loss_of(1.0, delta), contribution=2).measured
    for one, two in zip(once[:7], twice[:7], strict=True):
        assert two["columns"] == one["columns"]
        assert two["scale"] == pytest.approx(2 * one["scale"], rel=1e-5)


@pytest.mark.parametrize("contribution", [1, 3])
@pytest.mark.parametrize("target", [None, "outcome"])
def test_what_is_expected_is_what_is_measured(target, contribution) -> None:
    settings, loss = Synthesis(rows="noisy", target=target), loss_of(1.0, 1e-6)
    told = expected(settings, DOMAINS, REQUIRED, loss, contribution)
    found = made(visits(400), loss, settings, contribution)
    first = [one for one in found.measured if tuple(one["columns"]) in told.first_scopes]
    later = found.measured[len(first) :]
    assert {one["scale"] for one in first} == {told.first.scale}
    assert {one["scale"] for one in later} == {told.later.scale}
    assert len(later) == told.rounds
    assert set(told.one_way) == set(DOMAINS)
    scale = told.first.scale * math.sqrt(2 / math.pi)
    if target is None:
        assert told.one_way["sex"] == pytest.approx(scale)
        assert told.with_target == {}
    else:
        assert told.one_way["sex"] == pytest.approx(scale * math.sqrt(3))
        assert told.with_target["sex"] == pytest.approx(scale)


def test_the_model_repeats_noise_less_than_the_marginals_do() -> None:
    found = made(visits(3000), loss_of(0.3, 1e-9))
    assert 0 < found.fit_error < 2 * found.noise_error
    exact = made(visits(3000), HUGE)
    assert exact.noise_error < 1e-3
    assert exact.fit_error < 0.02


def test_what_was_measured_is_told_in_json_with_noise_in_every_cell() -> None:
    frame = visits(1000)
    found = made(frame, loss_of(1.0, 1e-6))
    told = json.loads(json.dumps(found.measured))
    (one,) = [one for one in told if one["columns"] == ["sex", "outcome"]]
    assert one["shape"] == [2, 3]
    exact = [
        frame.filter((pl.col("sex") == sex) & (pl.col("outcome") == outcome)).height
        for sex in ("F", "M") for outcome in ("well", "ill", "dead")
    ]  # fmt: skip
    noise = np.array(one["cells"]) - exact
    assert (noise != 0).any()
    assert (np.abs(noise) < 6 * one["scale"]).all()


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("target", [None, "outcome"])
def test_tables_of_hardly_any_row(rows, target) -> None:
    found = made(visits(rows), loss_of(1.0, 1e-6), Synthesis(rows=50, target=target, constraints=[ORDER]))
    assert found.table.height == 50
    assert found.table.schema == visits(1).schema
    assert made(visits(rows), HUGE, Synthesis(rows="noisy", target=target)).table.height <= 4


@pytest.mark.parametrize("names", [["sex"], ["sex", "outcome"], ["sex", "age", "outcome"]])
@pytest.mark.parametrize("target", [None, "outcome"])
def test_tables_of_few_columns(names, target) -> None:
    settings = Synthesis(rows=200, target=target if target in names else None)
    domains = {name: DOMAINS[name] for name in names}
    loss = loss_of(1.0, 1e-6)
    found = made(visits(200), loss, settings, domains=domains, required=set())
    assert found.table.columns == names
    assert loss.units * 0.9 < found.spent.units <= loss.units


def test_rows_are_public_or_noisy() -> None:
    frame = visits(1000)
    assert made(frame, loss_of(1.0, 1e-6), Synthesis(rows=123)).table.height == 123
    counts = {
        made(frame, loss_of(0.5, 1e-6), Synthesis(rows="noisy"), seed=seed).table.height for seed in range(3)
    }
    assert counts != {1000}
    assert all(700 < count < 1300 for count in counts)


def test_domains_are_found() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "ward": [*rng.choice(["a", "b", "c"], 3000).tolist(), "the only one"],
            "code": [*rng.choice([10, 20], 3000).tolist(), 30],
            "cost": [*rng.exponential(100, 3000).tolist(), 9e9],
        }
    )
    domains = {
        "ward": Categories(kind="categories", values="found"),
        "code": Categories(kind="categories", values="found"),
        "cost": Numbers(kind="numbers", bounds=(0, 2000), bins="found"),
    }
    loss = loss_of(2.0, 1e-6, keys_delta=5e-7)
    found = made(frame, loss, Synthesis(rows="noisy"), domains=domains, required={"cost"})
    assert set(found.table["ward"].drop_nulls()) == {"a", "b", "c"}
    assert set(found.table["code"].drop_nulls()) == {10, 20}
    assert found.table.schema == frame.schema
    assert 0 < found.spent.delta_units <= loss.delta_units
    assert loss.units * 0.9 < found.spent.units <= loss.units
    # bins of equal width would put 7 of 8 rows into one of 16 bins
    assert found.table["cost"].median() == pytest.approx(frame["cost"].median(), rel=0.2)
    assert expected(Synthesis(rows=1), domains, set(), loss, 1).finding is not None


def test_where_nothing_is_found_there_is_a_table_all_the_same() -> None:
    frame = pl.DataFrame({"ward": ["x", "y"], "cost": [1.0, None]})
    domains = {
        "ward": Categories(kind="categories", values="found"),
        "cost": Numbers(kind="numbers", bounds=(0, 5), bins="found"),
    }
    loss = loss_of(0.5, 1e-6, keys_delta=1e-7)
    for required in (set(), {"ward", "cost"}):
        table = made(frame, loss, Synthesis(rows=20), domains=domains, required=required).table
        assert table.height == 20
        assert not {"x", "y"} & set(table["ward"])


def refused(error, **changes):
    given = {
        "settings": Synthesis(rows=10, target="outcome"), "domains": DOMAINS, "required": REQUIRED,
        "loss": loss_of(1.0, 1e-6), "contribution": 1, **changes,
    }  # fmt: skip
    with pytest.raises(error) as raised:
        made(visits(10), **given)
    return str(raised.value)


def test_wrong_settings_are_refused_before_anything_is_measured() -> None:
    names = "age, constant, diagnosis, in, out, outcome, sex, weight"
    assert refused(PolicyError, settings=Synthesis(rows=1, target="oucome")) == (
        f"synthesis: the target oucome has no domain; the columns are {names}"
    )
    assert refused(PolicyError, domains={}, required=set()) == (
        "synthesis: no column has a domain; write one for each column of the table"
    )
    assert refused(PolicyError, required={"zip"}) == (
        "synthesis: required columns without a domain: zip; write their domains"
    )
    assert refused(BudgetError, loss=Loss("zcdp", 30)) == (
        "the privacy loss is too small for 7 marginals and 12 choices; raise ε or synthesize fewer columns"
    )
    assert (
        refused(BudgetError, contribution=0) == "a person has at least one row; state the contribution bound"
    )


def test_tables_that_are_too_large_are_refused_before_any_data_is_there() -> None:
    wide = {
        "low": Numbers(kind="numbers", bounds=(0, 1000), bins=1000, step=0.1),
        "high": Numbers(kind="numbers", bounds=(0, 1000), bins=1000, step=0.1),
        "code": Categories(kind="categories", values=tuple(range(3000))),
    }
    ordered = Synthesis(rows=1, constraints=[{"column": "low", "at_most": "high"}])
    with pytest.raises(PolicyError) as error:
        expected(ordered, wide, set(), loss_of(1.0, 1e-6), 1)
    assert str(error.value) == (
        "constraints: columns low, high have 1,002,001 combinations of bins or categories, more than 100,000;"
        " write wider bins or fewer categories"
    )
    with pytest.raises(PolicyError) as error:
        expected(Synthesis(rows=1, target="low"), wide, set(), loss_of(1.0, 1e-6), 1)
    assert str(error.value) == (
        "synthesis: low and code have 3,004,001 combinations of bins or categories, more than 2,000,000;"
        " write wider bins or fewer categories"
    )


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ({"column": "in", "at_most": "off"}, "constraints: no column off has a domain; the columns are"),
        (
            {"column": "in", "at_most": "age"},
            "constraints: in at most age: one can be at most the other when both are numbers or both dates",
        ),
        (
            {"if": {"sex": "X"}, "then": {"diagnosis": "a"}},
            "constraints: column sex has no category 'X'; name one of its domain",
        ),
        (
            {"if": {"sex": None}, "then": {"diagnosis": "a"}},
            "constraints: column sex is required, so that it is never missing; remove null",
        ),
        (
            {"if": {"sex": "M"}, "then": {"age": 3}},
            "constraints: column age holds numbers or dates, of which if and then know null only",
        ),
    ],
)
def test_constraints_that_do_not_fit_are_refused(constraint, message) -> None:
    assert refused(PolicyError, settings=Synthesis(rows=1, constraints=[constraint])).startswith(message)


def test_circles_of_orders_are_refused() -> None:
    circle = [ORDER, {"column": "out", "at_most": "in"}]
    assert refused(PolicyError, settings=Synthesis(rows=1, constraints=circle)) == (
        "constraints: columns in, out are at most each other; remove one of the constraints"
    )


def test_constraints_that_no_row_fulfils_are_refused() -> None:
    both = [
        {"if": {"constant": [True, False]}, "then": {"sex": "F"}},
        {"if": {"outcome": ["well", "ill", "dead"]}, "then": {"sex": "M"}},
    ]
    assert refused(PolicyError, settings=Synthesis(rows=1, constraints=both)) == (
        "constraints: no row can fulfil all of them; remove one"
    )


def test_found_categories_need_delta() -> None:
    domains = {**DOMAINS, "diagnosis": Categories(kind="categories", values="found")}
    assert refused(BudgetError, domains=domains) == (
        "categories that are found need a part of δ, which is 0; name the categories or grant a part of δ to keys"
    )
    rule = Synthesis(rows=1, constraints=[RULE])
    assert refused(PolicyError, domains=domains, settings=rule) == (
        "constraints: the categories of column diagnosis are found; name them to state what holds for them"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "Field required"),
        ({"rows": -1}, "greater than or equal to 0"),
        ({"rows": 1, "method": "gan"}, "'light', 'mst' or 'aim'"),
        ({"rows": 1, "constraints": [{"column": "a", "at_most": "a"}]}, "a column is never more than itself"),
        ({"rows": 1, "constraints": [{"if": {"a": 1}, "then": {"a": 2}}]}, "stands under if and under then"),
        ({"rows": 1, "constraints": [{"if": {"a": []}, "then": {"b": 2}}]}, "a list of categories is empty"),
    ],
)
def test_settings_say_what_is_wrong(settings, message) -> None:
    with pytest.raises(ValidationError, match=message):
        Synthesis.model_validate(settings)

"""Intervals hold the value as often as they say: exact vectors once, noise many times."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from anon_platform.dp import Loss
from anon_platform.dp.bounding import bounded
from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.statistics import Planned, Statistic, plan_statistics
from anon_platform.dp.statistics.answering import answered
from anon_platform.dp.statistics.exact import exact, groups_of
from anon_platform.dp.statistics.expected import expected

WARDS = ("a", "b", "c", "d")
DOMAINS: dict[str, Domain] = {
    "ward": Categories(kind="categories", values=WARDS),
    "cost": Numbers(kind="numbers", bounds=(0.0, 10.0), step=0.1),
}
SIZES = {"a": 20, "b": 200, "c": 1000, "d": 3000}
"""From groups that the noise hides to groups that it hardly touches."""

DRAWS = 300


def hospital() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    wards = np.repeat(list(SIZES), list(SIZES.values()))
    costs = rng.gamma(2.0, 1.5, len(wards)).round(1)
    return pl.DataFrame({"person": np.arange(len(wards)), "ward": wards, "cost": costs})


def draws(loss: Loss, **settings: Any) -> tuple[Planned, pl.DataFrame, list[list[Any]]]:
    """The plan, the table and answers of many draws."""
    statistic = Statistic.model_validate({"name": "asked", **settings})
    plan = plan_statistics([statistic], DOMAINS, loss, 2)
    table = bounded(hospital(), "person", 2, np.random.default_rng(1))
    (planned,) = plan.statistics
    (vectors,) = exact(plan, [groups_of(planned)], table)
    return planned, table.rows, [answered(planned, vectors) for _ in range(DRAWS)]


LOSSES = [Loss("zcdp", 20_000_000), Loss("pure", 300_000_000)]
both = pytest.mark.parametrize("loss", LOSSES, ids=["zcdp", "pure"])


def coverage(answers: list[list[Any]], truth: np.ndarray, which: int = 0) -> np.ndarray:
    """By group, the share of draws whose interval holds the truth."""
    held = [(one[which].low - 1e-9 <= truth) & (truth <= one[which].high + 1e-9) for one in answers]
    return np.asarray(np.mean(held, axis=0))


LEAST = 0.95 - 5 * math.sqrt(0.95 * 0.05 / DRAWS)
"""Five standard errors below 95 %: one false alarm in millions of groups."""


@both
@pytest.mark.parametrize("measure", ["mean", "variance", "sum", "count"])
def test_intervals_hold_the_value_95_times_in_100(loss: Loss, measure: str) -> None:
    """In small groups, too, where a mean's interval is all that is possible. A mean's is no longer than it must be."""
    planned, rows, answers = draws(loss, measure=measure, of="cost", by=["ward"])
    by = {ward: rows.filter(pl.col("ward") == ward)["cost"].clip(0, 10).to_numpy() for ward in WARDS}
    kinds = {"mean": np.mean, "variance": np.var, "sum": np.sum, "count": len}
    truth = np.array([kinds[measure](by[ward]) for ward in WARDS])
    for one in answers:
        one[0] = type(one[0])(*(getattr(one[0], name)[:4] for name in ("value", "noise", "low", "high")))
    found = coverage(answers, truth)
    assert (found >= LEAST).all(), found
    if measure != "variance":
        assert found[-1] <= 0.95 + 5 * math.sqrt(0.95 * 0.05 / DRAWS)
    assert planned.loss.units <= loss.units


@both
def test_intervals_of_quantiles_hold_them(loss: Loss) -> None:
    _, rows, answers = draws(loss, measure="quantiles", of="cost", by=["ward"], quantiles=[0.1, 0.5, 0.95])
    for which, share in enumerate((0.1, 0.5, 0.95)):
        truth = []
        for ward in WARDS:
            values = np.sort(rows.filter(pl.col("ward") == ward)["cost"].clip(0, 10).to_numpy())
            truth.append(values[math.ceil(share * len(values)) - 1])
        for one in answers:
            one[which] = type(one[which])(
                *(getattr(one[which], name)[:4] for name in ("value", "noise", "low", "high"))
            )
        assert (coverage(answers, np.asarray(truth), which) >= LEAST).all()
        # and they say something where there are many rows
        widths = np.mean([one[which].high[3] - one[which].low[3] for one in answers])
        assert widths < 4


@both
def test_totals_agree_with_their_parts_and_are_nearer_to_the_truth(loss: Loss) -> None:
    """Hay et al. 2010: consistency costs nothing, and no cell gets worse."""
    planned, _, answers = draws(loss, measure="count", by=["ward"], totals="consistent")
    assert [level.name for level in planned.levels] == ["ward", "all"]
    truth = np.array([*SIZES.values(), 0])
    for parts, whole in answers:
        assert parts.value.sum() == pytest.approx(whole.value.item())
        assert (parts.high - parts.low)[0] == pytest.approx(2 * planned.noises[0].half_width())
    assert (coverage(answers, truth) >= LEAST).all()
    assert (coverage(answers, np.array([truth.sum()]), 1) >= LEAST).all()
    spread = np.std([parts.value - truth for parts, _ in answers])
    # of five parts and their sum, the least-squares estimate has 5/6 of the variance
    assert spread == pytest.approx(planned.noises[0].deviation * math.sqrt(5 / 6), rel=0.1)


@both
def test_what_is_expected_is_what_comes(loss: Loss) -> None:
    """Before anything is spent an analyst sees the size of the intervals; at most twice what comes."""
    for settings in (
        {"measure": "count"},
        {"measure": "sum", "of": "cost"},
        {"measure": "mean", "of": "cost"},
    ):
        planned, _, answers = draws(loss, **settings)
        plan = plan_statistics([planned.statistic], DOMAINS, loss, 2)
        line = expected(plan, sum(SIZES.values())).row(0, named=True)
        came = np.mean([(one[0].high - one[0].low) / 2 for one in answers])
        assert came <= line["half_width"] * 1.01
        assert line["half_width"] <= 2 * came
        assert line["groups"] == 1


def test_a_table_of_what_is_expected_names_every_level() -> None:
    asked = [
        Statistic.model_validate({"name": "n", "measure": "count", "by": ["ward"], "totals": "consistent"}),
        Statistic.model_validate(
            {"name": "median", "measure": "quantiles", "of": "cost", "quantiles": [0.5]}
        ),
        Statistic.model_validate({"name": "v", "measure": "variance", "of": "cost", "by": ["ward"]}),
    ]
    table = expected(plan_statistics(asked, DOMAINS, LOSSES[0], 2), rows=10)
    assert table.select("statistic", "measure", "level", "groups").rows() == [
        ("n", "count", "ward", 5),
        ("n", "count", "all", 1),
        ("median", "quantiles", "all", 1),
        ("v", "variance", "ward", 5),
    ]
    # ten rows are hidden by noise
    assert table["half_width"].is_infinite().to_list() == [False, False, True, True]

"""What happens after the noise: post-processing, totals over hierarchies, features; none of it costs anything."""

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.dp import Loss
from anon_platform.dp.bounding import bounded
from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.statistics import Plan, Statistic, plan_statistics
from anon_platform.dp.statistics.consistent import consistent
from anon_platform.dp.statistics.features import features
from anon_platform.dp.statistics.levels import levels_of
from anon_platform.dp.statistics.measure import Result, measure
from anon_platform.errors import PolicyError

DOMAINS: dict[str, Domain] = {
    "ward": Categories(kind="categories", values=("a", "b", "c")),
    "sex": Categories(kind="categories", values=("f", "m")),
    "age": Numbers(kind="numbers", bounds=(0, 100), bins=4),
    "back": Categories(kind="categories", values=(True, False)),
    "found": Categories(kind="categories", values="found"),
}
NO_NOISE = Loss("pure", 10**18, 10**17)
LITTLE = Loss("zcdp", 10**7)


def rows() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    return pl.DataFrame(
        {
            "person": range(600), "ward": rng.choice(["a", "b", "z"], 600), "sex": rng.choice(["f", "m"], 600),
            "age": rng.integers(0, 100, 600), "back": rng.random(600) < 0.3, "found": ["p"] * 595 + ["q"] * 5,
        }
    )  # fmt: skip


def asked(measure_: str, name: str = "asked", **more: Any) -> Statistic:
    return Statistic.model_validate({"name": name, "measure": measure_, **more})


def measured(*statistics: Statistic, loss: Loss = LITTLE) -> tuple[Plan, list[Result]]:
    plan = plan_statistics(statistics, DOMAINS, loss, 1)
    return plan, measure(plan, bounded(rows(), "person", 1, np.random.default_rng(1)))


def test_negative_counts_become_zero_where_that_is_stated() -> None:
    """Noise of a deviation of 1,400 on 20 groups: that none is negative has a chance of one in a million."""
    _, (kept, zero) = measured(
        asked("count", by=["ward", "age"]),
        asked("count", "zero", by=["ward", "age"], negatives="zero"),
        loss=Loss("zcdp", 1000),
    )
    assert kept.frame["value"].min() < 0  # type: ignore[operator]
    assert zero.frame.select(pl.col("value", "low", "high").min() >= 0).row(0) == (True, True, True)
    assert zero.frame["value"].null_count() == 0


def test_small_groups_are_hidden_with_their_intervals_where_that_is_stated() -> None:
    """By their noisy number, so that hiding tells nothing new."""
    for measure_, more in (
        ("count", {}),
        ("mean", {"of": "age"}),
        ("quantiles", {"of": "age", "quantiles": [0.5]}),
    ):
        _, (found,) = measured(asked(measure_, by=["ward"], hide_below=50, **more), loss=NO_NOISE)
        hidden = found.frame.filter(pl.col("value").is_null())
        assert hidden["ward"].to_list() == ["c"]
        assert hidden.select("low", "high").row(0) == (None, None)


def test_values_are_rounded_and_their_intervals_outward() -> None:
    _, (found,) = measured(asked("mean", of="age", by=["ward"], round_to=5.0))
    for value, low, high in found.frame.select("value", "low", "high").rows():
        assert value % 5 == low % 5 == high % 5 == 0
        assert low <= value <= high


def test_totals_over_columns_and_hierarchies_agree() -> None:
    statistic = asked(
        "count", by=["ward", "sex"], totals="consistent",
        hierarchies={"ward": {"a": "medical", "b": "medical", "c": "surgical"}},
    )  # fmt: skip
    _, (result,) = measured(statistic)
    frame = result.frame
    assert frame["level"].unique(maintain_order=True).to_list() == [
        "ward × sex", "ward", "ward (coarser) × sex", "ward (coarser)", "sex", "all",
    ]  # fmt: skip
    finest = frame.filter(pl.col("level") == "ward × sex")
    for total in frame.filter(pl.col("level") == "ward (coarser) × sex").iter_rows(named=True):
        wards = {"medical": ["a", "b"], "surgical": ["c"], None: [None]}[total["ward"]]
        parts = finest.filter(
            pl.col("ward").is_in(wards, nulls_equal=True), pl.col("sex").eq_missing(pl.lit(total["sex"]))
        )
        assert parts["value"].sum() == pytest.approx(total["value"], abs=1e-6)
    whole = frame.filter(pl.col("level") == "all")
    assert whole["value"].item() == pytest.approx(finest["value"].sum(), abs=1e-6)
    assert whole["value"].item() == pytest.approx(600, abs=6 * result.frame["noise"][0])


def test_totals_without_noise_are_exact() -> None:
    _, (result,) = measured(asked("sum", of="age", by=["sex"], totals="consistent"), loss=NO_NOISE)
    sums = dict(rows().group_by("sex").agg(pl.col("age").sum()).iter_rows())
    expected = [sums["f"], sums["m"], 0, sum(sums.values())]
    assert result.frame["value"].to_list() == pytest.approx(expected, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-50, 500), min_size=20, max_size=20),
    st.lists(st.floats(0.5, 9), min_size=4, max_size=4),
)
def test_consistent_values_are_those_of_weighted_least_squares(
    noisy: list[int], deviations: list[float]
) -> None:
    """Against the dense solution of the textbook: every level as a matrix."""
    from anon_platform.dp.statistics.axes import Axis

    axes = [Axis("ward", DOMAINS["ward"]), Axis("sex", DOMAINS["sex"])]
    levels = levels_of(asked("count", by=["ward", "sex"], totals="consistent"), axes)
    of = [level.of() for level in levels]
    values = [np.asarray(noisy[: level.cells]) for level in levels]
    matrix = np.concatenate([np.eye(level.cells)[at].T for level, at in zip(levels, of, strict=True)])
    weights = np.concatenate(
        [np.full(level.cells, 1 / d) for level, d in zip(levels, deviations, strict=True)]
    )
    expected = np.linalg.lstsq(matrix * weights[:, None], np.concatenate(values) * weights, rcond=None)[0]
    assert consistent(of, values, deviations) == pytest.approx(expected, abs=1e-5)


def test_levels_number_their_cells_as_their_labels_stand() -> None:
    from anon_platform.dp.statistics.axes import Axis

    axes = [Axis("ward", DOMAINS["ward"]), Axis("sex", DOMAINS["sex"])]
    finest, ward, sex, _ = levels_of(asked("count", by=["ward", "sex"], totals="consistent"), axes)
    assert finest.labels() == list(product(("a", "b", "c", None), ("f", "m", None)))
    assert [ward.labels()[at] for at in ward.of()] == [(label, None) for label, _ in finest.labels()]
    assert [sex.labels()[at] for at in sex.of()] == [(None, label) for _, label in finest.labels()]


def test_a_target_encoding_is_the_mean_drawn_to_that_of_all() -> None:
    _, (result,) = measured(asked("target_encoding", of="back", by=["ward"], weight=20.0), loss=NO_NOISE)
    table = rows()
    overall = table["back"].mean()
    for ward, value in result.frame.select("ward", "value").rows():
        mine = table.filter(pl.col("ward") == ward if ward else pl.col("ward") == "z")["back"]
        expected = (mine.sum() + 20 * overall) / (len(mine) + 20)  # type: ignore[operator]
        assert value == pytest.approx(expected, abs=1e-9)


def test_features_join_to_rows_by_their_groups() -> None:
    """Binned columns and values that no domain names find their group, too; keys that were not found have none."""
    plan, results = measured(
        asked("target_encoding", "te", of="back", by=["ward"]),
        asked("quantiles", "q", of="age", quantiles=[0.25, 0.5], by=["age", "sex"]),
        asked("mean", "m", of="age", by=["found"]),
        asked("count", "whole"),
        loss=NO_NOISE,
    )
    encoded, quantiles, found = features(plan, results)
    table = rows().with_columns(found=pl.col("found").replace("q", "never seen"))
    joined = found.joined(quantiles.joined(encoded.joined(table)))
    assert joined.select(table.columns).equals(table)
    assert joined.columns[len(table.columns) :] == ["te", "q_0.25", "q_0.5", "m"]
    te = dict(results[0].frame.select("ward", "value").rows())
    assert joined["te"].to_list() == [te.get(ward, te[None]) for ward in table["ward"]]
    q = {
        (age, sex): value
        for age, sex, value in results[1].frame.filter(quantile=0.5).select("age", "sex", "value").rows()
    }
    assert joined["q_0.5"].to_list() == [
        q[age // 25 * 25.0, sex] for age, sex in table.select("age", "sex").rows()
    ]
    assert joined["m"].null_count() == 5
    assert encoded.joined(table.head(0)).columns[-1] == "te"
    with pytest.raises(
        PolicyError, match=r"^features: the rows have a column te already; rename the statistic$"
    ):
        encoded.joined(joined)


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"measure": "mean"}, "mean of what? name the column under of"),
    ({"measure": "people", "of": "age"}, "people are counted, no column"),
    ({"measure": "quantiles", "of": "age"}, "measure: quantiles and quantiles: [0.5] go together"),
    (
        {"measure": "quantiles", "of": "age", "quantiles": [1.5]},
        "quantiles are up to 20 shares between 0 and 1",
    ),
    (
        {"measure": "sum", "of": "age", "bounds": [9, 1]},
        "bounds are two finite numbers, the least value first",
    ),
    ({"measure": "count", "bounds": [1, 9]}, "bounds belong to sums"),
    ({"measure": "target_encoding", "of": "age"}, "a target encoding belongs to the values of a column"),
    (
        {"measure": "people", "by": ["a"], "totals": "consistent"},
        "totals are those of counts, sums and histograms",
    ),
    ({"measure": "count", "totals": "consistent"}, "totals are over groups"),
    (
        {"measure": "count", "by": ["a"], "totals": "consistent", "negatives": "zero"},
        "where negatives become zero the totals are no longer those of their parts",
    ),
    ({"measure": "count", "by": ["a"], "totals": "consistent", "hide_below": 5}, "hidden or rounded values"),
    ({"measure": "count", "hierarchies": {"a": {}}}, "hierarchies belong to totals: consistent"),
    ({"measure": "count", "by": ["a", "a"]}, "a column stands twice under by"),
    ({"measure": "histogram", "of": "a", "by": ["a"]}, "a is counted by bin already"),
    ({"measure": "count", "keys": "found"}, "keys are those of groups"),
    ({"measure": "count", "of": "a", "category": "x"}, "a category is for sums, means and target encodings"),
    ({"measure": "mean", "of": "a", "category": "x", "bounds": [0, 1]}, "rows of a category count as 0 or 1"),
    ({"measure": "count", "by": ["value"]}, "a column value cannot be told from the results"),
    ({"measure": "count", "share": 0.0}, "greater than 0"),
    ({"measure": "count", "where": [{"column": "a"}]}, "write what the column is compared with"),
    ({"measure": "count", "where": [{"column": "a", "missing": True, "equals": 1}]}, "write missing alone"),
]


@pytest.mark.parametrize(("settings_", "message"), FAULTS, ids=[message[:50] for _, message in FAULTS])
def test_settings_that_contradict_themselves_are_refused(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=r"asked|validation error") as refused:
        Statistic.model_validate({"name": "asked", **settings_})
    assert message in str(refused.value)


def test_a_hierarchy_names_every_category() -> None:
    statistic = asked("count", by=["ward"], totals="consistent", hierarchies={"ward": {"a": "medical"}})
    with pytest.raises(
        PolicyError, match=r"^statistic asked: the hierarchy of ward names each category of its domain once"
    ):
        plan_statistics([statistic], DOMAINS, LITTLE, 1)

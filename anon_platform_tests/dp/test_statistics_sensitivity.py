"""No person moves an exact vector by more than its noise is for: by brute force, on tables small enough to try."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp import Loss
from anon_platform.dp.bounding import bounded
from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.noise import moved, noise_for
from anon_platform.dp.statistics import Plan, Statistic, plan_statistics
from anon_platform.dp.statistics.exact import exact, groups_of
from anon_platform.dp.statistics.tree import tree_over
from anon_platform.errors import BudgetError

DOMAINS: dict[str, Domain] = {
    "ward": Categories(kind="categories", values=("a", "b", "c")),
    "cost": Numbers(kind="numbers", bounds=(-1.0, 5.0), step=0.25, bins=3),
    "odd": Numbers(kind="numbers", bounds=(0.3, 2.0), step=0.7),
    "age": Numbers(kind="numbers", bounds=(0, 3)),
    "far": Numbers(kind="numbers", bounds=(-5.0e11, 5.4e11)),
}
ASKED = [
    {"measure": "count"}, {"measure": "count", "by": ["ward"]}, {"measure": "people"},
    {"measure": "people", "by": ["ward", "age"]}, {"measure": "sum", "of": "cost", "by": ["ward"]},
    {"measure": "sum", "of": "odd"}, {"measure": "mean", "of": "cost"}, {"measure": "mean", "of": "odd"},
    {"measure": "variance", "of": "cost", "by": ["age"]}, {"measure": "variance", "of": "far"},
    {"measure": "sum", "of": "far"}, {"measure": "target_encoding", "of": "age", "by": ["ward"]},
    {"measure": "quantiles", "of": "cost", "quantiles": [0.5], "by": ["ward"]}, {"measure": "histogram", "of": "cost"},
    {"measure": "count", "by": ["ward", "age"], "totals": "consistent"},
    {"measure": "mean", "of": "ward", "category": "a", "by": ["ward"]}, {"measure": "sum", "of": "cost", "bounds": [0.0, 2.0], "where": [{"column": "age", "at_least": 1}]},
]  # fmt: skip
STATISTICS = [Statistic.model_validate({"name": f"s{n}", **one}) for n, one in enumerate(ASKED)]

EXTREME = st.fixed_dictionaries(
    {
        "ward": st.sampled_from(["a", "b", "c", "unknown", None]),
        "cost": st.sampled_from([-9.0, -1.0, 2.0, 1.99, 5.0, 9.0, math.nan, math.inf, None]),
        "odd": st.sampled_from([0.0, 0.3, 1.1, 2.0, 7.0]),
        "age": st.integers(-1, 4),
        "far": st.sampled_from([-1e300, -9e11, 0.0, 5e10, 1e12, 1e300, None]),
    }
)
SCHEMA: dict[str, Any] = {
    "person": pl.Int64, "ward": pl.String, "cost": pl.Float64, "odd": pl.Float64, "age": pl.Int64, "far": pl.Float64,
}  # fmt: skip


def vectors(plan: Plan, rows: list[dict[str, Any]]) -> list[list[np.ndarray]]:
    """The exact vectors of every statistic as noise is added to them: of every level, too."""
    table = bounded(pl.DataFrame(rows, schema=SCHEMA), "person", plan.contribution, np.random.default_rng(3))
    found = exact(plan, [groups_of(planned) for planned in plan.statistics], table)
    for planned, one in zip(plan.statistics, found, strict=True):
        if planned.statistic.measure == "quantiles":
            assert planned.steps is not None
            one[:] = tree_over(planned.steps.leaves, planned.noises[0].measure).levels(one[0])
        elif len(planned.levels) > 1:
            one[:] = [np.bincount(level.of(), one[0].ravel(), level.cells) for level in planned.levels]
    return found


@pytest.mark.parametrize("measure", ["zcdp", "pure"])
@settings(max_examples=15, deadline=None)
@given(st.lists(EXTREME, min_size=1, max_size=6), st.lists(EXTREME, max_size=4), st.integers(1, 4))
def test_a_person_moves_no_vector_further_than_its_noise_is_for(
    measure: Any, theirs: list[dict[str, Any]], others: list[dict[str, Any]], contribution: int
) -> None:
    """In L2 for Gaussian and in L1 for Laplace noise; rows at and far beyond the bounds, all in one group or spread."""
    plan = plan_statistics(STATISTICS, DOMAINS, Loss(measure, 10**9), contribution)
    without = [row | {"person": 1 + n // 2} for n, row in enumerate(others)]
    with_them = vectors(plan, [*without, *(row | {"person": 0} for row in theirs)])
    for planned, one, other in zip(plan.statistics, with_them, vectors(plan, without), strict=True):
        assert len(one) == len(planned.noises)
        for noise, left, right in zip(planned.noises, one, other, strict=True):
            away = np.abs(left - right).ravel()
            distance = (
                math.sqrt(float((away.astype(float) ** 2).sum())) if measure == "zcdp" else float(away.sum())
            )
            assert distance <= noise.sensitivity * (1 + 1e-12), planned.statistic


@pytest.mark.parametrize("asked", range(len(ASKED)))
def test_some_person_moves_a_vector_as_far_as_stated(asked: int) -> None:
    """A bound that nobody reaches is noise for nothing; for one row of a person, but for rounding to whole steps."""
    plan = plan_statistics([STATISTICS[asked]], DOMAINS, Loss("pure", 10**9), 1)
    (planned,) = plan.statistics
    ends = [
        {"person": 0, "ward": "a", "cost": cost, "odd": cost, "age": age, "far": far}
        for cost in (-9.0, 2.0, 9.0) for age in (0, 3) for far in (-1e300, 1e300)
    ]  # fmt: skip
    empty = vectors(plan, [])[0]
    for place, noise in enumerate(planned.noises):
        moves = [np.abs(vectors(plan, [row])[0][place] - empty[place]).sum() for row in ends]
        assert max(moves) == noise.sensitivity


def test_squares_are_added_up_as_far_as_openDP_allows() -> None:  # noqa: N802
    """The sensitivity of people in several groups is a root, rounded up; OpenDP's map agrees with the formula."""
    for values in (1, 2, 3, 5, 7, 10, 1000):
        root = moved("zcdp", values, 3)
        assert Fraction(root) ** 2 >= values * 9
        assert root == pytest.approx(3 * math.sqrt(values), rel=1e-15)
        noise = noise_for(Loss("zcdp", 10**7), root)
        assert noise.scale == pytest.approx(root / math.sqrt(2 * 0.01), rel=1e-6)
        assert noise.loss.units <= 10**7
    assert moved("pure", 7, 3) == 21
    with pytest.raises(BudgetError, match="whole number"):
        noise_for(Loss("pure", 10**7), 1.5)

"""From exact vectors to answers: noise is added, and everything after it is post-processing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anon_platform.dp.statistics.consistent import consistent
from anon_platform.dp.statistics.intervals import (
    CONFIDENCE,
    Answers,
    leaves_of,
    means,
    plain_answers,
    quantile_of,
    variances,
)
from anon_platform.dp.statistics.plan import Planned
from anon_platform.dp.statistics.settings import AVERAGED
from anon_platform.dp.statistics.tree import tree_over

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def answered(planned: Planned, vectors: Sequence[Counts]) -> list[Answers]:
    """Noisy answers: one of every level, one of every quantile, or one.

    vectors: exact, one row a cell, as `exact` returns them; they are looked at through noise only.
    """
    statistic = planned.statistic
    if statistic.measure == "quantiles":
        return _quantiles(planned, vectors[0])
    if statistic.measure in AVERAGED or statistic.measure == "variance":
        noisy = [
            noise.added_to(vector.ravel()).astype(np.float64)
            for noise, vector in zip(planned.noises, vectors, strict=True)
        ]
        return [_ratio(planned, noisy)]
    return _totals(planned, vectors[0].ravel())


def _totals(planned: Planned, vector: Counts) -> list[Answers]:
    counts = planned.statistic.measure != "sum"
    worth = 1.0 if counts or planned.steps is None else planned.steps.size
    if len(planned.levels) == 1:
        noisy = planned.noises[0].added_to(vector).astype(np.float64)
        return [plain_answers(noisy, planned.noises[0], worth, counts=counts)]
    of = [level.of() for level in planned.levels]
    exact = [_added_up(vector, at, level.cells) for at, level in zip(of, planned.levels, strict=True)]
    drawn = [noise.added_to(values) for noise, values in zip(planned.noises, exact, strict=True)]
    finest = consistent(of, drawn, [noise.deviation for noise in planned.noises])
    return [
        plain_answers(
            np.bincount(at, finest, minlength=level.cells).astype(np.float64), noise, worth, counts=counts
        )
        for at, level, noise in zip(of, planned.levels, planned.noises, strict=True)
    ]


def _added_up(vector: Counts, at: Counts, cells: int) -> Counts:
    found = np.zeros(cells, np.int64)
    np.add.at(found, at, vector)
    return found


def _ratio(planned: Planned, noisy: Sequence[Floats]) -> Answers:
    statistic, steps = planned.statistic, planned.steps
    assert steps is not None
    half, furthest = steps.half, float(steps.furthest)
    rows, sums = noisy[0], noisy[1]
    if statistic.measure == "variance":
        found = variances(rows, sums, noisy[2], planned.noises[:3], furthest, steps.square)  # type: ignore[arg-type]
        return _scaled(found, half**2, 0.0)
    noises = planned.noises[0], planned.noises[1]
    if statistic.measure == "target_encoding":
        overall = float(np.clip(sums.sum() / max(rows.sum(), 1.0), -furthest, furthest))
        added = means(rows + statistic.weight, sums + statistic.weight * overall, noises, furthest)
        found = Answers(added.value, added.noise, added.low, added.high, rows)
    else:
        found = means(rows, sums, noises, furthest)
    inside = _scaled(found, half, steps.centre)
    low, high = steps.low, steps.high
    return Answers(
        inside.value.clip(low, high),
        inside.noise,
        inside.low.clip(low, high),
        inside.high.clip(low, high),
        inside.rows,
    )


def _scaled(answers: Answers, unit: float, centre: float) -> Answers:
    return Answers(
        answers.value * unit + centre,
        answers.noise * unit,
        answers.low * unit + centre,
        answers.high * unit + centre,
        answers.rows,
    )


def _quantiles(planned: Planned, leaves: Counts) -> list[Answers]:
    steps = planned.steps
    assert steps is not None
    tree = tree_over(steps.leaves, planned.noises[0].measure)
    noisy = [noise.added_to(level) for noise, level in zip(planned.noises, tree.levels(leaves), strict=True)]
    first = tree.estimated(noisy)
    ends = np.asarray([steps.ends_of_leaf(leaf) for leaf in range(steps.leaves)])
    z = quantile_of(planned.noises, CONFIDENCE)
    found = []
    for share in planned.statistic.quantiles:
        leaf, low, high = leaves_of(first, share, tree.deviations(share) * planned.noises[0].deviation, z)
        least, most = ends[low, 0], ends[high, 1]
        value = _within_leaf(first, leaf, share, ends).clip(least, most)
        found.append(Answers(value, (most - least) / 2 / z, least, most, first[:, -1]))
    return found


def _within_leaf(first: Floats, leaf: Counts, share: float, ends: Floats) -> Floats:
    """The value in a leaf as far as the quantile's rank is in it, as if its rows lay evenly."""
    rows = np.arange(len(first))
    before = np.where(leaf > 0, first[rows, leaf - 1], 0.0)
    inside = np.maximum(first[rows, leaf] - before, 1e-12)
    part = np.clip((share * first[:, -1] - before) / inside, 0.0, 1.0)
    return np.asarray(ends[leaf, 0] + part * (ends[leaf, 1] - ends[leaf, 0]))

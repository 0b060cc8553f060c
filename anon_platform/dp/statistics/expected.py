"""What an analyst sees before anything is spent: how exact every answer will be. No row was read for it."""

import math
from typing import TYPE_CHECKING

from anon_platform.dp.statistics.plan import Plan, Planned
from anon_platform.dp.statistics.settings import AVERAGED

if TYPE_CHECKING:
    import polars as pl

CONFIDENCE = 0.95


def expected(plan: Plan, rows: int = 1000) -> "pl.DataFrame":
    """One row a statistic and level: `statistic`, `measure`, `level`, `groups` (null: found), `noise`, `half_width`, `for`, `shown_from`.

    noise: standard deviation. half_width: of the 95 % interval, in units of the answer. For means, variances and quantiles
    it depends on how many rows a group has: it is stated for a group of `rows` rows (a public guess), at its largest for
    means and variances, and for values spread evenly between the bounds for the median; infinite where the noise hides so
    few rows. shown_from: with found keys, about how many people a group needs to be shown.
    """
    import polars as pl

    schema = {
        "statistic": pl.String, "measure": pl.String, "level": pl.String, "groups": pl.Int64,
        "noise": pl.Float64, "half_width": pl.Float64, "for": pl.String, "shown_from": pl.Int64,
    }  # fmt: skip
    found = [line for planned in plan.statistics for line in _lines(planned, rows)]
    return pl.DataFrame(found, schema=schema, orient="row")


def _lines(planned: Planned, rows: int) -> list[tuple[object, ...]]:
    statistic, steps = planned.statistic, planned.steps
    named = (statistic.name, statistic.measure)
    shown = planned.threshold.threshold if planned.threshold else None
    if steps is None or statistic.measure == "sum":
        worth = steps.size if steps else 1.0
        return [
            (
                *named,
                level.name if planned.threshold is None else ", ".join(statistic.by),
                None if planned.threshold else level.cells,
                noise.deviation * worth,
                noise.half_width(CONFIDENCE) * worth,
                "any number of rows",
                shown,
            )
            for level, noise in zip(planned.levels, planned.noises, strict=True)
        ]
    half = half_width_of(planned, rows)
    level = ", ".join(statistic.by) or "all"
    z = planned.noises[0].half_width(CONFIDENCE) / planned.noises[0].deviation
    return [(*named, level, planned.cells, half / z, half, f"{rows:,} rows a group", shown)]


def half_width_of(planned: Planned, rows: int) -> float:
    """Expected half of the 95 % interval of a mean, variance or quantile of so many rows."""
    from anon_platform.dp.statistics.tree import tree_over

    statistic, steps, noises = planned.statistic, planned.steps, planned.noises
    assert steps is not None
    z = max(noise.half_width(CONFIDENCE) / noise.deviation for noise in noises)
    if statistic.measure == "quantiles":
        tree = tree_over(steps.leaves, noises[0].measure)
        off = z * noises[0].deviation * float(max(tree.deviations(0.5))) / rows
        return min(off, 1.0) * (steps.high - steps.low) if off < 1 else math.inf
    counted = rows + statistic.weight if statistic.measure == "target_encoding" else float(rows)
    if z * noises[0].deviation >= counted:
        return math.inf
    mean = math.hypot(noises[1].deviation, steps.furthest * noises[0].deviation) / counted
    if statistic.measure in AVERAGED:
        return z * mean * steps.half
    # at the mean that makes it largest: the mean square less the squared mean, which moves by 2 · mean · its error
    parts = (noises[2].deviation * steps.square, 2 * steps.furthest * noises[1].deviation)
    off = math.hypot(*parts, steps.furthest**2 * noises[0].deviation) / counted
    return (z * off + mean**2) * steps.half**2

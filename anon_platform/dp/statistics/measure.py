"""Measures a plan: the rows are read once, noise is drawn once, and what comes back may leave."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from anon_platform.dp.bounding import Bounded
from anon_platform.dp.domain import Categories
from anon_platform.dp.loss import Loss
from anon_platform.dp.statistics.answering import answered
from anon_platform.dp.statistics.axes import fitting, plain
from anon_platform.dp.statistics.conditions import holds
from anon_platform.dp.statistics.exact import Groups, exact, groups_of
from anon_platform.dp.statistics.intervals import Answers
from anon_platform.dp.statistics.plan import Plan, Planned
from anon_platform.dp.statistics.settings import Statistic
from anon_platform.errors import BudgetError, PolicyError

_KEY = "__key_{}__"


@dataclass(frozen=True)
class Result:
    """One statistic, ready to be released."""

    name: str
    frame: pl.DataFrame
    """The columns of the groups (null: missing values; with `level`, also what is added up), `quantile` where there are
    several, `value`, `noise` (standard deviation) and a 95 % interval, `low` and `high`."""
    loss: Loss
    description: str
    """What was counted how, in words."""


def require_schema(plan: Plan, schema: Mapping[str, pl.DataType]) -> None:
    """Raises `PolicyError` where columns are not there or cannot hold their domain; to be called before anything is spent."""
    for column in sorted({name for planned in plan.statistics for name in planned.statistic.columns}):
        if column not in schema:
            raise PolicyError(f"statistics: no column {column}; the dataset has {', '.join(sorted(schema))}")
        if fault := fitting(plan.domains[column], schema[column]):
            raise PolicyError(f"column {column}: {fault}, not {schema[column]}")
    for planned in plan.statistics:
        _require_alike(planned.statistic, schema, plan)


def _require_alike(statistic: Statistic, schema: Mapping[str, pl.DataType], plan: Plan) -> None:
    """Categories that are found are compared with constants of the column's own type."""
    compared = [
        (condition.column, constant) for condition in statistic.where for constant in condition.constants
    ]
    if statistic.category is not None and statistic.of is not None:
        compared.append((statistic.of, statistic.category))
    for column, constant in compared:
        domain, dtype = plan.domains[column], schema[column]
        if not isinstance(domain, Categories) or domain.values != "found":
            continue
        if type(constant) is not (bool if dtype == pl.Boolean else int if dtype.is_integer() else str):
            raise PolicyError(
                f"statistic {statistic.name}: column {column} is {dtype}; compare it with values of this type"
            )


def measure(plan: Plan, bounded: Bounded) -> list[Result]:
    """The results of all statistics, in the order of the plan; empty groups are answered like all others.

    Of a column that is summed, averaged or cut into quantiles, missing values (null, NaN, ±∞) are left out, and what is
    beyond the bounds counts as the bound: intervals are about the bounded rows and do not know what bounding took away.
    """
    if bounded.contribution > plan.contribution:
        raise BudgetError(
            f"the rows were bounded to {bounded.contribution} a person, the noise is for {plan.contribution};"
            " bound them by the plan's contribution"
        )
    require_schema(plan, bounded.rows.schema)
    groups, keys = [], {}
    for at, planned in enumerate(plan.statistics):
        if planned.threshold is None:
            groups.append(groups_of(planned))
            continue
        keys[at] = _found_keys(plan, planned, bounded)
        name = _KEY.format(at)
        numbered = keys[at].with_row_index(name).with_columns(pl.col(name).cast(pl.Int32))
        bounded = replace(bounded, rows=_with_cell(plan, planned, bounded.rows, numbered, name))
        groups.append(Groups((name,), pl.col(name), numbered.height))
    vectors = exact(plan, groups, bounded)
    return [
        _result(planned, answered(planned, vectors[at]), keys.get(at))
        for at, planned in enumerate(plan.statistics)
    ]


def _result(planned: Planned, answers: Sequence[Answers], keys: pl.DataFrame | None) -> Result:
    statistic = planned.statistic
    if statistic.measure == "quantiles":
        labels = _labels(planned, 0) if keys is None else keys
        frames = [
            labels.with_columns(pl.lit(share).alias("quantile")).hstack(_shown(statistic, one))
            for share, one in zip(statistic.quantiles, answers, strict=True)
        ]
    elif keys is not None:
        frames = [keys.hstack(_shown(statistic, answers[0]))]
    else:
        frames = [_labels(planned, at).hstack(_shown(statistic, one)) for at, one in enumerate(answers)]
    return Result(statistic.name, pl.concat(frames), planned.loss, described(planned))


def _labels(planned: Planned, at: int) -> pl.DataFrame:
    """The groups of a level, one row a cell."""
    level = planned.levels[at]
    schema = {axis.column: axis.dtype for axis in planned.axes}
    if not schema:
        frame = pl.DataFrame({"level": ["all"]})
    else:
        frame = pl.DataFrame(level.labels(), schema=schema, orient="row").with_columns(
            pl.lit(level.name).alias("level")
        )
    return frame if len(planned.levels) > 1 else frame.drop("level")


def _shown(statistic: Statistic, answers: Answers) -> pl.DataFrame:
    """Value, noise and interval after the stated post-processing."""
    frame = pl.DataFrame(
        {"value": answers.value, "noise": answers.noise, "low": answers.low, "high": answers.high}
    )
    if statistic.round_to is not None:
        step = statistic.round_to
        frame = frame.with_columns(
            (pl.col("value") / step).round() * step,
            (pl.col("low") / step).floor() * step,
            (pl.col("high") / step).ceil() * step,
        )
    if statistic.negatives == "zero":
        frame = frame.with_columns(pl.col("value", "low", "high").clip(lower_bound=0.0))
    if statistic.hide_below is not None and answers.rows is not None:
        large = pl.Series(np.asarray(answers.rows) >= statistic.hide_below)
        frame = frame.with_columns(pl.when(large).then(pl.col("value", "low", "high")))
    return frame


def described(planned: Planned) -> str:
    """What a statistic says, in one line."""
    statistic, noise = planned.statistic, planned.noises[0]
    groups = f" by {', '.join(statistic.by)}" if statistic.by else ""
    category = f" = {statistic.category!r}" if statistic.category is not None else ""
    of = f" of {statistic.of}{category}" if statistic.of else ""
    bounds = f" between {planned.steps.low:g} and {planned.steps.high:g}" if planned.steps else ""
    where = (
        f" where {' and '.join(condition.column for condition in statistic.where)} is as stated"
        if statistic.where
        else ""
    )
    kind = "Gaussian" if noise.measure == "zcdp" else "Laplace"
    found = (
        f"; groups with fewer than about {planned.threshold.threshold} people are not shown"
        if planned.threshold
        else ""
    )
    return f"{statistic.measure}{of}{bounds}{groups}{where}; {kind} noise{found}"


def _found_keys(plan: Plan, planned: Planned, bounded: Bounded) -> pl.DataFrame:
    """Combinations of enough people, in the order of their text: private, so that they may name groups."""
    assert planned.threshold is not None
    columns = [plain(name, plan.domains[name]).alias(name) for name in planned.statistic.by]
    rows = bounded.rows.lazy().filter(holds(planned.statistic.where, plan.domains))
    named = rows.select(*columns, pl.col(bounded.person).alias("__who__"))
    people = pl.col("__who__").n_unique().alias("__people__")
    counted = named.group_by(planned.statistic.by).agg(people).collect()
    names = counted.select(planned.statistic.by)
    texts = [
        json.dumps([str(cell) if cell is not None else None for cell in row]) for row in names.iter_rows()
    ]
    shown = planned.threshold.shown(dict(zip(texts, counted["__people__"].to_list(), strict=True)))
    places = {text: place for place, text in enumerate(texts)}
    return names[[places[text] for text in sorted(shown)]]


def _with_cell(
    plan: Plan, planned: Planned, rows: pl.DataFrame, keys: pl.DataFrame, name: str
) -> pl.DataFrame:
    """The rows with the number of their key; null for keys that were not found."""
    columns = [plain(one, plan.domains[one]).alias(one) for one in planned.statistic.by]
    found = rows.select(columns).join(
        keys, on=list(planned.statistic.by), how="left", nulls_equal=True, maintain_order="left"
    )
    return rows.with_columns(found[name])

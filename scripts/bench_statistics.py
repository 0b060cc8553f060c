"""Measures differentially private statistics on 2.4 million made-up rows; writes its part of docs/benchmarks.md.

    python scripts/bench_statistics.py

The rows are drawn anew from fixed seeds: 800,000 people, costs of a gamma distribution, ages, twelve wards, 300 diagnoses.
"""

import sys
import time
from datetime import UTC, datetime

import numpy as np
import polars as pl
from bench import machine, put

from anon_platform.dp.bounding import Bounded, bounded
from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.loss import Loss, loss_of
from anon_platform.dp.statistics import Statistic, plan_statistics
from anon_platform.dp.statistics.exact import exact, groups_of
from anon_platform.dp.statistics.expected import expected
from anon_platform.dp.statistics.measure import measure

BEGIN, END = "<!-- statistics: written by make bench-statistics -->", "<!-- statistics: end -->"
ROWS, PEOPLE, CONTRIBUTION = 2_400_000, 800_000, 8
WARDS = tuple(f"ward {number}" for number in range(12))
DOMAINS: dict[str, Domain] = {
    "ward": Categories(kind="categories", values=WARDS),
    "diagnosis": Categories(kind="categories", values="found"),
    "age": Numbers(kind="numbers", bounds=(0, 110)),
    "cost": Numbers(kind="numbers", bounds=(0, 20_000), step=0.01),
}
ASKED = (
    {"name": "rows by ward", "measure": "count", "by": ["ward"]},
    {"name": "people by ward", "measure": "people", "by": ["ward"]},
    {"name": "rows by ward and age, with totals", "measure": "count", "by": ["ward", "age"], "totals": "consistent"},
    {"name": "sum of costs", "measure": "sum", "of": "cost"},
    {"name": "mean cost by ward", "measure": "mean", "of": "cost", "by": ["ward"]},
    {"name": "variance of costs by ward", "measure": "variance", "of": "cost", "by": ["ward"]},
    {"name": "quartiles of costs by ward", "measure": "quantiles", "of": "cost", "quantiles": [0.25, 0.5, 0.75], "by": ["ward"]},
    {"name": "rows by diagnosis (found)", "measure": "count", "by": ["diagnosis"]},
)  # fmt: skip


def rows() -> pl.DataFrame:
    """The table; some people have many rows."""
    rng = np.random.default_rng(20)
    weight = rng.pareto(2.5, PEOPLE) + 0.3
    return pl.DataFrame(
        {
            "person": rng.choice(PEOPLE, ROWS, p=weight / weight.sum()),
            "ward": rng.choice(WARDS, ROWS),
            "diagnosis": rng.choice([f"d{number}" for number in range(300)], ROWS, p=_falling(300)),
            "age": rng.integers(0, 105, ROWS),
            "cost": rng.gamma(2.0, 900.0, ROWS).round(2),
        }
    )


def _falling(size: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    weights = 1.0 / np.arange(1, size + 1) ** 2
    return np.asarray(weights / weights.sum())


def statistic(settings: dict[str, object]) -> Statistic:
    """The settings with a name that a result may have."""
    return Statistic.model_validate(
        {**settings, "name": str(settings["name"]).translate(str.maketrans(" ,()", "____"))}
    )


def line(settings: dict[str, object], loss: Loss, table: Bounded) -> str:
    """One statistic with all of the loss: what was expected, what came, and how long it took."""
    began = time.perf_counter()
    plan = plan_statistics([statistic(settings)], DOMAINS, loss, CONTRIBUTION)
    planned = time.perf_counter() - began
    before = expected(plan, rows=table.rows.height // 12)["half_width"][0]
    began = time.perf_counter()
    (result,) = measure(plan, table)
    seconds = time.perf_counter() - began
    frame = (
        result.frame.filter(pl.col("level") == pl.col("level").first())
        if "level" in result.frame.columns
        else result.frame
    )
    known = frame.filter(pl.col(frame.columns[0]).is_not_null())
    half = float(known.select(((pl.col("high") - pl.col("low")) / 2).median()).item())
    value = float(known["value"].median())  # type: ignore[arg-type]
    cells = [
        str(settings["name"]), f"{result.frame.height:,}", f"{value:,.6g}", f"{before:,.4g}", f"{half:,.4g}",
        f"{planned:.2f}", f"{seconds:.2f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measures every statistic alone and all of them in one pass, and writes the section."""
    table = rows()
    began = time.perf_counter()
    kept = bounded(table, "person", CONTRIBUTION, np.random.default_rng(1))
    bounding = time.perf_counter() - began
    loss = loss_of(1.0, 1e-6, keys_delta=5e-7)
    lines = [line(settings, loss, kept) for settings in ASKED]
    plan = plan_statistics([statistic(settings) for settings in ASKED], DOMAINS, loss, CONTRIBUTION)
    began = time.perf_counter()
    measure(plan, kept)
    together = time.perf_counter() - began
    public = plan_statistics([statistic(settings) for settings in ASKED[:-1]], DOMAINS, loss, CONTRIBUTION)
    began = time.perf_counter()
    exact(public, [groups_of(planned) for planned in public.statistics], kept)
    counting = time.perf_counter() - began
    text = [
        BEGIN, "## Differentially private statistics", "",
        (f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}: {ROWS:,} made-up rows of {PEOPLE:,} people, at most"
        f" {CONTRIBUTION} rows a person ({kept.rows.height:,} kept, in {bounding:.1f} s), ε = 1 at δ = 1e-6 for each line."),
        ("Half widths are those of 95 % intervals: `expected` before anything is spent, for groups of a twelfth of the"
        " rows; `came` is the median over the groups."), "",
        "| statistic | answers | median value | expected ± | came ± | plan s | measure s |",
        "|---|---|---|---|---|---|---|",
        *lines, "",
        (f"All {len(ASKED)} in one plan: {together:.1f} s; the exact counts of the {len(ASKED) - 1} with public groups take"
        f" {counting:.1f} s of it, in one pass over the rows."), "",
        END, "",
    ]  # fmt: skip
    put("\n".join(text), BEGIN, END)
    sys.stdout.write("\n".join(text))


if __name__ == "__main__":
    main()

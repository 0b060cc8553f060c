"""What is measured for a release: before it, how exact it will be; then once, with noise; and never again."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from anon_platform.dp import Loss
from anon_platform.dp.bounding import Bounded
from anon_platform.dp.statistics import Plan, plan_statistics
from anon_platform.pipeline.treatments import Progress
from anon_platform.policy import DPPolicy


@dataclass(frozen=True)
class Expected:
    """A measurement before anything is spent."""

    of: str
    """The statistic that it is a part of; empty for a synthetic table."""
    name: str
    what: str
    """In words."""
    noise: str
    """Gaussian or Laplace."""
    deviation: float | None
    """Standard deviation of the noise on one number, in the measurement's unit; None where the interval has no end."""
    half_width: float | None
    """Half of the 95 % interval of one number; None where it has no end, since noise may hide so few rows."""
    cells: int | None
    """Numbers that are measured; None where the data names them."""


@dataclass(frozen=True)
class File:
    """One released table, or a model, or its card. rows: as the file shows, so it is public, or carries noise."""

    name: str
    """Of a table without its ending, since each format has its own."""
    columns: tuple[tuple[str, str], ...]
    """Name and type of each, in order."""
    rows: int
    what: str
    kind: Literal["table", "model", "card", "onnx"] = "table"

    @property
    def types(self) -> dict[str, str]:
        """The type of each column."""
        return dict(self.columns)


@dataclass(frozen=True)
class Drawn:
    """What was measured, with its noise: it may leave."""

    spent: Loss
    files: tuple[File, ...]
    expected: tuple[Expected, ...]
    fit: dict[str, float] = field(default_factory=dict)
    """Of a synthetic table: how far it is from the noisy marginals, and how far noise alone would put it. Of a model: the area under its curve, and its interval."""
    measured: list[dict[str, Any]] = field(default_factory=list)
    """Of a synthetic table: the noisy marginals."""

    @property
    def types(self) -> dict[str, str]:
        """Type by column; with the file's name before it where there are several."""
        if len(self.files) == 1:
            return self.files[0].types
        return {f"{file.name}.{name}": kind for file in self.files for name, kind in file.types.items()}

    def as_json(self) -> dict[str, Any]:
        """As staging keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Drawn":
        """What staging kept."""
        return cls(
            Loss(**told["spent"]),
            tuple(
                File(
                    each["name"],
                    tuple((name, kind) for name, kind in each["columns"]),
                    each["rows"],
                    each["what"],
                    each["kind"],
                )
                for each in told["files"]
            ),
            tuple(Expected(**each) for each in told["expected"]),
            dict(told["fit"]),
            list(told["measured"]),
        )


def expected(policy: DPPolicy) -> tuple[Expected, ...]:
    """How exact the release will be, from the policy alone; `PolicyError`, `BudgetError` for what cannot be measured."""
    if policy.synthetic is not None:
        from anon_platform.pipeline.dp.synthetic import expected_table

        return expected_table(policy, policy.synthetic)
    if policy.trained_model is not None:
        from anon_platform.pipeline.dp.model_release import expected_model

        return expected_model(policy, policy.trained_model)
    from anon_platform.dp.statistics.expected import expected as expected_lines

    plan = planned(policy)
    noises = {each.statistic.name: each.noises[0].measure for each in plan.statistics}
    return tuple(
        Expected(
            of=line["statistic"],
            name=line["statistic"] + (f", {line['level']}" if line["level"] else ""),
            what=f"{line['measure'].replace('_', ' ')}{_for(line['for'])}",
            noise="Gaussian" if noises[line["statistic"]] == "zcdp" else "Laplace",
            deviation=_finite(line["noise"]),
            half_width=_finite(line["half_width"]),
            cells=line["groups"],
        )
        for line in expected_lines(plan).iter_rows(named=True)
    )


def _finite(number: float) -> float | None:
    """JSON has no infinity."""
    return number if math.isfinite(number) else None


def widest(found: Sequence[Expected]) -> dict[str, float]:
    """By statistic, half of the widest 95 % interval; infinite where one has no end."""
    widths: dict[str, float] = {}
    for each in found:
        width = math.inf if each.half_width is None else each.half_width
        widths[each.of] = max(widths.get(each.of, 0.0), width)
    return widths


def _for(told: str | None) -> str:
    return f", {told}" if told else ""


def planned(policy: DPPolicy) -> Plan:
    """The plan of the policy's statistics."""
    stated = policy.privacy_loss
    return plan_statistics(
        policy.statistics, policy.domains, stated.loss, stated.rows_that_differ, stated.people
    )


def draw(
    policy: DPPolicy, rows: pl.DataFrame, person: str, folder: Path, progress: Progress
) -> dict[str, Any]:
    """Draws noise, writes what may leave to `folder/data`, and says what it is.

    rows: of everybody at most as many as the policy counts. person: the column that tells people apart.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    if policy.synthetic is not None:
        from anon_platform.pipeline.dp.synthetic import draw_table

        drawn = draw_table(policy, policy.synthetic, rows.drop(person), data, progress)
    elif policy.trained_model is not None:
        from anon_platform.pipeline.dp.model_release import draw_model

        drawn = draw_model(policy, policy.trained_model, rows, person, data, progress)
    else:
        drawn = _statistics(policy, Bounded(rows, person, policy.privacy_loss.contribution), data)
    return {"files": len(drawn.files), "drawn": drawn.as_json()}


def _statistics(policy: DPPolicy, bounded: Bounded, data: Path) -> Drawn:
    from anon_platform.dp.statistics.measure import measure

    plan = planned(policy)
    results = measure(plan, bounded)
    files = []
    for result in results:
        write(result.frame, data / result.name, policy.publish.formats)
        files.append(File(result.name, columns_of(result.frame), result.frame.height, result.description))
    return Drawn(plan.loss, tuple(files), expected(policy))


def write(frame: pl.DataFrame, at: Path, formats: tuple[str, ...]) -> None:
    """Writes a table in every format that the policy names; `at` has no ending."""
    if "parquet" in formats:
        frame.write_parquet(at.with_suffix(".parquet"))
    if "csv" in formats:
        frame.write_csv(at.with_suffix(".csv"))


def columns_of(frame: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    """Name and type of each column."""
    return tuple((name, str(dtype)) for name, dtype in frame.schema.items())

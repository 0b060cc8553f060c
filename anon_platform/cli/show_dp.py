"""What the terminal shows of differentially private plans and releases."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from anon_platform.pipeline.dp import DPPlan
from anon_platform.pipeline.dp.measuring import Expected
from anon_platform.policy import DPPolicy
from anon_platform.publish import MANIFEST, read_json

LARGE = 1000
"""From here on numbers are shown without decimals."""


def dp_plan(plan: DPPlan) -> RenderableType:
    """The plan: loss, caps, columns with their domains, and what will be measured how exactly."""
    policy, stated = plan.policy, plan.policy.privacy_loss
    columns = Table("column", "role", "type", "domain", box=None, header_style="bold", pad_edge=False)
    for name, column in policy.columns.items():
        kind = "not read" if column.domain is None else column.domain.kind
        columns.add_row(name, column.role.replace("_", " "), plan.types[name], kind)
    caps = stated.caps
    return Group(
        Text.assemble((policy.title, "bold"), f"  ({policy.dataset})"),
        Text(f"source: {policy.source.format}, {plan.files} file(s) at {policy.source.path}"),
        Text(
            f"privacy unit: {policy.privacy_unit.name}, {_told_apart(policy)};"
            f" up to {stated.contribution} rows of each count"
        ),
        Text(f"for: {policy.publish.recipient}; {policy.publish.purpose}"),
        Text(
            f"privacy loss: ε = {stated.epsilon:g} at δ = {stated.delta:g} of population {stated.population}; caps:"
            f" ε = {caps.recipient.epsilon:g} for this recipient, {caps.overall.epsilon:g} over all"
        ),
        Text(""),
        columns,
        Text(""),
        Text("what will be measured", style="bold"),
        expected_table(plan.expected),
        Text(""),
        Text("The policy is sound. No row was read, and nothing was spent.", style="green"),
    )


def _told_apart(policy: DPPolicy) -> str:
    column = policy.privacy_unit.column
    return "each row is one" if column is None else f"told apart by {column}"


def expected_table(expected: tuple[Expected, ...]) -> Table:
    """Noise and half widths before anything is spent."""
    table = Table(
        "measurement",
        "what",
        "numbers",
        "noise",
        "95 % interval",
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for each in expected:
        table.add_row(
            each.name,
            each.what,
            "found" if each.cells is None else f"{each.cells:,}",
            each.noise + ("" if each.deviation is None else f", deviation {each.deviation:.4g}"),
            "no end" if each.half_width is None else f"± {each.half_width:.4g}",
        )
    return table


def dp_facts(manifest: Mapping[str, Any], measures: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A release in a few lines."""
    loss = manifest["privacy_loss"]
    lines = [
        ("released", ", ".join(_released(file) for file in manifest["tables_drawn"])),
        (
            "privacy loss",
            f"ε = {loss['epsilon']:.3g} at δ = {loss['delta']:g}, for a {loss['unit']} with up to {loss['contribution']} rows",
        ),
    ]
    for name, metric in measures.items():
        if metric["check"] == "privacy_budget":
            lines.append(
                (
                    "budget",
                    f"{name.removeprefix('ε of all releases, ')}: ε = {metric['value']:.3g} of {metric['threshold']:g}",
                )
            )
    if "distance from the noisy marginals" in measures:
        lines.append(
            (
                "fit",
                f"{measures['distance from the noisy marginals']['value']:.3f} mean distance from the noisy marginals",
            )
        )
    if "area under the curve" in measures:
        metric = measures["area under the curve"]
        lines.append(("quality", f"area under the curve {metric['value']:.3f}, {metric['unit']}"))
    return lines


def _released(file: Mapping[str, Any]) -> str:
    if file.get("kind", "table") != "table":
        return str(file["name"])
    return f"{file['name']} ({file['rows']:,} rows)"


def frames(release: Path) -> dict[str, pl.DataFrame]:
    """The released tables by name."""
    from anon_platform.validate.dp.tables import released

    drawn = read_json(release / MANIFEST)["tables_drawn"]
    names = [file["name"] for file in drawn if file.get("kind", "table") == "table"]
    found = {name: released(release / "data", name) for name in names}
    return {name: each.get("parquet", each.get("csv", pl.DataFrame())) for name, each in found.items()}


def answers(release: Path) -> RenderableType:
    """Every answer with its 95 % interval."""
    parts: list[RenderableType] = []
    for name, frame in frames(release).items():
        table = Table(*frame.columns, box=None, header_style="bold", pad_edge=False)
        for row in frame.iter_rows():
            table.add_row(*(_cell(value) for value in row))
        parts += [Text(name, style="bold"), table, Text("")]
    parts.append(Text(f"noise: standard deviation; low and high: 95 % interval; release {release.name}"))
    return Group(*parts)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.4g}" if abs(value) < LARGE else f"{value:,.0f}"

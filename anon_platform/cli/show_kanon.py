"""What `anon kanon` shows on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

SHOWN_ROWS = 20
"""Row numbers on the terminal."""


def made(result: Mapping[str, Any], out: Path) -> RenderableType:
    """The table that was made: what holds, and what it lost by column."""
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    rows = f"{result['rows']:,}"
    people = "" if result["people"] == result["rows"] else f" of {result['people']:,} people"
    facts.add_row("rows", f"{rows}{people}, {result['combinations']:,} combinations of values before")
    facts.add_row("suppressed", f"{result['suppressed_records']:,} ({result['suppressed_share']:.2%})")
    facts.add_row("classes", f"{result['classes']:,}, of {result['mean_class_size']:.1f} records on average")
    facts.add_row("smallest class", f"{result['smallest_class']:,} people (k = {result['k']})")
    for model in result["models"]:
        sign = "≥" if model["at_least"] else "≤"
        facts.add_row(
            f"{model['model']} of {model['column']}", f"{model['value']:.4g} {sign} {model['threshold']:g}"
        )
    facts.add_row("loss", _loss(result))
    seconds = result["seconds"]
    facts.add_row("time", f"{seconds['wall']:.1f} s, {result['peak_memory_mb']:,} MB at most")
    title = Text.assemble(("✓ ", "green"), (str(out), "bold"))
    return Group(title, Padding(facts, (1, 0, 1, 2)), Padding(_columns(result), (0, 0, 0, 2)))


def _loss(result: Mapping[str, Any]) -> str:
    text = f"{result['loss']:.4f} (0: nothing, 1: all)"
    if abs(result["weighted_loss"] - result["loss"]) > 1e-9:  # noqa: PLR2004 - the last digits
        text += f"; {result['weighted_loss']:.4f} with weights"
    if "proven" in result:
        text += (
            ", the least there is"
            if result["proven"]
            else f"; stopped early: no generalization is below {result['lower_bound']:.4f}"
        )
    return text


def _columns(result: Mapping[str, Any]) -> Table:
    levels = result.get("levels")
    heads = ("quasi-identifier", "loss", *(("level",) if levels else ()))
    table = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for name, loss in result["attribute_loss"].items():
        table.add_row(name, f"{loss:.4f}", *((levels[name],) if levels else ()))
    return table


def applied(result: Mapping[str, Any], out: Path) -> RenderableType:
    """What became of new rows."""
    uncovered, rows = result["uncovered_rows"], result["rows"]
    lines = [
        Text.assemble(("✓ ", "green"), (str(out), "bold"), f"  {rows:,} rows, {rows - uncovered:,} as labels")
    ]
    if uncovered:
        numbers = [f"{number:,}" for number in result["uncovered_row_numbers"][:SHOWN_ROWS]]
        more = f" and {uncovered - len(numbers):,} more" if uncovered > len(numbers) else ""
        lines.append(
            Text(
                f"{uncovered:,} rows fit no class and are * in every quasi-identifier: rows {', '.join(numbers)}{more}"
            )
        )
    lines.append(
        Text(
            f"k = {result['k']} holds for these rows together with those of the solution, not for themselves."
        )
    )
    return Group(*lines)

"""The answers of a differentially private release as small tables: group, value, bar and interval."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from anon_platform.publish.wording import DASH

SHOWN = 14
"""Lines of a table that are shown."""

NUMBERS = ("value", "noise", "low", "high")

SMALL, LARGE = 10, 1000
"""Below and from here on numbers are shown with two decimals, and with none."""


def answer_tables(answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Name and first lines of each table; places are in hundredths of the bar's width."""
    return [_table(name, rows) for name, rows in answers.items()]


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shown = rows[:SHOWN]
    ends = [row[key] for row in shown for key in ("value", "low", "high") if _there(row[key])]
    least, most = min([0.0, *ends]), max([0.0, *ends])
    span = (most - least) or 1.0

    def place(value: float) -> float:
        return float(round(100 * (min(max(value, least), most) - least) / span, 1))

    return {
        "name": name.replace("_", " "),
        "more": len(rows) - len(shown),
        "rows": [_row(row, place) for row in shown],
    }


def _row(row: Mapping[str, Any], place: Any) -> dict[str, Any]:  # noqa: ANN401 - a function of this file
    names = [key for key in row if key not in NUMBERS]
    # the level says which of the others are added up: these are empty then
    of_level = str(row["level"]).split(" × ") if "level" in row else names
    group = (
        ", ".join(DASH if row[key] is None else _plain(row[key]) for key in names if key in of_level) or "all"
    )
    value, low, high = row["value"], row["low"], row["high"]
    if not _there(value):
        return {"group": group, "value": DASH, "interval": "", "start": 0, "width": 0, "low": 0, "high": 0}
    interval = f"{number(low)} to {number(high)}" if _there(low) and _there(high) else ""
    start, end = sorted((place(0.0), place(value)))
    return {
        "group": group,
        "value": number(value),
        "interval": interval,
        "start": start,
        "width": round(end - start, 1),
        "low": place(low) if interval else place(value),
        "high": place(high) if interval else place(value),
    }


def _there(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """A number with as many decimals as it can use.

    >>> number(4.2345), number(-12.34), number(70213.0)
    ('4.23', '−12.3', '70,213')
    """
    digits = 2 if abs(value) < SMALL else 1 if abs(value) < LARGE else 0
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")

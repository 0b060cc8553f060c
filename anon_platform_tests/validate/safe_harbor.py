"""Small released tables judged by HIPAA Safe Harbor: what every column looks like, and which clauses fail."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.pipeline.contents import content_of
from anon_platform.policy import Policy
from anon_platform.table import PERSON, ROW, PolarsTable
from anon_platform.validate import Content, Evidence, Seen
from anon_platform.validate.regulations import Measured, judge
from anon_platform.validate.ruling import Ruling

PEOPLE = 40
YEAR = 2026

NOTHING = Measured((), {})
"""No measure beside the look at the columns."""

HARMLESS: dict[str, Sequence[Any]] = {
    "sex": ["F", "M"] * 20,
    "stay": [1, 2, 3, 4] * 10,
    "diagnosis": ["250.01", "401.9", "V58.67", "250.00"] * 10,
}
"""Columns that no clause minds."""

POLICY: dict[str, Any] = {
    "version": 1,
    "dataset": "visits",
    "title": "Visits",
    "owner": "privacy@hospital.example",
    "source": {"format": "parquet", "path": "visits.parquet"},
    "privacy_unit": {"each_row_is_a_person": True},
    "thresholds": {"fidelity": 1},
    "regulation": "hipaa_safe_harbor",
    "publish": {"formats": ("parquet",), "recipient": "us", "purpose": "tests"},
}


def policy_of(columns: Mapping[str, Mapping[str, Any]]) -> Policy:
    """The policy with these columns, each insensitive unless it says otherwise."""
    return Policy.model_validate(
        {**POLICY, "columns": {name: {"role": "insensitive", **column} for name, column in columns.items()}}
    )


def evidence_of(
    folder: Path,
    columns: Mapping[str, Sequence[Any]],
    treated: Mapping[str, Mapping[str, Any]] | None = None,
    before: Mapping[str, Sequence[Any]] | None = None,
    *,
    formats: Sequence[str] = ("parquet",),
    harmless: bool = True,
) -> Evidence:
    """A release of `columns` beside harmless ones. treated: their policy. before: their originals, where others."""
    released = pl.DataFrame({**(HARMLESS if harmless else {}), **columns}, strict=False)
    original = released.with_columns(pl.Series(name, values) for name, values in (before or {}).items())
    (folder / "data").mkdir(parents=True)
    (folder / "raw").mkdir()
    if "parquet" in formats:
        released.write_parquet(folder / "data" / "part-00000.parquet")
    if "csv" in formats:
        released.write_csv(folder / "data" / "part-00000.csv")
    rows = pl.DataFrame({ROW: range(released.height), PERSON: range(released.height)})
    staged = pl.concat([rows, original], how="horizontal")
    staged.write_parquet(folder / "raw" / "part.parquet")
    return Evidence(
        policy=policy_of({name: (treated or {}).get(name, {}) for name in released.columns}),
        data=folder / "data",
        kept=rows,
        suppressed=pl.Series(ROW, [], dtype=pl.Int64),
        source=PolarsTable.over(folder / "raw"),
        treat={},
        seen={name: _seen(released[name], original[name]) for name in released.columns},
    )


def _seen(released: pl.Series, original: pl.Series) -> Seen:
    after = _content(released)
    return Seen(after, after if released.equals(original, check_names=True) else _content(original))


def _content(column: pl.Series) -> Content:
    if HARMLESS.get(column.name) == column.to_list():
        return _harmless(column.name)
    values = column.rename("value")
    if values.dtype.is_nested() or values.dtype == pl.Binary:
        none = pl.Series("value", [None], dtype=values.dtype)
        return content_of(column.name, pl.DataFrame([none, pl.Series("n", [len(values)])]))
    return content_of(column.name, values.to_frame().group_by("value").agg(n=pl.len()))


@cache
def _harmless(name: str) -> Content:
    counts = pl.DataFrame({"value": HARMLESS[name]}).group_by("value").agg(n=pl.len())
    return content_of(name, counts)


def rulings(evidence: Evidence, leaks: Mapping[str, float] | None = None) -> dict[str, Ruling]:
    """The rulings by letter."""
    (judged,) = judge(evidence, NOTHING, leaks or {}, today=dt.date(YEAR, 3, 4))
    return {clause.letter: ruling for clause, ruling in judged.rulings}


def failed(evidence: Evidence, leaks: Mapping[str, float] | None = None) -> dict[str, tuple[str, ...]]:
    """By letter the reasons of the clauses that fail."""
    found = rulings(evidence, leaks)
    return {letter: ruling.reasons for letter, ruling in found.items() if ruling.verdict == "fail"}

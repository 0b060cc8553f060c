"""Longitudinal risk: how many people are alone with p rows of theirs that somebody knows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

CONFIDENCE = 0.95

TARGETS = 2_000
"""People for whom it is tried: the interval is then at most 4.4 points wide."""


@dataclass(frozen=True)
class KnownEvents:
    """known: rows that the attacker knows. unique: share of the targets who are alone with them, 0 to 1.

    interval: 95 %, Wilson. targets: people tried, of those with at least so many rows.
    """

    known: int
    unique: float
    interval: tuple[float, float]
    targets: int


def unique_by_events(
    rows: pl.DataFrame, names: Sequence[str], person: str, *, most: int, seed: int
) -> list[KnownEvents]:
    """For 1 to `most` known rows the share of people whom they single out; a number of rows that nobody has is left out.

    rows: frequency table over `names` and `person`, with `n`. A row is known by its values of `names`, nulls a value of
    their own; a person fits when each combination is among their rows, as often as it is known. The rows that are known
    of a target are drawn at random without replacement.
    Source: de Montjoye, Hidalgo, Verleysen, Blondel 2013, Unique in the Crowd, Scientific Reports 3:1376.
    """
    rng = np.random.default_rng(seed)
    events = _numbered(rows, names, person)
    found = []
    for known in range(1, most + 1):
        drawn = _drawn(events, known, rng)
        if drawn.is_empty():
            break
        found.append(_tried(drawn, events, known))
    return found


def _numbered(rows: pl.DataFrame, names: Sequence[str], person: str) -> pl.DataFrame:
    """`person`, `event` (number of a combination) and `n`."""
    columns = [f"q{i}" for i in range(len(names))]
    plain = rows.select(
        pl.col(person).alias("person"),
        pl.col("n").cast(pl.Int64),
        *(pl.col(name).alias(column) for name, column in zip(names, columns, strict=True)),
    )
    distinct = plain.select(columns).unique(maintain_order=True).with_row_index("event")
    numbered = plain.join(distinct, on=columns, how="left", nulls_equal=True)
    return numbered.group_by("person", "event").agg(pl.col("n").sum()).sort("person", "event")


def _drawn(events: pl.DataFrame, known: int, rng: np.random.Generator) -> pl.DataFrame:
    """`person`, `event` and `need`, how often the event is known, for the targets."""
    rows = events.group_by("person", maintain_order=True).agg(rows=pl.col("n").sum())
    enough = rows.filter(pl.col("rows") >= known)["person"]
    places = np.sort(rng.choice(len(enough), size=min(TARGETS, len(enough)), replace=False))
    targets = enough.gather(places).to_frame()
    single = events.join(targets, on="person", how="semi", maintain_order="left").select(
        "person", pl.col("event").repeat_by("n")
    )
    single = single.explode("event").with_columns(
        pl.Series("__draw__", rng.random(int(single["event"].list.len().sum())))
    )
    first = pl.col("__draw__").rank("ordinal").over("person") <= known
    return single.filter(first).group_by("person", "event", maintain_order=True).agg(need=pl.len())


def _tried(drawn: pl.DataFrame, events: pl.DataFrame, known: int) -> KnownEvents:
    from scipy.stats import binomtest

    wanted = drawn.with_columns(of=pl.len().over("person"))
    matched = (
        wanted.join(events.rename({"person": "other"}), on="event")
        .filter(pl.col("n") >= pl.col("need"))
        .group_by("person", "other")
        .agg(met=pl.len(), of=pl.col("of").first())
        .filter(pl.col("met") == pl.col("of"))
        .group_by("person")
        .len()
    )
    targets, alone = matched.height, int((matched["len"] == 1).sum())
    interval = binomtest(alone, targets).proportion_ci(CONFIDENCE, method="wilson")
    return KnownEvents(known, alone / targets, (float(interval.low), float(interval.high)), targets)

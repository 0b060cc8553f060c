"""A solution applied to new rows: each goes to the class that covers it and loses least, if there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.anonymize.hierarchy import SUPPRESSED
from anon_platform.anonymize.hierarchy.levels import KnowsLeaves, LevelLabels
from anon_platform.anonymize.local.labels import set_label
from anon_platform.anonymize.local.recoded import KEPT

Covers = npt.NDArray[np.bool_]

BLOCK = 20_000_000
"""Pairs of combinations and classes looked at at a time."""


@dataclass(frozen=True)
class Applied:
    """The classes of a solution over their hierarchies.

    columns: as `Recoded.solution` wrote them; lost: what a record of each class loses.
    """

    hierarchies: Mapping[str, LevelLabels]
    columns: Sequence[Mapping[str, Any]]
    lost: npt.NDArray[np.float64]

    def release(self, batch: pl.DataFrame) -> pl.DataFrame:
        """As `Recoded.release`; a row that no class covers is `*`, and not kept.

        Whoever joins a class makes it larger, so that k holds as before; closeness and likeness have to be measured again.
        """
        names = [str(column["name"]) for column in self.columns]
        distinct = batch.select(names).unique(maintain_order=True)
        of = self._cheapest([distinct[name] for name in names])
        labels = [_texts(column) for column in self.columns]
        at = [np.asarray(column["of_class"])[np.maximum(of, 0)] for column in self.columns]
        texts = [
            text.gather(place.astype(np.uint32)).alias(f"label {i}")
            for i, (text, place) in enumerate(zip(labels, at, strict=True))
        ]
        found = distinct.with_columns(*texts, pl.Series(KEPT, of >= 0))
        rows = batch.select(names).join(found, on=names, how="left", nulls_equal=True, maintain_order="left")
        return rows.select(
            *[
                pl.when(KEPT).then(f"label {i}").otherwise(pl.lit(SUPPRESSED)).alias(name)
                for i, name in enumerate(names)
            ],
            KEPT,
        )

    def _cheapest(self, values: Sequence[pl.Series]) -> npt.NDArray[np.int64]:
        """For each combination the class that covers it and loses least, −1 when none does."""
        classes, rows = len(self.lost), len(values[0])
        of = np.full(rows, -1, np.int64)
        if not classes:
            return of
        tables, places = [], []
        for column, value in zip(self.columns, values, strict=True):
            distinct = value.unique(maintain_order=True)
            covers = _covers(column, distinct, self.hierarchies[str(column["name"])])
            tables.append(covers[:, np.asarray(column["of_class"])])
            places.append(_position(value, distinct))
        by_loss = np.argsort(self.lost, kind="stable")
        step = max(BLOCK // classes, 1)
        for first in range(0, rows, step):
            part = slice(first, first + step)
            good = np.ones((len(of[part]), classes), np.bool_)
            for table, place in zip(tables, places, strict=True):
                good &= table[place[part]]
            best = good[:, by_loss].argmax(axis=1)
            of[part] = np.where(good.any(axis=1), by_loss[best], -1)
        return of


def applied(solution: Mapping[str, Any], hierarchies: Mapping[str, LevelLabels]) -> Applied:
    """The solution, ready for rows of new values; hierarchies: those it was found with, by quasi-identifier."""
    return Applied(hierarchies, solution["columns"], np.asarray(solution["loss"], np.float64))


def _position(value: pl.Series, distinct: pl.Series) -> npt.NDArray[np.int64]:
    index = pl.DataFrame({"value": distinct, "place": np.arange(len(distinct))})
    frame = pl.DataFrame({"value": value})
    return frame.join(index, on="value", how="left", nulls_equal=True, maintain_order="left")[
        "place"
    ].to_numpy()


def _texts(column: Mapping[str, Any]) -> pl.Series:
    """The labels of a column as they stand in a release."""
    kind = column["kind"]

    def text(part: Any) -> str | None:  # noqa: ANN401 - a JSON value
        if kind == "hierarchy":
            return None if part[1] is None else str(part[1])
        if part is None:
            return SUPPRESSED
        if kind == "interval":
            low, high = part
            return low if low == high else f"[{low}, {high}]"
        return part[0] if len(part) == 1 else set_label(part)

    return pl.Series("label", [text(part) for part in column["labels"]], dtype=pl.String)


def _covers(column: Mapping[str, Any], values: pl.Series, kind: LevelLabels) -> Covers:
    """Values × distinct labels: whether the label covers the value. What the hierarchy does not know only `*` covers."""
    found = np.zeros((len(values), len(column["labels"])), np.bool_)
    if column["kind"] == "hierarchy":
        ancestors = _ancestors(values, kind)
        for i, (level, label) in enumerate(column["labels"]):
            found[:, i] = (
                True
                if level == SUPPRESSED
                else (
                    ancestors[kind.level_names.index(level)]
                    .eq_missing(pl.Series([label], dtype=pl.String))
                    .to_numpy()
                    & ancestors[-1].to_numpy()
                )
            )
        return found
    text = values.cast(pl.String)
    numbers = text.cast(pl.Float64, strict=False) if column["kind"] == "interval" else None
    for i, part in enumerate(column["labels"]):
        if part is None:
            found[:, i] = True
        elif numbers is not None and part[0] is not None:
            inside = (numbers >= float(part[0])) & (numbers <= float(part[1]))
            found[:, i] = inside.fill_null(value=False).to_numpy()
        else:
            found[:, i] = text.is_in(part, nulls_equal=True).to_numpy()
    return found


def _ancestors(values: pl.Series, kind: LevelLabels) -> list[pl.Series]:
    """The labels of the values at each level, null where the hierarchy does not know a value; at last whether it does.

    A null stays null at each level, and so is known.
    """
    known = kind.leaves() if isinstance(kind, KnowsLeaves) else None
    if known is None:
        return [*kind.labels(values), pl.repeat(value=True, n=len(values), eager=True)]
    text = values.cast(pl.String)
    there = text.is_in(known.implode()).fill_null(value=True)
    at = there.arg_true()
    place = (
        pl.Series(np.cumsum(there.to_numpy()) - 1)
        .cast(pl.Int64)
        .zip_with(there, pl.Series([None], dtype=pl.Int64))
    )
    return [*[label.gather(place) for label in kind.labels(values.gather(at))], there]

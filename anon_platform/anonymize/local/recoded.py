"""A local recoding that was found: classes with their labels, and which combination of values is in which."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from anon_platform.anonymize.hierarchy import SUPPRESSED
from anon_platform.anonymize.k_anonymity.grouped import Codes, classes_of
from anon_platform.anonymize.local.grouping import Grouping, loss_of
from anon_platform.anonymize.local.labels import Column
from anon_platform.anonymize.local.shapes import BARRED, Floats, Hull, Ints
from anon_platform.anonymize.local.units import Units
from anon_platform.errors import SourceError

KEPT = "kept"
CLASS = "__class"
"""No quasi-identifier may be called so."""


@dataclass(frozen=True)
class Recoded:
    """A solved problem, ready to be mapped over the rows.

    labels: one row a class, a text column a quasi-identifier. parts: the same as JSON, for a solution. kinds: what the
    labels of each quasi-identifier are. of: the distinct combinations of original values and their `class`, null where
    suppressed. class_loss: what a record of each class loses.
    loss: what was minimized, a suppressed record counts 1; information_loss: the same without weights; by_column: each
    quasi-identifier's part of that, 0 to 1.
    """

    labels: pl.DataFrame
    parts: pl.DataFrame
    kinds: dict[str, str]
    of: pl.DataFrame
    class_loss: Floats
    loss: float
    information_loss: float
    by_column: dict[str, float]
    suppressed: int
    records: int
    suppressed_cells: dict[str, float]
    """By quasi-identifier, the share of the records that leave whose label is `*`."""

    @property
    def classes(self) -> int:
        """Classes that leave."""
        return self.labels.height

    def release(self, batch: pl.DataFrame) -> pl.DataFrame:
        """For each row of original values its labels, `*` in all of them for a suppressed one; and whether it is `kept`.

        A combination that was not counted raises `SourceError`.
        """
        names = self.labels.columns
        if not names:
            return pl.DataFrame({KEPT: np.full(batch.height, self.suppressed == 0)})
        found = batch.select(names).join(
            self.of.with_columns(__known=True), on=names, how="left", nulls_equal=True, maintain_order="left"
        )
        if found["__known"].null_count():
            raise SourceError(
                f"{found['__known'].null_count()} rows have quasi-identifiers that were not there when the table was"
                " counted; run again on a source that does not change meanwhile"
            )
        at = found[CLASS]
        kept = at.is_not_null()
        return pl.DataFrame(
            [
                pl.select(
                    pl.when(kept).then(self.labels[name].gather(at)).otherwise(pl.lit(SUPPRESSED)).alias(name)
                ).to_series()
                for name in names
            ]
        ).with_columns(kept.alias(KEPT))

    def solution(self) -> dict[str, Any]:
        """The classes as labels, ready for JSON; no original combination is in it.

        Written once for each distinct label of a column; a class refers to them by place.
        """
        columns = []
        for name in self.labels.columns:
            distinct = self.parts[name].unique().sort()
            place = self.parts[name].replace_strict(distinct, pl.int_range(len(distinct), eager=True))
            columns.append(
                {
                    "name": name,
                    "kind": self.kinds[name],
                    "labels": [json.loads(part) for part in distinct],
                    "of_class": place.to_list(),
                }
            )
        return {"columns": columns, "loss": [round(float(lost), 9) for lost in self.class_loss]}


def recoded(
    combinations: tuple[pl.DataFrame, Ints],
    columns: Sequence[Column],
    units: Units,
    of: Ints,
    *,
    levels: Sequence[int] | None = None,
) -> Recoded | None:
    """The recoding with the groups `of` (by unit, −1 suppressed); None when too few of them may leave.

    levels: those of the hierarchies at which the groups look alike; None: each is as narrow as it can be.
    Groups with the same labels are one class. Whether it may leave is asked of all that read the same, also where
    labels of two levels do: nobody can tell these apart.
    """
    distinct, unit = combinations
    inside, grouping = _within_caps(units, of)
    if grouping is None:
        return None
    if levels is not None:
        grouping = replace(grouping, hulls=_raised(grouping.hulls, levels))
    made = [c.labels(hull) for c, hull in zip(columns, grouping.hulls, strict=True)]
    texts = _ranks([text for text, _ in made], grouping.count)
    text_first, texts_of = classes_of(texts)
    first, looks = classes_of(_ranks([part for _, part in made], grouping.count))
    joined = units.classes.joined(inside, texts_of[grouping.of], len(text_first), texts[:, text_first])
    good = units.demand.kept(joined)[texts_of[first]]
    records = int(units.records.sum())
    kept = np.bincount(looks[grouping.of], weights=units.records[inside], minlength=len(first)) * good
    suppressed = records - int(kept.sum())
    if suppressed > units.demand.suppressed or not good.any():
        return None
    number = np.full(len(first), -1)
    number[good] = np.arange(int(good.sum()))
    of_unit = np.full(len(of), -1)
    of_unit[inside] = number[looks[grouping.of]]
    chosen = pl.Series(first[good].astype(np.uint32))
    hulls = [hull[:, first[good]] for hull in grouping.hulls]
    shares = [c.measure.loss(hull) for c, hull in zip(columns, hulls, strict=True)]
    by_column = {
        c.name: (float(kept[good] @ share) + suppressed) / records
        for c, share in zip(columns, shares, strict=True)
    }
    class_loss = loss_of(tuple(c.shape for c in columns), tuple(hulls), len(chosen))
    classes = of_unit[unit]
    return Recoded(
        labels=pl.DataFrame([text.gather(chosen) for text, _ in made]),
        parts=pl.DataFrame([part.gather(chosen) for _, part in made]),
        kinds={c.name: c.kind for c in columns},
        of=distinct.with_columns(pl.Series(CLASS, classes, dtype=pl.Int32).replace(-1, None)),
        class_loss=class_loss,
        loss=(float(kept[good] @ class_loss) + suppressed) / records,
        information_loss=float(np.mean(list(by_column.values()))) if by_column else suppressed / records,
        by_column=by_column,
        suppressed=suppressed,
        records=records,
        suppressed_cells=_stars(columns, [text.gather(chosen) for text, _ in made], kept[good]),
    )


def _stars(columns: Sequence[Column], labels: Sequence[pl.Series], records: Ints) -> dict[str, float]:
    total = float(records.sum())
    return {
        c.name: float(records @ text.eq_missing(pl.Series([SUPPRESSED])).to_numpy()) / total
        for c, text in zip(columns, labels, strict=True)
    }


def _within_caps(units: Units, of: Ints) -> tuple[Ints, Grouping | None]:
    """The units in groups below all caps, and these groups; None when there are none."""
    inside = np.flatnonzero(of >= 0)
    if len(inside):
        grouping = Grouping.made(units.part(inside), of[inside])
        inside = inside[(grouping.lost < BARRED)[grouping.of]]
    return inside, Grouping.made(units.part(inside), of[inside]) if len(inside) else None


def _raised(hulls: Sequence[Hull], levels: Sequence[int]) -> tuple[Hull, ...]:
    """The same groups as ancestors at these levels."""
    return tuple(
        np.stack([hull[0], np.full_like(hull[1], level)]) for hull, level in zip(hulls, levels, strict=True)
    )


def _ranks(columns: Sequence[pl.Series], groups: int) -> Codes:
    """Columns × groups: numbers that are equal where the texts are, a null 0."""
    codes = [text.rank("dense").fill_null(0).to_numpy().astype(np.int32) for text in columns]
    return np.stack(codes) if codes else np.zeros((0, groups), np.int32)

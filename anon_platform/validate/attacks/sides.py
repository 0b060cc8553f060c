"""A column seen from two sides: values of people, and values of the released table, and how far they are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.anonymize.hierarchy import SUPPRESSED

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sides:
    """One column. people, released: the number of the value of each row, on each side counted for itself.

    fits: values of people × released values, whether the one may have become the other; None for numbers.
    numbers: the numbers behind both, NaN where missing; span: range of them all, 0 where there is none.
    """

    name: str
    people: Ints
    released: Ints
    fits: Flags | None = None
    numbers: tuple[Floats, Floats] | None = None
    span: float = 0.0

    def far(self, value: int) -> Floats:
        """Gower's distance of a value of people to every released value, 0 to 1.

        Numbers: |a − b| / range; others: 0 where it fits, 1 else. A missing value is 0 from a missing one, 1 from others.
        Source: Gower 1971, A general coefficient of similarity and some of its properties.
        """
        if self.numbers is None:
            assert self.fits is not None
            return np.where(self.fits[value], 0.0, 1.0)
        mine, theirs = self.numbers[0][value], self.numbers[1]
        missing = np.isnan(theirs)
        if np.isnan(mine):
            return np.where(missing, 0.0, 1.0)
        apart = np.abs(theirs - mine) / self.span if self.span else (theirs != mine).astype(np.float64)
        return np.where(missing, 1.0, np.minimum(apart, 1.0))


def sides(
    people: pl.DataFrame,
    released: pl.DataFrame,
    names: Sequence[str],
    related: Mapping[str, pl.DataFrame] | None = None,
) -> list[Sides]:
    """The columns of two frames.

    related: for columns of which a released value stands for several the relation of texts (`value` of people, `label`),
    where `*` covers missing values too; others fit where they are equal, missing values as well.
    """
    return [_sides(name, people[name], released[name], (related or {}).get(name)) for name in names]


def _sides(name: str, people: pl.Series, released: pl.Series, related: pl.DataFrame | None) -> Sides:
    if related is None and people.dtype.is_numeric() and released.dtype.is_numeric():
        (mine, of), (theirs, of_released) = coded(people.cast(pl.Float64)), coded(released.cast(pl.Float64))
        numbers = tuple(side.fill_null(float("nan")).to_numpy() for side in (mine, theirs))
        all_of_them = np.concatenate(numbers)
        known = all_of_them[~np.isnan(all_of_them)]
        span = float(known.max() - known.min()) if len(known) else 0.0
        return Sides(name, of, of_released, numbers=(numbers[0], numbers[1]), span=span)
    (mine, of), (theirs, of_released) = coded(people.cast(pl.String)), coded(released.cast(pl.String))
    fits = np.zeros((len(mine), len(theirs)), np.bool_)
    pairs = related
    if pairs is None:
        both = mine.drop_nulls().filter(mine.drop_nulls().is_in(theirs.implode()))
        pairs = pl.DataFrame({"value": both, "label": both})
    at = (
        pairs.join(pl.DataFrame({"value": mine, "i": np.arange(len(mine))}), on="value")
        .join(pl.DataFrame({"label": theirs, "j": np.arange(len(theirs))}), on="label")
    )  # fmt: skip
    fits[at["i"].to_numpy(), at["j"].to_numpy()] = True
    if related is not None:
        fits[:, theirs.eq_missing(pl.Series([SUPPRESSED])).to_numpy()] = True
    if mine.null_count() and theirs.null_count():
        fits[int(mine.is_null().arg_true()[0]), int(theirs.is_null().arg_true()[0])] = True
    return Sides(name, of, of_released, fits=fits)


def coded(values: pl.Series) -> tuple[pl.Series, Ints]:
    """Distinct values, sorted, missing first, and the place of each row's value among them."""
    values = values.fill_nan(None) if values.dtype.is_float() else values
    distinct = values.unique().sort(nulls_last=False)
    place = pl.DataFrame({"v": values}).join(
        pl.DataFrame({"v": distinct, "i": np.arange(len(distinct), dtype=np.int64)}),
        on="v", how="left", nulls_equal=True, maintain_order="left",
    )["i"]  # fmt: skip
    return distinct, place.to_numpy().astype(np.int64)


class Near:
    """The released rows that are nearest to a person in some columns; rows of equal values are looked at once."""

    def __init__(self, columns: Sequence[Sides]) -> None:
        self.columns = columns
        codes = pl.DataFrame({f"c{i}": column.released for i, column in enumerate(columns)})
        distinct = codes.unique(maintain_order=True).with_row_index("of")
        self.of = (
            codes.join(distinct, on=codes.columns, maintain_order="left")["of"].to_numpy().astype(np.int64)
        )
        self.codes = [distinct[name].to_numpy() for name in codes.columns]
        self.order = np.argsort(self.of, kind="stable")
        self.first = np.searchsorted(self.of[self.order], np.arange(distinct.height + 1))

    def distances(self, row: int) -> Floats:
        """Gower's distance of the person in this row to each distinct combination of released values."""
        far = [column.far(int(column.people[row])) for column in self.columns]
        total = np.zeros(len(self.first) - 1)
        for each, codes in zip(far, self.codes, strict=True):
            total += each[codes]
        return total / len(far)

    def nearest(self, row: int) -> Ints:
        """The combinations that are nearest, all of them where several are."""
        distances = self.distances(row)
        return np.flatnonzero(distances <= distances.min() + 1e-12)

    def neighbours(self, row: int, k: int, rng: np.random.Generator) -> Ints:
        """The k nearest released rows; those that are equally far in random order."""
        distances = self.distances(row)
        bound = np.partition(distances, min(k, len(distances)) - 1)[min(k, len(distances)) - 1]
        near = np.flatnonzero(distances <= bound + 1e-12)
        sizes = self.first[near + 1] - self.first[near]
        found: list[Ints] = []
        left = k
        for distance in np.unique(distances[near]):
            here = near[distances[near] == distance]
            found.append(self._drawn(here, sizes[distances[near] == distance], left, rng))
            left -= len(found[-1])
            if left <= 0:
                break
        return np.concatenate(found)

    def _drawn(self, combinations: Ints, sizes: Ints, most: int, rng: np.random.Generator) -> Ints:
        """At most so many rows of these combinations, drawn without putting back."""
        total = int(sizes.sum())
        drawn = rng.choice(total, min(most, total), replace=False)
        ends = np.cumsum(sizes)
        at = np.searchsorted(ends, drawn, side="right")
        return np.asarray(self.order[self.first[combinations[at]] + drawn - (ends[at] - sizes[at])])

"""Equivalence classes that can be merged without the rows: records, people and sensitive values, exactly.

Records add up when classes merge; distinct people and distinct values do not. So people are kept in two
parts: those who occur in one class only, as a number that adds up, and those who occur in several, as
(class, person) pairs that are merged as sets. Most people are in the first part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
"""Codes, classes and people are kept in 32 bits: a table of a few million classes is visited often."""

FEW = 4096
"""Up to so many pairs NumPy has sorted them before Polars has begun."""

DENSE = 64_000_000
"""Up to this many possible keys a lookup table fits in memory (5 bytes each) …"""

DENSE_PER_ROW = 16
"""… and up to this many a row it is quicker than sorting."""


@dataclass(frozen=True)
class Grouped:
    """Classes of a table at one node of the lattice; m classes, d quasi-identifiers.

    codes: d × m, the code of each quasi-identifier at its level.
    records: m, records in the class.
    alone: m, people who occur in this class and in no other.
    pairs: two arrays (class, person), distinct, of the people who occur in several classes.
    values: for each sensitive attribute three arrays (class, value code, records), the pairs of the first two distinct.
    """

    codes: Codes
    records: Ints
    alone: Ints
    pairs: tuple[Codes, Codes]
    values: tuple[tuple[Codes, Codes, Ints], ...] = ()

    @property
    def height(self) -> int:
        """Number of classes."""
        return len(self.records)

    def people(self) -> Ints:
        """Distinct people in each class."""
        return self.alone + np.bincount(self.pairs[0], minlength=self.height)

    def people_over(self, columns: Sequence[int], among: npt.NDArray[np.bool_]) -> Ints:
        """For each class the distinct people of all classes that look like it in `columns`; `among`: those that count."""
        first, coarser = classes_of(self.codes[list(columns)])
        alone = np.bincount(coarser, weights=self.alone * among, minlength=len(first)).astype(np.int64)
        in_it = among[self.pairs[0]]
        of_class, _ = _distinct_pairs(coarser[self.pairs[0][in_it]], self.pairs[1][in_it])
        return (alone + np.bincount(of_class, minlength=len(first)))[coarser]

    def roll_up(self, maps: Sequence[Codes | None]) -> "Grouped":
        """The classes after each quasi-identifier's codes went through its map (None: unchanged)."""
        return self.rolled(maps)[0]

    def rolled(self, maps: Sequence[Codes | None]) -> tuple["Grouped", Ints]:
        """As `roll_up`, and for each class of before the one that it is in."""
        codes = (
            np.stack([row if to is None else to[row] for row, to in zip(self.codes, maps, strict=True)])
            if len(maps)
            else self.codes
        )
        first, merged = classes_of(codes)
        size = len(first)
        alone = np.bincount(merged, weights=self.alone, minlength=size).astype(np.int64)
        pairs, more = _merge_people(merged[self.pairs[0]], self.pairs[1], size)
        classes = Grouped(
            codes[:, first],
            np.bincount(merged, weights=self.records, minlength=size).astype(np.int64),
            alone + more,
            pairs,
            tuple(_cells(merged[of_class], value, records) for of_class, value, records in self.values),
        )
        return classes, merged

    def joined(self, classes: Ints, to: Ints, size: int, codes: Codes | None = None) -> "Grouped":
        """Some classes merged by number: `classes[i]` goes to class `to[i]` (0 to size − 1), the others are left out.

        codes: those of the merged classes; None: none, when nobody asks for them.
        """
        at, place = _spans(self._first_pair, classes)
        pairs, more = _merge_people(to[place], self.pairs[1][at], size)
        alone = np.bincount(to, weights=self.alone[classes], minlength=size).astype(np.int64)
        values = []
        for first, (_, value, records) in zip(self._first_values, self.values, strict=True):
            at, place = _spans(first, classes)
            values.append(_cells(to[place], value[at], records[at]))
        return Grouped(
            np.zeros((0, size), np.int32) if codes is None else codes,
            np.bincount(to, weights=self.records[classes], minlength=size).astype(np.int64),
            alone + more,
            pairs,
            tuple(values),
        )

    @cached_property
    def _first_pair(self) -> Ints:
        """For each class where its pairs begin, and at last where they end."""
        return np.searchsorted(self.pairs[0], np.arange(self.height + 1))

    @cached_property
    def _first_values(self) -> tuple[Ints, ...]:
        """The same for the values of each sensitive attribute."""
        return tuple(np.searchsorted(value[0], np.arange(self.height + 1)) for value in self.values)

    @classmethod
    def of(cls, codes: Codes, records: Ints, people: Ints, values: Sequence[Ints]) -> "Grouped":
        """Classes of a frequency table with one row a combination of codes, person and sensitive values.

        codes: d × rows; records: how many records each row stands for; people: person numbers; values: one
        array of value codes a sensitive attribute.
        """
        first, of_class = classes_of(codes)
        size = len(first)
        pairs, alone = _merge_people(of_class, people, size)
        return cls(
            codes[:, first],
            np.bincount(of_class, weights=records, minlength=size).astype(np.int64),
            alone,
            pairs,
            tuple(_cells(of_class, value, records) for value in values),
        )


def _spans(first: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """The places from first[c] to first[c + 1] of each chosen c, one after the other, and at each the place of c in `chosen`."""
    start, sizes = first[chosen], first[chosen + 1] - first[chosen]
    place = np.repeat(np.arange(len(chosen)), sizes)
    return np.arange(len(place)) + (start - np.cumsum(sizes) + sizes)[place], place


def _merge_people(of_class: Ints, person: Codes | Ints, size: int) -> tuple[tuple[Codes, Codes], Ints]:
    """Distinct (class, person) pairs of people in several classes, and the number of all others by class."""
    classes, people = _distinct_pairs(of_class, person)
    if not len(people):
        return (classes, people), np.zeros(size, np.int64)
    several = np.bincount(people)[people] > 1
    alone = np.bincount(classes[~several], minlength=size)
    return (classes[several], people[several]), alone


def _distinct_pairs(left: Ints, right: Codes | Ints) -> tuple[Codes, Codes]:
    """The distinct pairs, sorted."""
    if not len(left):
        return left.astype(np.int32), right.astype(np.int32)
    width = int(right.max()) + 1
    pairs = left * np.int64(width) + right
    keys = np.unique(pairs) if len(pairs) <= FEW else pl.Series(pairs).unique().sort().to_numpy()
    return (keys // width).astype(np.int32), (keys % width).astype(np.int32)


def _cells(of_class: Ints, value: Codes | Ints, records: Ints) -> tuple[Codes, Codes, Ints]:
    """The distinct (class, value) pairs, sorted, with the records of each."""
    if not len(of_class):
        return of_class.astype(np.int32), value.astype(np.int32), records
    width = int(value.max()) + 1
    if len(of_class) <= FEW:
        key, place = np.unique(of_class * np.int64(width) + value, return_inverse=True)
        number = np.bincount(place, weights=records, minlength=len(key)).astype(np.int64)
        return (key // width).astype(np.int32), (key % width).astype(np.int32), number
    keys = pl.DataFrame({"key": of_class * np.int64(width) + value, "records": records})
    summed = keys.group_by("key").agg(pl.col("records").sum()).sort("key")
    key = summed["key"].to_numpy()
    return (key // width).astype(np.int32), (key % width).astype(np.int32), summed["records"].to_numpy()


def classes_of(codes: Codes) -> tuple[Ints, Ints]:
    """For each class the first row that is in it, and for each row its class; classes are in key order."""
    rows = codes.shape[1]
    if not len(codes):
        return np.zeros(min(rows, 1), np.int64), np.zeros(rows, np.int64)
    key, span = _keys(codes)
    if span <= min(DENSE, DENSE_PER_ROW * rows):
        seen = np.zeros(span, np.bool_)
        seen[key] = True
        of_class = np.cumsum(seen, dtype=np.int32)[key].astype(np.int64) - 1
    else:
        of_class = pl.Series(key).rank("dense").to_numpy().astype(np.int64) - 1
    size = int(of_class.max()) + 1 if rows else 0
    first = np.empty(size, np.int64)
    first[of_class[::-1]] = np.arange(rows - 1, -1, -1)
    return first, of_class


def _keys(codes: Codes) -> tuple[Ints, int]:
    """One number a row that is equal exactly where all codes are, and the count of possible numbers."""
    key = np.zeros(codes.shape[1], np.int64)
    span = 1
    for row in codes:
        width = int(row.max()) + 1 if len(row) else 1
        if span > (2**62) // width:
            # too many combinations for 63 bits: number those that occur before going on
            key = pl.Series(key).rank("dense").to_numpy().astype(np.int64) - 1
            span = int(key.max()) + 1
        key = key * width + row
        span *= width
    return key, span

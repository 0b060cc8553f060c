"""Rows to labels by codes: which combination of the frequency table a row is, without comparing its texts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from anon_platform.errors import SourceError

Ints = npt.NDArray[np.int64]

SPAN = 2**62
"""Keys stay below it."""


@dataclass
class Combinations:
    """The combinations of values that occur, by number.

    values: one row a combination, distinct, as stored. A combination's number is its row.
    """

    values: pl.DataFrame
    _codes: list[pl.DataFrame] = field(init=False)
    _prefixes: list[Ints | None] = field(init=False)
    _numbers: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self._codes = [_numbered(self.values[name]) for name in self.values.columns]
        self._prefixes = [None] * len(self._codes)
        columns = [
            _coded(self.values[name], codes)
            for name, codes in zip(self.values.columns, self._codes, strict=True)
        ]
        key, span = np.zeros(self.values.height, np.int64), 1
        for place, (column, codes) in enumerate(zip(columns, self._codes, strict=True)):
            if span > SPAN // max(codes.height, 1):
                # too many for a key: number those that occur before going on
                self._prefixes[place], key = np.unique(key, return_inverse=True)
                span = len(self.values)
            key = key * codes.height + column
            span *= max(codes.height, 1)
        self._numbers = pl.DataFrame({"key": key, "number": np.arange(len(key), dtype=np.int64)})

    def of(self, batch: pa.Table) -> Ints:
        """The number of each row's combination; a row that has none raises `SourceError`."""
        key = np.zeros(batch.num_rows, np.int64)
        lost = np.zeros(batch.num_rows, np.bool_)
        for name, codes, prefixes in zip(self.values.columns, self._codes, self._prefixes, strict=True):
            if prefixes is not None:
                place = np.minimum(np.searchsorted(prefixes, key), len(prefixes) - 1)
                lost |= prefixes[place] != key
                key = place
            column = _codes_in(batch[name], codes)
            lost |= column < 0
            key = key * codes.height + column
        number = (
            pl.DataFrame({"key": key})
            .join(self._numbers, on="key", how="left", maintain_order="left")["number"]
            .fill_null(-1)
            .to_numpy()
        )
        if lost.any() or (number < 0).any():
            raise SourceError("the data changed while it was read; run again when nobody writes to it")
        return number


def _numbered(values: pl.Series) -> pl.DataFrame:
    distinct = values.unique().alias("value")
    return pl.DataFrame({"value": distinct, "code": np.arange(len(distinct), dtype=np.int64)})


def _coded(values: pl.Series, codes: pl.DataFrame) -> Ints:
    """The code of each value, −1 for one that has none."""
    frame = pl.DataFrame({"value": values.cast(codes["value"].dtype)})
    found = frame.join(codes, on="value", how="left", nulls_equal=True, maintain_order="left")
    return found["code"].fill_null(-1).to_numpy()


def _codes_in(column: pa.ChunkedArray, codes: pl.DataFrame) -> Ints:
    """Each value's code; texts are looked up once a dictionary, not once a row."""
    whole = column.combine_chunks()
    if not pa.types.is_dictionary(whole.type):
        return _coded(_series(whole), codes)
    words = _coded(_series(whole.dictionary), codes)
    nothing = _coded(pl.Series([None], dtype=codes["value"].dtype), codes)
    places = whole.indices.cast(pa.int64()).fill_null(len(words)).to_numpy(zero_copy_only=False)
    return np.asarray(np.concatenate([words, nothing])[places])


def _series(values: pa.Array) -> pl.Series:
    found = pl.from_arrow(values)
    assert isinstance(found, pl.Series)
    return found


@dataclass(frozen=True)
class Labels:
    """What each combination leaves as.

    frame: one row a combination: a text column of labels a quasi-identifier, and `kept`, false where it is suppressed.
    """

    frame: pl.DataFrame
    _arrays: "dict[str, pa.DictionaryArray]" = field(default_factory=dict)

    def of(self, numbers: Ints, names: Sequence[str]) -> dict[str, pa.DictionaryArray]:
        """The labels of rows with these numbers of combinations, as codes of a dictionary."""
        taken = pa.array(numbers)
        return {name: self._array(name).take(taken) for name in names}

    def _array(self, name: str) -> pa.DictionaryArray:
        if name not in self._arrays:
            labels = self.frame[name]
            # an empty text stands for no value: it leaves as it came
            labels = labels.set(labels == "", None)
            self._arrays[name] = pa.array(labels.to_arrow().cast(pa.string())).dictionary_encode()
        return self._arrays[name]

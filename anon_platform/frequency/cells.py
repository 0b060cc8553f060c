"""How often each sensitive value occurs in each class: what every model of attribute disclosure is measured on.

All functions are vectorised over the entries; none loops over classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Ints = npt.NDArray[np.integer[Any]]
    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """Records by class and sensitive value: one entry a (class, value) pair that occurs, any order, pairs distinct.

    of_class: int, entries; the class, 0 to classes − 1. A class without an entry is empty.
    value: int, entries; the code of the value, 0 to v − 1. A null has a code like any other value.
    records: int64 > 0, entries.
    classes: number m of classes.
    overall: float64, v; the share of each value in the whole table, the reference distribution. It stays as it is
        when classes merge.
    """

    of_class: "Ints"
    value: "Ints"
    records: "Ints"
    classes: int
    overall: "Floats"

    def sizes(self) -> "Floats":
        """Records in each class."""
        return summed(self.of_class, self.records, self.classes)

    def shares(self) -> "Floats":
        """Of each entry the share of its value in its class."""
        import numpy as np

        return np.asarray(self.records / self.sizes()[self.of_class])


def cells_of(
    counts: "pl.DataFrame", quasi_identifiers: Sequence[str], sensitive: str
) -> "tuple[Cells, pl.Series]":
    """The cells of a frequency table (one row a combination, `n` records), and the value of each code, sorted.

    With no quasi-identifier all records are one class; an empty table has no class. The reference
    distribution is that of the table itself.

    >>> import polars as pl
    >>> cells, values = cells_of(pl.DataFrame({"age": [1, 1, 2], "dx": ["b", "a", "b"], "n": [1, 2, 1]}), ["age"], "dx")
    >>> values.to_list(), cells.overall.tolist(), cells.classes
    (['a', 'b'], [0.5, 0.5], 2)
    """
    import numpy as np
    import polars as pl

    values = counts[sensitive].unique().sort()
    index = pl.DataFrame({"value": values, "code": np.arange(len(values), dtype=np.int64)})
    code = pl.DataFrame({"value": counts[sensitive]}).join(
        index, on="value", how="left", nulls_equal=True, maintain_order="left"
    )["code"]
    if quasi_identifiers:
        names = [f"q{i}" for i in range(len(quasi_identifiers))]
        keys = counts.select(quasi_identifiers).rename(dict(zip(quasi_identifiers, names, strict=True)))
        distinct = keys.unique().with_row_index("class")
        of_class = keys.join(distinct, on=names, how="left", nulls_equal=True, maintain_order="left")["class"]
        classes = distinct.height
    else:
        of_class = pl.Series("class", np.zeros(counts.height, np.int64))
        classes = min(counts.height, 1)
    records = counts["n"].to_numpy().astype(np.int64)
    code_of, total = code.to_numpy().astype(np.int64), max(int(records.sum()), 1)
    overall = summed(code_of, records, len(values)) / total
    merged = merge(of_class.to_numpy().astype(np.int64), code_of, records)
    return Cells(*merged, classes, overall), values


def merge(of_class: "Ints", value: "Ints", records: "Ints") -> "tuple[Ints, Ints, Ints]":
    """Entries with distinct (class, value) pairs, sorted by class and value, records added up.

    >>> import numpy as np
    >>> [a.tolist() for a in merge(np.array([1, 0, 1]), np.array([2, 1, 2]), np.array([3, 4, 5]))]
    [[0, 1], [1, 2], [4, 8]]
    """
    import numpy as np

    if not len(of_class):
        return of_class, value, records
    width = int(value.max()) + 1
    key = of_class.astype(np.int64) * width + value
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    return key[first] // width, key[first] % width, np.add.reduceat(records[order], first)


def summed(of_class: "Ints", numbers: "Ints | Floats", classes: int) -> "Floats":
    """The sum of the numbers of each class, 0 for an empty class."""
    import numpy as np

    return np.bincount(of_class, weights=numbers, minlength=classes).astype(np.float64, copy=False)


def greatest(of_class: "Ints", numbers: "Ints | Floats", classes: int, *, empty: float) -> "Floats":
    """The greatest number of each class, `empty` for an empty class.

    >>> import numpy as np
    >>> greatest(np.array([2, 0, 2]), np.array([1.0, 5.0, 3.0]), 3, empty=0.0).tolist()
    [5.0, 0.0, 3.0]
    """
    import numpy as np

    found = np.full(classes, empty, np.float64)
    if len(of_class):
        order = np.argsort(of_class, kind="stable")
        grouped = of_class[order]
        first = np.flatnonzero(np.concatenate([[True], grouped[1:] != grouped[:-1]]))
        found[grouped[first]] = np.maximum.reduceat(np.asarray(numbers, np.float64)[order], first)
    return found

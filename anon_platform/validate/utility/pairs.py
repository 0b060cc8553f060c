"""Pairs of columns: how strongly they go together, before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anon_platform.validate.utility.coded import Coded, Codes, tally
from anon_platform.validate.utility.distances import Floats
from anon_platform.validate.utility.marginals import drawn_combinations

MOST = 1_500
"""Pairs that are compared; of more so many are drawn."""

ROWS = 250_000
"""Rows that are looked at, of people drawn at random, the same before and after."""


@dataclass(frozen=True)
class Pair:
    """kind: pearson, correlation_ratio or cramers_v. None: a side where one of both columns does not vary."""

    columns: tuple[str, str]
    kind: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float:
        """How far it changed; what does not vary goes together with nothing."""
        return abs((self.before or 0.0) - (self.after or 0.0))


@dataclass(frozen=True)
class Pairs:
    """mean, largest: differences over all `compared` pairs, of `rows` rows of the source. worst: the pairs that changed most."""

    mean: float
    largest: float
    compared: int
    all: int
    rows: int
    worst: tuple[Pair, ...]


def measure_pairs(
    columns: Mapping[str, Coded], positions: tuple[Codes, Codes], rng: np.random.Generator, show: int = 10
) -> Pairs | None:
    """Associations of all pairs of columns at original detail; None with fewer than two. positions: of rows before and after."""
    names = list(columns)
    chosen = drawn_combinations(names, 2, MOST, rng)
    if len(names) < 2 or not len(positions[0]):  # noqa: PLR2004 - a pair
        return None
    sides = {name: _Side.of(column, *positions) for name, column in columns.items()}
    found = [_pair(sides[a], sides[b], (a, b)) for a, b in chosen]
    differences = [pair.difference for pair in found]
    worst = sorted(found, key=lambda pair: (-pair.difference, pair.columns))[:show]
    return Pairs(
        float(np.mean(differences)),
        max(differences),
        len(found),
        len(names) * (len(names) - 1) // 2,
        len(positions[0]),
        tuple(worst),
    )


@dataclass(frozen=True)
class _Side:
    """A column on the rows that are looked at. number, mean, square: as of `Coded`, row by row, missing as NaN."""

    column: Coded
    before: Codes
    after: Codes
    number: Floats | None
    mean: Floats | None
    square: Floats | None

    @classmethod
    def of(cls, column: Coded, before: Codes, after: Codes) -> "_Side":
        codes = column.after[after]
        if column.number is None or column.mean is None or column.square is None or column.at is None:
            return cls(column, column.before[before], codes, None, None, None)
        at = column.at[after]
        return cls(
            column, column.before[before], codes, column.number[before], column.mean[at], column.square[at]
        )


def _pair(a: _Side, b: _Side, names: tuple[str, str]) -> Pair:
    if a.number is not None and b.number is not None:
        assert a.mean is not None and a.square is not None  # noqa: PT018 - one fact
        assert b.mean is not None and b.square is not None  # noqa: PT018 - one fact
        before = pearson(a.number, b.number, a.number**2, b.number**2)
        return Pair(names, "pearson", before, pearson(a.mean, b.mean, a.square, b.square))
    if a.number is None and b.number is None:
        table = tally([a.before, b.before], [a.column.cells, b.column.cells])
        labels = tally([a.after, b.after], [len(a.column.spread), len(b.column.spread)])
        spread = a.column.spread.T @ labels @ b.column.spread
        return Pair(names, "cramers_v", cramers_v(table), cramers_v(spread))
    number, other = (a, b) if a.number is not None else (b, a)
    assert number.number is not None and number.mean is not None and number.square is not None  # noqa: PT018
    whole = np.eye(other.column.cells)
    before_ratio = correlation_ratio(number.number, number.number**2, other.before, whole)
    after_ratio = correlation_ratio(number.mean, number.square, other.after, other.column.spread)
    return Pair(names, "correlation_ratio", before_ratio, after_ratio)


def pearson(x: Floats, y: Floats, x_squared: Floats, y_squared: Floats) -> float | None:
    """Pearson's correlation of the rows where both are known, -1 to 1; None where one of both does not vary.

    x_squared, y_squared: the mean square of what each row stands for: of a label more than its mean squared.
    Source: Pearson 1895.

    >>> x = np.array([1.0, 2.0, 3.0]); pearson(x, 2 * x, x**2, 4 * x**2)
    1.0
    """
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return None
    x, y = x[known], y[known]
    # around the means, or large numbers would lose all digits
    mean_x, mean_y = x.mean(), y.mean()
    spread_x = ((x - mean_x) ** 2).mean() + (x_squared[known] - x**2).mean()
    spread_y = ((y - mean_y) ** 2).mean() + (y_squared[known] - y**2).mean()
    if not _varies(spread_x, mean_x) or not _varies(spread_y, mean_y):
        return None
    return float(np.clip(((x - mean_x) * (y - mean_y)).mean() / np.sqrt(spread_x * spread_y), -1, 1))


def _varies(variance: float, mean: float) -> bool:
    return variance > 1e-18 * max(mean**2, 1e-12)


def cramers_v(table: Floats) -> float | None:
    """Cramér's V of a table of records, 0 to 1: √(χ² / n / (min(rows, columns) − 1)); None where one side does not vary.

    Rows and columns without records do not count. Source: Cramér 1946, section 21.9.

    >>> cramers_v(np.array([[5.0, 0.0], [0.0, 5.0]])), cramers_v(np.array([[1.0, 1.0], [1.0, 1.0]]))
    (1.0, 0.0)
    """
    rows, columns, total = table.sum(axis=1), table.sum(axis=0), table.sum()
    table = table[rows > 0][:, columns > 0]
    least = min(table.shape) - 1
    if least < 1:
        return None
    expected = np.outer(rows[rows > 0], columns[columns > 0]) / total
    chi = float(((table - expected) ** 2 / expected).sum())
    return float(np.sqrt(min(chi / total / least, 1.0)))


def correlation_ratio(number: Floats, square: Floats, codes: Codes, spread: Floats) -> float | None:
    """Correlation ratio η of a number by categories, 0 to 1; None where one of both does not vary.

    codes: of the rows; spread: their shares of the categories. square: as of `pearson`. η² = variance between categories
    over variance of all. Source: Pearson 1905; Fisher 1925, section 45.

    >>> number = np.array([1.0, 1.0, 3.0])
    >>> correlation_ratio(number, number**2, np.array([0, 0, 1]), np.eye(2))
    1.0
    """
    known = np.isfinite(number)
    if not known.any():
        return None
    number, codes = number[known], codes[known]
    mean = number.mean()
    spread_of_all = float(((number - mean) ** 2).mean() + (square[known] - number**2).mean())
    by_code = np.bincount(codes, minlength=len(spread)) @ spread
    sums = np.bincount(codes, weights=number - mean, minlength=len(spread)) @ spread
    there = by_code > 0
    if there.sum() < 2 or not _varies(spread_of_all, mean):  # noqa: PLR2004 - categories to differ
        return None
    between = float((sums[there] ** 2 / by_code[there]).sum()) / len(number)
    return float(np.sqrt(min(between / spread_of_all, 1.0)))


def worst_in_words(pairs: Sequence[Pair]) -> str:
    """The pair that changed most, by its columns."""
    return " and ".join(pairs[0].columns) if pairs else ""

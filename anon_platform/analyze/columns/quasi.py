"""Which combinations of columns tell people apart: distinction, separation, and the share of people who are alone.

Source: Motwani, Xu 2007, Efficient algorithms for masking and finding quasi-identifiers, section 2 (distinct ratio,
separation ratio) and section 4.2 (greedy minimum key).
"""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

Codes = np.ndarray
"""One whole number a row, equal where values are equal, from 0 to the number of distinct values less one."""

MOST_COLUMNS = 40
"""Columns whose combinations are looked at."""

WIDEST = 3
"""Columns in a combination."""

BEAM = 12
"""Combinations that are made wider."""

SHOWN = 8
"""Combinations that are reported."""

TABLE = 4_000_000
"""Cells of a table of two columns that is counted without sorting."""


@dataclass(frozen=True)
class Combination:
    """Columns in the order given, and how far they tell apart.

    distinction: distinct combinations over rows. separation: share of all pairs of rows that differ in them. unique:
    share of people who are the only one with some combination of theirs.
    """

    columns: tuple[str, ...]
    distinction: float
    separation: float
    unique: float


def coded(values: pl.Series) -> Codes:
    """The values as codes; a null is a value of its own.

    >>> coded(pl.Series(["b", None, "a", "b"])).tolist()
    [2, 0, 1, 2]
    """
    dense = values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return dense - (0 if values.null_count() else 1)


def joined(left: Codes, right: Codes) -> Codes:
    """Codes of the pairs of two columns."""
    if not len(left):
        return left
    wide = int(right.max()) + 1
    pairs = left * wide + right
    cells = (int(left.max()) + 1) * wide
    if cells <= TABLE:
        there = np.bincount(pairs, minlength=cells) > 0
        codes: Codes = (np.cumsum(there) - 1)[pairs]
        return codes
    return np.unique(pairs, return_inverse=True)[1]


def distinction(codes: Codes) -> float:
    """Distinct combinations over rows, 0 to 1; 0 without rows."""
    return (int(codes.max()) + 1) / len(codes) if len(codes) else 0.0


def separation(codes: Codes) -> float:
    """Share of the pairs of rows that differ; 0 with fewer than two rows.

    >>> separation(np.array([0, 0, 1, 1, 1]))
    0.6
    """
    rows = len(codes)
    if rows < 2:
        return 0.0
    sizes = np.bincount(codes)
    return 1 - float((sizes * (sizes - 1)).sum()) / (rows * (rows - 1))


def unique_people(codes: Codes, people: Codes) -> float:
    """Share of people who are the only one at some combination; people: codes as well, one a row."""
    if not len(codes):
        return 0.0
    pairs = np.unique(codes * (int(people.max()) + 1) + people)
    of_pairs, who = np.divmod(pairs, int(people.max()) + 1)
    alone = np.bincount(of_pairs)[of_pairs] == 1
    return len(np.unique(who[alone])) / (int(people.max()) + 1)


def combinations_of(columns: Mapping[str, Codes], people: Codes) -> list[Combination]:
    """The combinations of one to three columns that leave most people alone, the worst first.

    All single columns and pairs are looked at, and the best pairs with every third column (beam search). A combination
    is left out when a part of it leaves as many people alone.
    """
    names = list(columns)[:MOST_COLUMNS]
    level: dict[tuple[str, ...], Codes] = {(name,): columns[name] for name in names}
    seen: dict[tuple[str, ...], Combination] = {}
    for width in range(1, WIDEST + 1):
        kept = sorted(level, key=lambda key: -separation(level[key]))[
            : max(BEAM, len(names) if width == 1 else 0)
        ]
        for key in kept:
            codes = level[key]
            seen[key] = Combination(key, distinction(codes), separation(codes), unique_people(codes, people))
        if width == WIDEST:
            break
        wider = {
            tuple(n for n in names if n in {*key, name}) for key in kept for name in names if name not in key
        }
        made = {key: _joined_from(key, level, columns) for key in wider}
        level = {key: codes for key, codes in made.items() if codes is not None}
    ranked = sorted(seen.values(), key=lambda one: (-one.unique, len(one.columns), one.columns))
    return [one for one in ranked if one.unique and not _no_worse_part(one, seen)][:SHOWN]


def greedy_key(columns: Mapping[str, Codes], enough: float) -> list[str]:
    """Few columns that together separate a share `enough` of the pairs: each step adds the one that separates most.

    Fewer, when no further column separates more. Source: Motwani, Xu 2007, section 4.2; within ln(n) of the fewest.
    """
    chosen: list[str] = []
    codes: Codes | None = None
    reached = 0.0
    while reached < enough:
        rest = [name for name in list(columns)[:MOST_COLUMNS] if name not in chosen]
        made = {name: columns[name] if codes is None else joined(codes, columns[name]) for name in rest}
        scores = {name: separation(found) for name, found in made.items()}
        best = max(rest, key=lambda name: scores[name], default=None)
        if best is None or scores[best] <= reached:
            break
        chosen.append(best)
        codes, reached = made[best], scores[best]
    return chosen


def _joined_from(
    key: tuple[str, ...], level: Mapping[tuple[str, ...], Codes], columns: Mapping[str, Codes]
) -> Codes | None:
    for part in combinations(key, len(key) - 1):
        if part in level:
            (other,) = set(key) - set(part)
            return joined(level[part], columns[other])
    return None


def _no_worse_part(one: Combination, seen: Mapping[tuple[str, ...], Combination]) -> bool:
    """Whether fewer of the columns leave almost as many people alone."""
    parts: Sequence[tuple[str, ...]] = [
        part for width in range(1, len(one.columns)) for part in combinations(one.columns, width)
    ]
    return any(part in seen and seen[part].unique >= one.unique - 0.01 for part in parts)

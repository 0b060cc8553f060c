"""Singling out: predicates drawn from the release that are true of exactly one person of the source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from anon_platform.validate.attacks.intervals import Share, wilson
from anon_platform.validate.attacks.sides import Flags, Ints, Sides

Sign = Literal["=", "≤", "≥"]


@dataclass(frozen=True)
class Predicate:
    """Conditions on columns (by number), each a sign and the number of a released value: all have to hold."""

    conditions: tuple[tuple[int, Sign, int], ...]


def drawn_predicates(
    columns: Sequence[Sides], attempts: int, together: int, rng: np.random.Generator
) -> list[Predicate]:
    """Predicates of an attacker: up to a third over one column, the others over `together` of them.

    One column: of a number the least and the greatest, of others the rarest released values first, each once. Several
    columns: a released row and columns drawn at random, the same may be drawn again; numbers at or above the row's if that
    is at the median or above, else at or below, other values equal.
    Source: Giomi et al. 2023 (see `intervals.residual`), the univariate and the multivariate singling out attack.
    """
    found = _of_one(columns, attempts // 3)
    medians = [_median(column) for column in columns]
    rows = len(columns[0].released)
    for _ in range(attempts - len(found) if rows else 0):
        row = int(rng.integers(rows))
        chosen = sorted(rng.choice(len(columns), min(together, len(columns)), replace=False).tolist())
        found.append(Predicate(tuple(_condition(columns, i, row, medians[i]) for i in chosen)))
    return found


def blind_predicates(
    columns: Sequence[Sides], attempts: int, together: int, rng: np.random.Generator
) -> list[Predicate]:
    """Predicates of somebody who knows which values there are, but not which go together.

    Source: Giomi et al. 2023, the naive attack.
    """
    found = []
    for _ in range(attempts):
        chosen = sorted(rng.choice(len(columns), min(together, len(columns)), replace=False).tolist())
        conditions = []
        for i in chosen:
            sign: Sign = "=" if columns[i].numbers is None else ("≤", "≥")[int(rng.integers(2))]
            conditions.append((i, sign, int(rng.integers(_values(columns[i])))))
        found.append(Predicate(tuple(conditions)))
    return found


def singled_out(
    predicates: Sequence[Predicate],
    columns: Sequence[Sides],
    person: npt.NDArray[np.int64],
    confidence: float,
) -> Share:
    """The share of the predicates that exactly one person satisfies. person: whose row each of `people` is.

    A person with several rows that satisfy it is one.
    """
    alone: dict[Predicate, bool] = {}
    for predicate in predicates:
        if predicate not in alone:
            whose = person[_satisfying(predicate, columns)]
            alone[predicate] = bool(len(whose)) and bool((whose == whose[0]).all())
    return wilson(sum(alone[predicate] for predicate in predicates), len(predicates), confidence)


def _of_one(columns: Sequence[Sides], most: int) -> list[Predicate]:
    found: list[tuple[float, Predicate]] = []
    for i, column in enumerate(columns):
        counts = np.bincount(column.released, minlength=_values(column))
        if column.numbers is not None:
            numbers = column.numbers[1]
            if not np.isnan(numbers).all():
                found.append((0.0, Predicate(((i, "≤", int(np.nanargmin(numbers))),))))
                found.append((0.0, Predicate(((i, "≥", int(np.nanargmax(numbers))),))))
            continue
        found += [(float(n), Predicate(((i, "=", value),))) for value, n in enumerate(counts.tolist()) if n]
    found.sort(key=lambda each: (each[0], str(each[1])))
    return [predicate for _, predicate in found[:most]]


def _condition(columns: Sequence[Sides], i: int, row: int, median: float) -> tuple[int, Sign, int]:
    value = int(columns[i].released[row])
    numbers = columns[i].numbers
    if numbers is None or np.isnan(numbers[1][value]):
        return i, "=", value
    return i, "≥" if numbers[1][value] >= median else "≤", value


def _median(column: Sides) -> float:
    if column.numbers is None or not len(column.released):
        return 0.0
    values = column.numbers[1][column.released]
    return float(np.nanmedian(values)) if not np.isnan(values).all() else 0.0


def _values(column: Sides) -> int:
    return len(column.numbers[1]) if column.numbers is not None else int(column.fits.shape[1])  # type: ignore[union-attr]


def _satisfying(predicate: Predicate, columns: Sequence[Sides]) -> Ints:
    """Rows of people in which all conditions hold, the narrowest condition looked at first."""
    tables = [
        (columns[i].people, _true_of(columns[i], sign, value)) for i, sign, value in predicate.conditions
    ]
    tables.sort(key=lambda each: float(each[1].mean()) if len(each[1]) else 0.0)
    found = np.flatnonzero(tables[0][1][tables[0][0]])
    for codes, true in tables[1:]:
        found = found[true[codes[found]]]
    return found


def _true_of(column: Sides, sign: Sign, value: int) -> Flags:
    """For each value of people whether the condition holds."""
    if column.numbers is None:
        assert column.fits is not None
        return column.fits[:, value]
    mine, bound = column.numbers[0], column.numbers[1][value]
    if sign == "=":
        return np.asarray(np.isnan(mine) if np.isnan(bound) else mine == bound)
    with np.errstate(invalid="ignore"):
        return np.asarray(mine <= bound if sign == "≤" else mine >= bound)

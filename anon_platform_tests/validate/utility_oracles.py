"""Measures of usefulness once more, slow and obvious: lists of records, exact fractions, no arrays."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product
from math import log2, sqrt

Span = tuple[Fraction, Fraction, Fraction]
"""Low, high and weight of mass that is spread evenly."""


def below(spans: Sequence[Span], at: Fraction, *, whole: bool, strictly: bool = False) -> Fraction:
    """The share of the mass at or below a number, strictly below it if wanted; number by number where they are whole."""
    total = Fraction(0)
    for low, high, weight in spans:
        if whole:
            numbers = range(int(low), int(high) + 1)
            inside = [one for one in numbers if one < at or (one == at and not strictly)]
            total += weight * Fraction(len(inside), len(numbers))
        elif low == high:
            total += weight if low < at or (low == at and not strictly) else 0
        else:
            total += weight * min(max((at - low) / (high - low), Fraction(0)), Fraction(1))
    return total / sum(weight for _, _, weight in spans)


def bends(left: Sequence[Span], right: Sequence[Span], *, whole: bool) -> list[Fraction]:
    """Numbers between which nothing but straight lines are."""
    ends = sorted({end for span in (*left, *right) for end in span[:2]})
    return [Fraction(one) for one in range(int(ends[0]), int(ends[-1]) + 1)] if whole else ends


def kolmogorov_smirnov(left: Sequence[Span], right: Sequence[Span], *, whole: bool) -> Fraction:
    """The largest gap between both shares, on either side of every bend."""
    return max(
        abs(below(left, at, whole=whole, strictly=side) - below(right, at, whole=whole, strictly=side))
        for at in bends(left, right, whole=whole)
        for side in (False, True)
    )


def wasserstein(left: Sequence[Span], right: Sequence[Span], *, whole: bool) -> Fraction:
    """The area between both shares, bend by bend: trapezes, and two triangles where the lines cross."""
    at = bends(left, right, whole=whole)
    area = Fraction(0)
    for first, last in pairwise(at):
        a = below(left, first, whole=whole) - below(right, first, whole=whole)
        b = (
            a
            if whole
            else below(left, last, whole=False, strictly=True)
            - below(right, last, whole=False, strictly=True)
        )
        height = (abs(a) + abs(b)) / 2 if a * b >= 0 else (a * a + b * b) / (2 * (abs(a) + abs(b)))
        area += height * (last - first)
    return area


def moments(spans: Sequence[Span], *, whole: bool) -> tuple[Fraction, Fraction]:
    """Mean and variance, number by number or as the integral of a density."""
    total = sum(weight for _, _, weight in spans)
    mean = second = Fraction(0)
    for low, high, weight in spans:
        if whole:
            numbers = [Fraction(one) for one in range(int(low), int(high) + 1)]
            mean += weight * sum(numbers) / len(numbers)
            second += weight * sum(one * one for one in numbers) / len(numbers)
        else:
            mean += weight * (low + high) / 2
            second += weight * (low * low + low * high + high * high) / 3
    return mean / total, second / total - (mean / total) ** 2


def smallest_with(spans: Sequence[Span], share: Fraction) -> Fraction:
    """The smallest whole number with that share at or below it."""
    at = bends(spans, spans, whole=True)
    return next(one for one in at if below(spans, one, whole=True) >= share)


def jensen_shannon(p: Sequence[Fraction], q: Sequence[Fraction]) -> float:
    """By its definition, cell by cell."""
    total = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        total += float(a) * log2(a / middle) / 2 if a else 0.0
        total += float(b) * log2(b / middle) / 2 if b else 0.0
    return sqrt(max(total, 0.0))


def spread_over(
    labels: Sequence[Hashable], values: Sequence[Hashable], became: Callable[[Hashable], Hashable]
) -> dict[Hashable, Fraction]:
    """The mass of released labels over original values, in equal shares over those of the source that became the label."""
    found: Counter[Hashable] = Counter()
    for label in labels:
        covered = [value for value in dict.fromkeys(values) if became(value) == label]
        for value in covered:
            found[value] += Fraction(1, len(covered))  # type: ignore[assignment]
    return dict(found)  # type: ignore[arg-type]


def discernibility(classes: Sequence[int], suppressed: int) -> int:
    """Each record counts all it cannot be told from; a suppressed one all records."""
    records = sum(classes) + suppressed
    return sum(size for size in classes for _ in range(size)) + suppressed * records


def entropy_lost(rows: Sequence[tuple[Hashable, Hashable, bool]]) -> float | None:
    """Record by record. rows: value, label, and whether the record leaves."""
    values, pairs, labels = (
        Counter(value for value, _, _ in rows),
        Counter((value, label) for value, label, _ in rows),
        Counter(label for _, label, _ in rows),
    )
    gone = Counter(label for _, label, kept in rows if not kept)
    whole = sum(-log2(values[value] / len(rows)) for value, _, _ in rows)
    lost = 0.0
    for value, label, kept in rows:
        lost -= log2(pairs[value, label] / labels[label])
        lost -= 0.0 if kept else log2(gone[label] / gone.total())
    return lost / whole if whole else None


def spread_table(
    rows: Sequence[Sequence[Hashable]], spreads: Sequence[Mapping[Hashable, Mapping[Hashable, Fraction]]]
) -> dict[tuple[Hashable, ...], Fraction]:
    """Records in every combination of values, each record's labels spread independently of each other."""
    found: dict[tuple[Hashable, ...], Fraction] = {}
    for row in rows:
        parts = [list(spread[label].items()) for spread, label in zip(spreads, row, strict=True)]
        for cell in product(*parts):
            weight = Fraction(1)
            for _, share in cell:
                weight *= share
            key = tuple(value for value, _ in cell)
            found[key] = found.get(key, Fraction(0)) + weight
    return found


def total_variation(p: Mapping[Hashable, Fraction], q: Mapping[Hashable, Fraction]) -> Fraction:
    """Half the sum of differences of shares; both in records."""
    left, right = sum(p.values()), sum(q.values())
    return sum((abs(p.get(one, 0) / left - q.get(one, 0) / right) for one in {*p, *q}), Fraction(0)) / 2


def cramers_v(table: Mapping[tuple[Hashable, Hashable], Fraction]) -> float | None:
    """χ² over every pair of values that occur, on their product if they were independent."""
    rows: Counter[Hashable] = Counter()
    columns: Counter[Hashable] = Counter()
    for (a, b), weight in table.items():
        rows[a] += weight  # type: ignore[assignment]
        columns[b] += weight  # type: ignore[assignment]
    total = sum(table.values())
    rows, columns = +rows, +columns
    if min(len(rows), len(columns)) < 2:
        return None
    chi = Fraction(0)
    for a, b in product(rows, columns):
        expected = Fraction(rows[a]) * columns[b] / total
        chi += (table.get((a, b), Fraction(0)) - expected) ** 2 / expected
    return sqrt(chi / total / (min(len(rows), len(columns)) - 1))

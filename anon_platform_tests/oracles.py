"""The measures of the package once more, slow and obvious, in plain Python.

A table is a list of rows, a row a dictionary; one row a record. Fractions are exact, so that nothing here
can be wrong by a hair.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import nan

Row = Mapping[str, Hashable]
Key = tuple[Hashable, ...]


def classes(rows: Sequence[Row], names: Sequence[str]) -> dict[Key, list[Row]]:
    """Equivalence classes: the rows that agree in `names`; None agrees with None.

    >>> classes([{"a": 1, "b": 2}, {"a": 1, "b": 3}], ["a"])
    {(1,): [{'a': 1, 'b': 2}, {'a': 1, 'b': 3}]}
    """
    found: dict[Key, list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found


def people(rows: Sequence[Row], person: str | None) -> int:
    """Distinct people behind the rows; without a person column every row is a person."""
    return len(rows) if person is None else len({row[person] for row in rows})


def k_of(rows: Sequence[Row], names: Sequence[str], person: str | None = None) -> int:
    """People in the smallest class, 0 without rows."""
    return min((people(members, person) for members in classes(rows, names).values()), default=0)


def l_of(rows: Sequence[Row], names: Sequence[str], sensitive: str) -> int:
    """Fewest distinct values of `sensitive` in a class, 0 without rows."""
    return min(
        (len({row[sensitive] for row in members}) for members in classes(rows, names).values()), default=0
    )


def t_of(rows: Sequence[Row], names: Sequence[str], sensitive: str) -> Fraction:
    """Largest total variation between a class and all rows, 0 without rows."""
    overall = [row[sensitive] for row in rows]
    return max(
        (
            total_variation([row[sensitive] for row in members], overall)
            for members in classes(rows, names).values()
        ),
        default=Fraction(0),
    )


def total_variation(left: Sequence[Hashable], right: Sequence[Hashable]) -> Fraction:
    """Half the sum of |p − q| over all values; 1 where one side is empty.

    >>> total_variation("aab", "abb")
    Fraction(1, 3)
    """
    if not left or not right:
        return Fraction(1)
    p, q = Counter(left), Counter(right)
    distances = [abs(Fraction(p[value], len(left)) - Fraction(q[value], len(right))) for value in p | q]
    return sum(distances, Fraction(0)) / 2


@dataclass(frozen=True)
class Risk:
    """Prosecutor risk; see `risk`."""

    maximum: Fraction
    mean: Fraction
    unique_share: Fraction
    classes: int


def risk(rows: Sequence[Row], names: Sequence[str], person: str | None = None) -> Risk:
    """The attacker knows that a record's class has f people and guesses right with chance 1 / f."""
    if not rows:
        return Risk(Fraction(0), Fraction(0), Fraction(0), 0)
    found = classes(rows, names)
    of_row = [Fraction(1, people(members, person)) for members in found.values() for _ in range(len(members))]
    return Risk(
        max(of_row), sum(of_row) / len(rows), Fraction(of_row.count(Fraction(1)), len(rows)), len(found)
    )


def class_sizes(rows: Sequence[Row], names: Sequence[str], person: str | None = None) -> dict[int, int]:
    """Records by the largest power of two that does not exceed the people in their class."""
    found: Counter[int] = Counter()
    for members in classes(rows, names).values():
        found[1 << (people(members, person).bit_length() - 1)] += len(members)
    return dict(found)


def area_under_curve(truth: Sequence[bool], scores: Sequence[float], weights: Sequence[float]) -> float:
    """Every positive against every negative: 1 for a higher score, ½ for the same; NaN when a class is missing.

    >>> area_under_curve([True, False], [0.5, 0.5], [1, 1])
    0.5
    """
    records = list(zip(truth, scores, weights, strict=True))
    pairs = [
        (a * b, 1.0 if high > low else 0.5 if high == low else 0.0)
        for positive, high, a in records
        if positive
        for negative, low, b in records
        if not negative
    ]
    total = sum(weight for weight, _ in pairs)
    return sum(weight * won for weight, won in pairs) / total if total else nan


Levels = Sequence[Mapping[Hashable, Hashable]]
"""A hierarchy by hand: one mapping a level, from original value to label, the coarsest last."""


@dataclass(frozen=True)
class Best:
    """The best node of a lattice; loss: 0 (nothing lost) to 1."""

    node: tuple[int, ...]
    loss: Fraction
    suppressed: int
    nodes: int


def leaf_losses(levels: Levels, leaves: set[Hashable]) -> list[dict[Hashable, Fraction]]:
    """For each level the loss of each original value: (values with its label − 1) / (values − 1)."""
    losses = []
    for labels in levels:
        covered = Counter(labels[leaf] for leaf in leaves)
        losses.append({leaf: Fraction(covered[labels[leaf]] - 1, max(len(leaves) - 1, 1)) for leaf in leaves})
    return losses


def best_node(
    rows: Sequence[Row],
    hierarchies: Mapping[str, Levels],
    *,
    k: int,
    l: Mapping[str, int],
    allowed: int,
    person: str | None = None,
) -> Best | None:
    """Full-domain search by trying every node: the least loss, of equal ones the first node in level order.

    A class leaves when it has k people and l distinct values of each sensitive attribute; all other
    records are suppressed, at most `allowed`, and lose 1. The loss of a kept record is the mean over the
    quasi-identifiers of the loss of its label.
    """
    names = list(hierarchies)
    losses = [leaf_losses(hierarchies[name], {row[name] for row in rows}) for name in names]

    def good(members: Sequence[Row]) -> bool:
        distinct = all(len({row[name] for row in members}) >= least for name, least in l.items())
        return people(members, person) >= k and distinct

    best: Best | None = None
    nodes = list(product(*(range(len(hierarchies[name])) for name in names)))
    for node in nodes:
        merged: dict[Key, list[Row]] = {}
        for row in rows:
            key = tuple(hierarchies[name][level][row[name]] for name, level in zip(names, node, strict=True))
            merged.setdefault(key, []).append(row)
        kept = [row for members in merged.values() if good(members) for row in members]
        lost = sum(
            (
                losses[i][level][row[name]]
                for row in kept
                for i, (name, level) in enumerate(zip(names, node, strict=True))
            ),
            Fraction(0),
        )
        suppressed = len(rows) - len(kept)
        loss = (lost / max(len(names), 1) + suppressed) / max(len(rows), 1)
        if suppressed <= allowed and (best is None or (loss, node) < (best.loss, best.node)):
            best = Best(node, loss, suppressed, len(nodes))
    return best


def one_parent(levels: Sequence[Sequence[Hashable]]) -> bool:
    """Whether each label of a level has one label at the next; levels: labels of the same values.

    >>> one_parent([["a", "b"], ["x", "x"]]), one_parent([["a", "a"], ["x", "y"]])
    (True, False)
    """
    return all(
        len({(fine, coarse) for fine, coarse in zip(low, high, strict=True)}) == len(set(low))
        for low, high in pairwise(levels)
    )


def is_function(values: Sequence[Hashable], results: Sequence[Hashable]) -> bool:
    """Whether equal values have equal results, one result a value.

    >>> is_function([1, 1, 2], ["a", "a", "a"]), is_function([1, 1], ["a", "b"])
    (True, False)
    """
    pairs = list(zip(values, results, strict=True))
    return len(set(pairs)) == len(set(values))

"""Linkability: two parts of a person's record, found to belong together by the release."""

from collections.abc import Sequence

import numpy as np

from anon_platform.validate.attacks.intervals import Share, wilson
from anon_platform.validate.attacks.sides import Near, Sides


def linked_parts(
    one: Sequence[Sides], other: Sequence[Sides], k: int, rng: np.random.Generator, confidence: float
) -> Share:
    """The share of people for whom a released row is among the k nearest in both parts.

    one, other: the columns of each part; their `people` are the rows of the attacked, one a person, in the same order.
    Equally near rows are drawn at random.
    Source: Giomi et al. 2023 (see `intervals.residual`), the linkability attack.
    """
    if not len(one[0].released) or not len(one[0].people):
        return wilson(0, len(one[0].people), confidence)
    nears = Near(one), Near(other)
    people = len(one[0].people)
    right = 0
    for row in range(people):
        first, second = (near.neighbours(row, k, rng) for near in nears)
        right += bool(np.intersect1d(first, second).size)
    return wilson(right, people, confidence)


def linked_blindly(rows: int, people: int, k: int, rng: np.random.Generator, confidence: float) -> Share:
    """The same of an attacker who draws k rows for each part. Source: Giomi et al. 2023, the naive attack."""
    right = 0
    for _ in range(people):
        first, second = (rng.choice(rows, min(k, rows), replace=False) for _ in range(2))
        right += bool(np.intersect1d(first, second).size)
    return wilson(right, people, confidence)

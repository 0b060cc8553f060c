"""Three columns together: NIST's k-marginal score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from anon_platform.validate.utility.coded import Coded, together
from anon_platform.validate.utility.distances import Floats, total_variation_of

ORDER = 3


@dataclass(frozen=True)
class Marginals:
    """score: 0 to 1000, 1000 for nothing changed. drawn: combinations of `order` columns that were compared, of `all`.

    worst: the combination that changed most, by name, and its total variation distance.
    """

    score: float
    order: int
    drawn: int
    all: int
    worst: tuple[str, ...]
    worst_distance: float


def measure_marginals(columns: Mapping[str, Coded], drawn: int, rng: np.random.Generator) -> Marginals | None:
    """The score of three columns together at original detail; of fewer where there are no three. None without any.

    Source: NIST 2020 Differential Privacy Temporal Map Challenge and SDNist, k-marginal score: 500 × (2 − mean of
    Σ |p − q|) over combinations of k columns drawn at random, here without a column twice.
    """
    names = list(columns)
    order = min(ORDER, len(names))
    if not order:
        return None
    chosen = drawn_combinations(names, order, drawn, rng)
    distances = []
    for one in chosen:
        before, after = together(columns, one)
        distances.append(apart(before, after))
    worst = int(np.argmax(distances))
    return Marginals(
        k_marginal_score(distances),
        order,
        len(chosen),
        comb(len(names), order),
        chosen[worst],
        distances[worst],
    )


def apart(before: Floats, after: Floats) -> float:
    """Total variation of two tables of records in the same cells; 1 where one is empty."""
    if not before.sum() or not after.sum():
        return 1.0
    return total_variation_of(np.ravel(before / before.sum()), np.ravel(after / after.sum()))


def k_marginal_score(distances: Sequence[float]) -> float:
    """1000 × (1 − mean total variation), which is 500 × (2 − mean Σ |p − q|).

    >>> k_marginal_score([0.0, 0.1])
    950.0
    """
    return 1000 * (1 - float(np.mean(distances)))


def drawn_combinations(
    names: Sequence[str], order: int, most: int, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Combinations of distinct columns: all, or `most` different ones at random; in the order of the names."""
    if comb(len(names), order) <= most:
        return list(combinations(names, order))
    found: dict[tuple[int, ...], None] = {}
    while len(found) < most:
        found[tuple(sorted(rng.choice(len(names), order, replace=False).tolist()))] = None
    return [tuple(names[place] for place in one) for one in found]

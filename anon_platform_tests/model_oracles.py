"""The privacy models once more, slow and obvious, in plain Python.

A class is a list of sensitive values, one a record; `table` is the list of all records, the reference.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from math import exp, inf, log, log2

import numpy as np
from scipy.optimize import linprog

Values = Sequence[Hashable]


def share(value: Hashable, values: Values) -> Fraction:
    """How much of the values is this one."""
    return Fraction(list(values).count(value), len(values))


def entropy_number(members: Values) -> float:
    """exp(−Σ p ln p), infinity without members."""
    shares = [float(share(value, members)) for value in set(members)]
    return exp(-sum(p * log(p) for p in shares)) if members else inf


def commonest_against_rare(members: Values, l: int) -> float:
    """r₁ over the sum of r_l and all after it; infinity where that is nothing, 0 without members."""
    counts = sorted(Counter(members).values(), reverse=True)
    if not counts:
        return 0.0
    return counts[0] / sum(counts[l - 1 :]) if counts[l - 1 :] else inf


def transport(members: Values, table: Values, distance: Mapping[tuple[Hashable, Hashable], float]) -> float:
    """Earth mover's distance as the linear program that defines it: the least work that makes one of the other."""
    if not members:
        return 0.0
    values = sorted(set(table) | set(members), key=str)
    cost = [distance[a, b] for a in values for b in values]
    moves = np.arange(len(values) ** 2).reshape(len(values), len(values))
    balance, wanted = [], []
    for i, value in enumerate(values):
        for picked, amount in ((moves[i], share(value, members)), (moves[:, i], share(value, table))):
            row = np.zeros(len(cost))
            row[picked] = 1.0
            balance.append(row)
            wanted.append(float(amount))
    found = linprog(cost, A_eq=np.array(balance), b_eq=np.array(wanted), method="highs")
    assert found.success
    return float(found.fun)


def steps_apart(order: Values) -> dict[tuple[Hashable, Hashable], float]:
    """Ordered distance: the steps between two values, over the most there are."""
    most = max(len(order) - 1, 1)
    return {(a, b): abs(i - j) / most for i, a in enumerate(order) for j, b in enumerate(order)}


def height_apart(paths: Mapping[Hashable, Sequence[Hashable]]) -> dict[tuple[Hashable, Hashable], float]:
    """Hierarchical distance: height of the lowest common ancestor over that of the root.

    paths: for each value itself and its ancestors, without the root.
    """
    return {
        (a, b): next((h for h, (x, y) in enumerate(zip(left, right, strict=True)) if x == y), len(left))
        / len(left)
        for a, left in paths.items()
        for b, right in paths.items()
    }


def relative_gain(members: Values, table: Values) -> float:
    """The greatest (q − p) / p."""
    gains = [(share(v, members) - share(v, table)) / share(v, table) for v in set(members)]
    return float(max([*gains, Fraction(0)]))


def beta_enhanced_met(members: Values, table: Values, beta: float) -> bool:
    """Whether no value gains more than min(beta, −ln p)."""
    for value in set(members):
        p, q = share(value, table), share(value, members)
        if q > p and float((q - p) / p) > min(beta, -log(p)) + 1e-9:
            return False
    return True


def log_ratio(members: Values, table: Values) -> float:
    """The greatest |log₂ (q / p)| over all values of the table."""
    if not members:
        return 0.0
    found = [inf if v not in members else abs(log2(share(v, members) / share(v, table))) for v in set(table)]
    return max(found)


def sequences(rows: Sequence[tuple[Hashable, Hashable]]) -> list[set[Hashable]]:
    """People with the same multiset of rows; rows: (person, what is released)."""
    of_person: dict[Hashable, Counter[Hashable]] = {}
    for person, row in rows:
        of_person.setdefault(person, Counter())[row] += 1
    found: list[set[Hashable]] = []
    for person, mine in of_person.items():
        alike = next((group for group in found if of_person[next(iter(group))] == mine), None)
        if alike is None:
            found.append({person})
        else:
            alike.add(person)
    return found


def least_people(k: int, fraction: float, significance: float) -> int:
    """The smallest n ≤ k whose tail of a zero-truncated Poisson is at most the significance, summed term by term."""
    mean = k * fraction
    weights = [exp(-mean)]
    for n in range(1, 4 * k + 200):
        weights.append(weights[-1] * mean / n)
    for n in range(1, k):
        if sum(weights[n:]) / sum(weights[1:]) <= significance:
            return n
    return k


def most_even(counts: Sequence[int], removed: int) -> list[list[int]]:
    """All that can be left of the counts when `removed` records go."""
    if len(counts) == 1:
        return [[counts[0] - removed]] if 0 <= removed <= counts[0] else []
    return [
        [counts[0] - first, *rest]
        for first in range(min(removed, counts[0]) + 1)
        for rest in most_even(counts[1:], removed - first)
    ]

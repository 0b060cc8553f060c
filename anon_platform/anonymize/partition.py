"""The best way to cut a sorted list into groups that hold enough people."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

Cost = Callable[["Ints", int], Any]
"""The cost of the groups from each of several starts up to an end (exclusive), as an array."""


def best_starts(people: "Ints", cost: Cost, *, least: int) -> "Ints":
    """Indices at which the groups of least total cost begin, 0 first; [0] when all together hold too few.

    people: people at each element, in order; every group holds at least `least`. A group that can be cut in two must
    never cost less than its halves. The cheapest way to reach j is best(j) = min over i of best(i) + cost of the
    group i to j; only groups that cannot be cut in two are tried: with before(j) the last start that leaves `least`
    people, i runs from before(before(j)) + 1 to before(j). Of equal costs the shortest last group wins.
    Source: Hansen, Mukherjee 2003, A Polynomial Algorithm for Optimal Univariate Microaggregation (shortest path).
    """
    import numpy as np

    size = len(people)
    total = np.concatenate([[0], np.cumsum(people)])
    if size == 0 or total[-1] < least:
        return np.zeros(min(size, 1), np.int64)
    before = np.searchsorted(total, total - least, side="right") - 1  # −1: no start leaves enough
    origin = np.zeros(size + 1, np.int64)
    reached = np.full(size + 1, np.inf)
    reached[0] = 0
    for end in range(1, size + 1):
        last = int(before[end])
        if last < 0:
            continue
        first = int(before[last]) + 1 if last > 0 else 0
        starts = np.arange(last, first - 1, -1)
        costs = reached[starts] + cost(starts, end)
        at = int(np.argmin(costs))
        reached[end], origin[end] = costs[at], starts[at]
    path = [size]
    while path[-1]:
        path.append(int(origin[path[-1]]))
    return np.array(path[:0:-1], np.int64)

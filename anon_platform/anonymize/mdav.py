"""Microaggregation of several columns at once: MDAV, groups of records that lie close together."""

from typing import TYPE_CHECKING

from anon_platform.errors import PolicyError

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


def mdav(points: "Floats", records: "Ints", people: "Ints", *, k: int) -> "Ints":
    """The number of the group of each point, 0-based: groups of neighbours that hold at least `k` people each.

    points: m × d, the distinct combinations of d columns without nulls or NaN, with `records` (≥ 1) and `people` at
    each; a person counts at one point only, so that people add up. Columns are standardised (mean 0, standard
    deviation 1 over records; a constant column counts nothing). A point is never split, so a group may hold more than
    2k − 1 people. Fewer than `k` people raise `PolicyError`. Ties go to the point that comes first.

    While 3k people or more are left: a group around the point farthest from the centroid, one around the point
    farthest from that one. Then one more group if 2k are left, and what remains is the last; less than k people join
    the group whose centroid is nearest. Source: Domingo-Ferrer, Mateo-Sanz 2002; Domingo-Ferrer, Torra 2005 (MDAV).
    """
    import numpy as np

    total = int(people.sum())
    if len(points) and total < k:
        raise PolicyError(
            f"microaggregation wants {k} people in a group, there are {total}; write k: {total} or less"
        )
    open_ = _Open(standardised(points, records), records.astype(np.float64), people)
    groups = np.zeros(len(points), np.int64)
    number = 0
    while open_.people >= 3 * k:
        seed = open_.farthest_from(open_.centroid())
        at = open_.columns[:, seed]
        groups[open_.take_around(at, k)] = number
        number += 1
        if open_.people < k:
            break
        seed = open_.farthest_from(at)
        groups[open_.take_around(open_.columns[:, seed], k)] = number
        number += 1
    if open_.people >= 2 * k:
        seed = open_.farthest_from(open_.centroid())
        groups[open_.take_around(open_.columns[:, seed], k)] = number
        number += 1
    if open_.people >= k or number == 0:
        groups[open_.index] = number
        return groups
    return _join_rest(groups, number, open_, standardised(points, records), records)


def standardised(points: "Floats", records: "Ints") -> "Floats":
    """Each column with mean 0 and standard deviation 1 over `records`; a constant column is 0."""
    import numpy as np

    if not len(points):
        return points
    centred = points - np.average(points, axis=0, weights=records)
    spread = np.sqrt(np.average(centred**2, axis=0, weights=records))
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0))


class _Open:
    """Points that are in no group yet, as columns, so that a distance is a pass over each."""

    def __init__(self, points: "Floats", records: "Floats", people: "Ints") -> None:
        import numpy as np

        self.columns = np.ascontiguousarray(points.T)
        self.records, self.weights = records, people
        self.index = np.arange(len(points))
        self.people = int(people.sum())

    def centroid(self) -> "Floats":
        import numpy as np

        return np.asarray(self.columns @ self.records / self.records.sum())

    def distances(self, at: "Floats") -> "Floats":
        import numpy as np

        found = np.zeros(len(self.index))
        for column, value in zip(self.columns, at, strict=True):
            found += (column - value) ** 2
        return found

    def farthest_from(self, at: "Floats") -> int:
        import numpy as np

        return int(np.argmax(self.distances(at)))

    def take_around(self, at: "Floats", k: int) -> "Ints":
        """The nearest points that hold `k` people together, which leave: their indices."""
        import numpy as np

        distances = self.distances(at)
        near = np.arange(len(distances))
        if len(distances) > k:
            bound = np.partition(distances, k - 1)[k - 1]
            near = np.flatnonzero(distances <= bound)
        near = near[np.argsort(distances[near], kind="stable")]
        if self.weights[near].sum() < k:  # points at which nobody is counted
            near = np.argsort(distances, kind="stable")
        taken = near[: int(np.searchsorted(np.cumsum(self.weights[near]), k)) + 1]
        found = self.index[taken]
        self.people -= int(self.weights[taken].sum())
        stays = np.ones(len(distances), np.bool_)
        stays[taken] = False
        self.columns = self.columns[:, stays]
        self.records, self.weights, self.index = self.records[stays], self.weights[stays], self.index[stays]
        return found


def _join_rest(groups: "Ints", number: int, rest: _Open, points: "Floats", records: "Ints") -> "Ints":
    """The points left over, in the group whose centroid is nearest to each."""
    import numpy as np

    grouped = np.ones(len(points), np.bool_)
    grouped[rest.index] = False
    held = np.bincount(groups[grouped], weights=records[grouped], minlength=number)
    centroids = np.stack(
        [
            np.bincount(groups[grouped], weights=(records * column)[grouped], minlength=number) / held
            for column in points.T
        ],
        axis=1,
    )
    for point in rest.index:
        groups[point] = int(np.argmin(((centroids - points[point]) ** 2).sum(axis=1)))
    return groups

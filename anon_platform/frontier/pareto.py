"""Which settings no other beats, and which one to take."""

from collections.abc import Sequence
from dataclasses import dataclass

from anon_platform.frontier.point import Point


def pareto_front(risks: Sequence[float], losses: Sequence[float]) -> list[int]:
    """Positions of the points that no other beats: none has less risk and no more loss, or less loss and no more risk.

    In order of risk; of equal points the first. O(n log n).

    >>> pareto_front([0.2, 0.1, 0.1, 0.3], [0.5, 0.7, 0.6, 0.5])
    [2, 0]
    """
    order = sorted(range(len(risks)), key=lambda i: (risks[i], losses[i], i))
    found: list[int] = []
    for i in order:
        if not found or losses[i] < losses[found[-1]]:
            found.append(i)
    return found


@dataclass(frozen=True)
class Advice:
    """best: the position of the setting that meets all thresholds at the least loss; None where none meets them.

    in_the_way: then, thresholds (by name) without which some setting would meet the others; each set is enough, and as
    small as there is.
    """

    best: int | None
    in_the_way: tuple[tuple[str, ...], ...] = ()


def advice(points: Sequence[Point], own: int | None = None) -> Advice:
    """The setting of least information loss among those that meet all thresholds; of equal ones the fewest suppressed.

    Of those that are equal in this, too, it is the one at `own`, the policy's. A model's loss is a threshold among the others and does not choose: the least of many noisy losses is luck.
    """
    usable = [i for i, point in enumerate(points) if point.reason is None and not point.missed]
    if usable:
        return Advice(
            min(usable, key=lambda i: (points[i].information_loss, points[i].suppressed, i != own, i))
        )
    measured = {tuple(sorted(point.missed)) for point in points if point.reason is None}
    smallest = min(map(len, measured), default=0)
    return Advice(None, tuple(sorted(missed for missed in measured if missed and len(missed) == smallest)))

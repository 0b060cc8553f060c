"""How far two distributions of one column are apart, on shares of the same cells or as numbers with their mass."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def total_variation_of(p: Floats, q: Floats) -> float:
    """Half the sum of |p − q|, 0 to 1. p, q: shares of the same cells, each adding up to 1.

    Source: Levin, Peres 2017, Markov Chains and Mixing Times, section 4.1.

    >>> total_variation_of(np.array([0.75, 0.25, 0.0]), np.array([0.5, 0.0, 0.5]))
    0.5
    """
    return math.fsum(np.abs(p - q).tolist()) / 2


def jensen_shannon(p: Floats, q: Floats) -> float:
    """Jensen-Shannon distance to base 2, 0 to 1: √(½ KL(p‖m) + ½ KL(q‖m)) with m = (p + q) / 2.

    Source: Lin 1991, section IV; its root is a metric (Endres, Schindelin 2003).

    >>> jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])), jensen_shannon(np.array([1.0]), np.array([1.0]))
    (1.0, 0.0)
    """
    middle = (p + q) / 2
    divergence = (_kullback_leibler(p, middle) + _kullback_leibler(q, middle)) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def _kullback_leibler(p: Floats, q: Floats) -> float:
    there = p > 0
    return math.fsum((p[there] * np.log2(p[there] / q[there])).tolist())


def hellinger(p: Floats, q: Floats) -> float:
    """Hellinger distance, 0 to 1: √(½ Σ (√p − √q)²).

    Source: Hellinger 1909; Le Cam, Yang 2000, section 3.

    >>> round(hellinger(np.array([0.5, 0.5]), np.array([1.0, 0.0])), 6)
    0.541196
    """
    return math.sqrt(min(math.fsum(((np.sqrt(p) - np.sqrt(q)) ** 2).tolist()) / 2, 1.0))


@dataclass(frozen=True)
class Mass:
    """Numbers with their mass. low, high: the span over which the mass of an entry is spread evenly; equal for a point.

    weight: of each entry, adding up to 1. unit: 1 where numbers are whole (the mass goes to the whole numbers of the
    span, both ends included), 0 where they are not (the mass is a density between the ends).
    """

    low: Floats
    high: Floats
    weight: Floats
    unit: float

    @classmethod
    def of(cls, low: Floats, high: Floats, counts: npt.NDArray[np.generic], *, whole: bool) -> "Mass":
        """The mass of entries with so many records each."""
        weight = counts.astype(np.float64)
        return cls(low, high, weight / weight.sum(), 1.0 if whole else 0.0)

    @property
    def mean(self) -> float:
        """The mean; of an evenly spread span its middle."""
        return math.fsum((self.weight * (self.low + self.high) / 2).tolist())

    @property
    def variance(self) -> float:
        """The variance; a span of whole numbers adds (w² − 1) / 12, w numbers wide, any other w² / 12, w long."""
        middle = (self.low + self.high) / 2
        width = self.high - self.low + self.unit
        inside = np.maximum(width**2 - self.unit, 0) / 12
        return math.fsum((self.weight * ((middle - self.mean) ** 2 + inside)).tolist())

    def below(self, at: Floats, *, strictly: bool = False) -> Floats:
        """The share of the mass at or below each of `at`; strictly: below it."""
        ends, share = self._steps(strictly=strictly)
        place = np.searchsorted(ends, at, side="left" if strictly else "right")
        base = np.concatenate([[0.0], share])[place]
        return base + self._partial(at, strictly=strictly)

    def _steps(self, *, strictly: bool) -> tuple[Floats, Floats]:
        """Ends of entries in order, and the mass of all entries that have ended there."""
        del strictly
        order = np.argsort(self.high, kind="stable")
        return self.high[order], np.cumsum(self.weight[order])

    def _partial(self, at: Floats, *, strictly: bool) -> Floats:
        """The mass of spans that have begun at each of `at` and not ended."""
        found = np.zeros(len(at))
        for place in np.flatnonzero(self.high > self.low):
            low, high, weight = self.low[place], self.high[place], self.weight[place]
            inside = (at >= low) & ((at <= high) if strictly else (at < high))
            steps = at[inside] - low
            if self.unit:
                steps = np.ceil(steps) if strictly else np.floor(steps) + 1
            found[inside] += weight * steps / (high - low + self.unit)
        return found

    def ends(self) -> Floats:
        """All numbers at which the share below bends or jumps."""
        return np.concatenate([self.low, self.high])


def kolmogorov_smirnov(left: Mass, right: Mass) -> float:
    """The largest difference between the shares at or below any number, 0 to 1.

    Source: Smirnov 1939; Conover 1999, section 6.3.

    >>> point = Mass.of(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([1, 1]), whole=True)
    >>> spread = Mass.of(np.array([1.0]), np.array([4.0]), np.array([2]), whole=True)
    >>> kolmogorov_smirnov(point, spread), wasserstein(point, spread)
    (0.5, 1.0)
    """
    at = _meeting(left, right)
    after = np.abs(left.below(at) - right.below(at))
    before = np.abs(left.below(at, strictly=True) - right.below(at, strictly=True))
    return float(max(after.max(), before.max()))


def wasserstein(left: Mass, right: Mass) -> float:
    """The least average way that mass has to go, in units of the column: ∫ |F − G|.

    Source: Vallender 1974; Villani 2009, remark 6.5.
    """
    at = _meeting(left, right)
    first = (left.below(at) - right.below(at))[:-1]
    if left.unit:
        # shares are steps between whole numbers, and every step is met
        return math.fsum((np.abs(first) * np.diff(at)).tolist())
    last = (left.below(at, strictly=True) - right.below(at, strictly=True))[1:]
    total = np.abs(first) + np.abs(last)
    crossing = first * last < 0
    # a line that crosses zero leaves two triangles
    area = np.where(crossing, (first**2 + last**2) / (2 * np.where(total > 0, total, 1)), total / 2)
    return math.fsum((area * np.diff(at)).tolist())


def _meeting(left: Mass, right: Mass) -> Floats:
    """Numbers between which the difference of the shares below is a line, or does not change."""
    ends = np.unique(np.concatenate([left.ends(), right.ends()]))
    if not left.unit:
        return ends
    spans = any(bool((side.high > side.low).any()) for side in (left, right))
    return np.arange(ends[0], ends[-1] + 1) if spans else ends


def quantiles(mass: Mass, shares: Floats) -> Floats:
    """The smallest numbers with at least these shares of the mass at or below them; by a search to 50 halvings.

    >>> mass = Mass.of(np.array([1.0, 2.0]), np.array([1.0, 9.0]), np.array([1, 1]), whole=True)
    >>> quantiles(mass, np.array([0.25, 0.5, 0.75])).tolist()
    [1.0, 1.0, 5.0]
    """
    low = np.full(len(shares), mass.low.min())
    high = np.full(len(shares), mass.high.max())
    for _ in range(60):
        middle = (low + high) / 2
        if mass.unit:
            middle = np.floor(middle)
        enough = mass.below(middle) >= shares - 1e-12
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle + mass.unit)
        low = np.minimum(low, high)
    return high

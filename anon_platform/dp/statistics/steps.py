"""Numbers in whole steps, so that noise is added to integers, and how large the sums of them can get."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.dp.domain import Numbers

if TYPE_CHECKING:
    import polars as pl

MOST_STEPS = 2**30
"""Finer steps are joined two by two: sums of 2^32 rows stay within 64 bits."""

SQUARES = 2**20
"""Steps of a square between 0 and its largest value."""

LEAVES = 512
"""Most values, or equal parts of the range, in which quantiles are looked for."""


@dataclass(frozen=True)
class Steps:
    """Numbers between `low` and `high` as low + size · (0, …, count); `middle` is the number of the middle step."""

    low: float
    high: float
    size: float
    count: int

    @property
    def middle(self) -> int:
        """Step from which means and variances are measured: it halves what a person can change."""
        return self.count // 2

    @property
    def centre(self) -> float:
        """The number at the middle step."""
        return self.low + self.size * self.middle

    @property
    def furthest(self) -> int:
        """Steps between the middle and the bound that is further from it."""
        return max(self.middle, self.count - self.middle)

    @property
    def largest(self) -> int:
        """Absolute value of the bound that is further from 0, in steps; what one row adds to a sum at most."""
        return max(1, abs(round(self.low / self.size)), abs(round(self.high / self.size)))

    @property
    def square(self) -> float:
        """What one step of a square is worth, in squared steps."""
        return max(1.0, self.furthest**2 / SQUARES)

    @property
    def largest_square(self) -> int:
        """What one row adds to the sum of squares at most, in steps of squares."""
        return round(self.furthest**2 / self.square)

    @property
    def leaves(self) -> int:
        """Parts of the range in which quantiles are looked for: single values where there are few."""
        return min(self.count + 1, LEAVES)

    def at(self, value: "pl.Expr") -> "pl.Expr":
        """Number of each value's step, 0 to `count`, as Int64; null stays null."""
        import polars as pl

        return ((value - self.low) / self.size).round().clip(0, self.count).cast(pl.Int64)

    def in_all(self, value: "pl.Expr") -> "pl.Expr":
        """Each value in steps from 0, as it enters a sum."""
        import polars as pl

        return (value / self.size).round().clip(-self.largest, self.largest).cast(pl.Int64)

    def squared(self, value: "pl.Expr") -> "pl.Expr":
        """Each value's squared distance from the middle, in steps of squares."""
        import polars as pl

        away = (self.at(value) - self.middle).cast(pl.Float64)
        return (away * away / self.square).round().cast(pl.Int64)

    def leaf(self, value: "pl.Expr") -> "pl.Expr":
        """Number of each value's leaf, 0 to `leaves` − 1."""
        return self.at(value) * self.leaves // (self.count + 1)

    def ends_of_leaf(self, leaf: int) -> tuple[float, float]:
        """Least and greatest value of a leaf."""
        steps = self.count + 1
        first, after = -(-leaf * steps // self.leaves), -(-(leaf + 1) * steps // self.leaves)
        return self._worth(first), self._worth(max(first, after - 1))

    def _worth(self, step: int) -> float:
        return min(self.low + self.size * step, self.high)


def steps_of(domain: Numbers, bounds: tuple[float, float] | None = None) -> Steps:
    """The steps of a domain, between its bounds or narrower ones."""
    low, high = bounds or domain.bounds
    size = domain.step
    while (high - low) / size > MOST_STEPS or max(abs(low), abs(high)) / size > MOST_STEPS:
        size *= 2
    count = max(1, math.ceil((high - low) / size - 1e-9))
    return Steps(low, high, size, count)

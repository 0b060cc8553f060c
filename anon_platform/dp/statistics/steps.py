"""Numbers in whole steps, so that noise is added to integers, and how large the sums of them can get."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.dp.domain import Numbers

if TYPE_CHECKING:
    import polars as pl

MOST_STEPS = 2**29
"""Finer steps are joined two by two: sums of 2^32 rows stay within 63 bits, also in half steps."""

SQUARES = 2**20
"""Steps of a square between 0 and its largest value."""

LEAVES = 512
"""Most values, or equal parts of the range, in which quantiles are looked for."""


@dataclass(frozen=True)
class Steps:
    """Numbers between `low` and `high` as low + size · (0, …, count)."""

    low: float
    high: float
    size: float
    count: int

    @property
    def centre(self) -> float:
        """The middle of the range, from which means and variances are measured: it halves what a person can change."""
        return self.low + self.half * self.count

    @property
    def half(self) -> float:
        """Half a step, the unit of distances from the middle: that of a truth value is 1 or −1 of them."""
        return self.size / 2

    @property
    def furthest(self) -> int:
        """Half steps between the middle and a bound."""
        return self.count

    @property
    def largest(self) -> int:
        """Absolute value of the bound that is further from 0, in steps; what one row adds to a sum at most."""
        return max(1, abs(round(self.low / self.size)), abs(round(self.high / self.size)))

    @property
    def square(self) -> float:
        """What one step of a square is worth, in squared half steps."""
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

    def centred(self, value: "pl.Expr") -> "pl.Expr":
        """Each value's distance from the middle in half steps, with its sign."""
        return self.at(value) * 2 - self.count

    def squared(self, value: "pl.Expr") -> "pl.Expr":
        """Each value's squared distance from the middle, in steps of squares."""
        import polars as pl

        away = self.centred(value).cast(pl.Float64)
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
    count = max(1, math.floor((high - low) / size + 0.5))  # as `at` rounds the upper bound
    return Steps(low, high, size, count)

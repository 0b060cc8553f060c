"""How many classes of each size a sample has: all that the estimators of a population look at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SizesOfClasses:
    """A sample as frequencies of frequencies. sizes: distinct class sizes in people, ascending, ≥ 1. counts: classes of each.

    fraction: the share of the population that was drawn, without replacement, 0 < π ≤ 1. Somebody with rows in several
    classes is in each of them, in the sample as in the population.
    """

    sizes: Ints
    counts: Ints
    fraction: float

    @property
    def people(self) -> int:
        """n, people of the sample."""
        return int((self.sizes * self.counts).sum())

    @property
    def population(self) -> int:
        """N, people of the population, n / π."""
        return round(self.people / self.fraction)

    @property
    def classes(self) -> int:
        """u, classes of the sample."""
        return int(self.counts.sum())

    @property
    def uniques(self) -> int:
        """s₁, classes of one person."""
        return self.of_size(1)

    def of_size(self, size: int) -> int:
        """Classes of so many people."""
        return int(self.counts[self.sizes == size].sum())


def sizes_of(of_classes: "pl.DataFrame", fraction: float) -> SizesOfClasses:
    """The sizes of classes with `people`.

    >>> import polars as pl
    >>> found = sizes_of(pl.DataFrame({"people": [1, 3, 1]}), 0.5)
    >>> found.sizes.tolist(), found.counts.tolist(), found.people, found.population
    ([1, 3], [2, 1], 5, 10)
    """
    sizes, counts = np.unique(of_classes["people"].to_numpy(), return_counts=True)
    return SizesOfClasses(sizes.astype(np.int64), counts.astype(np.int64), fraction)

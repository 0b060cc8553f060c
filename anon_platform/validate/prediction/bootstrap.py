"""Intervals of everything that held-out people show: the people are drawn again, all rows of a person together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anon_platform.validate.prediction.scores import Floats

REPLICATES = 200
"""Samples of people."""

TOGETHER = 20
"""Samples that are worked on at a time, so that they fit in memory."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Resamples:
    """How often each row counts in each sample. person: of each row, numbered without gaps."""

    person: npt.NDArray[np.int64]
    seed: int

    @classmethod
    def of(cls, person: npt.NDArray[np.generic], seed: int) -> "Resamples":
        """Of the rows of these people."""
        _, number = np.unique(person, return_inverse=True)
        return cls(number, seed)

    def weights(self) -> Iterator[Floats]:
        """Samples × rows, some samples at a time; the same every time it is asked for."""
        rng = np.random.default_rng(self.seed)
        people = int(self.person.max()) + 1 if len(self.person) else 0
        for first in range(0, REPLICATES, TOGETHER):
            several = min(TOGETHER, REPLICATES - first)
            drawn = [np.bincount(rng.integers(0, people, people), minlength=people) for _ in range(several)]
            yield np.stack(drawn)[:, self.person].astype(np.float64)

    def each(self, measures: dict[str, Callable[[Floats], Floats]]) -> dict[str, Floats]:
        """Every measure of every sample. measures: of weightings × rows, a value each."""
        found: dict[str, list[Floats]] = {name: [] for name in measures}
        for weights in self.weights():
            for name, measure in measures.items():
                found[name].append(measure(weights))
        return {name: np.concatenate(parts) for name, parts in found.items()}


def interval_of(values: Floats) -> Interval:
    """2.5 % and 97.5 % points of what could be measured, percentile bootstrap (Efron, Tibshirani 1993, section 13.3).

    NaN where nothing could.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)

"""Features as a few numbers each: what a gradient of the model is a sum of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from anon_platform.dp.synthetic.coded import Column, Stepped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Floats = NDArray[np.float64]

ONE = 1 << 10
"""The largest value of a bin."""

STRAIGHT = 3
"""Bins that a column has at least for one coefficient to say less than a score for each."""


@dataclass(frozen=True)
class Feature:
    """A column in the model. The score of a bin is its coefficient times its value over `ONE`.

    place: per code the coefficient. value: per code a whole number from −ONE to ONE. A code has one coefficient, so that a
    row of weight w moves all numbers of a feature together by at most w · ONE, in L1 as in L2.
    """

    place: "Whole"
    value: "Whole"
    straight: bool
    """Whether one coefficient stands for all bins."""

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return int(self.place.max()) + 1

    def summed(self, histogram: "Whole") -> "Whole":
        """Per coefficient the sum over its codes of value times histogram, exactly."""
        import numpy as np

        found = np.zeros(self.size, np.int64)
        np.add.at(found, self.place, self.value * histogram)
        return found

    def scores(self, coefficients: "Floats") -> "Floats":
        """The score of each code."""
        return coefficients[self.place] * self.value / ONE


def features_of(
    columns: Sequence[Column], learner: Literal["ebm", "logistic_regression"]
) -> tuple[Feature, ...]:
    """The features as the learner sees them; a missing value has a coefficient of its own."""
    import numpy as np

    found = []
    for column in columns:
        if learner == "ebm" or not isinstance(column, Stepped) or len(column.starts) < STRAIGHT:
            each = np.arange(column.size, dtype=np.int64)
            found.append(Feature(each, np.full(column.size, ONE, np.int64), straight=False))
            continue
        bins = len(column.starts)
        value = np.rint(np.linspace(-ONE, ONE, bins)).astype(np.int64)
        place = np.zeros(bins, np.int64)
        if column.missing is not None:
            place, value = np.append(place, 1), np.append(value, ONE)
        found.append(Feature(place, value, straight=True))
    return tuple(found)

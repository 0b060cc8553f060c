"""Noise on whole numbers, calibrated and drawn by OpenDP.

Values are integers (counts, or sums in whole steps): floating-point noise would tell of the value it was added to by its
low bits (Mironov 2012).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from anon_platform.dp.loss import Loss, Measure, spent
from anon_platform.errors import BudgetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from opendp.mod import Measurement


@dataclass(frozen=True)
class Noise:
    """Discrete Gaussian noise under zCDP, discrete Laplace noise under pure differential privacy."""

    measure: Measure
    scale: float
    """Of the Gaussian its standard deviation; of the Laplace distribution its b, so that the deviation is b√2."""
    sensitivity: float
    """How far one person moves the values together: in L2 for Gaussian, in L1 (a whole number) for Laplace noise."""

    @property
    def deviation(self) -> float:
        """Standard deviation."""
        return self.scale if self.measure == "zcdp" else self.scale * math.sqrt(2)

    def half_width(self, confidence: float = 0.95) -> float:
        """Half of the interval around a noisy value that holds the value with this confidence."""
        from scipy.stats import norm

        if self.measure == "zcdp":
            return self.scale * float(norm.ppf((1 + confidence) / 2))
        return -self.scale * math.log(1 - confidence)

    @property
    def loss(self) -> Loss:
        """What OpenDP proves that one draw loses, in units rounded up."""
        return spent(self.measure, _mechanism(self.measure, self.scale).map(_distance(self)))

    def added_to(self, values: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """The values with independent noise on each; of any shape."""
        import numpy as np

        drawn = _mechanism(self.measure, self.scale)(values.ravel().tolist())
        return np.asarray(drawn, dtype=np.int64).reshape(values.shape)


def moved(measure: Measure, values: int, by: int) -> float:
    """How far a person moves several values together, at most `by` each: √values · by in L2, values · by in L1.

    The root is rounded up, so that its square is no less than `values`.

    >>> moved("zcdp", 4, 3), moved("pure", 4, 3)
    (6.0, 12)
    """
    if measure == "pure":
        return values * by
    distance = math.sqrt(values) * by
    while Fraction(distance) ** 2 < values * by**2:
        distance = math.nextafter(distance, math.inf)
    return distance


@cache
def noise_for(loss: Loss, sensitivity: float) -> Noise:
    """The least noise whose loss is within `loss` for values that one person moves by at most `sensitivity` (≥ 1)."""
    from opendp.mod import binary_search_param

    if loss.measure == "pure" and sensitivity != int(sensitivity):
        raise BudgetError("under pure differential privacy a sensitivity is a whole number; round it up")
    if sensitivity < 1:
        raise BudgetError("a person moves a value by at least 1; state the contribution bound")
    if loss.units == 0:
        raise BudgetError(
            "nothing of the privacy budget is left for this measurement; raise ε or ask for less"
        )
    at_scale = Noise(loss.measure, 1.0, sensitivity)
    scale = binary_search_param(
        lambda scale: _mechanism(loss.measure, scale), d_in=_distance(at_scale), d_out=loss.amount, T=float
    )
    # the search ends within the bound; a last step up makes up for the rounding to units
    found = Noise(loss.measure, float(scale), sensitivity)
    while not loss.covers(_mechanism(found.measure, found.scale).map(_distance(found))):
        found = Noise(loss.measure, math.nextafter(found.scale, math.inf), sensitivity)
    return found


def total(noises: Sequence[Noise]) -> Loss:
    """What several draws lose together: losses of one measure add up, also when later ones depend on earlier results."""
    return sum((noise.loss for noise in noises[1:]), start=noises[0].loss)


def _distance(noise: Noise) -> float | int:
    return float(noise.sensitivity) if noise.measure == "zcdp" else int(noise.sensitivity)


@cache
def _mechanism(measure: Measure, scale: float) -> "Measurement":
    # not its prelude, which imports scikit-learn
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_gaussian, make_laplace
    from opendp.metrics import l1_distance, l2_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    domain = vector_domain(atom_domain(T="i64"))
    if measure == "zcdp":
        return make_gaussian(domain, l2_distance(T=float), scale=scale)
    return make_laplace(domain, l1_distance(T="i64"), scale=scale)

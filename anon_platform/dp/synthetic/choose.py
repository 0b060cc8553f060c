"""The private choice of what is measured next."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from anon_platform.dp.loss import Loss, Measure, spent
from anon_platform.errors import BudgetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from opendp.mod import Measurement


@dataclass(frozen=True)
class Choice:
    """The place of the greatest of several scores, but for noise; each score moves by at most `sensitivity` with one person.

    Source: McKenna and Sheldon 2020, Permute-and-flip; Cesar and Rogers 2021, Bounding, concentrating and truncating,
    for the ρ of the exponential mechanism; both as OpenDP's make_noisy_max has them.
    """

    measure: Measure
    scale: float
    sensitivity: int

    @property
    def loss(self) -> Loss:
        """What OpenDP proves that one choice loses, in units rounded up."""
        return spent(self.measure, _mechanism(self.measure, self.scale).map(self.sensitivity))

    def among(self, scores: "NDArray[np.int64]") -> int:
        """A place; drawn anew with each call."""
        return int(_mechanism(self.measure, self.scale)(scores.tolist()))


def choice_for(loss: Loss, sensitivity: int) -> Choice:
    """The choice with the least noise whose loss is within `loss`."""
    from opendp.mod import binary_search_param

    if loss.units == 0:
        raise BudgetError(
            "nothing of the privacy budget is left for the choice of marginals; raise ε or ask for less"
        )
    scale = binary_search_param(
        lambda scale: _mechanism(loss.measure, scale), d_in=sensitivity, d_out=loss.amount, T=float
    )
    found = Choice(loss.measure, float(scale), sensitivity)
    while not loss.covers(_mechanism(found.measure, found.scale).map(sensitivity)):
        # the search ends within the bound but for rounding to units
        found = Choice(loss.measure, found.scale * (1 + 1e-12), sensitivity)
    return found


@cache
def _mechanism(measure: Measure, scale: float) -> "Measurement":
    # not its prelude, which imports scikit-learn
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_noisy_max
    from opendp.measures import max_divergence, zero_concentrated_divergence
    from opendp.metrics import linf_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    space = vector_domain(atom_domain(T="i64")), linf_distance(T="i64")
    privacy = zero_concentrated_divergence() if measure == "zcdp" else max_divergence()
    return make_noisy_max(*space, privacy, scale=scale)

"""The private choice of what is measured next."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from anon_platform.dp.loss import Loss, Measure, spent
from anon_platform.errors import BudgetError

if TYPE_CHECKING:
    import numpy as np
    import opendp.prelude as dp
    from numpy.typing import NDArray


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
    import opendp.prelude as dp

    if loss.units == 0:
        raise BudgetError(
            "nothing of the privacy budget is left for the choice of marginals; raise ε or ask for less"
        )
    scale = dp.binary_search_param(
        lambda scale: _mechanism(loss.measure, scale), d_in=sensitivity, d_out=loss.amount, T=float
    )
    found = Choice(loss.measure, float(scale), sensitivity)
    while not loss.covers(_mechanism(found.measure, found.scale).map(sensitivity)):
        # the search ends within the bound but for rounding to units
        found = Choice(loss.measure, found.scale * (1 + 1e-12), sensitivity)
    return found


@cache
def _mechanism(measure: Measure, scale: float) -> "dp.Measurement":
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
    privacy = dp.zero_concentrated_divergence() if measure == "zcdp" else dp.max_divergence()
    return dp.m.make_noisy_max(*space, privacy, scale=scale)

"""Keys that the data names: those that enough people share, by OpenDP's thresholds on noisy counts of people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from anon_platform.dp.loss import Loss, Measure, spent
from anon_platform.dp.noise import moved, noise_for
from anon_platform.errors import BudgetError

if TYPE_CHECKING:
    from opendp.mod import Measurement

MOST = 2**40
"""People that no threshold needs."""


@dataclass(frozen=True)
class Threshold:
    """Noise on the number of people of each key, and the noisy number from which the key is shown."""

    measure: Measure
    scale: float
    threshold: int
    places: int
    """Keys that one person has at most; each of them counts the person once."""

    @property
    def loss(self) -> Loss:
        """What OpenDP proves that finding keys loses, δ included, in units rounded up.

        Of the threshold below: OpenDP shows what is at the threshold, too, but up to 0.16 leaves it out of δ, which is then
        too small by e^(1/scale) (opendp issue 2922).
        """
        amount, delta = _mechanism(replace(self, threshold=self.threshold - 1)).map(_distance(self))
        return spent(self.measure, amount, delta)

    def kept(self, people: Mapping[str, int]) -> list[str]:
        """Keys whose noisy number of people reaches the threshold, sorted. people: exact numbers of those that exist."""
        return sorted(_mechanism(self)(dict(people)))


def threshold_for(loss: Loss, places: int) -> Threshold:
    """The least noise and then the least threshold within the loss and its δ, for persons with at most `places` keys."""
    scale = noise_for(Loss(loss.measure, loss.units), moved(loss.measure, places, 1)).scale
    low, high = 2, 3
    while not _within(Threshold(loss.measure, scale, high, places), loss):
        high *= 2
        if high > MOST:
            raise BudgetError(
                "δ is too small for keys that are found; raise it, or name the keys in a domain"
            )
    while low < high:
        middle = (low + high) // 2
        low, high = (
            (low, middle)
            if _within(Threshold(loss.measure, scale, middle, places), loss)
            else (middle + 1, high)
        )
    return Threshold(loss.measure, scale, low, places)


def _within(threshold: Threshold, loss: Loss) -> bool:
    return threshold.loss.delta_units <= loss.delta_units


def _distance(threshold: Threshold) -> tuple[int, float, float]:
    together = moved(threshold.measure, threshold.places, 1)
    return (threshold.places, together, 1.0 if threshold.measure == "zcdp" else 1)


@cache
def _mechanism(threshold: Threshold) -> "Measurement":
    # not its prelude, which imports scikit-learn
    from opendp.domains import atom_domain, map_domain
    from opendp.measurements import make_gaussian_threshold, make_laplace_threshold
    from opendp.metrics import absolute_distance, l01inf_distance, l02inf_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    domain = map_domain(atom_domain(T=str), atom_domain(T="i64"))
    if threshold.measure == "zcdp":
        metric = l02inf_distance(absolute_distance(T=float))
        return make_gaussian_threshold(domain, metric, threshold.scale, threshold.threshold)
    metric = l01inf_distance(absolute_distance(T="i64"))
    return make_laplace_threshold(domain, metric, threshold.scale, threshold.threshold)

"""Names that the data gives: those with enough people or rows, by OpenDP's thresholds on noisy counts."""

import math
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
"""More than is ever counted."""


@dataclass(frozen=True)
class Moves:
    """How far one person moves the counts: of how many names, all of them together, and each of them.

    together: in L2 under zCDP, in L1 (a whole number) under pure differential privacy.
    """

    names: int
    together: float
    each: int


def moves_of_people(measure: Measure, names: int) -> Moves:
    """Of counts of people: a person counts once for each of at most so many names."""
    return Moves(names, moved(measure, names, 1), 1)


def moves_of_rows(contribution: int) -> Moves:
    """Of counts of rows: a person's rows may have as many names, or all of them one."""
    return Moves(contribution, contribution, contribution)


@dataclass(frozen=True)
class Threshold:
    """Noise on the count of each name, and the noisy count from which the name is shown."""

    measure: Measure
    scale: float
    threshold: int
    moves: Moves

    @property
    def loss(self) -> Loss:
        """What OpenDP proves that finding names loses, δ included, in units rounded up.

        Of the threshold below: OpenDP shows what is at the threshold, too, but up to 0.16 leaves it out of δ, which is then
        too small (0.92 % where 1.09 % is true; opendp/opendp#2922).
        """
        amount, delta = _mechanism(replace(self, threshold=self.threshold - 1)).map(_distance(self))
        return spent(self.measure, amount, delta)

    def shown(self, counts: Mapping[str, int]) -> dict[str, int]:
        """The names whose noisy counts reach the threshold, with these. counts: exact ones of all that exist."""
        return dict(_mechanism(self)(dict(counts)))


def threshold_for(loss: Loss, moves: Moves) -> Threshold:
    """The least noise and then the least threshold within the loss and its δ.

    `BudgetError` where δ is 0 or too small.
    """
    if loss.delta_units == 0:
        raise BudgetError(
            "names that are found need a part of δ, which is 0; name them, or grant a part of δ to keys (keys_delta)"
        )
    scale = noise_for(Loss(loss.measure, loss.units), moves.together).scale
    low = high = moves.each + 1
    while not _within(Threshold(loss.measure, scale, high, moves), loss):
        low, high = high, high * 2
        if high > MOST:
            raise BudgetError("δ is too small for names that are found; raise it, or name them")
    while low < high:
        middle = (low + high) // 2
        fits = _within(Threshold(loss.measure, scale, middle, moves), loss)
        low, high = (low, middle) if fits else (middle + 1, high)
    return Threshold(loss.measure, scale, low, moves)


def _within(threshold: Threshold, loss: Loss) -> bool:
    found = threshold.loss
    return found.delta_units <= loss.delta_units and found.units <= loss.units


def _distance(threshold: Threshold) -> tuple[int, float, float]:
    moves = threshold.moves
    if threshold.measure == "zcdp":
        return moves.names, float(moves.together), float(moves.each)
    return moves.names, math.ceil(moves.together), moves.each


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

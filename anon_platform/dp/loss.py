"""Privacy loss as whole numbers, and what it means as (ε, δ); conversions are OpenDP's.

Losses are added up for years, so they are counted in integers: in floats 0.1 + 0.1 + 0.1 > 0.3. What is granted is
rounded down, what is spent is rounded up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Literal

from anon_platform.errors import BudgetError

if TYPE_CHECKING:
    from opendp.mod import Measurement

Measure = Literal["zcdp", "pure"]
"""How loss adds up: ρ of zero-concentrated differential privacy (Bun and Steinke 2016), or ε of pure differential privacy."""

UNIT = Fraction(1, 10**9)
"""One unit of ρ or ε. A release of ε = 0.01 at δ = 1e-9 has about 1,200 units of ρ."""

DELTA_UNIT = Fraction(1, 10**18)
"""One unit of δ."""


@dataclass(frozen=True)
class Loss:
    """Privacy loss of one mechanism, or of several together: at most `units` of ρ or ε, but for chance `delta_units`."""

    measure: Measure
    units: int
    delta_units: int = 0
    """δ beside what converting ρ takes: of keys that the data, not the policy, names. Zero otherwise."""

    def __post_init__(self) -> None:
        if self.units < 0 or self.delta_units < 0:
            raise BudgetError("a privacy loss is never negative; correct the number of units")

    @property
    def amount(self) -> float:
        """ρ or ε, never more than the units say."""
        return _below(self.units * UNIT)

    @property
    def delta(self) -> float:
        """δ, never more than the units say."""
        return _below(self.delta_units * DELTA_UNIT)

    def __add__(self, other: "Loss") -> "Loss":
        if self.measure != other.measure:
            raise BudgetError("losses under different measures do not add up; state the caps in one of them")
        return Loss(self.measure, self.units + other.units, self.delta_units + other.delta_units)

    def parts(self, shares: Sequence[float]) -> "tuple[Loss, ...]":
        """The loss in parts as large as the shares (> 0) to each other, rounded down; δ goes with them.

        >>> [part.units for part in Loss("zcdp", 100).parts([1, 2])]
        [33, 66]
        """
        whole = [Fraction(share) for share in shares]
        if not whole or min(whole) <= 0:
            raise BudgetError("every share of a privacy loss is above 0; leave out what gets nothing")
        total = sum(whole)
        return tuple(
            Loss(self.measure, int(self.units * share / total), int(self.delta_units * share / total))
            for share in whole
        )

    def covers(self, loss: float) -> bool:
        """Whether what OpenDP says that a mechanism loses (ρ or ε) is within the units."""
        return Fraction(loss) <= self.units * UNIT


def spent(measure: Measure, loss: float, delta: float = 0.0) -> Loss:
    """What OpenDP says that a mechanism loses, rounded up to units."""
    return Loss(measure, math.ceil(Fraction(loss) / UNIT), math.ceil(Fraction(delta) / DELTA_UNIT))


@cache
def loss_of(epsilon: float, delta: float, *, keys_delta: float = 0.0) -> Loss:
    """The greatest loss that (ε, δ) allows: pure at δ = 0, else the ρ that OpenDP converts to at most ε at δ.

    keys_delta: the part of δ that is left to keys named by the data.
    Source of the conversion: Canonne, Kamath and Steinke 2020, Proposition 7, as in OpenDP's make_zCDP_to_approxDP.

    >>> loss_of(1.0, 0.0)
    Loss(measure='pure', units=1000000000, delta_units=0)
    >>> round(loss_of(1.0, 1e-6).amount, 4)
    0.0244
    """
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise BudgetError("ε must be a number above 0; write how much privacy loss is allowed, such as 1.0")
    if not 0 <= delta < 1 or not 0 <= keys_delta <= delta:
        raise BudgetError("δ must be at least 0 and below 1, and the part for keys at most δ")
    kept = math.floor(_written(keys_delta) / DELTA_UNIT)
    if delta == 0:
        return Loss("pure", math.floor(_written(epsilon) / UNIT))
    converted = float(Fraction(delta) - kept * DELTA_UNIT)
    low, high = 0, max(1, math.ceil(epsilon / float(UNIT)) * math.ceil(1 + epsilon))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _converted(middle, converted) <= epsilon else (low, middle - 1)
    if low == 0:
        raise BudgetError(f"ε = {epsilon:g} at δ = {delta:g} allows less than one unit; raise ε or δ")
    return Loss("zcdp", low, kept)


def epsilon_of(loss: Loss, delta: float) -> float:
    """The ε of a loss at a total δ; infinite where δ does not even cover the keys. At δ = 0 only a pure loss has one."""
    if loss.units == 0 and loss.delta_units * DELTA_UNIT <= Fraction(delta):
        return 0.0
    if loss.measure == "pure":
        return loss.amount if loss.delta_units * DELTA_UNIT <= Fraction(delta) else math.inf
    left = Fraction(delta) - loss.delta_units * DELTA_UNIT
    return _converted(loss.units, float(left)) if left > 0 else math.inf


def _converted(units: int, delta: float) -> float:
    """ε at δ of a ρ in units. The distance whose Gaussian of scale 1 loses ρ is √(2ρ), rounded so as to lose no less."""
    distance = math.sqrt(2 * float(units * UNIT))
    while Fraction(distance) ** 2 / 2 < units * UNIT:
        distance = math.nextafter(distance, math.inf)
    return float(_curve().map(distance).epsilon(delta))


@cache
def _curve() -> "Measurement":
    # not its prelude, which imports scikit-learn
    from opendp.combinators import make_zCDP_to_approxDP
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_gaussian
    from opendp.metrics import l2_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    space = vector_domain(atom_domain(T="i64")), l2_distance(T=float)
    return make_zCDP_to_approxDP(make_gaussian(*space, scale=1.0))


def _written(number: float) -> Fraction:
    """The number as it was written: 0.3, not the float beside it, which is a little less."""
    return Fraction(repr(number))


def _below(value: Fraction) -> float:
    """The greatest float that is not above the value."""
    near = float(value)
    return near if Fraction(near) <= value else math.nextafter(near, -math.inf)

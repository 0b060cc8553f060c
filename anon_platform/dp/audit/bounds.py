"""Lower bounds on privacy loss from how often an event was seen with a person and without.

Who guesses from an event whether a person is in the data errs at a rate that differential privacy bounds from below
(Kairouz, Oh and Viswanath 2015); rates are counted, so that a bound holds with a stated confidence (Jagielski, Ullman and
Oprea 2020, Auditing Differentially Private Machine Learning). The event has to be fixed before the draws that are counted.
"""

import math
from dataclasses import dataclass

ORDERS = tuple(1 + 10 ** (power / 20) for power in range(-60, 81))
"""Orders α of Rényi divergence from 1.001 to 10,001; every one of them gives a valid bound."""


@dataclass(frozen=True)
class Seen:
    """In how many of the runs with a person, and in how many of those without, the event was seen."""

    hits: int
    runs: int
    other_hits: int
    other_runs: int

    def rates(self, confidence: float) -> tuple[float, float]:
        """Least probability of the event with the person and greatest one without: both hold with this confidence.

        The greater probability bounds the smaller one's complement, too, so that the pair serves the event and its opposite.
        """
        low, _ = clopper_pearson(self.hits, self.runs, confidence)
        _, high = clopper_pearson(self.other_hits, self.other_runs, confidence)
        return low, high


def clopper_pearson(hits: int, runs: int, confidence: float) -> tuple[float, float]:
    """Bounds of a probability, each of which fails with a chance of at most (1 − confidence) / 2.

    Source: Clopper and Pearson 1934, by quantiles of the beta distribution.

    >>> [round(bound, 4) for bound in clopper_pearson(0, 10, 0.95)]
    [0.0, 0.3085]
    """
    from scipy.special import betaincinv

    each = (1 - confidence) / 2
    low = float(betaincinv(hits, runs - hits + 1, each)) if hits else 0.0
    high = float(betaincinv(hits + 1, runs - hits, 1 - each)) if hits < runs else 1.0
    return low, high


def epsilon_lower_bound(seen: Seen, delta: float = 0.0, confidence: float = 0.95) -> float:
    """The ε that the mechanism has at least at this δ, ≥ 0; too large with a chance of at most 1 − confidence.

    Of p ≤ e^ε q + δ and, for the opposite event, 1 − q ≤ e^ε (1 − p) + δ, whichever says more.

    >>> round(epsilon_lower_bound(Seen(731_059, 10**6, 268_941, 10**6)), 3)  # coin of ε = 1
    0.996
    """
    p, q = seen.rates(confidence)
    return max(0.0, _log_ratio(p - delta, q), _log_ratio(1 - q - delta, 1 - p))


def rho_lower_bound(seen: Seen, confidence: float = 0.95) -> float:
    """The ρ of zCDP that the mechanism has at least, ≥ 0, whatever its noise; too large with chance ≤ 1 − confidence.

    An event loses no more than the output it is read from: D_α of the two coins is at most ρα for every order α (Bun and
    Steinke 2016, Definition 1.1 and Lemma 2.3). One event shows about two thirds of the ρ of Gaussian noise.
    """
    p, q = seen.rates(confidence)
    if p <= q:
        return 0.0
    return max(max(_renyi(p, q, order), _renyi(q, p, order)) / order for order in ORDERS)


def mu_lower_bound(seen: Seen, confidence: float = 0.95) -> float:
    """How far apart, in standard deviations, two Gaussians are at least that the event tells apart as well; ≥ 0.

    That is μ of Gaussian differential privacy (Dong, Roth and Su 2022), and of Gaussian noise ρ = μ²/2. A mechanism that
    only claims ρ may have a μ above √(2ρ): the bound refutes a claim about Gaussian noise (Nasr et al. 2023, Tight Auditing).
    """
    from scipy.special import ndtri

    p, q = seen.rates(confidence)
    if p <= q:
        return 0.0
    return float(ndtri(p) - ndtri(q))


def _log_ratio(above: float, below: float) -> float:
    if above <= 0:
        return 0.0
    return math.log(above / below) if below > 0 else math.inf


def _renyi(p: float, q: float, order: float) -> float:
    """D_α of a coin p from a coin q."""
    if q in (0.0, 1.0):
        return math.inf if p != q else 0.0
    logs = [
        order * math.log(one) + (1 - order) * math.log(other)
        for one, other in ((p, q), (1 - p, 1 - q))
        if one > 0
    ]
    most = max(logs)
    return (most + math.log(sum(math.exp(log - most) for log in logs))) / (order - 1)

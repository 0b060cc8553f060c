"""The chance to pick the right person of a population, for a class of the sample: E[1/F | f]."""

import math

import numpy as np

from anon_platform.validate.risk.sample import Floats, Ints

SERIES = 1e-6
"""Above 1 − this share of the population, the integral is f⁻¹ to all digits."""


def individual_risk(people: Ints, fraction: float) -> Floats:
    """E[1/F | f] for classes of f = `people` ≥ 1 in a sample of `fraction` π of the population, 0 < π ≤ 1.

    F given f is negative binomial, P(F = h | f) = C(h − 1, f − 1) π^f (1 − π)^(h − f) for h ≥ f, so that
    E[1/F | f] = ∫₀¹ u^(f − 1) / (1 + c u) du with c = (1 − π) / π; for f = 1 that is (π / (1 − π)) ln(1 / π).
    Source: Benedetti, Franconi 1998; Franconi, Polettini 2004, Individual risk estimation in μ-Argus, section 3.

    >>> individual_risk(np.array([1, 2]), 0.5).round(6).tolist(), individual_risk(np.array([4]), 1.0).tolist()
    ([0.693147, 0.306853], [0.25])
    """
    sizes, places = np.unique(people, return_inverse=True)
    return np.array([_expected(int(size), fraction) for size in sizes])[places]


def _expected(people: int, fraction: float) -> float:
    from scipy.integrate import quad

    c = (1 - fraction) / fraction
    if c <= SERIES / people:
        return 1 / people
    if people == 1:
        return math.log1p(c) / c
    # u = e^(−x / f): the peak of u^f at 1 is as wide as the interval, whatever f is
    value, _ = quad(
        lambda x: math.exp(-x) / (1 + c * math.exp(-x / people)) / people,
        0, math.inf, epsabs=0, epsrel=1e-11, limit=200,
    )  # fmt: skip
    return float(value)

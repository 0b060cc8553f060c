"""Population uniques by the slide negative binomial model."""

import math
from typing import NamedTuple

import numpy as np

from anon_platform.validate.risk.sample import SizesOfClasses

NAN = float("nan")


class Fitted(NamedTuple):
    """F − 1 is negative binomial: P(F = x + 1) = C(x + r − 1, x) p^r (1 − p)^x."""

    r: float
    p: float


def slide_negative_binomial(sample: SizesOfClasses) -> float:
    """Estimated number of people of the population who are alone in their class, K p^r; NaN where the model does not fit.

    K, the classes of the population, is Shlosser's estimate; r and p are such that as many classes of the sample, and as
    many of one person, are expected as there are.
    Source: Chen, Keller-McNulty 1998, Estimation of identification disclosure risk in microdata, Journal of Official
    Statistics 14(1); as in Dankar et al. 2012, appendix A.
    """
    if not sample.uniques:
        return 0.0 if sample.people else NAN
    if sample.fraction == 1:
        return float(sample.uniques)
    population_classes = shlosser(sample)
    found = fit(sample.classes, sample.uniques, population_classes, sample.fraction)
    return NAN if found is None else population_classes * found.p**found.r


def shlosser(sample: SizesOfClasses) -> float:
    """K, classes of the population: u + s₁ Σ (1 − π)^i sᵢ / Σ i π (1 − π)^(i − 1) sᵢ.

    Source: Haas, Stokes 1998, Estimating the number of classes in a finite population, JASA 93, section 3.1 (after
    Shlosser 1981).
    """
    rest = 1 - sample.fraction
    unseen = np.dot(rest**sample.sizes, sample.counts)
    once = np.dot(sample.sizes * sample.fraction * rest ** (sample.sizes - 1), sample.counts)
    return float(sample.classes + sample.uniques * unseen / once)


def fit(classes: float, uniques: float, population_classes: float, fraction: float) -> Fitted | None:
    """R and p that explain the sample; None where no such model does. Each person is drawn with chance π = `fraction`.

    With G(s) = s (p / (1 − q s))^r, q = 1 − p, the generating function of F: the chance that a class is not drawn is
    G(1 − π), and that one person of it is drawn π G′(1 − π).
    """
    from scipy.optimize import brentq

    rest = 1 - fraction
    a = (1 - classes / population_classes) / rest  # (p / (1 − q s))^r at s = 1 − π
    if not 0 < a < 1:
        return None
    m = uniques / (population_classes * fraction * a) - 1  # r q s / (1 − q s)
    if m <= 0:
        return None

    def lacking(q: float) -> float:
        return m * (1 - q * rest) / (q * rest) * math.log((1 - q) / (1 - q * rest)) - math.log(a)

    low, high = 1e-12, 1 - 1e-12
    if lacking(low) <= 0 or lacking(high) >= 0:
        return None
    q = brentq(lacking, low, high, xtol=1e-15)
    return Fitted(m * (1 - q * rest) / (q * rest), 1 - q)

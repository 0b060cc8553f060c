"""Population uniques by Pitman's two-parameter sampling formula."""

import math

import numpy as np

from anon_platform.validate.risk.sample import Floats, SizesOfClasses


def pitman(sample: SizesOfClasses) -> float:
    """Estimated number of people of the population who are alone in their class; NaN where the model does not fit.

    The parameters are the most likely ones for the sample; the population's uniques are their expectation (`expected_uniques`).
    Source: Hoshino 2001, Applying Pitman's sampling formula to microdata disclosure risk assessment, Journal of
    Official Statistics 17(4), sections 2 and 3; as in Dankar et al. 2012.
    """
    if not sample.uniques:
        return 0.0 if sample.people else float("nan")
    fitted = fit(sample)
    return float("nan") if fitted is None else expected_uniques(*fitted, sample.population)


def expected_uniques(theta: float, alpha: float, people: int) -> float:
    """E[S₁] = N Γ(θ + 1) Γ(θ + α + N − 1) / (Γ(θ + α) Γ(θ + N)), for N = `people`, 0 ≤ α < 1 and θ > −α.

    It is N times the chance that whoever comes last is the first of a class (Pitman 1995, the sequential construction).

    >>> round(expected_uniques(1.0, 0.0, 10), 9)
    1.0
    """
    from scipy.special import gammaln

    log = gammaln(theta + 1) + gammaln(theta + alpha + people - 1) - gammaln(theta + alpha)
    return float(math.exp(math.log(people) + log - gammaln(theta + people)))


def log_likelihood(theta: float, alpha: float, sample: SizesOfClasses) -> float:
    """Σᵢ₌₁ᵘ⁻¹ ln(θ + iα) − Σᵢ₌₁ⁿ⁻¹ ln(θ + i) + Σⱼ sⱼ Σᵢ₌₁ʲ⁻¹ ln(i − α), 0 < α < 1, θ > −α: Pitman's formula without constants."""
    from scipy.special import gammaln

    new = (sample.classes - 1) * math.log(alpha)
    new += gammaln(theta / alpha + sample.classes) - gammaln(theta / alpha + 1)
    people = gammaln(theta + sample.people) - gammaln(theta + 1)
    within = np.dot(sample.counts, gammaln(sample.sizes - alpha) - gammaln(1 - alpha))
    return float(new - people + within)


def fit(sample: SizesOfClasses) -> tuple[float, float] | None:
    """(θ, α) of the greatest likelihood, or None where it has no maximum inside, as when all classes are alike."""
    from scipy.optimize import minimize

    if sample.classes in {1, sample.people}:
        return None

    def cost(place: Floats) -> float:
        alpha = 1 / (1 + math.exp(-place[0]))
        return -log_likelihood(math.exp(place[1]) - alpha, alpha, sample)

    starts = [(0.0, math.log(max(sample.classes, 2))), (-2.0, math.log(sample.people))]
    # two dimensions: a simplex needs no gradient, which would be a difference of large numbers
    found = [
        minimize(cost, start, method="Nelder-Mead", bounds=[(-13, 13), (-10, 30)], options={"xatol": 1e-6})
        for start in starts
    ]
    best = min(found, key=lambda one: one.fun)
    alpha = 1 / (1 + math.exp(-best.x[0]))
    theta = math.exp(best.x[1]) - alpha
    return (theta, alpha) if math.isfinite(best.fun) else None

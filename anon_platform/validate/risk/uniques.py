"""People who are alone in their class in the population, by several estimators, with their spread and an interval."""

import math
from dataclasses import dataclass

import numpy as np

from anon_platform.validate.risk.pitman import pitman
from anon_platform.validate.risk.sample import SizesOfClasses
from anon_platform.validate.risk.slide_negative_binomial import slide_negative_binomial
from anon_platform.validate.risk.zayatz import zayatz

SMALL_FRACTION = 0.1
"""Up to this share of the population Pitman's estimate is the better one (Dankar et al. 2012)."""

REPLICATES = 100
"""Bootstrap samples for the interval."""


@dataclass(frozen=True)
class PopulationUniques:
    """Shares of the population, 0 to 1. share: by the decision rule; by: the estimator that it chose.

    interval: 95 %, from bootstrap samples of the classes. estimates: of every estimator that fits.
    """

    share: float
    by: str
    interval: tuple[float, float]
    estimates: dict[str, float]
    people: int
    """Of the sample."""
    population: int


ESTIMATORS = {"Zayatz": zayatz, "Pitman": pitman, "slide negative binomial": slide_negative_binomial}


def population_uniques(sample: SizesOfClasses, *, seed: int) -> PopulationUniques:
    """Share of the population that is unique, estimated from a sample drawn at random; NaN for an empty one.

    With π = 1 the sample is the population, and counted. Else by the decision rule: π ≤ 0.1: Pitman; else the smaller one of
    the slide negative binomial and Zayatz; Zayatz where the model chosen does not fit.
    Source: Dankar, El Emam, Neisa, Roffey 2012, Estimating the re-identification risk of clinical data sets, BMC Medical
    Informatics and Decision Making 12:66.
    """
    number, by = decided(sample)
    if not sample.people:
        return PopulationUniques(math.nan, by, (math.nan, math.nan), {}, 0, 0)
    estimates = {
        name: min(1.0, found / sample.population)
        for name, estimate in ESTIMATORS.items()
        if math.isfinite(found := estimate(sample))
    }
    return PopulationUniques(
        share=min(1.0, number / sample.population),
        by=by,
        interval=_interval(sample, seed),
        estimates=estimates,
        people=sample.people,
        population=sample.population,
    )


def alone_of_sample_uniques(sample: SizesOfClasses) -> float:
    """P(F = 1 | f = 1), 0 to 1: the sample's share π of the population's uniques, of the sample's; 0 without any."""
    if not sample.uniques:
        return 0.0
    return min(1.0, decided(sample)[0] * sample.fraction / sample.uniques)


def decided(sample: SizesOfClasses) -> tuple[float, str]:
    """The number of people by the decision rule, and which estimator it chose."""
    if sample.fraction == 1:
        return float(sample.uniques), "count"
    if sample.fraction <= SMALL_FRACTION:
        found, by = pitman(sample), "Pitman"
    else:
        found, by = slide_negative_binomial(sample), "slide negative binomial"
        if zayatz(sample) < found:
            found, by = zayatz(sample), "Zayatz"
    return (found, by) if math.isfinite(found) else (zayatz(sample), "Zayatz")


def _interval(sample: SizesOfClasses, seed: int) -> tuple[float, float]:
    """2.5 % and 97.5 % points when the classes are drawn again."""
    if sample.fraction == 1:
        share = sample.uniques / sample.people
        return share, share
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(REPLICATES):
        counts = rng.multinomial(sample.classes, sample.counts / sample.classes)
        again = SizesOfClasses(sample.sizes, counts.astype(np.int64), sample.fraction)
        shares.append(min(1.0, decided(again)[0] / again.population))
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)

"""Population uniques by Bayes' rule over the class sizes of the sample."""

import numpy as np

from anon_platform.validate.risk.sample import SizesOfClasses


def zayatz(sample: SizesOfClasses) -> float:
    """Estimated number of people of the population who are alone in their class, 0 to N; NaN for an empty sample.

    S₁ = s₁ P(F = 1 | f = 1) N / n, where P(F = 1 | f = 1) = p₁ P(f = 1 | F = 1) / Σⱼ pⱼ P(f = 1 | F = j), pⱼ is the share
    of the sample's classes of j people, and P(f = 1 | F = j) is hypergeometric.
    Source: Zayatz 1991, Estimation of the percent of unique population elements on a microdata file using the sample,
    US Census Bureau; as in Dankar et al. 2012, appendix A.
    """
    from scipy.stats import hypergeom

    if not sample.people:
        return float("nan")
    if not sample.uniques:
        return 0.0
    drawn_once = hypergeom.pmf(1, sample.population, sample.sizes, sample.people)
    shares = sample.counts / sample.classes
    alone = shares[sample.sizes == 1] * drawn_once[sample.sizes == 1]
    return float(sample.uniques * alone.sum() / np.dot(shares, drawn_once) / sample.fraction)

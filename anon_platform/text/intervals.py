"""How sure a share is that was counted in a sample: exact intervals, and how many to look at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


def clopper_pearson(hits: float, n: float, confidence: float) -> tuple[float, float]:
    """The exact two-sided interval of a share; (0, 1) of nothing. hits, n: also effective ones, which are not whole.

    Source: Clopper, Pearson 1934, The use of confidence or fiducial limits illustrated in the case of the binomial.

    >>> tuple(round(end, 4) for end in clopper_pearson(9, 10, 0.95))
    (0.555, 0.9975)
    """
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


def needed(share: float, confidence: float) -> int:
    """So many to look at that none missed would prove `share`: the lower end of `clopper_pearson(n, n)` reaches it.

    All n found: the lower end is tail^(1/n).

    >>> needed(0.99, 0.95)
    368
    """
    return math.ceil(math.log((1 - confidence) / 2) / math.log(share))


@dataclass(frozen=True)
class Cluster:
    """A note: of n identifiers `hits` were found. stratum: its number; weight: notes of the source it stands for."""

    stratum: int
    weight: float
    hits: int
    n: int


def weighted_share(clusters: Sequence[Cluster]) -> float | None:
    """The share in the whole source: every note counts for those that it stands for; None of nothing."""
    total = sum(each.weight * each.n for each in clusters)
    return sum(each.weight * each.hits for each in clusters) / total if total else None


def cluster_interval(clusters: Sequence[Cluster], confidence: float) -> tuple[float, float]:
    """The interval of `weighted_share` where what stands in one note is not independent; (0, 1) of nothing.

    Exact for a sample of the effective size: p (1 - p) over the variance of the ratio, linearized, within strata; never
    more than Kish's size for the weights, which stands alone where nothing or everything was missed. Notes count as drawn
    with replacement, which is on the safe side.
    Source: Korn, Graubard 1998, Confidence intervals for proportions with small expected number of positive counts.
    """
    from scipy.stats import t

    share = weighted_share(clusters)
    if share is None:
        return 0.0, 1.0
    total = sum(each.weight * each.n for each in clusters)
    size = total**2 / sum(each.weight**2 * each.n for each in clusters)
    variance = _variance(clusters, share, total)
    degrees = len(clusters) - len({each.stratum for each in clusters})
    if 0 < share < 1 and degrees < 1:
        return 0.0, 1.0
    if 0 < share < 1 and variance > 0:
        tail, n = (1 - confidence) / 2, sum(each.n for each in clusters)
        few = (float(t.ppf(tail, max(n - 1, 1))) / float(t.ppf(tail, degrees))) ** 2
        size = min(size, share * (1 - share) / variance * few)
    return clopper_pearson(share * size, size, confidence)


def _variance(clusters: Sequence[Cluster], share: float, total: float) -> float:
    """Of the ratio of two totals of a stratified sample, by linearization (Cochran 1977, 6.13 and 5A)."""
    by_stratum: dict[int, list[float]] = {}
    for each in clusters:
        by_stratum.setdefault(each.stratum, []).append(each.weight * (each.hits - share * each.n) / total)
    found = 0.0
    for parts in by_stratum.values():
        count = len(parts)
        if count > 1:
            mean = sum(parts) / count
            found += count / (count - 1) * sum((part - mean) ** 2 for part in parts)
    return found


def kappa(both: int, first: int, second: int, neither: int) -> float | None:
    """Cohen's kappa of two people who marked each of the same characters or not; None where chance explains all.

    both, neither: marked by both, by none; first, second: by that one alone.
    Source: Cohen 1960, A coefficient of agreement for nominal scales.

    >>> kappa(20, 5, 10, 15)
    0.4
    """
    n = both + first + second + neither
    if not n:
        return None
    agreed = (both + neither) / n
    chance = ((both + first) * (both + second) + (neither + first) * (neither + second)) / n**2
    return None if chance == 1 else round((agreed - chance) / (1 - chance), 12)

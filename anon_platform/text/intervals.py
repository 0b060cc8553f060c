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


def effective_size(clusters: Sequence[Cluster]) -> float:
    """How many independent identifiers the notes are worth: (Σ w n)² / Σ (w n)²; 0 of nothing.

    As if all identifiers of a note were found or missed together, the worst that can be: design effect of an intraclass
    correlation of 1, and of unequal weights. Without a miss in the sample nothing tells how much they hang together, so
    that less would let a poor recall pass. Notes that are equal count one each.
    Source: Kish 1965, Survey sampling, sections 5.4 and 8.2.

    >>> effective_size([Cluster(0, 1.0, 5, 5), Cluster(0, 1.0, 4, 5), Cluster(0, 1.0, 0, 0)])
    2.0
    """
    squares = sum((each.weight * each.n) ** 2 for each in clusters)
    return sum(each.weight * each.n for each in clusters) ** 2 / squares if squares else 0.0


def cluster_interval(clusters: Sequence[Cluster], confidence: float) -> tuple[float, float]:
    """The interval of `weighted_share` where what stands in one note is not independent; (0, 1) of nothing.

    Exact for a sample of the effective size.
    Source: Korn, Graubard 1998, Confidence intervals for proportions with small expected number of positive counts.
    """
    share = weighted_share(clusters)
    if share is None:
        return 0.0, 1.0
    size = effective_size(clusters)
    return clopper_pearson(share * size, size, confidence)


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

"""Membership: who was among the people that a model was trained on, or whose records a table was made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anon_platform.validate.attacks.intervals import Share, newcombe, wilson
from anon_platform.validate.attacks.sides import Near, Sides

Floats = npt.NDArray[np.float64]

FALSE_ALARMS = 0.01
"""The share of people who were not there that may be accused, where the attack is sure of itself."""


@dataclass(frozen=True)
class Told:
    """How well scores tell members from others, one score a person.

    auc: area under the curve with its interval, 0.5 for a coin. caught: share of the members caught where one in a hundred
    others is accused wrongly. advantage: true minus false positives at the threshold, with its interval.
    """

    members: int
    others: int
    auc: tuple[float, float, float]
    caught: Share
    advantage: tuple[float, float, float]


def told_apart(members: Floats, others: Floats, threshold: float, confidence: float) -> Told:
    """How well the scores tell apart; a higher score speaks for a member. threshold: at it or above the attacker says so.

    The area is that of Mann and Whitney, ties half; its interval by DeLong, DeLong, Clarke-Pearson 1988, Comparing the
    areas under two or more correlated ROC curves (the variance of placements), cut to 0 to 1. True positives
    at a rate of false ones: Carlini et al. 2022, Membership inference attacks from first principles.
    Advantage: Yeom et al. 2018, Privacy risk in machine learning (membership advantage).

    >>> told = told_apart(np.array([0.9, 0.8, 0.4]), np.array([0.7, 0.2, 0.1]), 0.5, 0.95)
    >>> round(told.auc[0], 4), round(told.advantage[0], 4)
    (0.8889, 0.3333)
    """
    from scipy.stats import norm, rankdata

    ranks = rankdata(np.concatenate([members, others]))
    of_members = (ranks[: len(members)] - rankdata(members)) / len(others)
    of_others = 1 - (ranks[len(members) :] - rankdata(others)) / len(members)
    area = float(of_members.mean())
    variance = _variance(of_members) + _variance(of_others)
    half = float(norm.ppf((1 + confidence) / 2)) * variance**0.5
    # where nobody is out of place the variance is 0, which is no proof: as if half a pair were
    half = max(half, 0.5 / min(len(members), len(others))) if area in {0.0, 1.0} else half
    accused = np.quantile(others, 1 - FALSE_ALARMS, method="higher")
    caught = wilson(int((members > accused).sum()), len(members), confidence)
    positive = wilson(int((members >= threshold).sum()), len(members), confidence)
    false = wilson(int((others >= threshold).sum()), len(others), confidence)
    return Told(
        len(members),
        len(others),
        (area, max(area - half, 0.0), min(area + half, 1.0)),
        caught,
        (positive.value - false.value, *newcombe(positive, false)),
    )


def _variance(placements: Floats) -> float:
    return float(placements.var(ddof=1)) / len(placements) if len(placements) > 1 else 0.25


def closest(columns: Sequence[Sides]) -> tuple[Floats, Floats]:
    """For each of `people` Gower's distance to the closest released record, and its ratio to the next different one (1: as far).

    Source: Zhao et al. 2021, CTAB-GAN (distance to closest record, nearest neighbour distance ratio); as an attack Chen et
    al. 2020, GAN-Leaks: who is nearer is likelier to be a member.
    """
    near = Near(columns)
    distance, ratio = np.empty(len(columns[0].people)), np.ones(len(columns[0].people))
    for row in range(len(distance)):
        two = np.partition(near.distances(row), 1)[:2] if len(near.first) > 2 else near.distances(row)[:1]  # noqa: PLR2004
        distance[row] = two[0]
        if len(two) > 1 and two[1] > 0:
            ratio[row] = two[0] / two[1]
    return distance, ratio

"""Journalist and marketer risk: the attacker picks among the people of a population, not of the data."""

from dataclasses import dataclass

import numpy as np

from anon_platform.validate.risk.individual import individual_risk
from anon_platform.validate.risk.sample import Floats, Ints


@dataclass(frozen=True)
class Journalist:
    """Probabilities, 0 to 1, all 0 for a release without records.

    maximum: of the record most at risk. mean: over records. marketer: share of the released people whom somebody picks
    rightly who picks one person of the population for each.
    """

    maximum: float
    mean: float
    marketer: float


def against_table(people: Ints, records: Ints, population: Ints) -> Journalist:
    """With the population known: 1 / F for every class that is released. people: f ≥ 1 of a class, population: its F.

    Somebody of a class with more people than the population has is picked among those of the data: F is at least f.
    Source: El Emam 2013, Guide to the De-Identification of Personal Health Information, chapter 16: journalist risk
    max 1/F and its mean over records, marketer risk (1/n) Σ f/F (Dankar, El Emam 2010, A method for evaluating
    marketer re-identification risk).

    >>> against_table(np.array([1, 1]), np.array([1, 3]), np.array([2, 4]))
    Journalist(maximum=0.5, mean=0.3125, marketer=0.375)
    """
    return _of(people, records, 1 / np.maximum(people, population))


def against_estimate(people: Ints, records: Ints, fraction: float, alone: float = 0.0) -> Journalist:
    """With the population estimated: E[1/F | f] for every class; `fraction` as in `individual_risk`.

    alone: P(F = 1 | f = 1), estimated from all class sizes together. Whoever is unique in the sample has at least this
    risk; E[1/F | f] looks at one class only, and is far too low where most of the sample is unique (Rinott 2003).
    Source: as `against_table`, with the expectation of Benedetti, Franconi 1998 in place of 1 / F.

    >>> against_estimate(np.array([1]), np.array([1]), 0.01, alone=0.9).maximum
    0.9
    """
    risks = individual_risk(people, fraction)
    return _of(people, records, np.where(people == 1, np.maximum(risks, min(alone, 1.0)), risks))


def _of(people: Ints, records: Ints, risks: Floats) -> Journalist:
    if not len(people):
        return Journalist(0.0, 0.0, 0.0)
    mean = float(np.dot(records, risks) / records.sum())
    return Journalist(float(risks.max()), mean, float(np.dot(people, risks) / people.sum()))

"""What one run of a mechanism loses at least, from guesses about many people of whom each was in the data by a coin flip.

Source: Steinke, Nasr and Jagielski 2023, Privacy Auditing with One (1) Training Run, Theorem 5.2 and Appendix D.
"""

import math

STEPS = 40
"""Halvings of the search: ε to 2^-40 of the interval."""

MOST_EPSILON = 50.0
"""No number of guesses shows more."""


def one_run_p_value(people: int, guesses: int, correct: int, epsilon: float, delta: float = 0.0) -> float:
    """The chance, at most, that an (ε, δ) mechanism lets so many of the guesses be correct, or more.

    people: canaries, each of them in the data by a fair coin of its own. guesses: those for whom somebody who sees the
    output dares to say in or out. With W binomial of `guesses` draws at e^ε / (1 + e^ε):
    P[W ≥ correct] + 2 · people · δ · max over i of P[correct − i ≤ W < correct] / i.

    >>> round(one_run_p_value(10, 10, 10, 0.0), 6)  # ten coins
    0.000977
    """
    import numpy as np
    from scipy.stats import binom

    if not 0 <= correct <= guesses <= people:
        raise ValueError("correct guesses are among the guesses, and those are about the people")
    rate = 1 / (1 + math.exp(-epsilon))
    value = float(binom.sf(correct - 1, guesses, rate))
    if delta > 0 and correct > 0:
        i = np.arange(1, correct + 1)
        below = np.cumsum(binom.pmf(correct - i, guesses, rate))
        value += 2 * people * delta * float((below / i).max())
    return min(value, 1.0)


def one_run_lower_bound(
    people: int, guesses: int, correct: int, delta: float = 0.0, confidence: float = 0.95
) -> float:
    """The ε that the mechanism has at least at this δ, ≥ 0; too large with a chance of at most 1 − confidence.

    How many guesses are made has to be fixed before the output is looked at.
    """
    low, high = 0.0, MOST_EPSILON
    if one_run_p_value(people, guesses, correct, low, delta) > 1 - confidence:
        return 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if one_run_p_value(people, guesses, correct, middle, delta) <= 1 - confidence:
            low = middle
        else:
            high = middle
    return low

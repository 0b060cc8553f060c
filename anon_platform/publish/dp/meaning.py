"""What ε and δ mean, for a reader who has never met them."""

import math

from anon_platform.publish.wording import percent


def posterior(prior: float, epsilon: float) -> float:
    """What somebody who believed with chance `prior` may believe at most after the release, but for δ.

    Odds grow by e^ε at most. Source: Dwork and Roth 2014, The Algorithmic Foundations of Differential Privacy, section 2.3.

    >>> round(posterior(0.5, 1.0), 3), posterior(0.0, 1.0)
    (0.731, 0.0)
    """
    if prior in (0.0, 1.0):
        return prior
    odds = epsilon + math.log(prior) - math.log1p(-prior)
    return 1 / (1 + math.exp(-odds))


def two_sentences(epsilon: float, delta: float, unit: str) -> str:
    """What the release promises to each person.

    >>> print(two_sentences(1.0, 0.0, "patient"))
    This release would have looked nearly the same had any one patient’s records never been collected. Whoever thought it as likely as not that a certain patient, or something in that patient’s records, is in the data can be at most 73 % sure after reading all of it (ε = 1), whatever else they know or will ever learn.
    """
    sure = percent(posterior(0.5, epsilon), 0).replace("\N{NO-BREAK SPACE}", " ")
    but = f", but for a chance of 1 in {round(1 / delta):,} that this fails (δ)" if delta else ""
    return (
        f"This release would have looked nearly the same had any one {unit}’s records never been collected."
        f" Whoever thought it as likely as not that a certain {unit}, or something in that {unit}’s records, is in the data"
        f" can be at most {sure} sure after reading all of it (ε = {epsilon:.3g}), whatever else they know or will ever learn{but}."
    )

"""What ε and δ mean, for a reader who has never met them."""

import math
from collections.abc import Mapping
from typing import Any

from anon_platform.publish.wording import percent

UNIT, DELTA_UNIT = 1e-9, 1e-18
"""Units of ρ (or ε) and of δ that a manifest counts in."""


def posterior(prior: float, epsilon: float) -> float:
    """What somebody who believed with chance `prior` may believe at most when odds grow by e^ε at most.

    Source: Dwork and Roth 2014, The Algorithmic Foundations of Differential Privacy, section 2.3.

    >>> round(posterior(0.5, 1.0), 3), posterior(0.0, 1.0)
    (0.731, 0.0)
    """
    if prior in (0.0, 1.0):
        return prior
    odds = epsilon + math.log(prior) - math.log1p(-prior)
    return 1 / (1 + math.exp(-odds))


def bounds(loss: Mapping[str, Any]) -> tuple[float, float]:
    """How far odds grow at most, as logarithms: of whether somebody is in the data, and of what their records say.

    Both fail with a chance of δ at most. loss: `privacy_loss` of a manifest. Under zCDP ε at δ does not say this: odds may
    grow by more than e^ε with more chance than δ, for in its definition only what is beyond e^ε counts. Whether somebody is in
    the data is one step between neighbouring tables; what the records say is two where neighbours differ by a whole person:
    the old records go, others come.
    Sources: Bun and Steinke 2016, Concentrated Differential Privacy, Lemma 3.5 (tail) and Proposition 1.9 (two steps: 4ρ).

    >>> bounds({"measure": "pure", "units": 10**9, "delta_units": 0, "delta": 0.0, "neighbours": "add_or_remove_person"})
    (1.0, 2.0)
    """
    amount, steps = loss["units"] * UNIT, 1 if loss["neighbours"] == "change_person" else 2
    if loss["measure"] == "pure":
        return amount, steps * amount
    chance = loss["delta"] - loss["delta_units"] * DELTA_UNIT
    there, said = (rho + 2 * math.sqrt(rho * math.log(1 / chance)) for rho in (amount, amount * steps**2))
    return there, said


def two_sentences(loss: Mapping[str, Any], unit: str) -> str:
    """What the release promises to each person. loss: `privacy_loss` of a manifest.

    >>> pure = {"measure": "pure", "units": 10**9, "delta_units": 0, "delta": 0.0, "neighbours": "add_or_remove_person"}
    >>> print(two_sentences({**pure, "epsilon": 1.0}, "patient"))
    This release would have looked nearly the same had any one patient’s records never been collected (ε = 1). Whoever knows everybody else’s records and thought it as likely as not that a certain patient is in the data can be at most 73 % sure after reading all of it, and at most 88 % sure of anything in that patient’s records that was as likely as not.
    """
    there, said = (
        percent(posterior(0.5, most), 0).replace("\N{NO-BREAK SPACE}", " ") for most in bounds(loss)
    )
    epsilon, delta = loss["epsilon"], loss["delta"]
    but = f", but for a chance of 1 in {round(1 / delta):,} that this fails (δ)" if delta else ""
    return (
        f"This release would have looked nearly the same had any one {unit}’s records never been collected (ε = {epsilon:.3g})."
        f" Whoever knows everybody else’s records and thought it as likely as not that a certain {unit} is in the data can be"
        f" at most {there} sure after reading all of it, and at most {said} sure of anything in that {unit}’s records that was"
        f" as likely as not{but}."
    )

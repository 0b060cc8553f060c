"""HIPAA Expert Determination: the expert, the risk that was measured beside the one held very small, the time it holds.

The rule names no number: the expert says what is very small for the anticipated recipient. The statement to be signed is
filled with what was measured; a program does not sign it.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping

from anon_platform.validate.regulations.dossier import Dossier
from anon_platform.validate.regulations.measured import ATTACKS, RISKS, in_words
from anon_platform.validate.ruling import LEAST, Ruling, ruled

GUARDS = ("k_anonymity", "l_diversity", "reidentification_risk", "differencing", *ATTACKS)
"""Checks whose thresholds bound what a recipient may learn of somebody."""


def expert(dossier: Dossier) -> Ruling:
    """The expert whom the policy names."""
    said = dossier.stated.expert
    if said is None:
        why = "name who determines that the risk is very small; statements: {expert: {name: …, qualification: …}}"
        return Ruling("needs a human", "the policy names no expert", (why,))
    return Ruling("pass", f"stated by the policy's owner: {said.name}, {said.qualification}")


def very_small_risk(dossier: Dossier) -> Ruling:
    """The measured risk beside the largest one that the expert holds to be very small."""
    measured, said = dossier.measured, dossier.stated.expert
    looked_at = measured.told("k", *RISKS) or "no risk was measured"
    if attacks := [in_words(metric) for metric in measured.of(*ATTACKS)]:
        looked_at += "; attacks: " + "; ".join(attacks)
    failing = measured.missed(*GUARDS)
    if said is None or said.measure is None or said.very_small is None:
        why = "the expert determines that the risk is very small, and says by which measure; statements: {expert: {measure: …, very_small: …}}"
        return ruled(looked_at, failing, [why])
    value = measured.value(said.measure)
    if value is None:
        return ruled(
            looked_at, failing, [f"{said.measure} was not measured; the expert needs another ground"]
        )
    if value > said.very_small + 1e-9:
        failing.append(
            f"{said.measure} {value:.4g}, and the expert holds at most {said.very_small:.4g} to be very small"
        )
    bound = f"very small for the expert, as the policy's owner states: {said.measure} of {said.very_small:.4g} at most"
    return ruled(f"{looked_at}; {bound}", failing)


def documented(dossier: Dossier) -> Ruling:
    """Methods and results stand in the report; the expert makes them the own ones by signing."""
    told = dossier.measured.told("k", *RISKS)
    results = [told] if told else [in_words(metric) for metric in dossier.measured.of(*ATTACKS)]
    if not results:
        return Ruling(
            "fail",
            "no risk was measured",
            ("there are no results to document; quasi-identifiers or attacks give some",),
        )
    why = "the expert has read methods and results in this report, and signs the statement below"
    return Ruling("needs a human", "; ".join(results), (why,))


def time_limit(dossier: Dossier) -> Ruling:
    """The days for which the determination holds."""
    until = expires(dossier)
    if until is None:
        why = "say for how long the determination holds; statements: {expert: {valid_days: …}}"
        return Ruling("needs a human", "the policy states nothing of it", (why,))
    return Ruling("pass", f"stated by the policy's owner: valid until {until.isoformat()}")


def expires(dossier: Dossier) -> dt.date | None:
    """The last day on which the determination holds; None where the policy sets no limit."""
    said = dossier.stated.expert
    if said is None or said.valid_days is None:
        return None
    try:
        return dossier.today + dt.timedelta(days=said.valid_days)
    except OverflowError:
        return dt.date.max


def statement(dossier: Dossier) -> list[str]:
    """The statement to be signed, one paragraph an item, filled with what was measured."""
    policy, said = dossier.policy, dossier.stated.expert
    who = f"{said.name}, {said.qualification}," if said else "the undersigned, ____________________,"
    paragraphs = [
        (
            f"I, {who} have appropriate knowledge of and experience with generally accepted statistical and scientific"
            " principles and methods for rendering information not individually identifiable."
        ),
        f"The information is {policy.title} ({policy.dataset}): {_size(dossier)}. It goes to {policy.publish.recipient}, for {policy.publish.purpose}.",
        "Applying such principles and methods I looked at: " + "; ".join(_methods(dossier)) + ".",
        "Measured on the bytes that leave: " + ("; ".join(_results(dossier)) or "nothing") + ".",
    ]
    bound = (
        f" (by {said.measure}, at most {said.very_small:.4g})" if said and said.very_small is not None else ""
    )
    paragraphs.append(
        f"I determine that the risk is very small{bound} that the information could be used, alone or in combination with other"
        " reasonably available information, by an anticipated recipient to identify an individual who is a subject of it."
    )
    until = expires(dossier)
    last = until.isoformat() if until else "____________________"
    paragraphs.append(
        f"Made on {dossier.today.isoformat()}. This determination holds until {last}; after that day it is made anew."
    )
    return paragraphs


def _size(dossier: Dossier) -> str:
    detail = dossier.measured.detail
    counts = [(detail["accounting"]["rows_out"], "records")]
    if "privacy" in detail:
        counts.append((detail["privacy"]["people"], dossier.people))
    return " of ".join(
        f"fewer than {LEAST} {what}" if 0 < n < LEAST else f"{n:,} {what}" for n, what in counts
    )


def _methods(dossier: Dossier) -> Iterator[str]:
    names = dossier.policy.quasi_identifiers
    if names:
        yield f"classes of {dossier.people} who share {', '.join(names)} (prosecutor risk)"
    if dossier.measured.value("journalist risk") is not None:
        yield "the population that they are drawn from (journalist and marketer risk)"
    yield from (f"an attacker: {who}" for who in dossier.assumed)
    attacks = dict.fromkeys(metric.check.replace("_", " ") for metric in dossier.measured.of(*ATTACKS))
    if attacks:
        yield f"attacks that were run: {', '.join(attacks)}"
    if not names and not attacks:
        yield "nothing: no quasi-identifier leaves, and no attack was run"


def _results(dossier: Dossier) -> Iterator[str]:
    if told := dossier.measured.told("k", *RISKS):
        yield told
    yield from (in_words(metric) for metric in dossier.measured.of(*ATTACKS))


CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "b1": expert,
    "i": very_small_risk,
    "ii": documented,
    "expiry": time_limit,
}
"""By the clause's letter what checks it."""

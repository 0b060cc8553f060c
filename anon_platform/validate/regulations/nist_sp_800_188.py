"""NIST SP 800-188: governance that the policy and its owner state, and performance levels that were measured."""

from collections.abc import Callable, Mapping

from anon_platform.validate.regulations.dossier import Dossier, named
from anon_platform.validate.regulations.measured import ATTACKS, RISKS
from anon_platform.validate.ruling import Ruling, ruled


def goals(dossier: Dossier) -> Ruling:
    """Every policy names a recipient and a purpose."""
    publish = dossier.policy.publish
    return Ruling("pass", f"stated by the policy's owner: {publish.purpose}, for {publish.recipient}")


def risks(dossier: Dossier) -> Ruling:
    """The risks that were measured."""
    measured = dossier.measured
    told = measured.told("k", *RISKS)
    failing = measured.missed("k_anonymity", "l_diversity", "reidentification_risk", "differencing", *ATTACKS)
    unsure = (
        []
        if told or measured.of(*ATTACKS)
        else ["no risk was measured; evaluate what an adversary may learn, and what harm it does"]
    )
    return ruled(told or "no quasi-identifier leaves", failing, unsure)


def sharing_model(dossier: Dossier) -> Ruling:
    """The model that the owner states."""
    return named(dossier.stated.sharing_model, "the data-sharing model is chosen", key="sharing_model")


def review_board(dossier: Dossier) -> Ruling:
    """The board that the owner names."""
    return named(
        dossier.stated.review_board, "a Disclosure Review Board oversees the release", key="review_board"
    )


def standard(dossier: Dossier) -> Ruling:
    """The policy's thresholds: each a performance level, measured."""
    measured = dossier.measured
    levels = [metric for metric in measured.metrics if metric.threshold is not None]
    return ruled(f"{len(levels)} measures with thresholds in the policy", measured.missed())


def identifiers(dossier: Dossier) -> Ruling:
    """Direct identifiers of columns and notes."""
    return ruled(dossier.treated, *dossier.identifiers)


def study(dossier: Dossier) -> Ruling:
    """Attacks of the run, or a test by people that the owner states."""
    attacked, test = dossier.measured.attacked(*ATTACKS), dossier.stated.intruder_test
    if test is None:
        why = "a re-identification study is made; attacks of the policy are one, statements: {intruder_test: …} another"
        return attacked or Ruling("needs a human", "no attack was run", (why,))
    told = f"stated by the policy's owner: {test.by} tried {test.attempts:,} on {test.held_on.isoformat()}"
    failing = ["the study identified people, as the policy's owner states"] if test.identified else []
    failing += attacked.reasons if attacked is not None and attacked.verdict == "fail" else ()
    return ruled(told if attacked is None else f"{told}; {attacked.looked_at}", failing)


CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "goals": goals,
    "risks": risks,
    "sharing": sharing_model,
    "board": review_board,
    "standard": standard,
    "identifiers": identifiers,
    "study": study,
}
"""By the clause's letter what checks it."""

"""The record of a motivated intruder test: who the intruder is, what was tried, who gets access, when it is reviewed."""

from collections.abc import Callable, Mapping

from anon_platform.validate.regulations.dossier import Dossier
from anon_platform.validate.regulations.gdpr_wp29 import singling_out
from anon_platform.validate.ruling import Ruling, ruled


def intruder(dossier: Dossier) -> Ruling:
    """The attackers that the policy assumes."""
    if not dossier.assumed:
        why = "say what a motivated intruder knows and has: attackers and attacks of the policy, or a test by people (statements: {intruder_test: …})"
        test = dossier.stated.intruder_test
        if test is None:
            return Ruling("needs a human", "the policy assumes no attacker", (why,))
        return Ruling("pass", f"stated by the policy's owner: {test.by} were the intruder")
    return Ruling("pass", "the policy assumes " + "; ".join(dossier.assumed))


def linkability(dossier: Dossier) -> Ruling:
    """By the attacks with external files."""
    attacked = dossier.measured.attacked("linkage", "linkability")
    if attacked is not None:
        return attacked
    why = "make sure that no file which an intruder may hold, such as a voter list, names people of the release; attacks: {linkage: …} tries one"
    return Ruling("needs a human", "no attack with an external file was run", (why,))


def tested(dossier: Dossier) -> Ruling:
    """What people found who tried, as the owner states it; attacks of the run beside it."""
    test, attacked = (
        dossier.stated.intruder_test,
        dossier.measured.attacked("linkage", "singling_out", "linkability", "inference"),
    )
    looked_at = attacked.looked_at if attacked is not None else "no attack was run"
    failing = list(attacked.reasons) if attacked is not None and attacked.verdict == "fail" else []
    if test is None:
        why = "people try to identify somebody, and the result goes on record; statements: {intruder_test: …}"
        return ruled(looked_at, failing, [why])
    told = f"stated by the policy's owner: {test.by} tried {test.attempts:,} on {test.held_on.isoformat()}"
    if test.identified:
        failing.append("the motivated intruder test identified people, as the policy's owner states")
    if test.held_on > dossier.today:
        failing.append("the motivated intruder test is said to have been held on a day to come")
    return ruled(f"{told}; {looked_at}", failing)


def access(dossier: Dossier) -> Ruling:
    """Known recipients under an agreement, or everybody."""
    model = dossier.stated.sharing_model
    recipient = f"recipient {dossier.policy.publish.recipient}, for {dossier.policy.publish.purpose}"
    if model is None:
        why = (
            "say who may get or want access, with leaks and insiders in mind; statements: {sharing_model: …}"
        )
        return Ruling("needs a human", recipient, (why,))
    if model == "public":
        why = "the release is for the world at large: everybody may be the intruder, now and later; more robust techniques are to be considered"
        return Ruling("needs a human", f"{recipient}; stated by the policy's owner: public", (why,))
    if dossier.stated.contract_forbids_reidentification is False:
        why = (
            "the owner states that no contract forbids the recipient to identify somebody; weigh who may try"
        )
        return Ruling("needs a human", f"{recipient}; stated by the policy's owner: {model}", (why,))
    return Ruling("pass", f"{recipient}; stated by the policy's owner: {model}")


def review(dossier: Dossier) -> Ruling:
    """The days after which the risk is assessed anew."""
    days = dossier.stated.review_days
    if days is None:
        why = "say when the assessment is reviewed; statements: {review_days: …}"
        return Ruling("needs a human", "the policy states nothing of it", (why,))
    return Ruling("pass", f"stated by the policy's owner: reviewed every {days:,} days")


CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "a": intruder,
    "b": singling_out,
    "c": linkability,
    "d": tested,
    "e": access,
    "f": review,
}
"""By the clause's letter what checks it."""

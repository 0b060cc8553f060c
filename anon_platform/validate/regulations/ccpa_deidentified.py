"""California: what was measured against 1798.140(m), and what the owner states of commitments, notices and contracts."""

from collections.abc import Callable, Mapping

from anon_platform.policy.regulations import pack_of
from anon_platform.validate.regulations.dossier import Dossier, stated
from anon_platform.validate.regulations.measured import ATTACKS, RISKS
from anon_platform.validate.ruling import Ruling, ruled

METHODS = ("hipaa_safe_harbor", "hipaa_expert_determination")
"""Packs of the methods that AB 713 names."""


def not_linkable(dossier: Dossier) -> Ruling:
    """Measures contradict it, or whoever signs says that it is so."""
    measured = dossier.measured
    failing = measured.missed("k_anonymity", "l_diversity", "reidentification_risk", "differencing", *ATTACKS)
    if (k := measured.value("k")) is not None and k < 2:  # noqa: PLR2004 - alone
        failing.append("somebody is alone with a combination of quasi-identifiers")
    why = "with these measures the information cannot reasonably be linked to a consumer, or used to infer something about one"
    return ruled(measured.told("k", *RISKS) or "no quasi-identifier leaves", failing, [why])


def reasonable_measures(dossier: Dossier) -> Ruling:
    """What was done to direct identifiers; households are not counted."""
    failing, unsure = dossier.identifiers
    gone = sum(column.suppressed for column in dossier.policy.columns.values())
    why = f"the measures are reasonable for households, too: classes count {dossier.people}, who may be of one household"
    return ruled(f"{dossier.treated}; {gone} do not leave", failing, [*unsure, why])


def public_commitment(dossier: Dossier) -> Ruling:
    """What the business says in public."""
    what = "the business publicly commits to keep the information deidentified, and not to attempt to reidentify it"
    return stated(dossier.stated.public_commitment, what, key="public_commitment")


def contract(dossier: Dossier) -> Ruling:
    """What binds the recipient."""
    what = f"a contract binds {dossier.policy.publish.recipient} to keep it deidentified and not to reidentify anybody"
    return stated(
        dossier.stated.contract_forbids_reidentification, what, key="contract_forbids_reidentification"
    )


def _of_patients(check: Callable[[Dossier], Ruling]) -> Callable[[Dossier], Ruling]:
    """The check, where the data may be of patients; AB 713 asks nothing of other data."""

    def asked(dossier: Dossier) -> Ruling:
        if dossier.stated.patient_information is False:
            return Ruling("pass", "stated by the policy's owner: the data is not made of patient information")
        return check(dossier)

    return asked


def hipaa_method(dossier: Dossier) -> Ruling:
    """Which method the policy names; its own clauses are judged in their own section."""
    found = [pack_of(name).title for name in dossier.policy.regulation if name in METHODS]
    if found:
        why = f"what {' and '.join(found)} leaves to a human in this report is made sure of"
        return Ruling("needs a human", f"the policy names {' and '.join(found)}", (why,))
    why = f"the data is deidentified by a method of 45 CFR 164.514; regulation: {' or '.join(METHODS)} checks one"
    return Ruling("needs a human", "the policy names no method of HIPAA", (why,))


def privacy_notice(dossier: Dossier) -> Ruling:
    """What the privacy policy of the business says."""
    what = "the privacy policy says that deidentified patient information is sold or disclosed, and by which method it was made"
    return stated(dossier.stated.privacy_notice_names_method, what, key="privacy_notice_names_method")


def no_reidentification(dossier: Dossier) -> Ruling:
    """What nobody does; codes that can be undone are told."""
    undone = (
        f"{', '.join(dossier.reversible)}: codes that a key undoes"
        if dossier.reversible
        else "no code leaves that a key undoes"
    )
    what = "nobody reidentifies the release, or attempts to, but for the purposes of 1798.148(a)(1) to (5)"
    ruling = stated(dossier.stated.reidentification_excluded, what, key="reidentification_excluded")
    return Ruling(ruling.verdict, f"{undone}; {ruling.looked_at}", ruling.reasons)


def contract_terms(dossier: Dossier) -> Ruling:
    """The provisions of a contract of sale or license."""
    what = "a contract of sale or license says that it is deidentified patient information, forbids reidentification, and binds third parties"
    return stated(dossier.stated.contract_of_ab_713, what, key="contract_of_ab_713")


CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "m": not_linkable,
    "m.1": reasonable_measures,
    "m.2": public_commitment,
    "m.3": contract,
    "146": _of_patients(hipaa_method),
    "130": _of_patients(privacy_notice),
    "148.a": _of_patients(no_reidentification),
    "148.c": _of_patients(contract_terms),
}
"""By the clause's letter what checks it."""

"""The pseudonymisation domain of EDPB Guidelines 01/2025: what the policy does, what was measured, what the owner states."""

from collections.abc import Callable, Mapping

from anon_platform.validate.regulations.dossier import Dossier, named, stated
from anon_platform.validate.regulations.measured import RISKS
from anon_platform.validate.ruling import Ruling, ruled


def domain(dossier: Dossier) -> Ruling:
    """Who must not be able to attribute the data."""
    recipient = dossier.policy.publish.recipient
    what = f"who at the recipient ({recipient}) and beyond works with the release, and must not be able to attribute it"
    return named(dossier.stated.pseudonymisation_domain, what, key="pseudonymisation_domain")


def transformation(dossier: Dossier) -> Ruling:
    """Direct identifiers leave as codes, as invented values or not at all; notes without what identifies."""
    return ruled(dossier.treated, *dossier.identifiers)


def secrets_apart(dossier: Dossier) -> Ruling:
    """Keys lie in the owner's key store; whether the recipient can reach them no program sees."""
    keys = (
        f"keys {', '.join(dossier.keys)}"
        if dossier.keys
        else "no key; the original records are the additional information"
    )
    ruling = stated(
        dossier.stated.keys_kept_apart,
        "keys, token vaults and original records are out of the reach of everybody in the domain",
        key="keys_kept_apart",
    )
    return Ruling(ruling.verdict, f"{keys}; {ruling.looked_at}", ruling.reasons)


def quasi_identifiers(dossier: Dossier) -> Ruling:
    """K and the risks, beside the policy's thresholds."""
    measured = dossier.measured
    k = measured.value("k")
    failing = measured.missed("k_anonymity", "reidentification_risk", "linkage", "singling_out")
    if k is not None and k < 2:  # noqa: PLR2004 - alone
        failing.append(
            "somebody is alone with a combination of quasi-identifiers, so that who knows it attributes the record"
        )
    unsure = (
        []
        if k is not None
        else ["the policy calls no column a quasi-identifier that leaves; make sure that none of them is one"]
    )
    return ruled(measured.told("k", *RISKS) or "no quasi-identifier leaves", failing, unsure)


def linkage(dossier: Dossier) -> Ruling:
    """What one policy knows of the scope of its keys; other policies may name them, too."""
    if not dossier.keys:
        return Ruling("pass", "nothing leaves that is made with a key, so that no pseudonym links releases")
    what = f"no release for another recipient is made with the keys {', '.join(dossier.keys)}: the same value would have the same pseudonym"
    ruling = stated(dossier.stated.keys_for_this_recipient_only, what, key="keys_for_this_recipient_only")
    linked = (
        "a pseudonym links the rows of a person"
        if dossier.policy.privacy_unit.linked
        else "no pseudonym of the person links rows"
    )
    return Ruling(
        ruling.verdict, f"{linked}; other policies were not looked at; {ruling.looked_at}", ruling.reasons
    )


def personal_data(dossier: Dossier) -> Ruling:
    """What leaves is treated as personal data."""
    what = "the recipient treats the release as personal data: legal basis, information, rights of those concerned"
    return stated(dossier.stated.treated_as_personal_data, what, key="treated_as_personal_data")


CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "2.3": domain,
    "3.1": transformation,
    "4.5": secrets_apart,
    "3.2": quasi_identifiers,
    "3.3": linkage,
    "22": personal_data,
}
"""By the clause's letter what checks it."""

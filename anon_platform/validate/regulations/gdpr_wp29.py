"""The three criteria of WP216, by attacks where these were run, else by k, l and t and the Opinion's own table of techniques.

Table 6 of the Opinion: with k-anonymity singling out is no longer a risk, linkability and inference still are; with
l-diversity and t-closeness inference "may not" be; with pseudonyms all three are. Where a criterion is not met for sure,
the Opinion asks for a thorough evaluation of the risk, so that the clause is for a human; what was measured against a
criterion fails it.
"""

from collections.abc import Callable, Mapping

from anon_platform.validate.regulations.dossier import Dossier
from anon_platform.validate.ruling import Ruling, ruled

EVALUATE = "evaluate the remaining risk thoroughly"


def singling_out(dossier: Dossier) -> Ruling:
    """By the attack, and by k: somebody alone in a class is singled out, whatever an attack found."""
    measured = dossier.measured
    k, looked_at = measured.value("k"), _classes(dossier)
    failing = ["somebody is alone with a combination of quasi-identifiers"] if k is not None and k < 2 else []  # noqa: PLR2004 - alone
    unsure: list[str] = []
    if (attacked := measured.attacked("singling_out")) is not None:
        looked_at += f"; {attacked.looked_at}"
        failing += attacked.reasons if attacked.verdict == "fail" else ()
        unsure += attacked.reasons if attacked.verdict == "needs a human" else ()
    elif k is None:
        unsure.append(f"nothing was measured: no quasi-identifier leaves, and no attack was run; {EVALUATE}")
    if dossier.coded:
        unsure.append(
            f"{', '.join(dossier.coded)}: pseudonyms, with which singling out is still a risk (table 6); {EVALUATE}"
        )
    return ruled(looked_at, failing, unsure)


def _classes(dossier: Dossier) -> str:
    """What is shared, and by how many."""
    told = dossier.measured.told("k", "sample uniques")
    return (
        f"{told}, over {', '.join(dossier.policy.quasi_identifiers)}"
        if told
        else "no quasi-identifier leaves"
    )


def linkability(dossier: Dossier) -> Ruling:
    """By the attacks of linkability and linkage, and by earlier releases to the same recipient."""
    measured = dossier.measured
    attacked = measured.attacked("linkability", "linkage")
    failing = measured.missed("differencing")
    unsure: list[str] = []
    looked_at = measured.told("k across releases") or "no earlier release was there to be compared"
    if attacked is None:
        unsure.append(
            f"no attack was run, and with k-anonymity linkability is still a risk (table 6); {EVALUATE}"
        )
    else:
        looked_at = f"{attacked.looked_at}; {looked_at}"
        failing += attacked.reasons if attacked.verdict == "fail" else ()
        unsure += attacked.reasons if attacked.verdict == "needs a human" else ()
    if dossier.coded:
        unsure.append(
            f"{', '.join(dossier.coded)}: pseudonyms, with which records are linked by design (table 6); {EVALUATE}"
        )
    return ruled(looked_at, failing, unsure)


def inference(dossier: Dossier) -> Ruling:
    """By the attack on every sensitive column; else by l and t."""
    measured, sensitive = dossier.measured, dossier.policy.sensitive
    looked_at = (
        measured.told(*(f"{what} of {name}" for name in sensitive for what in "lt"))
        or "no sensitive column leaves"
    )
    failing = [
        f"{name}: everybody in some class has the same value, so that it is deduced with certainty"
        for name in sensitive
        if (l := measured.value(f"l of {name}")) is not None and l < 2  # noqa: PLR2004 - one value
    ]
    unsure: list[str] = []
    if (attacked := measured.attacked("inference")) is not None:
        looked_at += f"; {attacked.looked_at}"
        failing += attacked.reasons if attacked.verdict == "fail" else ()
        unsure += attacked.reasons if attacked.verdict == "needs a human" else ()
    tried = {metric.name.removeprefix("inference of ") for metric in measured.of("inference")}
    if left := [name for name in sensitive if name not in tried]:
        unsure.append(
            f"{', '.join(left)}: no attack was run; with l-diversity and t-closeness inference may not be a risk (table 6); {EVALUATE}"
        )
    if not sensitive and attacked is None:
        unsure.append(f"the policy calls no column sensitive that leaves, and no attack was run; {EVALUATE}")
    return ruled(looked_at, failing, unsure)


def original_retained(dossier: Dossier) -> Ruling:
    """The flag: records leave one by one, so that for whoever keeps the originals they stay personal data."""
    said = dossier.stated.original_retained
    if said is False:
        return Ruling("pass", "stated by the policy's owner: the original records are deleted")
    told = (
        "the policy's owner states that they are kept"
        if said
        else "the policy does not state that they are deleted"
    )
    why = "event-level original retained: for the controller the release stays personal data, and is to be treated as such"
    return Ruling("needs a human", f"records leave one by one; of the originals, {told}", (why,))


CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "1": singling_out,
    "2": linkability,
    "3": inference,
    "original": original_retained,
}
"""By the clause's letter what checks it."""

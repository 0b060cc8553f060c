"""Agencies that publish clinical data: EMA Policy 0070 and Health Canada's PRCI, both with a risk of 0.09 at most.

0.09 is less than 1/11 = 0.0909…: classes of 11 people miss it, classes of 12 meet it (see `policy/risk.py`).
"""

from collections.abc import Callable, Mapping

from anon_platform.policy.risk import PRESETS
from anon_platform.validate.regulations.dossier import Dossier, stated
from anon_platform.validate.ruling import Ruling, ruled

HAIR = 1e-9
"""Sums in another order may differ by so much."""


def _threshold(preset: str) -> Callable[[Dossier], Ruling]:
    bound = PRESETS[preset][0]
    return lambda dossier: _risk(dossier, bound)


def _risk(dossier: Dossier, bound: float) -> Ruling:
    measured = dossier.measured
    looked_at = measured.told("k", "maximum risk", "journalist risk") or "no quasi-identifier leaves"
    maximum, journalist = measured.value("maximum risk"), measured.value("journalist risk")
    if maximum is None:
        why = f"nothing was measured; make sure that the risk is {bound:g} at most"
        return ruled(looked_at, [], [why])
    failing = measured.missed("linkage", "singling_out")
    if maximum <= bound + HAIR:
        return ruled(looked_at, failing)
    if journalist is not None and journalist <= bound + HAIR:
        why = (
            f"maximum risk {maximum:.4g} is above {bound:g} among the people of the data, journalist risk {journalist:.4g} is"
            " not; make sure that the population of the policy may be the reference, such as that of similar trials"
        )
        return ruled(looked_at, failing, [why])
    near = (
        "; a class of 11 people has 1/11 = 0.0909, which is above it, so classes need 12"
        if maximum <= 1 / 11 + HAIR
        else ""
    )
    return ruled(looked_at, [f"maximum risk {maximum:.4g}, at most {bound:g} allowed{near}", *failing])


def adversaries(dossier: Dossier) -> Ruling:
    """The attackers that the policy assumes."""
    if not dossier.assumed:
        why = "say who may attack and how; attackers and attacks of the policy are measured and stand in the report"
        return Ruling("needs a human", "the policy assumes no attacker", (why,))
    return Ruling("pass", "the policy assumes " + "; ".join(dossier.assumed))


def data_utility(dossier: Dossier) -> Ruling:
    """Fidelity of every column and suppressed records, within the policy's bounds."""
    measured = dossier.measured
    told = measured.told("suppressed records", "largest column distance", "model loss")
    return ruled(
        told or "nothing was measured",
        measured.missed("statistical_fidelity", "model_utility"),
        [] if told else ["nothing was measured; assess what is lost"],
    )


def report(dossier: Dossier) -> Ruling:
    """The report that is handed in."""
    what = (
        "an anonymisation report is handed in; this report has the method, the attackers and the risks for it"
    )
    return stated(dossier.stated.anonymisation_report, what, key="anonymisation_report")


EMA_CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "risk": _threshold("ema_policy_0070"),
    "attacks": adversaries,
    "utility": data_utility,
    "report": report,
}
"""Of EMA Policy 0070, by the clause's letter what checks it."""

HEALTH_CANADA_CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "risk": _threshold("health_canada_prci"),
    "transformation": data_utility,
    "report": report,
}
"""Of Health Canada's guidance, by the clause's letter what checks it."""

"""NIST SP 800-226: a claim of differential privacy, which a release of treated records cannot make.

No technique of `anonymize` is differentially private (a test says so), so that ε and δ fail: noise on columns bounds
nothing that is learned of a person. Releases under `privacy_loss` are ruled on in `validate/dp/regulations.py`.
"""

from collections.abc import Callable, Mapping

from anon_platform.validate.regulations.dossier import Dossier, named
from anon_platform.validate.ruling import Ruling

NO_MECHANISM = "the release has no differentially private mechanism, so that its privacy loss has no bound"


def no_mechanism(dossier: Dossier) -> Ruling:
    """What is released by no differentially private mechanism has no ε and no δ."""
    steps = (
        step.technique for name in dossier.policy.released for step in dossier.policy.columns[name].treat
    )
    return Ruling(
        "fail", f"the techniques of the policy: {', '.join(sorted(set(steps))) or 'none'}", (NO_MECHANISM,)
    )


def unit_of_privacy(dossier: Dossier) -> Ruling:
    """The privacy unit, which every policy states."""
    unit = dossier.policy.privacy_unit
    whose = (
        f"all rows of one {unit.name}, told apart by {unit.column}"
        if unit.column
        else f"one row, which is one {unit.name}"
    )
    return Ruling("pass", f"stated by the policy's owner: {whose}")


def trust_model(dossier: Dossier) -> Ruling:
    """Who is trusted with the data, as the owner states it."""
    return named(
        dossier.stated.trust_model, "who sees the data before noise is added is stated", key="trust_model"
    )


CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {
    "epsilon": no_mechanism,
    "delta": no_mechanism,
    "unit": unit_of_privacy,
    "trust": trust_model,
}
"""By the clause's letter what checks it."""

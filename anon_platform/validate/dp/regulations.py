"""NIST SP 800-226 for a differentially private release: what a claim has to say, held against what was spent."""

from anon_platform.dp import Loss, epsilon_of
from anon_platform.policy import DPPolicy
from anon_platform.policy.regulations import Clause, pack_of
from anon_platform.validate.regulations import Judged
from anon_platform.validate.ruling import Ruling, ruled

HIGH = 10.0
"""ε above which a release protects little in practice: Near, Darais, Lefkovitz, Howarth 2025 call for care from there on."""

FAR = 0.1
"""δ times people from which δ is no longer far below one in so many people."""


def judged(policy: DPPolicy, spent: Loss) -> list[Judged]:
    """The packs that the policy names, with a ruling for each clause."""
    return [
        Judged(pack, tuple((clause, _ruling(clause, policy, spent)) for clause in pack.clauses))
        for pack in map(pack_of, policy.regulation)
    ]


def _ruling(clause: Clause, policy: DPPolicy, spent: Loss) -> Ruling:
    return {"epsilon": _epsilon, "delta": _delta, "unit": _unit, "trust": _trust}[clause.letter](
        policy, spent
    )


def _epsilon(policy: DPPolicy, spent: Loss) -> Ruling:
    stated = policy.privacy_loss
    found = epsilon_of(spent, stated.delta)
    over = [f"the mechanisms lose ε = {found:.6g}, more than is stated"] if found > stated.epsilon else []
    high = (
        [f"ε = {stated.epsilon:g} is high; whether it protects enough is a decision"]
        if stated.epsilon > HIGH
        else []
    )
    return ruled(
        f"ε = {stated.epsilon:g} stated, {found:.6g} as OpenDP proves of the mechanisms; all releases together at most"
        f" {stated.caps.recipient.epsilon:g} to this recipient and {stated.caps.overall.epsilon:g} to all",
        over,
        high,
    )


def _delta(policy: DPPolicy, _spent: Loss) -> Ruling:
    stated = policy.privacy_loss
    near = stated.delta * stated.people
    looked_at = f"δ = {stated.delta:g} stated, {near:.2g} times one in the {stated.people:,} people that the policy states"
    return ruled(looked_at, [], [f"{looked_at}, which is not far below one"] if near > FAR else [])


def _unit(policy: DPPolicy, _spent: Loss) -> Ruling:
    unit, stated = policy.privacy_unit, policy.privacy_loss
    whose = "each row is one" if unit.column is None else f"all rows of one, told apart by {unit.column}"
    rows = f"of more than {stated.contribution} rows so many are drawn"
    apart = "added or removed" if stated.neighbours == "add_or_remove_person" else "changed at will"
    return Ruling("pass", f"a {unit.name}: {whose}; {rows}; neighbouring tables differ by one, {apart}")


def _trust(_policy: DPPolicy, _spent: Loss) -> Ruling:
    return Ruling(
        "pass",
        "central: whoever runs the release holds the data and adds the noise; recipients see noise only",
    )

"""Rules of the attacks: what they may name, and which of them would be no attack."""

from collections.abc import Iterator, Mapping, Sequence

from anon_platform.policy.attacks import Attacks, Linkage
from anon_platform.policy.faults import Path_
from anon_platform.policy.model import PrivacyUnit
from anon_platform.policy.rules.privacy import Broken, Draft


def attack_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    attacks = draft.parts.get("attacks")
    if not isinstance(attacks, Attacks) or not draft.names:
        return
    for i, linkage in enumerate(attacks.linkage):
        yield from _linkage(("attacks", "linkage", i), linkage, attacks.linkage[:i], draft)
    yield from _singling_out(attacks, draft)
    yield from _linkability(attacks, draft)
    yield from _inference(attacks, draft)
    if attacks.membership is not None and draft.parts.get("model") is None:
        yield (
            ("attacks", "membership"),
            "the policy has no model whose training could tell who was in it; write model: …, or remove this",
        )
    if not any(
        (attacks.linkage, attacks.singling_out, attacks.linkability, attacks.inference, attacks.membership)
    ):
        yield ("attacks",), "no attack is named, so that nothing is tried; name one, or remove this"


def _linkage(at: Path_, linkage: Linkage, above: Sequence[Linkage], draft: Draft) -> Iterator[Broken]:
    if linkage.name in [other.name for other in above]:
        yield (*at, "name"), "a linkage of this name stands above; give this one another name"
    yield from _leaving((*at, "columns"), linkage.columns, draft, keys=True)
    yield from _leaving((*at, "years"), linkage.years, draft, keys=True)
    for name in linkage.years:
        if name in linkage.columns:
            yield (*at, "years", name), "this column stands in columns too; keep one"
    for name in linkage.before:
        if name not in draft.names:
            yield (*at, "before", name), draft.no_column(name)
    if not linkage.raw_columns:
        yield (
            (*at, "before"),
            "missing; no column is compared as it is, so write what the attacker compares on the raw data",
        )
    unit = draft.parts.get("privacy_unit")
    if linkage.truth is not None and isinstance(unit, PrivacyUnit) and unit.column is None:
        yield (*at, "truth"), "truth goes by the person column; write privacy_unit: {column: …}"


def _singling_out(attacks: Attacks, draft: Draft) -> Iterator[Broken]:
    attack, at = attacks.singling_out, ("attacks", "singling_out")
    if attack is None:
        return
    yield from _leaving((*at, "columns"), attack.columns, draft)
    if len(set(attack.columns)) < attack.together:
        yield (
            (*at, "columns"),
            f"a predicate is over {attack.together} columns; name as many, or lower together",
        )


def _linkability(attacks: Attacks, draft: Draft) -> Iterator[Broken]:
    attack, at = attacks.linkability, ("attacks", "linkability")
    if attack is None:
        return
    yield from _leaving((*at, "one"), attack.one, draft)
    yield from _leaving((*at, "other"), attack.other, draft)
    for i, name in enumerate(attack.other):
        if name in attack.one:
            yield (*at, "other", i), "this column is in both parts, which would always match; keep it in one"


def _inference(attacks: Attacks, draft: Draft) -> Iterator[Broken]:
    attack, at = attacks.inference, ("attacks", "inference")
    if attack is None:
        return
    yield from _leaving((*at, "known"), attack.known, draft)
    yield from _leaving((*at, "secrets"), attack.secrets, draft)
    for i, name in enumerate(attack.secrets):
        if name in attack.known:
            yield (*at, "secrets", i), "what is known is no secret; leave it out of one of the two"
        elif name in draft.leaving("quasi_identifier"):
            yield (
                (*at, "secrets", i),
                "a quasi-identifier leaves as a label that covers others too, so that no guess is right or wrong; name another",
            )


def _leaving(
    at: Path_, names: Sequence[str] | Mapping[str, object], draft: Draft, *, keys: bool = False
) -> Iterator[Broken]:
    for i, name in enumerate(names):
        place = name if keys else i
        column = draft.columns.get(name)
        if name not in draft.names:
            yield (*at, place), draft.no_column(name)
        elif column is not None and column.suppressed:
            yield (*at, place), "this column does not leave, so that nobody can compare it; leave it out"
        elif name in list(names)[:i]:
            yield (*at, place), "this column stands twice; keep one"

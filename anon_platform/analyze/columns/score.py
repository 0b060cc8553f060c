"""Name and values together: which kind a column is of, how likely, and why."""

from dataclasses import dataclass, replace

from anon_platform.analyze.columns.conflicts import conflict
from anon_platform.analyze.columns.kinds import KINDS
from anon_platform.analyze.columns.names import name_evidence
from anon_platform.analyze.columns.support import FEW, LARGE, UNIQUE, Look, Support, supports

CONTRADICTED = 0.15
"""What is left of a name that the values tell against."""

ENOUGH = 0.5
"""A kind that is less likely than this is a guess."""

RARE = 11
"""Rows; a value with fewer may point to somebody. CMS publishes no cell below 11 people."""

PLAIN = 0.6
"""A name that says so much, and that no value tells against, stands above mere uniqueness."""

BY_UNIQUENESS = {"other_code"}

UNSEEN = 0.45
"""Likelihood of what nobody could look at."""

LISTED = 50
"""Distinct values of a list of categories, at most."""


@dataclass(frozen=True)
class Guess:
    """A kind, its likelihood (0 to 1), and reasons in words that hold no value."""

    kind: str
    likelihood: float
    reasons: tuple[str, ...]


def guess(look: Look) -> Guess:
    """The likeliest kind; one of the distribution alone where neither name nor shape says enough."""
    facts = look.facts
    if facts.nested:
        return Guess("nested", UNSEEN, ("values have no text, and nobody has looked into them",))
    names = name_evidence(facts.name)
    if not facts.distinct:
        kind = max(names, key=lambda kind: (names[kind], -_order(kind)), default="empty")
        return Guess(kind, UNSEEN, ("no row has a value; the next delivery may have one",))
    found = weighed(names, look)
    best = max(found, key=lambda one: (one.likelihood, -_order(one.kind)), default=None)
    against = tuple(
        reason for one in found for reason in one.reasons if one is not best and ", but " in reason
    )
    rest = by_distribution(look)
    if best is None or best.likelihood < ENOUGH:
        best = Guess(rest.kind, rest.likelihood, (*against, *rest.reasons))
    elif rest.kind == "constant" and KINDS[best.kind].role == "insensitive":
        best = rest
    elif best.kind not in names:
        best = replace(best, reasons=(*against, *best.reasons))
    return _carrying(best, supports(look).get("free_text"))


def _carrying(best: Guess, text: Support | None) -> Guess:
    """What leaves must carry no identifier, whatever its name promises."""
    if (
        text is None
        or not text.carried
        or KINDS[best.kind].role in {"direct_identifier", "free_text", "image"}
    ):
        return best
    return Guess("free_text", text.likelihood, (*best.reasons, text.why))


def weighed(names: dict[str, float], look: Look) -> list[Guess]:
    """Every kind with its likelihood: 1 − (1 − name) × (1 − values), or little where the values tell against the name."""
    of_values = supports(look)
    guesses = []
    named = any(said >= PLAIN and conflict(kind, look) is None for kind, said in names.items())
    for kind in {**names, **of_values}:
        name, support = names.get(kind, 0.0), of_values.get(kind, Support(0.0, ""))
        if kind in {"birth_date", "death_date", "date"}:  # the values only say that they are dates
            support = of_values.get("date") or of_values.get("timestamp") or support
        reasons = ["the name says so"] if name else []
        against = conflict(kind, look)
        if against is not None and support.likelihood < ENOUGH:
            said = [f"the name says {KINDS[kind].words}, but {against}"] if name else []
            guesses.append(Guess(kind, CONTRADICTED * name, tuple(said)))
            continue
        if kind in BY_UNIQUENESS and not name and named:
            continue
        likelihood = 1 - (1 - name) * (1 - support.likelihood)
        guesses.append(
            Guess(kind, min(likelihood, 0.99), (*reasons, *([support.why] if support.why else [])))
        )
    return guesses


def by_distribution(look: Look) -> Guess:
    """What is left when neither name nor shape says anything."""
    facts = look.facts
    if facts.distinct == 1:
        return Guess("constant", 0.9, ("every row has the same value",))
    if facts.number_type == "number":
        return Guess("measure", 0.55, ("numbers with decimals",))
    if facts.filled >= LARGE and facts.uniqueness >= UNIQUE:
        return Guess("other_code", 0.6, (f"{facts.uniqueness:.0%} of the rows have a value of their own",))
    if facts.distinct <= LISTED:
        return _listed(look)
    if facts.numeric == 1:
        return Guess("none", 0.4, (f"{facts.distinct:,} different numbers, whose name says nothing",))
    return Guess(
        "none", 0.35, (f"{facts.distinct:,} different values", "neither name nor shape says what they are")
    )


def _listed(look: Look) -> Guess:
    """A list of categories: one with a rare value may point to somebody."""
    facts = look.facts
    known = ("nothing in name and values points to a person", f"{facts.distinct} different values")
    if facts.rarest >= RARE:
        return Guess("none", 0.6, known)
    rows = f"the rarest value stands in {facts.rarest} row{'s' if facts.rarest > 1 else ''}"
    return Guess("none", 0.55 if facts.distinct <= FEW else UNSEEN, (*known, rows))


def _order(kind: str) -> int:
    """Between equally likely kinds the one that the catalogue names first, which is the one that identifies more."""
    return list(KINDS).index(kind)

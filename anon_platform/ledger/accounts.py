"""The accounts of the privacy budget, folded from the events of the ledger; no database here."""

import shlex
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from anon_platform.dp import Loss, Measure
from anon_platform.errors import BudgetError, IntegrityError
from anon_platform.ledger.audit import Event
from anon_platform.ledger.caps import Cap, Caps, Request, is_within, less

State = Literal["reserved", "spent", "settled", "returned"]

FAMILY = "budget"
CAPPED, RESERVED, SPENT, SETTLED, RETURNED = (
    f"{FAMILY}.{word}" for word in ("capped", "reserved", "spent", "settled", "returned")
)

OVERALL = ""
"""The recipient that stands for all of them."""


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """What one release took of the budget, and what became of it."""

    release_id: str
    population: str
    dataset: str
    recipient: str
    purpose: str
    loss: Loss
    epsilon: float
    delta: float
    state: State
    """`reserved`: nothing is drawn yet. `spent`: noise may have been drawn; without a finished draft that release is dead, no
    run may draw for it again. `settled`: it was published or refused. `returned`: given back before anything was drawn."""
    actor: str
    reserved_at: str
    spent_at: str = ""
    """UTC, ISO 8601; empty where nothing was drawn."""
    outcome: str = ""
    """What became of it when it was settled: `ok`, or as the run said."""

    @property
    def counts(self) -> bool:
        """Whether its loss is taken from the budget."""
        return self.state != "returned"


@dataclass(frozen=True, kw_only=True)
class CapChange:
    """A cap as somebody stated it. recipient: empty for the cap over all of them."""

    at: str
    actor: str
    recipient: str
    cap: Cap
    reason: str


@dataclass
class Account:
    """What the people of one population lost and may lose."""

    population: str
    caps: dict[str, Cap] = field(default_factory=dict)
    """By recipient; `OVERALL` for all together."""
    changes: list[CapChange] = field(default_factory=list)
    releases: dict[str, Reservation] = field(default_factory=dict)
    """By id, in the order of reservation."""

    @property
    def rule(self) -> Measure:
        """How losses add up: what the first cap said."""
        return self.caps[OVERALL].rule

    def taken(
        self, recipient: str = OVERALL, states: Iterable[State] = ("reserved", "spent", "settled")
    ) -> Loss:
        """The loss of all releases in these states, of one recipient or of all."""
        states = tuple(states)
        losses = [
            each.loss
            for each in self.releases.values()
            if each.state in states and recipient in (OVERALL, each.recipient)
        ]
        return sum(losses, start=Loss(self.rule, 0))

    def stated(self, recipient: str, caps: Caps) -> dict[str, Cap]:
        """The caps that a policy states for the first time or lower than before. Those above what is held are refused."""
        new = {}
        for who, cap in ((OVERALL, caps.overall), (recipient, caps.recipient)):
            if self.caps and cap.rule != self.rule:
                raise BudgetError(self._other_rule())
            held = self.caps.get(who)
            if held is not None and not cap.is_within(held):
                raise BudgetError(
                    f"population {self.population}: the policy states a cap {_of(who)} of {cap}, the ledger holds {held};"
                    f" state that one, or raise it: {self._raising(who, cap)}"
                )
            if cap != held:
                new[who] = cap
        return new

    def left(self, recipient: str, caps: Caps) -> Loss:
        """The greatest loss that still fits a recipient, under caps that a policy states."""
        self.stated(recipient, caps)
        overall = less(caps.overall.loss, self._taken(OVERALL, caps))
        own = less(caps.recipient.loss, self._taken(recipient, caps))
        return Loss(overall.measure, min(overall.units, own.units), min(overall.delta_units, own.delta_units))

    def require(self, request: Request) -> dict[str, Cap]:
        """The caps that the request sets, when it fits; else `BudgetError`, which says what is left and the way out."""
        if request.loss.measure != request.caps.overall.rule:
            raise BudgetError(
                f"release {request.release_id} counts its loss otherwise than the caps: state δ = 0 in both, or in none"
            )
        self._require_known_spelling(request.recipient)
        new = self.stated(request.recipient, request.caps)
        for who, cap in ((OVERALL, request.caps.overall), (request.recipient, request.caps.recipient)):
            left = less(cap.loss, self._taken(who, request.caps))
            if request.loss.delta_units > left.delta_units:
                keys = f"δ = {left.delta:g} for keys is left {_of(who)} of {cap}, this release asks for {request.loss.delta:g}"
                raise BudgetError(
                    f"population {self.population}: {keys}; name the keys in the policy, or raise the cap:"
                    f" {self._raising(who)}"
                )
            if not is_within(request.loss, left):
                rest, asked = _told_apart(cap.epsilon_of(left), cap.epsilon_of(request.loss))
                raise BudgetError(
                    f"population {self.population}: ε = {rest} at δ = {cap.delta:g} is left {_of(who)} of {cap}, this release"
                    f" asks for ε = {asked}; ask for less, or raise the cap: {self._raising(who)}"
                )
        return new

    def _require_known_spelling(self, recipient: str) -> None:
        """A name that differs from a known one by blanks or capitals only would be given a cap of its own."""
        for known in self.caps:
            if known not in (OVERALL, recipient) and _spelt_alike(known) == _spelt_alike(recipient):
                raise BudgetError(
                    f"population {self.population}: the recipient {recipient!r} is in the ledger as {known}, who has an"
                    " account; write the name as it stands there"
                )

    def _taken(self, who: str, caps: Caps) -> Loss:
        return self.taken(who) if self.caps else Loss(caps.overall.rule, 0)

    def _other_rule(self) -> str:
        held = "no δ, so it adds up ε" if self.rule == "pure" else "a δ, so it adds up ρ of zCDP"
        return (
            f"population {self.population}: its first cap has {held}, and no proof covers a change of that;"
            f" state caps and releases {'with δ = 0' if self.rule == 'pure' else 'with δ above 0'}"
        )

    def _raising(self, who: str, cap: Cap | None = None) -> str:
        words = ["anon", "budget", "raise", self.population]
        words += [
            "--epsilon",
            f"{cap.epsilon:g}" if cap else "…",
            "--delta",
            f"{cap.delta:g}" if cap else "…",
        ]
        words += ["--keys-delta", f"{cap.keys_delta:.12g}"] if cap and cap.keys_delta else []
        words += ["--recipient", who] if who else []
        return " ".join(word if word == "…" else shlex.quote(word) for word in words) + " --reason …"


def accounts(events: Iterable[Event]) -> dict[str, Account]:
    """The accounts by population, after all budget events of the ledger in their order."""
    found: dict[str, Account] = {}
    for event in events:
        book(found, event)
    return found


def book(found: dict[str, Account], event: Event) -> None:
    """Adds one budget event to the accounts."""
    population = str(event.details["population"])
    _book(found.setdefault(population, Account(population)), event)


def reservation(found: dict[str, Account], release_id: str) -> Reservation | None:
    """What a release took, in whichever account; None where it took nothing, or gave it back."""
    held = (account.releases.get(release_id) for account in found.values())
    return next((each for each in held if each is not None and each.counts), None)


def _book(account: Account, event: Event) -> None:
    told = event.details
    if event.action == CAPPED:
        cap = Cap(told["epsilon"], told["delta"], told["keys_delta"])
        account.caps[told["recipient"]] = cap
        account.changes.append(
            CapChange(
                at=event.at, actor=event.actor, recipient=told["recipient"], cap=cap, reason=told["reason"]
            )
        )
    elif event.action == RESERVED:
        account.releases.pop(event.release_id, None)
        account.releases[event.release_id] = _reserved(event, told)
    else:
        try:
            held = account.releases[event.release_id]
            account.releases[event.release_id] = replace(held, **CHANGES[event.action](event))
        except KeyError:
            raise IntegrityError(
                f"event {event.seq} is of a release without a reservation; run anon audit verify"
            ) from None


CHANGES: dict[str, Any] = {
    SPENT: lambda event: {"state": "spent", "spent_at": event.at},
    SETTLED: lambda event: {"state": "settled", "outcome": event.outcome},
    RETURNED: lambda _event: {"state": "returned"},
}


def _reserved(event: Event, told: dict[str, Any]) -> Reservation:
    return Reservation(
        release_id=event.release_id,
        population=told["population"],
        dataset=event.dataset,
        recipient=told["recipient"],
        purpose=told["purpose"],
        loss=Loss(told["measure"], told["units"], told["delta_units"]),
        epsilon=told["epsilon"],
        delta=told["delta"],
        state="reserved",
        actor=event.actor,
        reserved_at=event.at,
    )


def _spelt_alike(name: str) -> str:
    """The name without what two spellings of it differ in.

    >>> _spelt_alike(" Team  A") == _spelt_alike("team a")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _of(who: str) -> str:
    return f"for {who}" if who else "over all recipients"


def _told_apart(left: float, asked: float) -> tuple[str, str]:
    """Both numbers in as few digits as tell them apart."""
    for digits in (4, 6, 9):
        texts = f"{left:.{digits}g}", f"{asked:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(left), repr(asked)

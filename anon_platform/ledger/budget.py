"""The privacy budget, which cannot be overspent: reserve, spend, settle, as events of the audit ledger.

Nothing but the events says what is left. Each grant reads them, proves that they are the ones that were written
(`Ledger.linked`), adds them up and writes its own event, all in one transaction that holds the write lock: of any number of
processes that ask at once, exactly what fits is granted, and a ledger that was tampered with grants nothing.

A release is `reserved` before its source is read, `spent` before noise is drawn, and `settled` when it was published or
refused; only a reservation that was not spent can be given back. A crash between noise and publication leaves it spent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from anon_platform.dp import Loss
from anon_platform.errors import BudgetError, IntegrityError
from anon_platform.ledger.accounts import (
    CAPPED,
    FAMILY,
    OVERALL,
    RESERVED,
    RETURNED,
    SETTLED,
    SPENT,
    Account,
    Reservation,
    accounts,
    book,
    reservation,
)
from anon_platform.ledger.audit import Event
from anon_platform.ledger.balance import Balance, balance_of
from anon_platform.ledger.caps import Cap, Caps, Request
from anon_platform.ledger.ledger import Ledger

FIRST, LOWERED = "first stated by a policy", "lowered by a policy"


@dataclass(frozen=True)
class Fit:
    """Whether a request would be granted, and why not; true when it would."""

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


class Budget:
    """The budget of all populations in a ledger: `Budget(ledger).reserve(request)`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def reserve(self, request: Request) -> Reservation:
        """The reservation of this release, on disk: a new one when it fits, else the one that it has, in whatever state.

        Its caps are recorded with it: the first ones, and lower ones. `BudgetError` when it does not fit or states a cap
        above the one that is held; then nothing is written. Another request under the same id is an `IntegrityError`.
        """
        with self._booking() as written:
            if held := reservation(written.accounts, request.release_id):
                _require_same(held, request)
                return held
            account = written.accounts.get(request.population) or Account(request.population)
            for recipient, cap in account.require(request).items():
                reason = LOWERED if recipient in account.caps else FIRST
                written.write(_capped(request.population, recipient, cap, reason, request.dataset))
            written.write(_reserved(request))
            return written.accounts[request.population].releases[request.release_id]

    def spend(self, release_id: str) -> Reservation:
        """Noted before noise is drawn; from here on the loss is never given back.

        Only once for a reservation, so that of two runs of one release one draws: a second call is a `BudgetError`.
        """
        return self._move(release_id, SPENT, {"reserved"})

    def settle(self, release_id: str, outcome: str = "ok") -> Reservation:
        """Noted when a spent release was published, or refused (then `outcome` says so); again, it changes nothing."""
        return self._move(release_id, SETTLED, {"spent"}, outcome, settled="settled")

    def give_back(self, release_id: str) -> Reservation:
        """The reservation is undone; possible while it is `reserved`, since nothing was drawn. Else `BudgetError`."""
        return self._move(release_id, RETURNED, {"reserved"})

    def raise_cap(self, population: str, cap: Cap, *, reason: str, recipient: str = OVERALL) -> Balance:
        """The balance under a higher cap, over all recipients or for one; the ledger keeps who raised it and why.

        reason: one line of at most 200 characters.
        """
        if not reason.strip():
            raise BudgetError("a cap is raised for a reason; state it in one line")
        with self._booking() as written:
            account = written.accounts.get(population)
            if account is None or recipient not in account.caps:
                who = f"{population}, recipient {recipient}" if recipient else population
                raise BudgetError(f"no cap of {who} to raise; the first release that names it sets one")
            held = account.caps[recipient]
            if cap.rule != held.rule:
                raise BudgetError(
                    f"population {population} holds {held}; whether δ is 0 is settled by its first cap, for ever"
                )
            if cap.is_within(held):
                raise BudgetError(
                    f"population {population} holds {held} already, which is not below {cap}; a policy lowers it"
                )
            written.write(_capped(population, recipient, cap, reason))
            raised = written.accounts[population]
        return balance_of(raised)

    def would_fit(self, request: Request) -> Fit:
        """Whether `reserve` would grant or find it; nothing is written."""
        found = self._accounts()
        if held := reservation(found, request.release_id):
            _require_same(held, request)
            return Fit()
        try:
            (found.get(request.population) or Account(request.population)).require(request)
        except BudgetError as error:
            return Fit(str(error))
        return Fit()

    def find(self, release_id: str) -> Reservation | None:
        """The reservation of a release; None where it has none, or gave it back."""
        return reservation(self._accounts(), release_id)

    def left_for(self, population: str, recipient: str, caps: Caps) -> Loss:
        """The greatest loss that still fits, under the caps that a policy states."""
        return (self._accounts().get(population) or Account(population)).left(recipient, caps)

    def balance(self, population: str) -> Balance:
        """What is spent and left of one population; `BudgetError` where nobody named it yet."""
        found = self._accounts()
        if population not in found:
            known = ", ".join(sorted(found)) or "none"
            raise BudgetError(f"nothing was ever spent on population {population}; there are: {known}")
        return balance_of(found[population])

    def balances(self) -> list[Balance]:
        """What is spent and left, by population in alphabetical order."""
        return [balance_of(account) for _, account in sorted(self._accounts().items())]

    def _move(
        self, release_id: str, action: str, states: set[str], outcome: str = "ok", *, settled: str = ""
    ) -> Reservation:
        with self._booking() as written:
            held = reservation(written.accounts, release_id)
            state = held.state if held else "not reserved"
            if held and state == settled:
                return held
            if held is None or state not in states:
                raise BudgetError(
                    f"release {release_id} is {state}, not {' or '.join(sorted(states))}; {WAYS_OUT[action]}"
                )
            told = {"population": held.population}
            written.write(
                Event(
                    action=action,
                    outcome=outcome,
                    dataset=held.dataset,
                    release_id=release_id,
                    details=told,
                )
            )
            return written.accounts[held.population].releases[release_id]

    def _accounts(self) -> dict[str, Account]:
        with self._ledger.reading() as connection:
            return accounts(self._ledger.linked(connection, FAMILY))

    @contextmanager
    def _booking(self) -> Iterator["_Book"]:
        with self._ledger.writing() as connection:
            yield _Book(self._ledger, connection)


WAYS_OUT = {
    SPENT: "noise is drawn once for a release: change the policy to make another one",
    SETTLED: "a release is settled after it was spent",
    RETURNED: "what was drawn cannot be given back",
}


class _Book:
    """The accounts in a transaction that may write."""

    def __init__(self, ledger: Ledger, connection: Connection) -> None:
        self._ledger, self._connection = ledger, connection
        events = ledger.linked(connection, FAMILY)
        self._newest = events[-1].seq if events else 0
        self.accounts = accounts(events)

    def write(self, event: Event) -> Event:
        """The event as it was appended, linked to the one before it, and booked."""
        linked = replace(event, details={**event.details, "previous": self._newest})
        written = self._ledger.append_in(self._connection, linked)
        self._newest = written.seq
        book(self.accounts, written)
        return written


def _capped(population: str, recipient: str, cap: Cap, reason: str, dataset: str = "") -> Event:
    numbers = {"epsilon": cap.epsilon, "delta": cap.delta, "keys_delta": cap.keys_delta}
    told = {"population": population, "recipient": recipient, "reason": reason, **numbers}
    return Event(action=CAPPED, dataset=dataset, details=told)


def _reserved(request: Request) -> Event:
    told = {
        "population": request.population,
        "recipient": request.recipient,
        "purpose": request.purpose,
        "measure": request.loss.measure,
        "units": request.loss.units,
        "delta_units": request.loss.delta_units,
        "epsilon": request.epsilon,
        "delta": request.delta,
    }
    return Event(action=RESERVED, dataset=request.dataset, release_id=request.release_id, details=told)


def _require_same(held: Reservation, request: Request) -> None:
    names = ("population", "dataset", "recipient", "loss", "epsilon", "delta")
    if others := [name for name in names if getattr(held, name) != getattr(request, name)]:
        raise IntegrityError(
            f"release {request.release_id} is in the budget with another {', '.join(others)};"
            " a release never changes: what was asked now belongs under an id of its own"
        )

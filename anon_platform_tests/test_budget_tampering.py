"""Spends that somebody with every right on the database changed: nothing more is granted."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from anon_platform.errors import IntegrityError
from anon_platform.ledger import Budget, Ledger, tables
from anon_platform.ledger.audit import Event
from anon_platform_tests.budget_requests import PURE, request
from anon_platform_tests.test_ledger_tampering import intruder

Rows = list[dict[str, Any]]

FIRST, SECOND, LAST = 4, 6, 8
"""Places of reservations in what `filled` writes."""


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Two caps and three reservations (see the places), with other events before, between and after them."""
    budget = Budget(ledger)
    ledger.append(Event(action="run.started"))
    for number in range(3):
        budget.reserve(request(f"r{number}", 0.3))
        ledger.append(Event(action="run.started", details={"number": number}))
    places = [event.seq for event in ledger.events(actions=["budget.reserved"])]
    assert places == [FIRST, SECOND, LAST]
    return ledger


def removed(seq: int) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if row["seq"] != seq]


def closed_up(seq: int) -> Callable[[Rows], Rows]:
    """One is removed, and those after it move up."""
    return lambda rows: [row | {"seq": row["seq"] - (row["seq"] > seq)} for row in rows if row["seq"] != seq]


def changed(seq: int, **columns: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row | columns if row["seq"] == seq else row for row in rows]


def smaller(rows: Rows) -> Rows:
    """Every spend at a tenth of its units."""
    return [row | {"details": row["details"].replace("300000000", "30000000")} for row in rows]


def swapped(rows: Rows) -> Rows:
    """Two reservations, at each other's places."""
    place = {FIRST: SECOND, SECOND: FIRST}
    return [row | {"seq": place.get(row["seq"], row["seq"])} for row in rows]


def cut(rows: Rows) -> Rows:
    """All from the last reservation on."""
    return [row for row in rows if row["seq"] < LAST]


def given_back(rows: Rows) -> Rows:
    """A genuine-looking return of the first reservation, with the seal of another event."""
    forged = rows[-1] | {"seq": rows[-1]["seq"] + 1, "action": "budget.returned", "release_id": "r0"}
    return [*rows, forged | {"details": f'{{"population":"patients","previous":{LAST}}}'}]


TAMPERINGS: dict[str, Callable[[Rows], Rows]] = {
    "the first is removed": removed(FIRST),
    "one between is removed": removed(SECOND),
    "the last is removed": removed(LAST),
    "one is removed and the others move up": closed_up(SECOND),
    "the last is removed and the others move up": closed_up(LAST),
    "one is called otherwise": changed(SECOND, action="run.started"),
    "the last is called otherwise": changed(LAST, action="run.started"),
    "one has another release": changed(FIRST, release_id="r9"),
    "the cap is removed": removed(2),
    "the newest are cut off": cut,
    "another event after the last is removed": removed(LAST + 1),
    "units are fewer": smaller,
    "places are swapped": swapped,
    "a return is forged": given_back,
    "all are removed": lambda _rows: [],
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_ledger_whose_spends_were_tampered_with_grants_nothing(
    filled: Ledger, database: str, name: str
) -> None:
    """Neither a new reservation nor a step of an old one; and it says no balance."""
    budget = Budget(filled)
    budget.reserve(request("r0", 0.3))
    with intruder(database) as connection:
        query = select(tables.events).order_by(tables.events.c.seq)
        before = [row._asdict() for row in connection.execute(query)]
        after = TAMPERINGS[name]([dict(row) for row in before])
        assert after != before
        connection.execute(delete(tables.events))
        if after:
            connection.execute(insert(tables.events), after)
    tries: list[Callable[[], object]] = [
        lambda: budget.reserve(request("r9", 0.01)),
        lambda: budget.reserve(request("r0", 0.3)),
        lambda: budget.would_fit(request("r9", 0.01)),
        lambda: budget.spend("r0"),
        lambda: budget.give_back("r0"),
        lambda: budget.raise_cap("patients", PURE, reason="no"),
        budget.balances,
        lambda: budget.balance("patients"),
    ]
    for attempt in tries:
        with pytest.raises(IntegrityError):
            attempt()
    with intruder(database) as connection:
        assert connection.execute(query).mappings().all() == sorted(after, key=lambda row: row["seq"])


def test_what_was_not_tampered_with_grants(filled: Ledger) -> None:
    """The check above is worth something only when it can pass."""
    budget = Budget(filled)
    budget.reserve(request("r9", 0.1))
    assert budget.balance("patients").overall.left.units == 0


def test_a_head_that_is_older_than_the_spends_grants_nothing(filled: Ledger, database: str) -> None:
    """The head of before the last spend, put back together with the events of then but for the newest."""
    with intruder(database) as connection:
        old = connection.execute(select(tables.head)).one()._asdict()
    Budget(filled).reserve(request("r3", 0.1))
    with intruder(database) as connection:
        connection.execute(update(tables.head).values(**old))
    with pytest.raises(IntegrityError, match=r"^the budget events of the ledger are not what was written, "):
        Budget(filled).balances()


def test_a_spend_of_another_ledger_under_the_same_key_is_found(filled: Ledger, database: str) -> None:
    """A genuine event of a copy of this ledger, in which less was spent."""
    with intruder(database) as connection:
        events = [row._asdict() for row in connection.execute(select(tables.events))]
        head = connection.execute(select(tables.head)).one()._asdict()
    Budget(filled).reserve(request("r3", 0.05))
    with intruder(database) as connection:
        cheap = connection.execute(select(tables.events).order_by(tables.events.c.seq.desc())).first()
        assert cheap
        connection.execute(delete(tables.events))
        connection.execute(insert(tables.events), events)
        connection.execute(update(tables.head).values(**head))
    Budget(filled).reserve(request("r3", 0.1))
    with intruder(database) as connection:
        connection.execute(delete(tables.events).where(tables.events.c.seq == cheap.seq))
        connection.execute(insert(tables.events).values(**cheap._asdict()))
    with pytest.raises(IntegrityError):
        Budget(filled).reserve(request("r4", 0.05))

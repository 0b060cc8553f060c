"""What may be an event, and how faults in a chain are named; no database."""

import enum
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.errors import IntegrityError
from anon_platform.keys import Key
from anon_platform.ledger.audit import (
    GENESIS,
    MAX_FAULTS,
    Event,
    Fault,
    Head,
    check_chain,
    details_text,
    seal,
)

KEY = Key("test", bytes(range(32)))
OTHER_KEY = Key("other", bytes(range(1, 33)))
CELL = "Erika Mustermann"


class Kind(enum.StrEnum):
    """A text that is more than a text."""

    EXACT = "exact"


def chain(count: int, start: Event | None = None, label: str = "") -> Iterator[dict[str, Any]]:
    """Rows of a genuine ledger, or of one that goes on from `start`."""
    seq, previous = (start.seq, start.hash) if start else (0, GENESIS)
    for number in range(seq + 1, seq + count + 1):
        event = Event(
            action="run.started", actor="a", at="2024", seq=number, previous_hash=previous, dataset=label
        )
        row = event.row()
        previous = row["hash"] = seal(row, KEY)
        yield row


def head_of(rows: list[dict[str, Any]], key: Key = KEY) -> Head:
    return Head.of(rows[-1]["seq"], rows[-1]["hash"], key) if rows else Head.of(0, GENESIS, key)


def faults(
    rows: list[dict[str, Any]], head: Head | None, *witnesses: tuple[int, str]
) -> list[tuple[int, str, str]]:
    found = check_chain(rows, head, KEY, witnesses)
    assert found.ok == (not found.faults)
    assert found.events == len(rows)
    return [(fault.seq, fault.kind, fault.text) for fault in found.faults]


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cc", "Cs"]), max_size=200)
measures = st.recursive(
    numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(texts, measures, max_size=4))
def test_an_event_comes_back_from_its_row(details: dict[str, Any]) -> None:
    """What a reader sees is what was sealed, for any details that are accepted."""
    event = Event(action="run.started", details=details)
    assert Event.from_row(event.row()) == event
    assert event.row()["details"] == details_text(dict(reversed(details.items())))


@pytest.mark.parametrize(
    ("details", "kind", "text"),
    [
        ({"x": None}, TypeError, "details.x is a NoneType; "),
        ({"x": b"cell"}, TypeError, "details.x is a bytes; "),
        ({"x": {"y": [1, {CELL}]}}, TypeError, "details.x.y[1] is a set; "),
        ({"x": float("nan")}, ValueError, "details.x is not a finite number"),
        ({"x": float("-inf")}, ValueError, "details.x is not a finite number"),
        ({"x": CELL * 20}, ValueError, "details.x has to be a text of at most 200 characters on one line"),
        ({"x": f"{CELL}\n"}, ValueError, "details.x has to be a text of at most 200 characters on one line"),
        ({"x": "\ud800"}, ValueError, "details.x has to be a text of at most 200 characters on one line"),
        (
            {CELL * 20: 1},
            ValueError,
            "a name in details has to be a text of at most 200 characters on one line",
        ),
        ({1: 1}, ValueError, "a name in details has to be a text of at most 200 characters on one line"),
        ([CELL], TypeError, "details is a list, not a dict"),
    ],
)
def test_rows_and_documents_are_refused_as_details(
    details: Any,
    kind: type[Exception],
    text: str,
) -> None:
    """The ledger is read by more people than the data; the refusal names the place, not the value."""
    with pytest.raises(kind) as refusal:
        Event(action="run.started", details=details)
    assert str(refusal.value).startswith(text)
    assert CELL not in str(refusal.value)


def test_details_are_copied_and_plain() -> None:
    """A caller that goes on counting in its dict changes no event."""
    counts: dict[str, Any] = {"rows": [1], "pair": (1, 2), "model": Kind.EXACT}
    event = Event(action="run.started", details=counts)
    counts["rows"].append(CELL)
    assert event.details == {"rows": [1], "pair": [1, 2], "model": "exact"}


@pytest.mark.parametrize("action", ["", "run", "run.", "Run.started", "run started", "run.started\n"])
def test_an_action_is_thing_and_outcome(action: str) -> None:
    """Readers filter by it."""
    with pytest.raises(ValueError, match=r"^action has to"):
        Event(action=action)


@pytest.mark.parametrize("name", ["dataset", "release_id", "actor", "outcome"])
def test_long_text_is_refused_in_every_field(name: str) -> None:
    """Not only in the details."""
    with pytest.raises(ValueError, match=rf"^{name} has to be a text of at most 200 characters on one line$"):
        Event(**{"action": "run.started", name: "x" * 201})  # type: ignore[arg-type]


def test_a_row_that_is_no_event_is_named() -> None:
    """Reading a tampered ledger says so, instead of showing nonsense."""
    row = next(chain(1)) | {"details": "{"}
    with pytest.raises(IntegrityError, match=r"^event 1 is not what was written; verify the ledger$"):
        Event.from_row(row)


def test_a_genuine_chain_has_no_fault() -> None:
    """Also the empty one, and one whose witnesses agree."""
    rows = list(chain(5))
    assert faults([], head_of([]), (0, GENESIS)) == []
    assert faults(rows, head_of(rows), (0, GENESIS), (3, rows[2]["hash"]), (5, rows[4]["hash"])) == []


def test_a_changed_event_is_named() -> None:
    """With its number, since the auditor looks it up in a backup."""
    rows = list(chain(5))
    rows[2]["outcome"] = "refused"
    assert faults(rows, head_of(rows)) == [(3, "changed", "event 3 does not fit its hash")]


def test_a_recomputed_chain_is_found() -> None:
    """Whoever can write the table can compute plain hashes, but not these."""
    rows = list(chain(3))
    rows[0]["outcome"] = "refused"
    previous = GENESIS
    for row in rows:
        row["previous_hash"] = previous
        previous = row["hash"] = seal(row, OTHER_KEY)
    assert [fault[:2] for fault in faults(rows, head_of(rows, OTHER_KEY))] == [
        (1, "changed"),
        (2, "changed"),
        (3, "head"),
        (3, "changed"),
    ]


def test_removed_events_are_named() -> None:
    """In the middle, at the beginning and at the end; the last only the head knows."""
    rows = list(chain(6))
    head = head_of(rows)
    assert faults([rows[0], *rows[3:]], head) == [(2, "removed", "events 2 to 3 are missing")]
    assert faults(rows[1:], head) == [(1, "removed", "event 1 is missing")]
    assert faults(rows[:4], head) == [(5, "removed", "events 5 to 6 are missing")]
    assert faults([], head) == [(1, "removed", "events 1 to 6 are missing")]


def test_swapped_events_are_told_from_changed_ones() -> None:
    """Both rows are genuine, in the wrong place."""
    rows = list(chain(5))
    rows[1], rows[3] = rows[3] | {"seq": 2}, rows[1] | {"seq": 4}
    assert faults(rows, head_of(rows)) == [
        (2, "reordered", "event 4 is stored in the place of event 2"),
        (4, "reordered", "event 2 is stored in the place of event 4"),
    ]


def test_events_that_were_moved_up_over_a_removed_one_are_found() -> None:
    """Renumbering hides the gap, not the seals."""
    rows = list(chain(5))
    head = head_of(rows)
    moved = [rows[0], *(row | {"seq": row["seq"] - 1} for row in rows[2:])]
    assert [fault[:2] for fault in faults(moved, head)] == [
        (2, "reordered"),
        (3, "reordered"),
        (4, "reordered"),
        (5, "removed"),
    ]


def test_inserted_rows_are_found() -> None:
    """After the end, twice under one number, or under a number that no event has."""
    rows = list(chain(3))
    head = head_of(rows)
    forged = rows[2] | {"seq": 4, "previous_hash": rows[2]["hash"]}
    assert faults([*rows, forged], head) == [
        (4, "inserted", "events after the head, at event 3, are stored"),
        (4, "changed", "event 4 does not fit its hash"),
    ]
    near = "a row that no event belongs to is stored near event"
    assert faults([rows[0], rows[1], rows[1], rows[2]], head) == [(2, "inserted", f"{near} 2")]
    assert faults([rows[0] | {"seq": 0}, *rows], head) == [(0, "inserted", f"{near} 0")]


def test_events_of_another_copy_of_the_ledger_are_found() -> None:
    """Both are genuine: a restored backup went on, and someone mixes the two."""
    rows = list(chain(6))
    fork = list(chain(3, Event.from_row(rows[2]), label="fork"))
    mixed = [*rows[:4], *fork[1:]]
    text = (
        "event 5 was written after another event than the stored event 4, as in another copy of this ledger"
    )
    assert faults(mixed, head_of(mixed)) == [(5, "inserted", text)]


def test_the_head_is_checked() -> None:
    """It is one row without a chain, so it has a MAC of its own."""
    rows = list(chain(3))
    fork = list(chain(1, Event.from_row(rows[1]), label="fork"))
    forged = "the head, at event 2, is not what was written, or the instance key is another one"
    cut = replace(head_of(rows), seq=2, hash=rows[1]["hash"])
    assert faults(rows, None) == [(3, "head", "the head is missing or not in its place")]
    assert faults(rows[:2], cut) == [(2, "head", forged)]
    assert faults(rows, head_of(fork)) == [(3, "head", "the head names another event 3 than the stored one")]


def test_only_a_witness_finds_an_older_copy() -> None:
    """The limit that the ledger states: all of an older copy was once genuine."""
    rows = list(chain(6))
    older = rows[:4]
    recorded = (6, rows[5]["hash"])
    missing = "event 6 is missing; its hash was recorded outside the database"
    assert faults(older, head_of(older)) == []
    assert faults(older, head_of(older), recorded) == [(6, "witness", missing)]
    gone_on = [*older, *chain(3, Event.from_row(older[-1]), label="fork")]
    other = "event 6 is not the one whose hash was recorded outside the database"
    assert faults(gone_on, head_of(gone_on)) == []
    assert faults(gone_on, head_of(gone_on), recorded) == [(6, "witness", other)]
    assert faults(rows, head_of(rows), recorded, (6, "0" * 64)) == [(6, "witness", other)]


@pytest.mark.parametrize("value", [None, 5, b"a", "\udcff", ""])
def test_values_that_no_event_has_are_faults_and_not_crashes(value: object) -> None:
    """SQLite stores any type in any column."""
    for name in ("actor", "hash", "previous_hash", "details"):
        rows = list(chain(2))
        rows[0][name] = value
        assert (1, "changed") in [fault[:2] for fault in faults(rows, head_of(rows))]


def test_the_list_of_faults_is_bounded() -> None:
    """A ledger under another key has as many faults as events."""
    rows = (row | {"seq": row["seq"] * 2} for row in chain(MAX_FAULTS))
    found = check_chain(rows, Head.of(2 * MAX_FAULTS, "", KEY), KEY)
    assert len(found.faults) == MAX_FAULTS
    assert found.events == MAX_FAULTS
    assert found.faults[0] == Fault(1, "removed", "event 1 is missing")


def test_a_long_chain_is_checked_in_bounded_memory() -> None:
    """A million events do not fit into the memory of a small server."""
    last: dict[str, Any] = {}

    def rows() -> Iterator[dict[str, Any]]:
        for row in chain(3000):
            last.update(row)
            yield row

    tracemalloc.start()
    try:
        check_chain(rows(), None, KEY)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert last["seq"] == 3000
    assert peak < 500_000  # the rows together take 4 million bytes

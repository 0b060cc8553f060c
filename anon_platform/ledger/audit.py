"""What an audit event is, and how a chain of them is checked; no database here.

Each event is sealed: its `hash` is HMAC-SHA-256, under a key derived from the instance key, over the hash of
the event before it and over all its own fields. A plain hash chain would prove nothing, since whoever can
write the table can compute the hashes of a false history anew; the seal needs a key that is not in the table.
"""

import hmac
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from anon_platform.errors import IntegrityError
from anon_platform.keys import Key

GENESIS = "0" * 64
"""What the first event follows."""

MAX_FAULTS = 1000
"""A verification lists no more faults than this: a ledger under another key would list every event."""

MAX_SUSPECTS = 100
"""So many broken seals are tried at each other's places, to tell a reordered event from a changed one."""

SHORT_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{0,200}")
ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, in counts and names: `Event(action="run.started", dataset="visits")`.

    The lower half is filled in by the ledger. Text is at most 200 characters on one line; an empty text means
    that the field does not apply.
    """

    action: str
    """Thing and what became of it, as `run.started`, `release.promoted` or `key.created`."""
    outcome: str = "ok"
    dataset: str = ""
    policy_hash: str = ""
    input_fingerprint: str = ""
    release_id: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    """Counts and metrics, nothing else; see `details_text`."""

    actor: str = ""
    seq: int = 0
    at: str = ""
    """UTC, ISO 8601 with microseconds."""
    previous_hash: str = ""
    hash: str = ""

    def __post_init__(self) -> None:
        for name in TEXT_FIELDS:
            require_short_text(getattr(self, name), name)
        if not ACTION.fullmatch(self.action):
            raise ValueError("action has to look like run.started: lowercase words joined by dots")
        object.__setattr__(self, "details", json.loads(details_text(self.details)))

    def row(self) -> dict[str, Any]:
        """The event as the table holds it."""
        return {name: getattr(self, name) for name in FIELDS} | {"details": details_text(self.details)}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Event":
        """The event in a row of the table."""
        try:
            return cls(**{**row, "details": json.loads(row["details"])})
        except (TypeError, ValueError):
            raise IntegrityError(f"event {row['seq']} is not what was written; verify the ledger") from None


FIELDS = tuple(each.name for each in fields(Event))
TEXT_FIELDS = tuple(name for name in FIELDS if name not in {"seq", "details"})
SEALED_FIELDS = tuple(name for name in FIELDS if name not in {"previous_hash", "hash"})


def details_text(details: dict[str, Any]) -> str:
    """The canonical JSON of `details`: keys sorted, no white space, ASCII.

    Only finite numbers, booleans, texts of at most 200 characters on one line, and dicts and lists of these;
    so that rows, documents and stack traces cannot end up in the ledger. Errors name the place, not the value.

    >>> details_text({"rows": {"out": 90, "in": 100}, "k": 5})
    '{"k":5,"rows":{"in":100,"out":90}}'
    >>> details_text({"rows": [{"name": None}]})
    Traceback (most recent call last):
        ...
    TypeError: details.rows[0].name is a NoneType; details hold numbers, booleans, short texts, dicts and lists
    """
    if not isinstance(details, dict):
        raise TypeError(f"details is a {type(details).__name__}, not a dict")
    _require_measures(details, "details")
    return canonical_json(details)


def canonical_json(value: object) -> str:
    """One text for one value, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def require_short_text(value: object, place: str) -> None:
    """Refuses what is not a text of at most 200 characters on one line; the value is not repeated."""
    if not isinstance(value, str) or not SHORT_TEXT.fullmatch(value):
        raise ValueError(f"{place} has to be a text of at most 200 characters on one line")


def seal(row: Mapping[str, Any], key: Key) -> str:
    """The hash of an event: HMAC over the hash before it, a line break and the JSON of its other fields."""
    sealed = canonical_json({name: row[name] for name in SEALED_FIELDS})
    return key.mac(f"{row['previous_hash']}\n{sealed}".encode("utf-8", "surrogatepass")).hex()


@dataclass(frozen=True)
class Head:
    """Where the chain ends, with a MAC of its own, so that removing the newest events is found."""

    seq: int
    hash: str
    mac: str

    @classmethod
    def of(cls, seq: int, hash_: str, key: Key) -> "Head":
        """The head that only a holder of the key can write."""
        return cls(
            seq, hash_, key.derive("head").mac(f"{seq} {hash_}".encode("utf-8", "surrogatepass")).hex()
        )

    def is_genuine(self, key: Key) -> bool:
        """Whether a holder of the key wrote it; an older head that is put back is genuine too."""
        return _same(self.mac, Head.of(self.seq, self.hash, key).mac)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the ledger, at `seq`."""

    seq: int
    kind: Literal["changed", "removed", "reordered", "inserted", "head", "witness"]
    text: str


@dataclass(frozen=True)
class Verification:
    """How many events were read and what is wrong with them (the first `MAX_FAULTS`, by place)."""

    events: int
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Whether every event is what was written, where it was written, and none is missing."""
        return not self.faults


def check_chain(
    rows: Iterable[Mapping[str, Any]],
    head: Head | None,
    key: Key,
    witnesses: Iterable[tuple[int, str]] = (),
    after: tuple[int, str] = (0, GENESIS),
) -> Verification:
    """What is wrong with `rows`, events in the order of `seq`, each seen once and none kept.

    witnesses: heads (seq, hash) that were recorded outside the database. after: the event before the first row, where that
    one was checked already.
    """
    walk = _Walk(key, witnesses, after)
    for row in rows:
        walk.visit(row)
    walk.finish(head)
    return Verification(walk.events, tuple(sorted(walk.faults, key=lambda fault: fault.seq)))


def are_linked(rows: Iterable[Mapping[str, Any]], key: Key) -> bool:
    """Whether each row is a genuine event that names the row before it as `details.previous`, the first one 0."""
    previous = 0
    for row in rows:
        if not (_well_typed(row) and _same(seal(row, key), row["hash"])):
            return False
        if json.loads(row["details"]).get("previous") != previous:
            return False
        previous = row["seq"]
    return True


class _Walk:
    """One pass along the chain; remembers the last event, the faults and a bounded number of suspects."""

    def __init__(self, key: Key, witnesses: Iterable[tuple[int, str]], after: tuple[int, str]) -> None:
        self.key = key
        self.witnesses: defaultdict[int, set[str]] = defaultdict(set)
        for seq, recorded in witnesses:
            self.witnesses[seq].add(recorded)
        self.events = 0
        self.faults: list[Fault] = []
        self.suspects: list[dict[str, Any]] = []
        self.missing: list[int] = []
        self.seq, self.hash = after
        self.genuine = True
        self._witness()

    def visit(self, row: Mapping[str, Any]) -> None:
        """Compares one event with its seal and with the event before it."""
        self.events += 1
        expected, seq = self.seq + 1, row["seq"]
        if not isinstance(seq, int) or seq < expected:
            self._fault(
                self.seq, "inserted", f"a row that no event belongs to is stored near event {self.seq}"
            )
            return
        if seq > expected:
            self._removed(expected, seq - 1)
        genuine = _well_typed(row) and _same(seal(row, self.key), row["hash"])
        if not genuine:
            self._suspect(dict(row))
        elif seq == expected and self.genuine and row["previous_hash"] != self.hash:
            text = f"event {seq} was written after another event than the stored event {self.seq}"
            self._fault(seq, "inserted", text + ", as in another copy of this ledger")
        self.seq, self.hash, self.genuine = seq, row["hash"], genuine
        self._witness()

    def finish(self, head: Head | None) -> None:
        """Compares the end of the chain with the head and the witnesses, and judges the suspects."""
        if head is None:
            self._fault(self.seq, "head", "the head is missing or not in its place")
        else:
            self._finish_at(head)
        for seq in sorted(self.witnesses):
            self._fault(seq, "witness", f"event {seq} is missing; its hash was recorded outside the database")
        for row in self.suspects:
            self._judge(row)

    def _finish_at(self, head: Head) -> None:
        if not head.is_genuine(self.key):
            text = (
                f"the head, at event {head.seq}, is not what was written, or the instance key is another one"
            )
            self._fault(head.seq, "head", text)
        if head.seq > self.seq:
            self._removed(self.seq + 1, head.seq)
        elif head.seq < self.seq:
            self._fault(self.seq, "inserted", f"events after the head, at event {head.seq}, are stored")
        elif head.hash != self.hash:
            self._fault(head.seq, "head", f"the head names another event {head.seq} than the stored one")

    def _witness(self) -> None:
        if self.witnesses.pop(self.seq, {self.hash}) != {self.hash}:
            text = f"event {self.seq} is not the one whose hash was recorded outside the database"
            self._fault(self.seq, "witness", text)

    def _removed(self, first: int, last: int) -> None:
        self.missing += range(first, min(last + 1, first + MAX_SUSPECTS - len(self.missing)))
        which = f"event {first} is" if first == last else f"events {first} to {last} are"
        self._fault(first, "removed", f"{which} missing")

    def _suspect(self, row: dict[str, Any]) -> None:
        if len(self.suspects) < MAX_SUSPECTS:
            self.suspects.append(row)
        else:
            self._fault(row["seq"], "changed", f"event {row['seq']} does not fit its hash")

    def _judge(self, row: dict[str, Any]) -> None:
        seq = row["seq"]
        places = [*(suspect["seq"] for suspect in self.suspects), *self.missing]
        home = [
            place
            for place in places
            if _well_typed(row) and _same(seal(row | {"seq": place}, self.key), row["hash"])
        ]
        if home:
            self._fault(seq, "reordered", f"event {home[0]} is stored in the place of event {seq}")
        else:
            self._fault(seq, "changed", f"event {seq} does not fit its hash")

    def _fault(self, seq: int, kind: Any, text: str) -> None:  # noqa: ANN401
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(seq, kind, text))


def _require_measures(value: object, place: str) -> None:
    if isinstance(value, str):
        require_short_text(value, place)
    elif isinstance(value, dict):
        for name, each in value.items():
            require_short_text(name, f"a name in {place}")
            _require_measures(each, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            _require_measures(each, f"{place}[{index}]")
    elif not isinstance(value, bool | int | float):
        kind = type(value).__name__
        raise TypeError(f"{place} is a {kind}; details hold numbers, booleans, short texts, dicts and lists")
    elif not math.isfinite(value):
        raise ValueError(f"{place} is not a finite number")


def _well_typed(row: Mapping[str, Any]) -> bool:
    return all(isinstance(row[name], str) for name in (*TEXT_FIELDS, "details"))


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))

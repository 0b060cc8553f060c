"""What becomes of keys: a rotated key keeps its older versions, a forgotten one leaves nothing but a mark and an event."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from anon_platform.errors import KeyUnavailableError
from anon_platform.keys import check_of, load_key, random_secret
from anon_platform.keys.places import (
    Forgotten,
    Slot,
    changing,
    forgotten,
    known_ids,
    mark_forgotten,
    older_versions,
    places_of,
    shred,
    shred_leftovers,
    succeed,
)
from anon_platform.ledger import INSTANCE_KEY, Ledger
from anon_platform.ledger.audit import Event, require_short_text
from anon_platform.vault import Vault


@dataclass(frozen=True)
class KeyVersion:
    """One version of a key: what it is, and where it lies; never the secret."""

    key: str
    version: int
    state: Literal["current", "older", "forgotten"]
    place: str
    """A variable, the keyring or a file; of a forgotten one when it was forgotten."""


@dataclass(frozen=True)
class ForgottenKey:
    """What forgetting did to one version."""

    key: str
    version: int
    checks: tuple[str, ...]
    """Check values: the secret may have lain in several places that did not agree."""
    vault_rows: int
    """Rows of the vault that were deleted."""
    left_in: tuple[str, ...]
    """Variables of the environment that hold it still: no program can unset those of its parent."""


def key_versions() -> list[KeyVersion]:
    """Every version of every key, also of those that were forgotten."""
    return [version for key_id in known_ids() for version in _versions(key_id)]


def rotate(key_id: str) -> KeyVersion:
    """The new version of a key. The one of now becomes an older version, which undoes what was made with it.

    New releases take the new one alone; they have another id, and their codes do not join with those of earlier ones.
    """
    _require_not_the_instance(key_id)
    slot = Slot(key_id)
    with changing(slot), Ledger.open() as ledger:
        key = load_key(key_id)
        place = places_of(slot)[0]
        number = _number_of_current(key_id)
        if place == "environment":
            raise KeyUnavailableError(
                f"key {key_id!r} comes from {slot.variable}, which only its owner can change: put the secret of now into"
                f" {Slot(key_id, number).variable} and a new one into {slot.variable}"
            )
        succeed(slot, Slot(key_id, number), place, random_secret)
        new = load_key(key_id)
        details = {"key": key_id, "version": number + 1, "check": new.check, "before": key.check}
        ledger.append(Event(action="key.rotated", details=details))
    return KeyVersion(key_id, number + 1, "current", slot.named(place))


def forget(key_id: str, reason: str, version: int | None = None) -> list[ForgottenKey]:
    """Destroys a key, or one version of it: what was made with it can neither be made again nor undone.

    Marks it first, so that no run loads it any more; then deletes its rows of the vault, overwrites and removes the secret
    and writes the event `key.forgotten`. What a killed process left undone, the next call finishes.
    reason: for the ledger, at most 200 characters.
    """
    _require_not_the_instance(key_id)
    require_short_text(reason, "reason")
    slot = Slot(key_id)
    with changing(slot), Ledger.open() as ledger, Vault.open() as vault:
        there = _there(key_id)
        begun = {mark.version for mark in forgotten(key_id)} - _told(ledger, key_id)
        wanted = {*there, *begun} if version is None else {version} & {*there, *begun}
        if not wanted:
            load_key(key_id, version)  # says what there is instead
            raise KeyUnavailableError(f"key {key_id!r} has no version {version}; see: anon keys list")
        done = []
        for number in sorted(wanted):
            done.append(_forgotten(key_id, number, there.get(number, []), vault))
            ledger.append(Event(action="key.forgotten", details=_details(done[-1], reason)))
    return done


def _told(ledger: Ledger, key_id: str) -> set[int]:
    """The versions whose end is in the ledger."""
    events = ledger.events(actions=["key.forgotten"])
    return {event.details["version"] for event in events if event.details["key"] == key_id}


def _forgotten(key_id: str, number: int, slots: Sequence[Slot], vault: Vault) -> ForgottenKey:
    places = [(slot, place) for slot in slots for place in places_of(slot)]
    checks = tuple(dict.fromkeys(check_of(slot, place) for slot, place in places))
    mark_forgotten(key_id, Forgotten(number, datetime.now(UTC).isoformat(timespec="seconds"), checks))
    mark = next(mark for mark in forgotten(key_id) if mark.version == number)
    deleted = vault.forget(mark.checks, key_id)
    for slot, place in places:
        shred(slot, place)
    shred_leftovers(key_id)
    left = tuple(slot.variable for slot, place in places if place == "environment")
    return ForgottenKey(key_id, number, mark.checks, deleted, left)


def _details(done: ForgottenKey, reason: str) -> dict[str, object]:
    return {
        "key": done.key,
        "version": done.version,
        "checks": list(done.checks),
        "vault_rows": done.vault_rows,
        "left_in": list(done.left_in),
        "reason": reason,
    }


def _there(key_id: str) -> dict[int, list[Slot]]:
    """The slots that hold a secret which was not forgotten yet, by the number of the version."""
    slots = [(number, Slot(key_id, number)) for number in older_versions(key_id)]
    if places_of(Slot(key_id)):
        slots.append((_number_of_current(key_id), Slot(key_id)))
    gone = {check for mark in forgotten(key_id) for check in mark.checks}
    found: dict[int, list[Slot]] = {}
    for number, slot in slots:
        places = places_of(slot)
        # what is left in the environment stays there; a secret elsewhere is not destroyed yet, whatever the mark says
        if set(places) - {"environment"} or {check_of(slot, place) for place in places} - gone:
            found.setdefault(number, []).append(slot)
    return found


def _number_of_current(key_id: str) -> int:
    """The version of the key of now: one more than any before, or the one that a killed process was busy with."""
    slot = Slot(key_id)
    check = check_of(slot, places_of(slot)[0])
    for number in older_versions(key_id):
        older = Slot(key_id, number)
        if check_of(older, places_of(older)[0]) == check:
            return number
    marks = forgotten(key_id)
    busy = next((mark.version for mark in marks if check in mark.checks), None)
    return busy or 1 + max([0, *older_versions(key_id), *(mark.version for mark in marks)])


def _versions(key_id: str) -> Iterator[KeyVersion]:
    gone = {mark.version: mark.at for mark in forgotten(key_id)}
    numbers = dict.fromkeys(older_versions(key_id), "older")
    for number, at in gone.items():
        yield KeyVersion(key_id, number, "forgotten", at)
    for number in numbers:
        slot = Slot(key_id, number)
        if number not in gone and (places := places_of(slot)):
            yield KeyVersion(key_id, number, "older", slot.named(places[0]))
    places = places_of(Slot(key_id))
    with suppress(KeyUnavailableError):
        if places and any(check_of(Slot(key_id), places[0]) in mark.checks for mark in forgotten(key_id)):
            return  # left in the environment; it is not loaded any more
    if places:
        # counted, not compared: a list is printed also when a key cannot be read
        last = max([0, *numbers, *gone])
        yield KeyVersion(key_id, last + 1, "current", Slot(key_id).named(places[0]))


def _require_not_the_instance(key_id: str) -> None:
    if key_id == INSTANCE_KEY:
        raise KeyUnavailableError(
            f"key {INSTANCE_KEY!r} seals the audit ledger and names the releases: without it neither could be checked again,"
            " so it is neither rotated nor forgotten"
        )

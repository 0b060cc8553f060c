"""A release that the recipient no longer has: later ones are not held against it any more."""

import shutil
from dataclasses import dataclass

from anon_platform.errors import SourceError
from anon_platform.ledger import Ledger
from anon_platform.ledger.audit import Event, require_short_text
from anon_platform.pipeline.earlier.traces import PROMOTED, WITHDRAWN, folder_of
from anon_platform.pipeline.staging import exclusive


@dataclass(frozen=True)
class Withdrawn:
    """What was withdrawn. again: whether it had been before."""

    dataset: str
    release_id: str
    again: bool


def withdraw(dataset: str, release_id: str, reason: str) -> Withdrawn:
    """Notes in the ledger that the recipient deleted a release, and deletes its trace; the files here stay.

    reason: for the ledger, at most 200 characters, such as how the deletion was confirmed.
    """
    require_short_text(reason, "reason")
    if not reason.strip():
        raise SourceError("withdraw: say how you know that the recipient deleted the release: --reason …")
    with exclusive(dataset), Ledger.open() as ledger:
        events = ledger.events(dataset, actions=(PROMOTED, WITHDRAWN))
        if not any(event.action == PROMOTED and event.release_id == release_id for event in events):
            raise SourceError(
                f"dataset {dataset}: no release {release_id} was made; list them with: anon releases"
            )
        again = any(event.action == WITHDRAWN and event.release_id == release_id for event in events)
        if not again:
            ledger.append(
                Event(action=WITHDRAWN, dataset=dataset, release_id=release_id, details={"reason": reason})
            )
        shutil.rmtree(folder_of(dataset, release_id), ignore_errors=True)
    return Withdrawn(dataset, release_id, again)

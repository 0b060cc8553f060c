"""The second person: signs what somebody else asked for, or refuses by not signing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from anon_platform.errors import AnonError, NotApprovedError
from anon_platform.ledger import Ledger, current_actor
from anon_platform.ledger.audit import Event
from anon_platform.reidentify.approvers import Approver, private_key, require_approver, same_person
from anon_platform.reidentify.asking import APPROVED, FAILED, Request, require_request

MOST_HOURS = 24 * 30


def approve(
    ledger: Ledger, request: str, name: str, file: Path, hours: int, passphrase: bytes | None = None
) -> Request:
    """The request as it stands signed by this approver, good for so many hours and one use.

    Refused, with an event, when the approver asked for it, or was made an approver by who asked.
    """
    try:
        asked = require_request(ledger, request)
        approver = require_approver(ledger, name)
        _require_another(asked, approver)
        expires = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
        message = asked.message(name, expires)
        signature = private_key(file, passphrase).sign(message).hex()
        if not approver.signed(message, signature):
            raise NotApprovedError(f"{file} is not the private key of approver {name}; nothing was approved")
    except AnonError as error:
        failed(ledger, "approve", request, error)
        raise
    ledger.append(
        Event(
            action=APPROVED,
            dataset=asked.dataset,
            release_id=asked.release,
            details={"request": request, "approver": name, "expires": expires, "signature": signature},
        )
    )
    return require_request(ledger, request)


def require_approval(ledger: Ledger, asked: Request) -> None:
    """Refuses a request that is not approved by another person who may, or not any more."""
    if asked.state == "done":
        raise NotApprovedError(
            f"request {asked.request} was done at {asked.done_at}; an approval is good for one use, so ask again"
        )
    if not asked.approver:
        raise NotApprovedError(
            f"request {asked.request} is not approved; somebody else has to run: anon reidentify approve {asked.request}"
        )
    approver = require_approver(ledger, asked.approver)
    _require_another(asked, approver, acting=False)
    if not approver.signed(asked.message(asked.approver, asked.expires), asked.signature):
        raise NotApprovedError(
            f"the approval of request {asked.request} was not signed with the key that {asked.approver} has now; it has to"
            " be approved again"
        )
    if asked.expired:
        raise NotApprovedError(
            f"the approval of request {asked.request} ended at {asked.expires}; it has to be approved again"
        )


def failed(ledger: Ledger, step: str, request: str, error: AnonError) -> None:
    """Writes a try that failed to the ledger: what kind of failure, not its text."""
    known = request if request.isalnum() and request.isascii() and len(request) <= 12 else "?"  # noqa: PLR2004
    details = {"request": known, "step": step, "error": type(error).__name__}
    ledger.append(Event(action=FAILED, outcome="refused", details=details))


def _require_another(asked: Request, approver: Approver, *, acting: bool = True) -> None:
    """acting: whether the approver is the one who runs this program."""
    names = [approver.name, current_actor()] if acting else [approver.name]
    if any(same_person(name, asked.asked_by) for name in names):
        raise NotApprovedError(
            f"{asked.asked_by} asked for it, so another person has to approve it, as themselves (ANON_ACTOR tells people"
            " apart who share an account)"
        )
    if same_person(approver.added_by, asked.asked_by):
        raise NotApprovedError(
            f"{approver.name} was made an approver by {asked.asked_by}, who asked for it; an approver whom somebody else"
            " added has to approve it"
        )

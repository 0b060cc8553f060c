"""What was asked for: codes of one column of one release, by whom and why; from the ledger, which holds no code."""

import json
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from anon_platform.anonymize import Reversible
from anon_platform.errors import IntegrityError, NotApprovedError, PolicyError, SourceError, StorageError
from anon_platform.home import home
from anon_platform.keys import load_key, load_version
from anon_platform.ledger import INSTANCE_KEY, CatalogEntry, Ledger
from anon_platform.ledger.audit import Event, canonical_json, require_short_text
from anon_platform.publish import MANIFEST, read_json, sha256_of
from anon_platform.reidentify.approvers import write_private

REQUESTED, APPROVED, DONE, FAILED = (
    f"reidentify.{what}" for what in ("requested", "approved", "done", "failed")
)


CODED = ("tokenize", "encrypt", "encrypt_format")
"""Techniques whose codes have a way back."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request with what has become of it."""

    request: str
    """Its id."""
    dataset: str
    release: str
    column: str
    technique: str
    key: str
    check: str
    """Check value of the version of the key that made the codes."""
    codes: int
    """How many there are."""
    digest: str
    """Of the codes, keyed: nobody tries codes out on it."""
    reason: str
    asked_by: str
    asked_at: str
    sealed: str
    """The hash of the event in the ledger."""
    approver: str = ""
    expires: str = ""
    signature: str = ""
    done_at: str = ""

    @property
    def state(self) -> str:
        """open, approved, expired or done."""
        if self.done_at:
            return "done"
        if not self.approver:
            return "open"
        return "expired" if self.expired else "approved"

    @property
    def expired(self) -> bool:
        """Whether the approval came to its end."""
        return datetime.now(UTC) >= datetime.fromisoformat(self.expires)

    def message(self, approver: str, expires: str) -> bytes:
        """What an approver signs: all that was asked, until when, and the event that says so."""
        said = {
            name: getattr(self, name)
            for name in (
                "request", "dataset", "release", "column", "technique", "key", "check", "codes", "digest", "reason",
                "asked_by", "sealed",
            )
        }  # fmt: skip
        return canonical_json(
            {"for": "anon reidentify", **said, "approver": approver, "expires": expires}
        ).encode()


def ask(ledger: Ledger, which: str, column: str, codes: list[str], reason: str) -> Request:
    """Asks for the values behind codes of a column of a release, or of the newest release of a dataset.

    The codes are kept in `home()` until the request is done, the ledger has their number and a keyed digest. A column whose
    codes have no way back, or whose key is gone, is refused at once.
    """
    require_short_text(reason, "the reason")
    if not reason.strip():
        raise NotApprovedError("say why: --reason has to tell an auditor what the values are needed for")
    entry = _release(ledger, which)
    step, check = reversible(entry, column)
    if not codes or len(codes) != len(set(codes)):
        raise SourceError("the file of codes has none, or one twice; write one code a line, each once")
    load_version(step.key, check)
    request = secrets.token_hex(6)
    _keep(request, codes)
    event = ledger.append(
        Event(
            action=REQUESTED,
            dataset=entry.dataset,
            release_id=entry.release_id,
            details={
                "request": request, "column": column, "technique": step.technique, "key": step.key, "check": check,
                "codes": len(codes), "digest": digest_of(codes), "reason": reason,
            },
        )
    )  # fmt: skip
    return _asked(event)


def requests(ledger: Ledger) -> list[Request]:
    """All requests in their order, with what became of each; the newest approval of one counts."""
    found: dict[str, dict[str, Any]] = {}
    for event in ledger.events(actions=[REQUESTED, APPROVED, DONE]):
        details = event.details
        if event.action == REQUESTED:
            found[details["request"]] = vars(_asked(event))
        elif details["request"] not in found:
            continue
        elif event.action == APPROVED:
            found[details["request"]] |= {n: details[n] for n in ("approver", "expires", "signature")}
        else:
            found[details["request"]] |= {"done_at": event.at}
    return [Request(**each) for each in found.values()]


def require_request(ledger: Ledger, request: str) -> Request:
    """The request of this id, from a ledger that is what was written."""
    if not ledger.verify().ok:
        raise IntegrityError(
            "the ledger is not what was written, so that nobody can tell who approved what; run: anon audit verify"
        )
    for known in requests(ledger):
        if known.request == request:
            return known
    raise NotApprovedError("no request with this id; see: anon reidentify list")


def reversible(entry: CatalogEntry, column: str) -> tuple[Reversible, str]:
    """The step that made the codes of a released column, and the check value of its key; `PolicyError` if nothing undoes it."""
    manifest = Path(entry.path) / MANIFEST
    if not manifest.exists() or sha256_of(manifest) != entry.manifest_sha256:
        raise IntegrityError(
            f"the manifest of release {entry.release_id} is not the one in the catalog; run: anon verify {entry.path}"
        )
    said = read_json(manifest)
    if column not in said["columns"]:
        raise PolicyError(
            f"release {entry.release_id} has no column {column}; it has {', '.join(said['columns'])}"
        )
    step = _last_step(column, _rules(said["policy"], column)["treat"])
    check = said["stages"]["raw"].get("keys", {}).get(step.key)
    if check is None:
        raise IntegrityError(
            f"the manifest of release {entry.release_id} does not say which version of key {step.key!r} made it"
        )
    return step, check


def digest_of(codes: list[str]) -> str:
    """HMAC of the codes in their order, under a key derived from the instance's."""
    return load_key(INSTANCE_KEY).derive("reidentify").mac(canonical_json(codes).encode()).hex()


def kept_codes(request: Request) -> list[str]:
    """The codes of a request; `IntegrityError` when they are not those that were asked for."""
    try:
        codes = json.loads(_folder(request.request, "codes.json").read_text("utf-8"))
    except (OSError, ValueError):
        codes = None
    if not isinstance(codes, list) or digest_of(codes) != request.digest:
        raise IntegrityError(
            f"the codes of request {request.request} are not there or not those that were asked for; ask again, where you"
            " run it"
        )
    return codes


def drop_codes(request: str) -> None:
    """Removes what is kept of a request."""
    shutil.rmtree(_folder(request), ignore_errors=True)


def _rules(policy: dict[str, Any], column: str) -> dict[str, Any]:
    """What the manifest's policy says of a column; of several tables the table stands before it, as in visits.mrn."""
    if "tables" not in policy:
        return dict(policy["columns"][column])
    table, _, name = column.partition(".")
    return dict(policy["tables"][table]["columns"][name])


def _last_step(column: str, treat: list[dict[str, Any]]) -> Reversible:
    """treat: the steps of the column as the manifest has them."""
    last = treat[-1] if treat else {"technique": ""}
    if last["technique"] in CODED:
        return TypeAdapter(Reversible).validate_json(json.dumps(last))
    if last["technique"] == "pseudonymize":
        raise PolicyError(
            f"column {column} is pseudonymized: a keyed hash has no way back, not even with its key; where values must be"
            " found again write technique: tokenize or encrypt in the policy, and make a new release"
        )
    how = f"treated by {last['technique']}" if treat else "released as it is"
    raise PolicyError(
        f"column {column} is {how}, which has nothing to undo; tokenize, encrypt and encrypt_format have"
    )


def _release(ledger: Ledger, which: str) -> CatalogEntry:
    entries = ledger.releases()
    found = [entry for entry in entries if entry.release_id == which]
    found = found or [entry for entry in entries if entry.dataset == which]
    if not found:
        raise SourceError(f"no dataset or release {which} in the catalog; see: anon releases")
    return found[-1]


def _asked(event: Event) -> Request:
    said = event.details
    names = ("request", "column", "technique", "key", "check", "codes", "digest", "reason")
    return Request(
        **{name: said[name] for name in names},
        dataset=event.dataset, release=event.release_id, asked_by=event.actor, asked_at=event.at, sealed=event.hash,
    )  # fmt: skip


def _keep(request: str, codes: list[str]) -> None:
    folder = _folder(request)
    try:
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StorageError(f"cannot make the folder {folder}: {error.strerror}") from None
    write_private(folder / "codes.json", json.dumps(codes).encode(), what="codes")


def _folder(request: str, *file: str) -> Path:
    return home().joinpath("reidentify", request, *file)

"""The way back itself: codes become values, once, in a file of the one who asked."""

import csv
import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.errors import AnonError, BusyError, NotApprovedError, StorageError
from anon_platform.home import home
from anon_platform.keys import load_version
from anon_platform.ledger import Ledger, current_actor
from anon_platform.ledger.audit import Event
from anon_platform.reidentify.approvers import same_person, write_private
from anon_platform.reidentify.asking import (
    DONE,
    Request,
    drop_codes,
    kept_codes,
    require_request,
    reversible,
)
from anon_platform.reidentify.authorising import failed, require_approval


@dataclass(frozen=True)
class Done:
    """What a run wrote."""

    request: Request
    file: Path


def run(ledger: Ledger, request: str, file: Path) -> Done:
    """Writes code and value to a new CSV file (mode 0600), for who asked; every try is in the ledger.

    The event is written before the file: no value is ever out without it. So a request is used up also when the file
    cannot be written then.
    """
    try:
        if file.exists() or not file.absolute().parent.is_dir():
            raise StorageError(f"cannot write {file}: it exists, or its folder does not; name a new file")
        with _alone():
            asked = require_request(ledger, request)
            _require_requester(asked)
            require_approval(ledger, asked)
            codes = kept_codes(asked)
            values = _values(ledger, asked, codes)
            ledger.append(
                Event(
                    action=DONE,
                    dataset=asked.dataset,
                    release_id=asked.release,
                    details={"request": request, "column": asked.column, "codes": len(codes), "approver": asked.approver},
                )
            )  # fmt: skip
    except AnonError as error:
        failed(ledger, "run", request, error)
        raise
    drop_codes(request)
    write_private(file, _csv(codes, values), what="file")
    return Done(asked, file)


def _require_requester(asked: Request) -> None:
    if not same_person(asked.asked_by, current_actor()):
        raise NotApprovedError(
            f"{asked.asked_by} asked for it and has to run it; nobody else gets the values"
        )


def _values(ledger: Ledger, asked: Request, codes: list[str]) -> list[str]:
    """The values of codes, in their order; a code that was not made with the key raises `IntegrityError`."""
    entry = next(each for each in ledger.releases(asked.dataset) if each.release_id == asked.release)
    step, check = reversible(entry, asked.column)
    key = load_version(step.key, check)
    return [
        str(value) for value in step.undo(asked.column, key)(pl.Series(asked.column, codes, dtype=pl.String))
    ]


def _csv(codes: list[str], values: list[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "value"))
    writer.writerows(zip(codes, values, strict=True))
    return text.getvalue().encode("utf-8")


@contextmanager
def _alone() -> Iterator[None]:
    """No two runs at once: both would find the approval unused. The codes of a request lie on one machine only."""
    folder = home() / "reidentify"
    folder.mkdir(mode=0o700, exist_ok=True)
    number = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise BusyError("another re-identification is running; wait until it has ended") from None
    try:
        yield
    finally:
        os.close(number)

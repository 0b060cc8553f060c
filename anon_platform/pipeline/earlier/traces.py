"""The traces of releases on disk: keyed numbers of people and records with the number of their class, and no value."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.home import home
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY, Ledger
from anon_platform.pipeline.staging import Work
from anon_platform.policy import Policy
from anon_platform.publish import MANIFEST, read_json, write_json
from anon_platform.validate import Trace

PROMOTED, WITHDRAWN = "release.promoted", "release.withdrawn"
"""Actions of the ledger."""


@dataclass(frozen=True)
class Earlier:
    """What the recipient has already of a dataset, or of one of its tables. traces: by release id, oldest first.

    untraced: releases that left no trace. levels: of the newest release, where each of its columns has one.
    """

    traces: dict[str, Trace]
    untraced: tuple[str, ...]
    levels: dict[str, str]


def earlier_releases(policy: Policy, work: Work) -> Earlier:
    """The releases of the dataset to the policy's recipient that were not withdrawn, without this one."""
    with Ledger.open() as ledger:
        events = ledger.events(work.dataset, actions=(PROMOTED, WITHDRAWN))
    gone = {event.release_id for event in events if event.action == WITHDRAWN}
    known = [event.release_id for event in events if event.action == PROMOTED]
    # a run that was killed between promotion and its event left a folder
    folder = work.released.parent
    known += sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    traces: dict[str, Trace] = {}
    untraced: list[str] = []
    levels: dict[str, str] = {}
    for release_id in dict.fromkeys(known):
        if release_id in gone or release_id == work.release_id:
            continue
        about = _about(folder_of(work.dataset, release_id), work.table)
        if about is None:
            untraced += [release_id] if _may_be_theirs(folder / release_id, policy) else []
        elif about["recipient"] == _recipient(policy):
            traces[release_id] = _read(folder_of(work.dataset, release_id), work.table, about)
            levels = about["levels"]
    return Earlier(traces, tuple(untraced), levels)


def keep_trace(policy: Policy, work: Work, trace: Trace) -> None:
    """Writes the trace of a release that is about to be promoted."""
    folder = folder_of(work.dataset, work.release_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    trace.rows.write_parquet(folder / f"{work.table or 'rows'}.parquet", compression="zstd")
    about = {
        "recipient": _recipient(policy),
        "names": list(trace.names),
        "sensitive": list(trace.sensitive),
        "by_row": trace.by_row,
        "levels": work.require("anonymized")["levels"],
    }
    write_json(folder / f"{work.table or 'rows'}.json", about)


def folder_of(dataset: str, release_id: str) -> Path:
    """Where the traces of a release are: restricted, as staging is."""
    return home() / "traces" / dataset / release_id


def _recipient(policy: Policy) -> str:
    """A recipient as a keyed code: the same however it is spelled in capitals and blanks."""
    said = " ".join(policy.publish.recipient.split()).casefold()
    return load_key(INSTANCE_KEY).derive("recipient").token(said, 20)


def _about(folder: Path, table: str) -> dict[str, Any] | None:
    file = folder / f"{table or 'rows'}.json"
    if not file.exists():
        return None
    found: dict[str, Any] = read_json(file)
    return found


def _read(folder: Path, table: str, about: dict[str, Any]) -> Trace:
    rows = pl.read_parquet(folder / f"{table or 'rows'}.parquet", glob=False)
    return Trace(rows, tuple(about["names"]), tuple(about["sensitive"]), about["by_row"])


def _may_be_theirs(release: Path, policy: Policy) -> bool:
    """Whether a release without a trace went to this recipient with quasi-identifiers, as far as its manifest tells.

    One whose folder is gone may have.
    """
    if not (release / MANIFEST).exists():
        return True
    said = list(_manifests(release))
    theirs = {" ".join(str(manifest["recipient"]).split()).casefold() for manifest in said}
    here = " ".join(policy.publish.recipient.split()).casefold()
    return here in theirs and any(manifest["quasi_identifiers"] for manifest in said)


def _manifests(release: Path) -> Iterator[dict[str, Any]]:
    yield read_json(release / MANIFEST)
    for file in sorted(release.glob(f"tables/*/{MANIFEST}")):
        yield read_json(file)

"""From a source to a suggested policy."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anon_platform.analyze.columns import Classification, classify
from anon_platform.errors import SourceError, StorageError
from anon_platform.ingest.found import found
from anon_platform.policy import Source
from anon_platform.suggest.page import Place, page
from anon_platform.suggest.reading import opened

Progress = Callable[[str, int, int], None]

LONGEST_NAME = 63


@dataclass(frozen=True)
class Suggestion:
    """classification: of the source. text: the policy as YAML, for a file in the folder it was asked for."""

    classification: Classification
    text: str


def suggest(data: str, policy: Path, progress: Progress | None = None) -> Suggestion:
    """The suggestion for a source: CSV or Parquet, a file, a folder or a glob. policy: the file that it is for.

    A source that cannot be read, or has no rows, raises `SourceError`. Nothing is written.
    """
    source = found(data)
    about = Path(data).stem
    with opened(source) as rows:
        if not rows.schema:
            raise SourceError(f"{data} has no columns; nothing can be suggested")
        hear = None if progress is None else lambda done, total: progress("columns", done, total)
        classification = classify(rows, about=about, progress=hear)
    place = Place(dataset_of(policy), _from(policy, source))
    return Suggestion(classification, page(classification, place))


def write(suggestion: Suggestion, policy: Path, *, force: bool) -> None:
    """Writes the policy's file; one that exists is overwritten with force only, else `StorageError`."""
    try:
        policy.parent.mkdir(parents=True, exist_ok=True)
        with policy.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(suggestion.text)
    except FileExistsError:
        raise StorageError(f"{policy} exists; write another file, or say --force to overwrite it") from None
    except OSError as fault:
        raise StorageError(f"cannot write {policy}: {fault.strerror}") from None


def as_json(found: Classification) -> dict[str, Any]:
    """The classification for machines; no value of the data is in it."""
    return {
        "rows": found.rows,
        "privacy_unit": {
            "column": found.person.column, "likelihood": found.person.likelihood, "reasons": list(found.person.reasons),
        },
        "columns": [
            {
                "name": one.name, "role": one.role, "kind": one.guess.kind,
                "likelihood": round(one.guess.likelihood, 3), "reasons": list(one.reasons),
                "distinct": one.facts.distinct, "missing": one.facts.missing,
            }
            for one in found.columns
        ],
        "combinations": [
            {
                "columns": list(one.columns), "unique_people": round(one.unique, 6),
                "distinction": round(one.distinction, 6), "separation": round(one.separation, 9),
            }
            for one in found.combinations
        ],
        "key": list(found.key),
        "people_counted": found.people,
        "sampled": found.sampled,
    }  # fmt: skip


def dataset_of(policy: Path) -> str:
    """A dataset's name from the file's.

    >>> dataset_of(Path("2024 Élèves-export.yaml"))
    'dataset_2024_l_ves_export'
    """
    name = re.sub(r"[^a-z0-9]+", "_", policy.stem.lower()).strip("_")
    return (name if name[:1].isalpha() else f"dataset_{name}".rstrip("_"))[:LONGEST_NAME]


def _from(policy: Path, source: Source) -> Source:
    """The source with its path from the policy's folder."""
    path = os.path.relpath(Path(source.path).absolute(), policy.absolute().parent)
    return source.model_copy(update={"path": path})

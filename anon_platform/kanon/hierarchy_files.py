"""The hierarchy file of each quasi-identifier, found by name in a folder, and what it lacks of the data's values."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from anon_platform.anonymize.hierarchy import CsvHierarchy
from anon_platform.errors import HierarchyGapError, PolicyError

SHOWN = 10
"""Missing values that the error carries, for the person at the terminal."""


@dataclass(frozen=True)
class HierarchyFile:
    """A hierarchy and the file it was read from. sha256: of the file's content."""

    name: str
    kind: CsvHierarchy
    sha256: str

    @property
    def names_nothing(self) -> bool:
        """Whether the empty text is one of its leaves."""
        return "" in self.kind.leaves()


def hierarchies_in(folder: Path, names: Sequence[str]) -> dict[str, HierarchyFile]:
    """The hierarchy of each name: `NAME.csv`, or a file whose name ends in `hierarchy_NAME.csv`, as ARX's do.

    Of several such files that one counts whose beginning (as `adult_` in adult_hierarchy_age.csv) more names share
    than any other. No file or two equally good ones for a name, and a file that is no hierarchy, raise `PolicyError`.
    """
    if not folder.is_dir():
        raise PolicyError(f"--hierarchies {folder}: no such folder")
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() == ".csv" and file.is_file()]
    fitting = {
        name: [file for file in files if name in (file.stem, _after_hierarchy(file.stem))] for name in names
    }
    shared = Counter(_family(file) for found in fitting.values() for file in found)
    return {name: _read(_best_of(found, shared, folder, name)) for name, found in fitting.items()}


def _best_of(fitting: Sequence[Path], shared: Counter[str], folder: Path, name: str) -> Path:
    if not fitting:
        raise PolicyError(
            f"no hierarchy for {name}: {folder} has neither {name}.csv nor a file that ends in hierarchy_{name}.csv"
        )
    most = max(shared[_family(file)] for file in fitting)
    best = [file for file in fitting if shared[_family(file)] == most]
    if len(best) > 1:
        raise PolicyError(
            f"{len(best)} hierarchies for {name} in {folder}: {', '.join(file.name for file in best)}; keep one"
        )
    return best[0]


def _family(file: Path) -> str:
    """What stands before the last `hierarchy_`; files that are named for their column alone have none."""
    return file.stem.rpartition("hierarchy_")[0] if _after_hierarchy(file.stem) else ""


def _after_hierarchy(stem: str) -> str | None:
    """What stands behind the last `hierarchy_`.

    >>> _after_hierarchy("adult_hierarchy_marital-status")
    'marital-status'
    """
    before, found, name = stem.rpartition("hierarchy_")
    return name if found and (not before or before[-1] in "_-. ") else None


def _read(file: Path) -> HierarchyFile:
    try:
        content = file.read_bytes()
    except OSError as fault:
        raise PolicyError(f"cannot read hierarchy {file.name}: {fault.strerror}") from None
    # ARX writes semicolons; commas count where the whole file has no semicolon
    separator = ";" if b";" in content or b"," not in content else ","
    try:
        kind = CsvHierarchy(kind="csv", file=file, separator=separator)
    except ValidationError as faulty:
        told = [
            str(fault["msg"]).removeprefix("Value error, ") for fault in faulty.errors(include_input=False)
        ]
        raise PolicyError("; ".join(told)) from None
    return HierarchyFile(file.name, kind, hashlib.sha256(content).hexdigest())


def require_leaves(values: pl.Series, file: HierarchyFile) -> None:
    """Values (as text; no value aside) that are no leaves raise `HierarchyGapError`: their number in words, ten attached."""
    leaves = file.kind.leaves()
    missing = _not_among(values.drop_nulls().unique(), leaves).sort()
    if not len(missing):
        return
    trimmed = len(missing) - len(_not_among(missing.str.strip_chars(), leaves.str.strip_chars()))
    hint = f" {trimmed} of them differ from a line of it by spaces only: trim them." if trimmed else ""
    raise HierarchyGapError(
        f"column {values.name}: {len(missing)} values are not in the first column of {file.name}; add a line for each.{hint}",
        tuple(missing.head(SHOWN)),
        max(len(missing) - SHOWN, 0),
    )


def _not_among(values: pl.Series, leaves: pl.Series) -> pl.Series:
    return values.filter(~values.is_in(leaves.implode()))


def unknown(values: pl.Series, file: HierarchyFile) -> pl.Series:
    """Which values the hierarchy does not name; no value is always known."""
    return (~values.is_in(file.kind.leaves().implode())).fill_null(value=False)

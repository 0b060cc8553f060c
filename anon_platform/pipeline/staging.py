"""Where the state of a run lives between its stages, and who may work on it."""

import errno
import fcntl
import os
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import polars as pl

from anon_platform.errors import AnonError, BusyError, SourceError, StorageError
from anon_platform.home import home
from anon_platform.pipeline.engine import open_table
from anon_platform.policy import Engine
from anon_platform.publish import TABLES, read_json, write_json
from anon_platform.table import Table

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Work:
    """The staging folder of one release. A stage's result is there when its JSON file is, never half."""

    dataset: str
    release_id: str
    table: str = ""
    """The table of several that the work is about; the whole release when empty."""

    def of_table(self, name: str) -> "Work":
        """The part of the work that is about one table of several."""
        return replace(self, table=name)

    @property
    def folder(self) -> Path:
        """Restricted: it holds identified data until the release is cataloged or refused."""
        whole = staging(self.dataset) / self.release_id
        return whole / TABLES / self.table if self.table else whole

    @property
    def released(self) -> Path:
        """Where the release appears when every check has passed."""
        return home() / "releases" / self.dataset / self.release_id

    @property
    def refused(self) -> Path:
        """Where report and assessment of a refused release stay."""
        return home() / "refused" / self.dataset / self.release_id

    def part(self, name: str) -> Path:
        """A folder or file of the work."""
        return self.folder / name

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """A folder to write a stage's result to; `finish` puts it in its place.

        What an interrupted run left there is gone, and when the stage fails the draft is gone too:
        identified data does not stay behind.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = self.part(name + ".tmp")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def finish(self, name: str, numbers: dict[str, Any]) -> None:
        """Puts a finished draft folder in its place and writes the stage's numbers: the stage is done."""
        final = self.part(name)
        shutil.rmtree(final, ignore_errors=True)
        if self.part(name + ".tmp").exists():
            self.part(name + ".tmp").rename(final)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_json(self.part(name + ".json"), numbers)

    def done(self, name: str) -> dict[str, Any] | None:
        """The numbers of a finished stage."""
        file = self.part(name + ".json")
        return read_json(file) if file.exists() else None

    def require(self, name: str) -> dict[str, Any]:
        """The numbers of a stage that must be finished."""
        numbers = self.done(name)
        if numbers is None:
            raise SourceError(
                f"dataset {self.dataset}: {name} is not materialized for this input; materialize it first"
            )
        return numbers

    def take(self, stage: str, name: str, to: Path) -> None:
        """Moves a folder of a finished stage elsewhere; the stage has to run again to have it back."""
        self.part(stage + ".json").unlink()
        (self.part(stage) / name).rename(to)

    def snapshot(self, engine: Engine) -> Table:
        """The checked copy of the source; a stage opens it once."""
        self.require("raw")
        spill = self.part("spill")
        # a killed run may have left something there, and nobody else works on the dataset
        shutil.rmtree(spill, ignore_errors=True)
        return open_table(self.part("raw"), engine, spill=spill)

    def wipe(self) -> None:
        """Deletes the work; identified data does not outlive the run."""
        shutil.rmtree(self.folder, ignore_errors=True)


def staging(dataset: str) -> Path:
    """The staging folder of a dataset."""
    folder = home() / "staging" / dataset
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def remember(work: Work, policy_hash: str) -> None:
    """Makes `work` the one that later stages of the dataset go on with."""
    write_json(
        staging(work.dataset) / "current.json", {"release_id": work.release_id, "policy_hash": policy_hash}
    )


def current(dataset: str, policy_hash: str) -> Work:
    """The work that `raw` began for this policy; it must have been the same policy."""
    file = staging(dataset) / "current.json"
    if not file.exists():
        raise SourceError(f"dataset {dataset}: nothing in staging; materialize raw first")
    known = read_json(file)
    if known["policy_hash"] != policy_hash:
        raise SourceError(
            f"dataset {dataset}: the policy changed since raw was materialized; materialize raw again"
        )
    return Work(dataset, known["release_id"])


_held: set[str] = set()


@contextmanager
def exclusive(dataset: str) -> Iterator[None]:
    """The right to work on a dataset; `BusyError` when another run has it. Ends with the process, even a killed one."""
    if dataset in _held:
        yield
        return
    path = staging(dataset) / "lock"
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise BusyError(f"dataset {dataset}: another run is working on it; wait until it has ended") from None
    _held.add(dataset)
    try:
        yield
    finally:
        _held.discard(dataset)
        os.close(number)


def value_free(stage: Callable[P, R]) -> Callable[P, R]:
    """A stage whose errors never carry a cell value.

    Polars and DuckDB quote offending values, and so may any other library. Such an error is dropped and
    not chained (Dagster stores chains): what stays is its kind and the place in our code.
    """

    @wraps(stage)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return stage(*args, **kwargs)
        except AnonError:
            raise
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - the boundary for cell values
            full = isinstance(error, OSError) and error.errno in _FULL
            # Polars reports a full disk in words only; the words are looked at, not passed on
            full = full or any(os.strerror(number).lower() in str(error).lower() for number in _FULL)
            kind, where = type(error).__name__, _place(error)
        # outside the handler, so that nothing rides along as context
        if full:
            raise StorageError(
                f"{stage.__name__}: no space left; free some in ANON_HOME and run again, nothing was released"
            )
        raise StorageError(
            f"{stage.__name__}: the data could not be processed ({kind} at {where}); nothing was released"
        )

    return guarded


_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def _place(error: BaseException) -> str:
    """File and line of the innermost frame in this package."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [(name, line) for name, line in frames if "anon_platform" in name]
    name, line = ours[-1] if ours else ("?", 0)
    return f"{Path(name).name}:{line}"

"""What every command shares: exit codes, the two streams, JSON and progress."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Exit(IntEnum):
    """Exit codes; the help of `anon` lists them."""

    OK = 0
    REFUSED = 1
    POLICY = 2
    SOURCE = 3
    BUSY = 4
    STORAGE = 5
    KEY = 6
    STOPPED = 130


EPILOG = (
    "Exit codes: 0 done; 1 a release or a"
    " re-identification was refused, or what was checked is not what was written; 2 the policy or the"
    " call is faulty; 3 the source cannot be read as the policy says; 4 another run works on the dataset;"
    " 5 storage failed; 6 a key is missing; 130 stopped from the keyboard. State lies in ANON_HOME (default .anon)."
)

LONGEST = 10_000
"""Characters in a line of a list, more than any has."""

REASON_LENGTH = 200
"""As long as a text of the ledger may be."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value for machines, and nothing else.")]


def _one_line(text: str) -> str:
    if not text.strip() or len(text) > REASON_LENGTH or not text.isprintable():
        raise typer.BadParameter(f"say why in one line of {REASON_LENGTH} characters at most")
    return text


Reason = Annotated[
    str,
    typer.Option(callback=_one_line, help="Why, for the audit ledger: one line of 200 characters at most."),
]

# names of columns and folders may look like markup
out = Console(markup=False, emoji=False)
err = Console(markup=False, emoji=False, stderr=True)


def json_out(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """One JSON value on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def print_whole(listed: RenderableType) -> None:
    """A list whose lines are never cut or broken: what is shown can be copied."""
    Console(markup=False, emoji=False, width=LONGEST).print(listed)


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error; nothing when quiet."""
    if quiet:
        yield lambda _what, _done, _total: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as bars:
        tasks: dict[str, Any] = {}

        def hear(what: str, done: int, total: int) -> None:
            if what not in tasks:
                for earlier in tasks.values():
                    shown = bars.tasks[earlier]
                    end = max(shown.total or 1, shown.completed or 1)
                    bars.update(earlier, completed=end, total=end)
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield hear
        for task in bars.tasks:
            end = max(task.total or 1, task.completed or 1)
            bars.update(task.id, completed=end, total=end)

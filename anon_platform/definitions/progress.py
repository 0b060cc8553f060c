"""Progress as log lines of a run."""

from collections.abc import Callable

import dagster as dg


def logged(context: dg.AssetExecutionContext) -> Callable[[str, int, int], None]:
    """Progress as log lines: one when something new begins, and one every tenth of it."""
    last: tuple[str, int] = ("", -1)

    def hear(what: str, done: int, total: int) -> None:
        nonlocal last
        tenth = 10 * done // total if total else 0
        if (what, tenth) != last:
            last = (what, tenth)
            context.log.info(f"{what} {done:,} of {total:,}" if total else what)

    return hear

"""What a command is when a test types it; see the fixture `typed`."""

from collections.abc import Callable

Typed = Callable[..., tuple[int, str, str]]
"""From arguments to exit code, standard output and standard error."""

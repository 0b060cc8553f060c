"""`anon`, the command line."""

from anon_platform.cli.app import app, main
from anon_platform.cli.terminal import Exit

__all__ = ["Exit", "app", "main"]

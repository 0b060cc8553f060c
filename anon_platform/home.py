"""Where state lives: one folder, `ANON_HOME`."""

import os
from pathlib import Path

from anon_platform.errors import StorageError


def home() -> Path:
    """The folder of all state: `ANON_HOME`, or `.anon` below the current folder.

    Absolute. Made when missing, open to the current user only; the mode of a folder that exists is left as
    it is.
    """
    wanted = os.environ.get("ANON_HOME") or ".anon"
    try:
        folder = Path(wanted).expanduser().absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: `~someone` who has no home
        raise StorageError(f"cannot make the folder {wanted}; set ANON_HOME to a writable folder") from None
    return folder

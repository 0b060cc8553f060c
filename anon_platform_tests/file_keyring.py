"""A keyring in a file, as the library `keyring` wants one, for tests: PYTHON_KEYRING_BACKEND names it."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):  # type: ignore[no-untyped-call] # the library's metaclass
    """Entries by service and name, in the file that TEST_KEYRING names."""

    priority = 1

    def _read(self) -> dict[str, str]:
        file = Path(os.environ["TEST_KEYRING"])
        found: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        return found

    def get_password(self, service: str, username: str) -> str | None:
        """None when there is none."""
        return self._read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Writes it."""
        entries = self._read() | {f"{service}/{username}": password}
        Path(os.environ["TEST_KEYRING"]).write_text(json.dumps(entries))

    def delete_password(self, service: str, username: str) -> None:
        """Removes it."""
        entries = self._read()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError
        Path(os.environ["TEST_KEYRING"]).write_text(json.dumps(entries))


class KeepsNothing(FileKeyring):
    """A keyring that takes everything and keeps nothing, as `keyring.backends.null` does."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Does nothing."""

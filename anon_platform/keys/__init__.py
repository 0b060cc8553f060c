"""Secret keys, looked up by id, never printed."""

from anon_platform.keys.key import (
    SALT,
    Key,
    check_of,
    create_key,
    list_keys,
    load_key,
    load_version,
    random_secret,
)

__all__ = [
    "SALT",
    "Key",
    "check_of",
    "create_key",
    "list_keys",
    "load_key",
    "load_version",
    "random_secret",
]

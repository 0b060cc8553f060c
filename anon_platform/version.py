"""Versions that stand in every manifest."""

from importlib.metadata import version

VERSION = version("anon-platform")

RELEASED_DATA_VERSION = 4
"""Raised whenever the same policy and input would give other released values; see CHANGELOG, Released data."""

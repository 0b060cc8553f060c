"""From treated rows to an immutable release folder, its manifest and its report."""

from anon_platform.publish.data_files import Written, write_data
from anon_platform.publish.release import (
    MANIFEST,
    file_hashes,
    promote,
    read_json,
    refuse,
    sha256_of,
    write_json,
)
from anon_platform.publish.report import write_report

__all__ = [
    "MANIFEST",
    "Written",
    "file_hashes",
    "promote",
    "read_json",
    "refuse",
    "sha256_of",
    "write_data",
    "write_json",
    "write_report",
]

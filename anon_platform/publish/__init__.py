"""From treated rows to an immutable release folder, its manifest and its report."""

from anon_platform.publish.data_files import Written, write_data
from anon_platform.publish.dp import write_dp_report
from anon_platform.publish.frontier import keep_section, section_of
from anon_platform.publish.pdf import pdf_fault
from anon_platform.publish.release import (
    MANIFEST,
    TABLES,
    file_hashes,
    promote,
    read_json,
    refuse,
    sha256_of,
    write_json,
)
from anon_platform.publish.report import write_report
from anon_platform.publish.tables_report import write_tables_report

__all__ = [
    "MANIFEST",
    "TABLES",
    "Written",
    "file_hashes",
    "keep_section",
    "pdf_fault",
    "promote",
    "read_json",
    "refuse",
    "section_of",
    "sha256_of",
    "write_data",
    "write_dp_report",
    "write_json",
    "write_report",
    "write_tables_report",
]

"""A source becomes a table: checked for schema, completeness and types, copied to staging without what is suppressed."""

from anon_platform.ingest.files import fingerprint, source_files
from anon_platform.ingest.schema import column_type, schema_faults, source_schema
from anon_platform.ingest.snapshot import Ingested, person_tokens, snapshot

__all__ = [
    "Ingested",
    "column_type",
    "fingerprint",
    "person_tokens",
    "schema_faults",
    "snapshot",
    "source_files",
    "source_schema",
]

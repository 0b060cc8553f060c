"""Where the SQL databases are, and how they are opened (`database.engine`)."""

from anon_platform.database.urls import database_url, vault_url, without_password

__all__ = ["database_url", "vault_url", "without_password"]

"""Dagster: a thin skin over `pipeline`. The code location is `anon_platform.definitions.location`."""

"""The audit ledger and the catalog: releases and events, hash-chained, in SQL."""

from anon_platform.ledger.ledger import INSTANCE_KEY, CatalogEntry, Ledger, current_actor

__all__ = ["INSTANCE_KEY", "CatalogEntry", "Ledger", "current_actor"]

"""The audit ledger, the catalog and the privacy budget: events, hash-chained, in SQL."""

from anon_platform.ledger.accounts import Reservation
from anon_platform.ledger.balance import Balance, Share
from anon_platform.ledger.budget import Budget, Fit
from anon_platform.ledger.caps import Cap, Caps, Request
from anon_platform.ledger.ledger import INSTANCE_KEY, CatalogEntry, Ledger, current_actor

__all__ = [
    "INSTANCE_KEY",
    "Balance",
    "Budget",
    "Cap",
    "Caps",
    "CatalogEntry",
    "Fit",
    "Ledger",
    "Request",
    "Reservation",
    "Share",
    "current_actor",
]

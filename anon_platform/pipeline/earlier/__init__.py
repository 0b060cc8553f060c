"""Releases that a recipient has already: what they are remembered by, and how a new one is made to go with them."""

from anon_platform.pipeline.earlier.going_together import going_together
from anon_platform.pipeline.earlier.identities import identities
from anon_platform.pipeline.earlier.traces import Earlier, earlier_releases, keep_trace
from anon_platform.pipeline.earlier.withdrawing import Withdrawn, withdraw

__all__ = [
    "Earlier",
    "Withdrawn",
    "earlier_releases",
    "going_together",
    "identities",
    "keep_trace",
    "withdraw",
]

"""Authorised re-identification: asked with a reason, signed by a second person, done once, all of it in the ledger."""

from anon_platform.reidentify.approvers import Approver, add_approver, approvers, remove_approver
from anon_platform.reidentify.asking import Request, ask, requests
from anon_platform.reidentify.authorising import approve
from anon_platform.reidentify.running import Done, run

__all__ = [
    "Approver",
    "Done",
    "Request",
    "add_approver",
    "approve",
    "approvers",
    "ask",
    "remove_approver",
    "requests",
    "run",
]

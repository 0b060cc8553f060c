"""k-anonymity without a policy file: a table and hierarchy files in, a table out, measured as it was written."""

from anon_platform.kanon.anonymized import Files, Outcome, anonymize
from anon_platform.kanon.applied import apply
from anon_platform.kanon.request import Attribute, Columns, Request
from anon_platform.kanon.solution import Solution, load

__all__ = [
    "Attribute",
    "Columns",
    "Files",
    "Outcome",
    "Request",
    "Solution",
    "anonymize",
    "apply",
    "load",
]

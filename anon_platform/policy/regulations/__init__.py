"""Regulation packs as data: the clauses of a rule, each with its citation. What checks them is in `validate/regulations`.

The texts stand here, since the policy, its editor and Dagster's definitions name them without loading an engine.
"""

from anon_platform.policy.regulations.hipaa_safe_harbor import HIPAA_SAFE_HARBOR
from anon_platform.policy.regulations.pack import Clause, Pack, RegulationName, described
from anon_platform.policy.regulations.packs import PACKS, Regulations, looks_at_columns, pack_of

__all__ = [
    "HIPAA_SAFE_HARBOR",
    "PACKS",
    "Clause",
    "Pack",
    "RegulationName",
    "Regulations",
    "described",
    "looks_at_columns",
    "pack_of",
]

"""The code location: one asset group for every policy file in the policies folder."""

import gc
import os
from pathlib import Path

import dagster as dg

from anon_platform.definitions.datasets import dataset_definitions

POLICIES = "ANON_POLICIES"


def policies_folder() -> Path:
    """`ANON_POLICIES`, or else `policies` in the current folder or beside the package."""
    named = os.environ.get(POLICIES)
    if named:
        return Path(named)
    here = Path.cwd() / "policies"
    return here if here.is_dir() else Path(__file__).parents[2] / "policies"


def build() -> dg.Definitions:
    """Definitions of all policies, sound or not; one broken file leaves the others alone."""
    files = sorted(policies_folder().glob("*.yaml"))
    parts = [dataset_definitions(file) for file in files]
    executor = dg.Definitions(executor=dg.in_process_executor)
    return dg.Definitions.merge(executor, *parts)


defs = build()
# definitions and what was imported for them live as long as the process: the collector need not look at them again
# and again while Dagster goes through them (measured: a fifth of `dg check defs`)
gc.freeze()

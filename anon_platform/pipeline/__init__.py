"""The only place where the stages meet: plan, the five stages, run, verify."""

from anon_platform.pipeline.plan import Plan, plan
from anon_platform.pipeline.run import STAGES, Outcome, run
from anon_platform.pipeline.stages import (
    StageReport,
    analyzed,
    anonymized,
    cataloged,
    raw,
    validated,
)
from anon_platform.pipeline.verify import VerifiedRelease, verify

__all__ = [
    "STAGES",
    "Outcome",
    "Plan",
    "StageReport",
    "VerifiedRelease",
    "analyzed",
    "anonymized",
    "cataloged",
    "plan",
    "raw",
    "run",
    "validated",
    "verify",
]

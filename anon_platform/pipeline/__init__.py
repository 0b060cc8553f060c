"""The only place where the stages meet: plan, the five stages, run, verify."""

from anon_platform.pipeline.plan import Plan, TablesPlan, plan
from anon_platform.pipeline.run import STAGES, Outcome, analyzed, anonymized, raw, run, validated
from anon_platform.pipeline.stages import StageReport, cataloged
from anon_platform.pipeline.verify import VerifiedRelease, verify

__all__ = [
    "STAGES",
    "Outcome",
    "Plan",
    "StageReport",
    "TablesPlan",
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

"""The policy: one YAML file says whose privacy, which columns, which treatment, which thresholds."""

from anon_platform.policy.faults import Fault, FaultyPolicyError
from anon_platform.policy.loading import dataset_name, load_policy
from anon_platform.policy.model import (
    Column,
    Model,
    Policy,
    PrivacyUnit,
    Publish,
    Schedule,
    Source,
    Thresholds,
    Watch,
)
from anon_platform.policy.schema import json_schema

__all__ = [
    "Column",
    "Fault",
    "FaultyPolicyError",
    "Model",
    "Policy",
    "PrivacyUnit",
    "Publish",
    "Schedule",
    "Source",
    "Thresholds",
    "Watch",
    "dataset_name",
    "json_schema",
    "load_policy",
]

"""The policy: one YAML file says whose privacy, which columns, which treatment, which thresholds."""

from anon_platform.policy.attacks import Attacks, External, Linkage, Truth, YearsSince
from anon_platform.policy.dp.model import DPColumn, DPPolicy
from anon_platform.policy.engine import Engine
from anon_platform.policy.faults import Fault, FaultyPolicyError
from anon_platform.policy.loading import dataset_name, load_policy
from anon_platform.policy.model import (
    Column,
    Model,
    Policy,
    PrivacyUnit,
    Publish,
    Schedule,
    Watch,
)
from anon_platform.policy.schema import json_schema
from anon_platform.policy.source import Population, Source
from anon_platform.policy.tables import TableRules, TablesPolicy
from anon_platform.policy.tables_loading import ANY_POLICY, RECORDS_POLICY, kind_of, load_any_policy
from anon_platform.policy.thresholds import (
    SENSITIVE_MODELS,
    Attacker,
    DeltaPresence,
    HierarchicalTCloseness,
    KMap,
    Thresholds,
)
from anon_platform.policy.utility import Condition, Query, Utility

__all__ = [
    "ANY_POLICY",
    "RECORDS_POLICY",
    "SENSITIVE_MODELS",
    "Attacker",
    "Attacks",
    "Column",
    "Condition",
    "DPColumn",
    "DPPolicy",
    "DeltaPresence",
    "Engine",
    "External",
    "Fault",
    "FaultyPolicyError",
    "HierarchicalTCloseness",
    "KMap",
    "Linkage",
    "Model",
    "Policy",
    "Population",
    "PrivacyUnit",
    "Publish",
    "Query",
    "Schedule",
    "Source",
    "TableRules",
    "TablesPolicy",
    "Thresholds",
    "Truth",
    "Utility",
    "Watch",
    "YearsSince",
    "dataset_name",
    "json_schema",
    "kind_of",
    "load_any_policy",
    "load_policy",
]

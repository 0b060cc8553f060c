"""The checks of a differentially private release: its loss, its budget, and nothing in its files but what is public or noisy."""

from anon_platform.validate.dp.measure import CHECKS, DPEvidence, Spent, assess_dp
from anon_platform.validate.dp.tables import Table, faults_of, strays

__all__ = ["CHECKS", "DPEvidence", "Spent", "Table", "assess_dp", "faults_of", "strays"]

"""k-anonymity and l-diversity by full-domain generalization: an optimal search on the frequency table."""

from anon_platform.anonymize.k_anonymity.grouped import Grouped
from anon_platform.anonymize.k_anonymity.lattice import Demand, Solution, search
from anon_platform.anonymize.k_anonymity.solve import Fitted, solve

__all__ = ["Demand", "Fitted", "Grouped", "Solution", "search", "solve"]

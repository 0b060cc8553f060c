"""How useful a release is: columns, pairs, three columns together, queries, and what generalization cost."""

from anon_platform.validate.utility.fidelity import ColumnFidelity
from anon_platform.validate.utility.limits import Limits
from anon_platform.validate.utility.measure import Usefulness, measure_utility, utility_metrics

__all__ = ["ColumnFidelity", "Limits", "Usefulness", "measure_utility", "utility_metrics"]

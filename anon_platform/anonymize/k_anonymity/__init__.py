"""k-anonymity and the models beside it by full-domain generalization: an optimal search on the frequency table."""

from anon_platform.anonymize.k_anonymity.demand import Demand, Known, Sensitive
from anon_platform.anonymize.k_anonymity.grouped import Grouped
from anon_platform.anonymize.k_anonymity.lattice import Solution, search
from anon_platform.anonymize.k_anonymity.linked import LinkedGroups, linked_groups
from anon_platform.anonymize.k_anonymity.presence import Crowd, beside, widened
from anon_platform.anonymize.k_anonymity.solve import Fitted, solve

__all__ = [
    "Crowd",
    "Demand",
    "Fitted",
    "Grouped",
    "Known",
    "LinkedGroups",
    "Sensitive",
    "Solution",
    "beside",
    "linked_groups",
    "search",
    "solve",
    "widened",
]

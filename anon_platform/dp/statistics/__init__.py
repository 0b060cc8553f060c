"""Differentially private statistics: what is asked, what it will cost, and how exact the answer will be.

`measure` reads rows, and so stands in a module of its own: policies are read by programs that never count.
"""

from anon_platform.dp.statistics.plan import Plan, Planned, plan_statistics
from anon_platform.dp.statistics.settings import Condition, Statistic

__all__ = ["Condition", "Plan", "Planned", "Statistic", "plan_statistics"]

"""The frontier of a policy: how much is lost at which risk, for settings around it, and the one that loses least."""

from anon_platform.frontier.pareto import Advice, advice, pareto_front
from anon_platform.frontier.point import Point
from anon_platform.frontier.running import Frontier, run_frontier
from anon_platform.frontier.sweep import Setting, Sweep, sweep_of
from anon_platform.frontier.writing import write_frontier

__all__ = [
    "Advice",
    "Frontier",
    "Point",
    "Setting",
    "Sweep",
    "advice",
    "pareto_front",
    "run_frontier",
    "sweep_of",
    "write_frontier",
]

"""The best full-domain generalization as a start: what classes lack together, one level a column may give them.

An attacker who knows some columns, and a reference that changes with every record that is suppressed, look at all
classes at once. Groups that are found one by one may miss such a demand where equal levels in all of them meet it.
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from anon_platform.anonymize.k_anonymity.lattice import search
from anon_platform.anonymize.k_anonymity.look import upward
from anon_platform.anonymize.k_anonymity.price import Prices
from anon_platform.anonymize.k_anonymity.problem import Problem
from anon_platform.anonymize.local.shapes import Ints

SMALL = 2_000_000
"""Nodes × units up to which the search is made beside the other, and not only when that fails."""


def is_small(problem: Problem) -> bool:
    """Whether the search takes little time."""
    return prod(step.height for step in problem.steps) * problem.bottom.height <= SMALL


def full_domain(problem: Problem, priced: Prices) -> tuple[Ints, Sequence[int]] | None:
    """The class of each unit, −1 where suppressed, and the level of each column; None when nothing may leave."""
    found = search(problem.bottom, problem.steps, problem.demand, at=priced)
    if found is None:
        return None
    maps = [upward(step, 0, level) for step, level in zip(problem.steps, found.node, strict=True)]
    classes, of = problem.bottom.rolled(maps)
    good = problem.demand.kept(classes)
    return (np.where(good[of], of, -1), found.node) if good.any() else None

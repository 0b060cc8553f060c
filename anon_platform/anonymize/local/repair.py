"""Groups that may not leave are merged with the group beside which they cost least, until all may; or they are suppressed."""

import numpy as np

from anon_platform.anonymize.local.grouping import Grouping, Merging
from anon_platform.anonymize.local.shapes import Ints
from anon_platform.anonymize.local.units import Good, Units

SUPPRESSED = -1


def repaired(units: Units, of: Ints) -> Ints:
    """The group of each unit, −1 where suppressed; units with −1 in `of` are in no group yet.

    All groups meet the demand, or there is a single one that does not. A unit is suppressed where that loses less than
    any merger, as long as the demand allows.
    """
    of = of.copy()
    loose = np.flatnonzero(of < 0)
    of[loose] = of.max(initial=-1) + 1 + np.arange(len(loose))
    allowed = units.demand.suppressed
    active = np.arange(len(of))
    while True:
        grouping = Grouping.made(_part(units, active), of[active])
        bad = ~_met(grouping)
        if not bad.any() or grouping.count == 1:
            break
        to, added = _nearest(grouping, np.flatnonzero(bad))
        gone, spent = _cheaper_suppressed(grouping, np.flatnonzero(bad), added, allowed)
        allowed -= spent
        target = np.arange(grouping.count)
        target[bad] = to
        target = _without_rings(target)
        of[active] = target[grouping.of]
        of[active[gone[grouping.of]]] = SUPPRESSED
        # whoever was to join a suppressed group stays alone for another round
        active = np.flatnonzero(of >= 0)
        if not len(active):
            break
    return of


def _part(units: Units, active: Ints) -> Units:
    return units if len(active) == len(units.records) else units.part(active)


def _met(grouping: Grouping) -> Good:
    return grouping.units.met(np.arange(len(grouping.of)), grouping.of, grouping.count)


def _nearest(grouping: Grouping, bad: Ints) -> tuple[Ints, "np.ndarray"]:
    """For each bad group the other group whose union with it adds least, and what it adds."""
    merging = Merging(grouping.units.shapes, grouping.hulls_of(bad), grouping.hulls)
    records, now = grouping.records, grouping.totals
    to, added = np.zeros(len(bad), np.int64), np.zeros(len(bad))
    for part, joined in merging.blocks(len(bad)):
        mine = bad[part]
        total = joined * (records[mine][:, None] + records[None, :]) - now[None, :]
        total[np.arange(len(mine)), mine] = np.inf
        to[part] = total.argmin(axis=1)
        added[part] = total.min(axis=1)
    return to, added - now[bad]


def _cheaper_suppressed(grouping: Grouping, bad: Ints, added: "np.ndarray", allowed: int) -> tuple[Good, int]:
    """The bad groups that lose less when suppressed, those that save most a record first; and their records."""
    saved = added + grouping.totals[bad] - grouping.records[bad]
    order = np.lexsort((bad, -saved / grouping.records[bad]))
    order = order[saved[order] > 0]
    fits = np.cumsum(grouping.records[bad[order]]) <= allowed
    gone = np.zeros(grouping.count, np.bool_)
    gone[bad[order[fits]]] = True
    return gone, int(grouping.records[gone].sum())


def _without_rings(target: Ints) -> Ints:
    """For each group the least number of all that it is merged with, directly or not."""
    least = np.arange(len(target))
    while True:
        lower = np.minimum(least, least[target])
        np.minimum.at(lower, target, least)
        # who is as low as another goes where that one went
        lower = lower[lower]
        if (lower == least).all():
            return least
        least = lower

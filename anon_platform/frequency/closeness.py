"""t-closeness: how far the distribution in a class is from that of the whole table, by three ground distances."""

from typing import TYPE_CHECKING

from anon_platform.frequency.cells import Cells, merge, summed

if TYPE_CHECKING:
    import numpy as np

    from anon_platform.frequency.cells import Floats, Ints


ROUNDING = 1e-12
"""Distances below it are those of equal distributions, summed in another order."""


def equal_distance(cells: Cells) -> "Floats":
    """Total variation 1 − Σ min(p, q) of each class, 0 to 1; 0 for an empty class.

    Source: Li, Li, Venkatasubramanian 2007, section 4.2 (equal distance).
    """
    import numpy as np

    shared = summed(cells.of_class, np.minimum(cells.shares(), cells.overall[cells.value]), cells.classes)
    return _distance(np.where(cells.sizes() > 0, 1.0 - shared, 0.0))


def ordered_distance(cells: Cells, rank: "Ints") -> "Floats":
    """Earth mover's distance of each class over ordered values, 0 to 1; 0 for an empty class.

    rank: int, v; the place of each value code in the order, 0 to v − 1, each once. The distance of two values is
    the number of steps between them, divided by v − 1; so the EMD is Σ |P − Q| / (v − 1), with P and Q the
    cumulative shares in class and table.
    Source: Li, Li, Venkatasubramanian 2007, section 4.1 (ordered distance).
    """
    import numpy as np

    v = len(cells.overall)
    if v <= 1 or not len(cells.of_class):
        return np.zeros(cells.classes)
    place = rank[cells.value]
    order = np.lexsort((place, cells.of_class))
    of_class, place = cells.of_class[order], place[order]
    in_order = np.empty(v)
    in_order[rank] = cells.overall
    whole = np.minimum(np.cumsum(in_order), 1.0)
    area = np.concatenate([[0.0], np.cumsum(whole)])
    last = np.append(of_class[1:] != of_class[:-1], True)
    first = np.append(True, last[:-1])
    reached = _cumulative(cells.records[order], of_class, first, cells)
    # the class's cumulative share is level from one of its values to the next: |level − Q| in closed form, by
    # where the rising Q crosses it. The last step of both curves is 1, so that it adds nothing
    end = np.minimum(np.where(last, v - 1, np.append(place[1:], 0)), v - 1)
    begin = np.minimum(place, v - 1)
    crossed = np.clip(np.searchsorted(whole, reached), begin, end)
    below = reached * (crossed - begin) - (area[crossed] - area[begin])
    above = (area[end] - area[crossed]) - reached * (end - crossed)
    before = np.where(first, area[begin], 0.0)
    moved = summed(of_class, below + above + before, cells.classes)
    return _distance(moved / (v - 1))


def _distance(found: "Floats") -> "Floats":
    """Between 0 and 1, and exactly 0 for equal distributions."""
    import numpy as np

    return np.where(found < ROUNDING, 0.0, np.minimum(found, 1.0))


def _cumulative(records: "Ints", of_class: "Ints", first: "np.ndarray", cells: Cells) -> "Floats":
    """Running shares within each class; entries are sorted by class, `first` marks where one begins."""
    import numpy as np

    running = np.cumsum(records)  # whole numbers, so that millions of entries add no rounding
    start = np.zeros(cells.classes, np.int64)
    start[of_class[first]] = running[first] - records[first]
    return np.asarray((running - start[of_class]) / cells.sizes()[of_class])


def hierarchical_distance(cells: Cells, levels: "Ints") -> "Floats":
    """Earth mover's distance of each class over a hierarchy of values, 0 to 1; 0 for an empty class.

    levels: int, H × v; the code of each value's ancestor, from the values themselves to the children of the
    root. The distance of two values is the height of their lowest common ancestor, divided by H.
    Source: Li, Li, Venkatasubramanian 2007, section 4.2 (hierarchical distance). Their cost of a node of height h is h / H times
    (Σ over its children |extra| − |extra of itself|) / 2; summed over all nodes this telescopes to the mean
    over the H levels of the total variation between class and table at that level.
    """
    import numpy as np

    found = np.zeros(cells.classes)
    for level in levels:  # a hierarchy has a handful of levels
        code = np.asarray(level, np.int64)
        width = int(code.max()) + 1 if len(code) else 0
        merged = merge(cells.of_class, code[cells.value], cells.records)
        found += equal_distance(Cells(*merged, cells.classes, summed(code, cells.overall, width)))
    return found / max(len(levels), 1)

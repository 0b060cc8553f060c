"""Every node of a small lattice tried in plain Python: rows with an age, a place, a person and a diagnosis."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product

import polars as pl

from anon_platform.anonymize.hierarchy import Intervals
from anon_platform.anonymize.k_anonymity import Fitted

Row = tuple[int, int, int, str]
"""Age, place, person, diagnosis."""
Label = tuple[str, ...]
KIND = Intervals(kind="intervals", widths=(1, 2, 4))
KINDS = {"age": KIND, "place": KIND}
NODES = list(product(range(4), repeat=2))
HAIR = 1e-9


@cache
def label_of(value: int, level: int) -> str:
    """The label of a value at a level, straight from the hierarchy."""
    return "*" if level == 3 else str(KIND.labels(pl.Series([value], dtype=pl.Int64))[level][0])


def labelled(values: Sequence[int], level: int) -> list[str]:
    """The labels of the values at a level."""
    return [label_of(value, level) for value in values]


def lost(rows: Sequence[Row], node: Sequence[int]) -> list[float]:
    """What each row loses at a node, over the values that the data has."""
    found = [0.0] * len(rows)
    for i, level in enumerate(node):
        values = {row[i] for row in rows}
        covered = Counter(labelled(list(values), level))
        for at, row in enumerate(rows):
            found[at] += (covered[label_of(row[i], level)] - 1) / max(len(values) - 1, 1) / 2
    return found


def best_by_hand(
    rows: Sequence[Row], allowed: int, kept_at: Callable[[tuple[int, ...], Sequence[Label]], set[int] | None]
) -> tuple[tuple[int, ...], float, int] | None:
    """Node, loss and suppressed records of the best of all nodes."""
    best = None
    for node in NODES:
        columns = [labelled([row[i] for row in rows], level) for i, level in enumerate(node)]
        kept = kept_at(node, list(zip(*columns, strict=True)))
        if kept is None or len(rows) - len(kept) > allowed:
            continue
        losses = lost(rows, node)
        loss = (sum(losses[at] for at in kept) + len(rows) - len(kept)) / len(rows)
        if best is None or loss < best[1] - 1e-12:
            best = (node, loss, len(rows) - len(kept))
    return best


def groups_of(labels: Sequence[Label]) -> dict[Label, list[int]]:
    """The rows of each class."""
    found: dict[Label, list[int]] = {}
    for at, label in enumerate(labels):
        found.setdefault(label, []).append(at)
    return found


def counts_of(rows: Sequence[Row]) -> pl.DataFrame:
    """The frequency table."""
    frame = pl.DataFrame(rows, schema=["age", "place", "who", "dx"], orient="row")
    return frame.group_by(frame.columns).agg(n=pl.len())


def leaving(rows: Sequence[Row], fitted: Fitted) -> pl.DataFrame:
    """The frequency table of the rows that leave."""
    frame = pl.DataFrame(rows, schema=["age", "place", "who", "dx"], orient="row")
    treated = frame.with_columns(fitted.treat[name](frame[name]).alias(name) for name in ("age", "place"))
    return fitted.keep(treated).group_by(frame.columns).agg(n=pl.len())

"""The levels at which groups are counted: the groups themselves, and with totals every coarser combination."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from anon_platform.dp.domain import Categories
from anon_platform.dp.statistics.axes import Axis
from anon_platform.dp.statistics.settings import Statistic
from anon_platform.errors import PolicyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_LEVELS = 16


@dataclass(frozen=True)
class Coarser:
    """An axis seen at one level: to which label each of its groups belongs."""

    name: str
    """As the column `level` of a result says it; empty where all groups are added up."""
    labels: tuple[Any, ...]
    of: tuple[int, ...]
    """For each group of the axis the number of the label."""


@dataclass(frozen=True)
class Level:
    """One view of every axis; a cell is a combination of their labels."""

    axes: tuple[Coarser, ...]

    @property
    def name(self) -> str:
        """The columns that are told apart, as in `sex × ward`."""
        return " × ".join(axis.name for axis in self.axes if axis.name) or "all"

    @property
    def cells(self) -> int:
        """Combinations of labels."""
        return prod(len(axis.labels) for axis in self.axes)

    def of(self) -> "NDArray[np.int64]":
        """For each finest cell, the last axis fastest, the number of its cell at this level."""
        import numpy as np

        found = np.zeros(1, np.int64)
        for axis in self.axes:
            found = (found[:, None] * len(axis.labels) + np.asarray(axis.of)[None, :]).ravel()
        return found

    def labels(self) -> list[tuple[Any, ...]]:
        """Labels of every cell, in order."""
        return list(product(*(axis.labels for axis in self.axes)))


def levels_of(statistic: Statistic, axes: Sequence[Axis]) -> tuple[Level, ...]:
    """The groups themselves; with consistent totals also every coarser combination."""
    finest = [Coarser(axis.column, axis.labels, tuple(range(axis.size))) for axis in axes]
    if statistic.totals == "none":
        return (Level(tuple(finest)),)
    views = [_views(statistic, axis, first) for axis, first in zip(axes, finest, strict=True)]
    levels = tuple(Level(view) for view in product(*views))
    if len(levels) > MOST_LEVELS:
        raise PolicyError(
            f"statistic {statistic.name}: {len(levels)} levels of totals share its loss, at most {MOST_LEVELS} may;"
            " name fewer columns under by"
        )
    return levels


def _views(statistic: Statistic, axis: Axis, finest: Coarser) -> list[Coarser]:
    everything = Coarser("", (None,), (0,) * axis.size)
    groups = statistic.hierarchies.get(axis.column)
    if groups is None:
        return [finest, everything]
    if not isinstance(axis.domain, Categories) or not all(isinstance(one, str) for one in axis.labels[:-1]):
        raise PolicyError(
            f"statistic {statistic.name}: column {axis.column} has no categories in text, so no hierarchy; leave it out"
        )
    if set(groups) != set(axis.labels[:-1]):
        raise PolicyError(
            f"statistic {statistic.name}: the hierarchy of {axis.column} names each category of its domain once; correct it"
        )
    labels = (*dict.fromkeys(groups.values()), None)
    of = tuple(labels.index(groups[label]) if label is not None else len(labels) - 1 for label in axis.labels)
    return [finest, Coarser(f"{axis.column} (coarser)", labels, of), everything]

"""What is grouped: combinations of quasi-identifier values that occur, and the test whether a group of them may leave."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.k_anonymity import Demand, Grouped
from anon_platform.anonymize.local.shapes import Ints, Leaves, Shape, Tree

Good = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Units:
    """The classes of the frequency table at the finest levels, and what is asked of groups of them.

    trees: one a quasi-identifier, the hierarchy's; shapes: what groups look like, the trees or others.
    """

    classes: Grouped
    trees: tuple[Tree, ...]
    shapes: tuple[Shape, ...]
    demand: Demand

    @property
    def leaves(self) -> Leaves:
        """Quasi-identifiers × units."""
        return self.classes.codes

    @property
    def records(self) -> Ints:
        """Records of each unit."""
        return self.classes.records

    @property
    def counts_only(self) -> bool:
        """Whether the number of records tells all that is asked of a group: they are all of different people."""
        alone = self.classes.alone
        return alone is self.classes.records and not self.demand.sensitive and not self.demand.crowds

    def met(self, members: Ints, of_group: Ints, groups: int) -> Good:
        """For each of `groups` groups whether it may leave. members: units; of_group: the group of each."""
        if self.counts_only:
            records = np.bincount(of_group, weights=self.records[members], minlength=groups)
            return np.asarray(records >= self.demand.k)
        return self.demand.met(self.classes.joined(members, of_group, groups))

    def part(self, chosen: Ints) -> "Units":
        """Some of the units."""
        classes = self.classes.joined(chosen, np.arange(len(chosen)), len(chosen), self.leaves[:, chosen])
        if self.classes.alone is self.classes.records:
            classes = replace(classes, alone=classes.records)
        return replace(self, classes=classes)

    def allowing(self, suppressed: int) -> "Units":
        """The same units, of which so many records may be suppressed."""
        return replace(self, demand=replace(self.demand, suppressed=suppressed))

"""Classes of people whose rows a pseudonym links: alike is who has the same multiset of rows.

Who is alike stays alike towards coarser levels, so people are kept as groups that only ever grow. What a group has
in one combination of quasi-identifiers is a class, as the validator has it: whoever knows all rows of a target knows
which of them is which. A group leaves as a whole or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from anon_platform.anonymize.k_anonymity.grouped import Codes, Grouped, Ints, classes_of
from anon_platform.frequency.cells import merge

Good = npt.NDArray[np.bool_]
Values = Sequence[tuple[Codes | Ints, Codes | Ints, Ints]]


@dataclass(frozen=True)
class LinkedGroups(Grouped):
    """As `Grouped`, but a class is a combination within a group of alike people; classes are in order of the groups.

    alone: m, the people of the group, in each of its classes. pairs: none. records: people × `each`.
    group: m, the number of the class's group, 0 to g − 1.
    each: m, records that each person of the group has in the class.
    """

    group: Ints = field(kw_only=True)
    each: Ints = field(kw_only=True)

    def roll_up(self, maps: Sequence[Codes | None]) -> "LinkedGroups":
        """The classes after each quasi-identifier's codes went through its map; groups that become alike are one."""
        return self.rolled(maps)[0]

    def rolled(self, maps: Sequence[Codes | None]) -> tuple["LinkedGroups", Ints]:
        """As `roll_up`, and for each group of before the one that it is in."""
        codes = np.array(
            [row if to is None else to[row] for row, to in zip(self.codes, maps, strict=True)], np.int32
        )
        people = np.empty(self.groups, np.int64)
        people[self.group] = self.alone
        return _united(codes.reshape(self.codes.shape), self.group, self.each, people, self.values)

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.group[-1]) + 1 if self.height else 0

    def whole(self, good: Good) -> Good:
        """The classes of the groups all of whose classes are good."""
        return self.of_groups(good)[self.group]

    def of_groups(self, good: Good) -> Good:
        """For each group whether all of its classes are good."""
        found = np.ones(self.groups, np.bool_)
        found[self.group[~good]] = False
        return found

    def people_over(self, columns: Sequence[int], among: Good) -> Ints:
        """For each class the people who are alike in `columns`, all of their rows taken; `among`: those that count."""
        combination = classes_of(self.codes[list(columns)])[1]
        alike = _alike(*_merged(self.group, combination, self.each), self.groups)
        people = np.zeros(self.groups, np.int64)
        people[self.group[among]] = self.alone[among]
        together = np.bincount(alike, weights=people, minlength=self.groups).astype(np.int64)
        return together[alike][self.group]


def linked_groups(
    codes: Codes, records: Ints, people: Ints, values: Sequence[Ints]
) -> tuple[LinkedGroups, Ints]:
    """The groups of a frequency table, and for each person, in order of their numbers, the group that he is in.

    codes: d × rows; records: how many records each row stands for; people: person numbers; values: one array of value
    codes a sensitive attribute.
    """
    who, group = np.unique(people, return_inverse=True)
    rows = np.arange(len(records))
    return _united(
        codes, group, records, np.ones(len(who), np.int64), [(rows, value, records) for value in values]
    )


def _united(codes: Codes, group: Ints, each: Ints, people: Ints, values: Values) -> tuple[LinkedGroups, Ints]:
    """Classes of groups that are all different; of each group of before, which of these it is in.

    The input is one entry a group and combination; entries of equal ones are added up. people: of each group.
    """
    combination = classes_of(codes)[1]
    width = int(combination.max(initial=0)) + 1
    of_group, in_combination, rows = _merged(group, combination, each)
    alike = _alike(of_group, in_combination, rows, len(people))
    size = int(alike.max(initial=-1)) + 1
    first = _first(alike, size)
    stands = of_group == first[alike[of_group]]  # one of those that are alike shows the rows of all
    kept, at, rows = alike[of_group[stands]], in_combination[stands], rows[stands]
    order = np.argsort(kept, kind="stable")
    kept, at, rows = kept[order], at[order], rows[order]
    now = np.searchsorted(kept * width + at, alike[group] * width + combination)
    together = np.bincount(alike, weights=people, minlength=size).astype(np.int64)
    cells = [_merged(now[of_class], value, records) for of_class, value, records in values]
    none = np.zeros(0, np.int32)
    found = LinkedGroups(
        codes[:, _first(combination, width)[at]],
        together[kept] * rows,
        together[kept],
        (none, none),
        tuple((a.astype(np.int32), b.astype(np.int32), n) for a, b, n in cells),
        group=kept,
        each=rows,
    )
    return found, alike


def _merged(of_class: Codes | Ints, value: Codes | Ints, records: Ints) -> tuple[Ints, Ints, Ints]:
    """Entries with distinct pairs, sorted, records added up."""
    left, right, numbers = merge(of_class, value, records)
    return left.astype(np.int64), right.astype(np.int64), numbers.astype(np.int64)


def _first(numbers: Ints, size: int) -> Ints:
    """For each number where it comes first."""
    first = np.zeros(size, np.int64)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    return first


def _alike(of_group: Ints, combination: Ints, rows: Ints, groups: int) -> Ints:
    """For each group a number, 0 to … without a gap, equal for those with the same combinations, equally often.

    Entries are sorted by group and combination, so that equal multisets are equal sequences. Neighbours of a sequence
    are joined and numbered, again and again, until one number is left: exact, where a hash could join two sequences.
    """
    item = classes_of(np.stack([combination, rows]))[1]
    while len(item) > groups:
        start = np.flatnonzero(np.append(True, of_group[1:] != of_group[:-1]))
        place = np.arange(len(item)) - np.repeat(start, np.diff(np.append(start, len(item))))
        left = np.flatnonzero(place % 2 == 0)
        paired = np.append(place, 0)[left + 1] % 2 == 1
        right = np.where(paired, np.append(item, 0)[left + 1] + 1, 0)
        item, of_group = classes_of(np.stack([item[left], right]))[1], of_group[left]
    return item

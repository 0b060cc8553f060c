"""Boxes of the lattice that leave first: they are boxes, they may leave, and how they are found changes nothing."""

from typing import Any
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.local import peel as peeling
from anon_platform.anonymize.local.members import grown
from anon_platform.anonymize.local.mondrian import divided
from anon_platform.anonymize.local.peel import peel
from anon_platform.anonymize.local.shapes import BARRED, Ints
from anon_platform.anonymize.local.units import Units
from anon_platform_tests.anonymize.local.some_units import met, units

ALL = 1_000_000


def groups(of: Ints) -> list[Ints]:
    """The units of each group."""
    return [np.flatnonzero(of == group) for group in range(int(of.max(initial=-1)) + 1)]


def box(drawn: Units, members: Ints) -> list[tuple[int, int]]:
    """For each column the lowest level at which the members have the same ancestor, and the ancestor."""
    found = []
    for tree, row in zip(drawn.trees, drawn.leaves, strict=True):
        codes = tree.up[:, row[members]]
        level = int(np.argmax((codes == codes[:, :1]).all(axis=1)))
        found.append((level, int(codes[level, 0])))
    return found


@settings(deadline=None, max_examples=200)
@given(units(), st.sampled_from([0.0, 0.1, 1.0]), st.sampled_from([3, ALL]), st.booleans())
def test_groups_are_boxes_that_may_leave_below_their_caps(
    drawn: Units, slack: float, looks: int, late: object
) -> None:
    """Whoever is in the box of a group when it leaves leaves with it: later groups have none of its box."""
    due = np.linspace(0, 0.4, len(drawn.records)) if late else None
    of = peel(drawn, slack=slack, looks=looks, due=due)
    assert sorted(set(of.tolist()) - {-1}) == list(range(int(of.max(initial=-1)) + 1))
    for group, members in enumerate(groups(of)):
        assert met(drawn, members)
        levels = [level for level, _ in box(drawn, members)]
        prices = zip(drawn.trees, levels, drawn.leaves, strict=True)
        assert all(tree.price[level, row[members[0]]] < BARRED for tree, level, row in prices)
        after = np.flatnonzero((of < 0) | (of > group))
        assert not any(_inside(drawn, unit, box(drawn, members)) for unit in after.tolist())


def _inside(drawn: Units, unit: int, of: list[tuple[int, int]]) -> bool:
    columns = zip(drawn.trees, drawn.leaves, of, strict=True)
    return all(tree.up[level, row[unit]] == code for tree, row, (level, code) in columns)


@settings(deadline=None, max_examples=100)
@given(units(), st.sampled_from([0.0, 0.1]))
def test_with_all_nodes_looked_at_no_box_that_may_leave_is_left(drawn: Units, slack: float) -> None:
    """Of what is left over not even all together may leave, below all caps; a model beside all records may refuse more."""
    of = peel(drawn, slack=slack, looks=ALL)
    left = np.flatnonzero(of < 0)
    if not len(left) or drawn.demand.beside_all:
        return
    free = all((tree.price < BARRED).all() for tree in drawn.trees)
    assert not (free and met(drawn, left))


@settings(deadline=None, max_examples=100)
@given(units(), st.sampled_from([0.0, 0.1]), st.sampled_from([7, ALL]))
def test_hashes_and_copies_change_nothing(drawn: Units, slack: float, looks: int) -> None:
    """All keys with one hash: nothing is ruled out early. Halves forgotten at each look: all is made again."""

    def one(key: Ints, salt: int) -> Any:
        return np.zeros(len(key), np.uint64)

    usual = peel(drawn, slack=slack, looks=looks)
    with mock.patch.object(peeling, "_mixed", one):
        assert (peel(drawn, slack=slack, looks=looks) == usual).all()
    with mock.patch.object(peeling, "KEPT_NUMBERS", -1):
        assert (peel(drawn, slack=slack, looks=looks) == usual).all()


@settings(deadline=None, max_examples=50)
@given(units())
def test_without_a_look_nobody_is_in_a_group(drawn: Units) -> None:
    """The limit is of nodes; what was not looked at is left over."""
    assert set(peel(drawn, slack=0.1, looks=0).tolist()) == {-1}


@settings(deadline=None, max_examples=150)
@given(units())
def test_grown_groups_may_leave_and_only_the_last_units_are_in_none(drawn: Units) -> None:
    """A group is closed as soon as it may leave; all that is left at the end may not, even together."""
    of = grown(drawn, np.linspace(0, 1, len(drawn.records)))
    assert all(met(drawn, members) for members in groups(of))
    left = np.flatnonzero(of < 0)
    assert not len(left) or not met(drawn, left)
    alone = [unit for unit in range(len(of)) if met(drawn, np.array([unit]))]
    assert all((of == of[unit]).sum() == 1 for unit in alone)


@settings(deadline=None, max_examples=200)
@given(units(), st.sampled_from(["median", "best_loss"]), st.booleans(), st.booleans())
def test_divided_groups_may_leave_unless_all_together_may_not(
    drawn: Units, split: Any, strict: Any, ordered: object
) -> None:
    """Every part of a division meets the demand, so that all groups do; nobody is left out."""
    order = [row.max() - np.arange(int(row.max()) + 1) if ordered else None for row in drawn.leaves]
    of = divided(drawn, split=split, strict=strict, order=order)
    found = groups(of)
    assert sum(len(members) for members in found) == len(drawn.records)
    assert len(found) == 1 or all(met(drawn, members) for members in found)

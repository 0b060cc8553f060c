"""Steps between groupings: what they claim to gain is gained, and no group that may leave becomes one that may not."""

from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.local import changes, improve, resplit
from anon_platform.anonymize.local.changes import Changes, make
from anon_platform.anonymize.local.grouping import Grouping
from anon_platform.anonymize.local.improve import improved
from anon_platform.anonymize.local.insert import inserted
from anon_platform.anonymize.local.moves import Places, moves, without
from anon_platform.anonymize.local.repair import repaired
from anon_platform.anonymize.local.resplit import cut, cuts, near_pairs
from anon_platform.anonymize.local.units import Units
from anon_platform_tests.anonymize.local.some_units import groupings, lost, met, units


def groups(grouping: Grouping) -> list[np.ndarray]:
    """The units of each group."""
    return [np.flatnonzero(grouping.of == group) for group in range(grouping.count)]


@settings(deadline=None, max_examples=100)
@given(groupings())
def test_a_grouping_knows_its_groups(grouping: Grouping) -> None:
    """Members, records and losses, each counted from the units."""
    apart = groups(grouping)
    assert grouping.sizes.tolist() == [len(members) for members in apart]
    assert grouping.records.tolist() == [grouping.units.records[members].sum() for members in apart]
    assert grouping.totals == pytest.approx([lost(grouping.units, members) for members in apart])
    chosen = np.arange(grouping.count)[::-1]
    members, sizes = grouping.members(chosen)
    assert members.tolist() == [unit for group in chosen for unit in apart[group].tolist()]
    assert sizes.tolist() == grouping.sizes[chosen].tolist()


@st.composite
def changed(draw: st.DrawFn) -> tuple[Grouping, Changes]:
    """A grouping and any changes to it, sensible or not."""
    grouping = draw(groupings())
    count = len(grouping.of)
    parts = []
    for _ in range(draw(st.integers(0, 6))):
        moved = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3, unique=True))
        to = [draw(st.integers(0, grouping.count - 1)) for _ in moved]
        gain = draw(st.floats(-1, 3))
        parts.append(Changes(np.array(moved), np.array(to), np.array([len(moved)]), np.array([gain])))
    return grouping, Changes.joined(parts)


@settings(deadline=None, max_examples=300)
@given(changed())
def test_changes_that_stay_gain_and_others_leave_no_trace(drawn: tuple[Grouping, Changes]) -> None:
    """The claimed gain is never believed; a touched group that may not leave takes its change back."""
    before, found = drawn
    done = make(before, found)
    after = done.grouping
    assert after.total <= before.total + 1e-9
    touched = set(done.touched.tolist())
    for group, members in enumerate(groups(after)):
        if group in touched:
            assert met(after.units, members)
        else:
            (old,) = {int(g) for g in before.of[members]}
            assert members.tolist() == np.flatnonzero(before.of == old).tolist()
            assert done.now[old] == group
    assert touched or after.of.tolist() == before.of.tolist()
    assert set(np.flatnonzero(done.now < 0)).isdisjoint(before.of[np.flatnonzero(done.now[before.of] >= 0)])
    assert sorted(done.now[done.now >= 0].tolist()) == list(range(after.count))


@settings(deadline=None, max_examples=150)
@given(groupings())
def test_moves_know_what_they_gain(grouping: Grouping) -> None:
    """Each move on its own: what the groups lose before, less what they lose after."""
    found = moves(grouping, Places(grouping))
    ends = np.cumsum(found.sizes)
    for at, size in enumerate(found.sizes.tolist()):
        part = slice(int(ends[at]) - size, int(ends[at]))
        if size > 1:
            continue  # units of one group may go to the same other group, where each is priced as if alone
        of = grouping.of.copy()
        of[found.units[part]] = found.to[part]
        gained = grouping.total - Grouping.made(grouping.units, of).total
        assert gained == pytest.approx(found.gain[at], abs=1e-3)
    several = np.flatnonzero(grouping.sizes[grouping.of] > 1)
    wanted = [np.setdiff1d(np.flatnonzero(grouping.of == grouping.of[unit]), unit) for unit in several]
    left = [lost(grouping.units, rest) / grouping.units.records[rest].sum() for rest in wanted]
    assert without(grouping, several) == pytest.approx(left, abs=1e-3)


@settings(deadline=None, max_examples=150)
@given(groupings())
def test_places_follow_a_change(grouping: Grouping) -> None:
    """Kept up to date they say of every unit what they say when made anew."""
    places = Places(grouping)
    every = np.arange(grouping.count)
    done = make(
        grouping, Changes.joined([moves(grouping, places), cuts(grouping, near_pairs(grouping, every, 3))])
    )
    places.follow(done)
    anew = Places(done.grouping)
    assert places.added == pytest.approx(anew.added, abs=1e-3)
    known = np.isfinite(anew.added)
    assert (places.to[known] != done.grouping.of[known]).all()


@settings(deadline=None, max_examples=100)
@given(groupings())
def test_cuts_know_what_they_gain_and_leave_k_records(grouping: Grouping) -> None:
    """Both parts of a cut keep k records, and what it gains is what a grouping with it loses less."""
    drawn = grouping.units
    pairs = near_pairs(grouping, np.arange(grouping.count), 3)
    assert (pairs[0] < pairs[1]).all()
    sizes = grouping.sizes[pairs].sum(axis=0)
    for left, right in pairs[:, sizes >= 3].T.tolist():
        members = np.flatnonzero(np.isin(grouping.of, [left, right]))
        now = grouping.totals[[left, right]].sum()
        gain, second = cut(drawn, members[None, :], np.array([now]))
        if not np.isfinite(gain[0]):
            continue
        parts = [members[~second[0]], members[second[0]]]
        assert all(drawn.records[part].sum() >= drawn.demand.k for part in parts)
        assert gain[0] == pytest.approx(now - sum(lost(drawn, part) for part in parts), abs=1e-2)


@settings(deadline=None, max_examples=100)
@given(units(), st.integers(1, 5))
def test_the_search_never_loses_more_and_every_group_may_leave(drawn: Units, nearest: int) -> None:
    """From groups that may leave to better ones that may; each round gains."""
    start = repaired(drawn, np.arange(len(drawn.records)))
    kept = np.flatnonzero(start >= 0)
    if not len(kept):
        return
    part = drawn.part(kept)
    before = Grouping.made(part, start[kept])
    could = all(met(part, members) for members in groups(before))
    totals = [before.total]
    real = improve.make

    def heard(grouping: Grouping, found: Changes) -> changes.Changed:
        done = real(grouping, found)
        totals.append(done.grouping.total)
        return done

    with mock.patch.object(improve, "make", heard):
        after = improved(before, nearest=nearest)
    assert after.total == totals[-1]
    assert all(late <= early + 1e-9 for early, late in pairwise(totals))
    assert not could or all(met(part, members) for members in groups(after))


def test_a_cut_finds_the_two_heaps() -> None:
    """Four small and three large numbers, mixed, fall apart where the gap is."""
    found = cut(_line([1, 9, 2, 10, 1, 11, 2], k=3), np.arange(7)[None, :], np.array([7.0]))
    second = found[1][0].tolist()
    assert second in (
        [False, True, False, True, False, True, False],
        [True, False, True, False, True, False, True],
    )
    assert resplit.MOST_UNITS >= 7


def _line(places: list[int], *, k: int) -> Units:
    """Units of one record on a line of numbers."""
    from anon_platform.anonymize.local.shapes import Span

    span = Span(np.array(places, np.int64), [str(i) for i in range(12)], 12, 1.0)
    found = mock.Mock(spec=Units)
    found.shapes, found.leaves = (span,), np.arange(len(places), dtype=np.int32)[None, :]
    found.records, found.demand = np.ones(len(places), np.int64), mock.Mock(k=k)
    return found


@settings(deadline=None, max_examples=150)
@given(units(), st.data())
def test_units_are_inserted_only_where_all_may_leave_together(drawn: Units, data: st.DataObject) -> None:
    """A group that takes a unit can leave with it, nobody moves between groups, and no group is new."""
    count = len(drawn.records)
    of = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count)), np.int64)
    groups_there = np.unique(of[of >= 0])
    of[of >= 0] = np.searchsorted(groups_there, of[of >= 0])
    after = inserted(drawn, of)
    assert (after[of >= 0] == of[of >= 0]).all()
    assert set(after.tolist()) <= {*of.tolist()}
    for group in range(len(groups_there)):
        before, now = np.flatnonzero(of == group), np.flatnonzero(after == group)
        if len(now) > len(before):
            assert met(drawn, now)


@settings(deadline=None, max_examples=150)
@given(units(), st.data())
def test_after_repair_all_groups_may_leave_or_there_is_one(drawn: Units, data: st.DataObject) -> None:
    """Groups that could leave stay together, and no more is suppressed than allowed."""
    count = len(drawn.records)
    of = np.array(data.draw(st.lists(st.integers(-1, 4), min_size=count, max_size=count)), np.int64)
    after = repaired(drawn, of)
    assert drawn.records[after < 0].sum() <= drawn.demand.suppressed
    left = [np.flatnonzero(after == group) for group in np.unique(after[after >= 0])]
    assert len(left) <= 1 or all(met(drawn, members) for members in left)
    for group in np.unique(of[of >= 0]):
        members = np.flatnonzero(of == group)
        assert len(np.unique(after[members])) == 1
        assert not met(drawn, members) or (after[members] >= 0).all()

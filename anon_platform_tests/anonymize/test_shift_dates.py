"""Shifted dates: everybody's by one secret number of days, whatever the column, batch or table."""

import datetime as dt
from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.anonymize import Shift, ShiftDates

SHIFT = ShiftDates(technique="shift_dates", key="patients", days=30)
tokens = st.integers(0, 2**64 - 1)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys of this test."""
    monkeypatch.setenv("ANON_KEY_PATIENTS", bytes(range(32)).hex())
    monkeypatch.setenv("ANON_KEY_OTHERS", bytes(range(100, 132)).hex())


def moved(values: list[Any], people: list[int], dtype: Any = pl.Date, **changed: Any) -> list[Any]:
    """The values of these people, moved."""
    technique = ShiftDates(**{**SHIFT.model_dump(), **changed})
    assert technique.fault(dtype() if isinstance(dtype, type) else dtype) is None
    found = technique.fit_people("day")(
        pl.Series("day", values, dtype=dtype), pl.Series(people, dtype=pl.UInt64)
    )
    assert found.name == "day"
    assert found.dtype == dtype
    return found.to_list()


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)) | st.none(), st.sampled_from([1, 2, 2**64 - 1])
        ),
        max_size=12,
    )
)
def test_everybody_moves_by_one_number_of_days(rows: list[tuple[dt.date | None, int]]) -> None:
    """Recomputed row by row; null stays null, batches of one say the same."""
    values, people = [value for value, _ in rows], [person for _, person in rows]
    found = moved(values, people)
    by_person: dict[int, set[int]] = {}
    for before, after, person in zip(values, found, people, strict=True):
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            by_person.setdefault(person, set()).add((after - before).days)
    assert all(len(found) == 1 and 0 < abs(next(iter(found))) <= 30 for found in by_person.values())
    assert [moved([value], [person])[0] for value, person in rows] == found


def test_a_time_of_day_stays_and_dates_and_times_move_alike() -> None:
    """An admission at ten past three is one at ten past three; its day moves as the birthday does."""
    at = dt.datetime(2008, 2, 28, 15, 10, 7)
    (later,) = moved([at], [9], pl.Datetime("us"))
    assert later.time() == at.time()
    assert (later.date() - at.date()).days == (moved([at.date()], [9])[0] - at.date()).days


@given(st.lists(tokens, min_size=1, max_size=5, unique=True))
def test_the_shift_is_never_none_and_depends_on_key_and_reach(people: list[int]) -> None:
    """A text's shift is the column's, since it has the same key and days."""
    for token in people:
        shift = Shift(key="patients", days=3).days_of()(token)
        assert shift in {-3, -2, -1, 1, 2, 3}
        assert SHIFT.days_of()(token) == Shift(key="patients", days=30).days_of()(token)


def test_shifts_are_spread_evenly_and_another_key_has_others() -> None:
    """60,000 people and 6 shifts: each within 5 standard deviations (91), a false alarm in 300,000 runs."""
    shift = Shift(key="patients", days=3).days_of()
    counts = Counter(shift(token) for token in range(60_000))
    assert all(abs(count - 10_000) < 5 * 91.3 for count in counts.values())
    other = Shift(key="others", days=3).days_of()
    assert sum(shift(token) == other(token) for token in range(6000)) < 1500


def test_only_dates_are_moved_and_a_reach_has_no_default() -> None:
    """The plan says so before a row is read."""
    assert SHIFT.fault(pl.String()) == "shift_dates needs dates; declare type: date or type: datetime"
    with pytest.raises(ValidationError, match="days"):
        ShiftDates(technique="shift_dates", key="patients")  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        ShiftDates(technique="shift_dates", key="patients", days=0)

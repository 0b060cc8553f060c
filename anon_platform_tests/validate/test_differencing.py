"""Releases laid side by side: groups, histories and what is held back, each counted again record by record."""

from collections import defaultdict
from itertools import product
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.table import TOKEN
from anon_platform.validate.differencing import CLASS, RECORD, Demand, Trace, groups, held_back, histories

people = st.dictionaries(
    st.tuples(st.integers(0, 7), st.integers(0, 1)),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    max_size=14,
)
"""By person and record the class and the value of a sensitive column."""

Release = dict[tuple[int, int], tuple[int, int]]


def trace_of(release: Release, *, names: tuple[str, ...] = ("age",)) -> Trace:
    rows = pl.DataFrame(
        [(person, record, of, value) for (person, record), (of, value) in release.items()],
        schema={TOKEN: pl.UInt64, RECORD: pl.UInt64, CLASS: pl.UInt32, "l0": pl.UInt32},
        orient="row",
    )
    return Trace(rows, names, ("sick",))


def told_apart(earlier: list[Release], now: Release) -> dict[tuple[Any, ...], set[tuple[int, int]]]:
    """Records by all that an attacker sees of them: their class in every release, or that they are not in it."""
    found: dict[tuple[Any, ...], set[tuple[int, int]]] = defaultdict(set)
    for key in set(now).union(*earlier):
        seen = tuple(release[key][0] if key in release else None for release in [*earlier, now])
        found[seen].add(key)
    return found


def of_people(records: set[tuple[int, int]]) -> int:
    return len({person for person, _ in records})


@settings(max_examples=150, deadline=None)
@given(st.lists(people, min_size=1, max_size=3), people)
def test_every_group_is_one_that_the_attacker_sees(earlier: list[Release], now: Release) -> None:
    """Sizes in people and distinct values, of one earlier release or of several together."""
    traces = {f"r{i}": trace_of(release) for i, release in enumerate(earlier)}
    before = histories(traces, trace_of(now))
    assert len(before) == 1
    found = groups(next(iter(before.values())), trace_of(now))
    assert found is not None
    seen = told_apart(earlier, now)
    expected: dict[str, list[tuple[int, int]]] = {"common": [], "added": [], "removed": []}
    for vector, records in seen.items():
        kind = (
            "removed"
            if vector[-1] is None
            else "added"
            if not any(one is not None for one in vector[:-1])
            else "common"
        )
        holder = next(release for release in [now, *reversed(earlier)] if next(iter(records)) in release)
        expected[kind].append((of_people(records), len({holder[key][1] for key in records})))
    for kind, sizes in expected.items():
        assert sorted(found[kind].select("people", "l0").rows()) == sorted(sizes), kind


@settings(max_examples=150, deadline=None)
@given(st.lists(people, min_size=1, max_size=3), people, st.integers(1, 3), st.integers(1, 2))
def test_what_is_not_held_back_leaves_no_group_too_small(
    earlier: list[Release], now: Release, k: int, l: int
) -> None:
    """Unless it was too small before: only what the new release changes is its doing."""
    traces = {f"r{i}": trace_of(release) for i, release in enumerate(earlier)}
    numbered = trace_of(now)
    rows = numbered.rows.with_row_index("row")
    out = held_back(traces, Trace(rows, numbered.names, numbered.sensitive), Demand(k, {"sick": l}))
    kept = {key: now[key] for i, key in enumerate(now) if i not in set(out.to_list())}
    for vector, records in told_apart(earlier, kept).items():
        values = {kept[key][1] for key in records if key in kept}
        if vector[-1] is not None:
            assert of_people(records) >= k
            assert len(values) >= l
        else:
            whole = {
                key
                for key in set().union(*earlier)
                if all(
                    (release[key][0] if key in release else None) == one
                    for release, one in zip(earlier, vector, strict=False)
                )
            }
            assert of_people(records) >= k or records == whole
    classes = defaultdict(set)
    for key, (of, _) in kept.items():
        classes[of].add(key)
    assert all(of_people(records) >= k for records in classes.values())


def test_rows_that_are_alike_do_not_multiply_with_the_releases() -> None:
    """Somebody with thirty linked rows, in six releases: thirty to the sixth would be the end of the run."""
    one = pl.DataFrame(
        {TOKEN: [7] * 30 + [8], RECORD: [0] * 31, CLASS: [0] * 31, "l0": [*range(30), 0]},
        schema={TOKEN: pl.UInt64, RECORD: pl.UInt64, CLASS: pl.UInt32, "l0": pl.UInt32},
    )
    traces = {str(number): Trace(one, ("age",), ("sick",)) for number in range(6)}
    (before,) = histories(traces, Trace(one, ("age",), ("sick",))).values()
    assert before.rows.height == 31
    found = groups(before, Trace(one, ("age",), ("sick",)))
    assert found is not None
    assert found["common"].select("people", "l0").rows() == [(2, 30)]


def test_nothing_is_held_back_when_nothing_changed() -> None:
    """The same data to the same recipient once more."""
    release = {(person, 0): (person % 2, person % 3) for person in range(12)}
    rows = trace_of(release)
    now = Trace(rows.rows.with_row_index("row"), rows.names, rows.sensitive)
    assert held_back({"r": rows}, now, Demand(3, {"sick": 2})).is_empty()


def test_a_newcomer_is_singled_out_by_the_difference_and_held_back() -> None:
    """Six people, then seven: whoever knows who was admitted meanwhile finds the row."""
    before = {(person, 0): (0, person % 2) for person in range(6)}
    after = {**before, (6, 0): (0, 1)}
    found = groups(trace_of(before), trace_of(after))
    assert found is not None
    assert found["added"]["people"].to_list() == [1]
    now = trace_of(after)
    out = held_back(
        {"r": trace_of(before)},
        Trace(now.rows.with_row_index("row"), now.names, now.sensitive),
        Demand(2, {}),
    )
    assert out.to_list() == [6]


def test_whoever_left_takes_along_the_class_that_would_tell_of_them() -> None:
    """Four people, one of them gone: the class is suppressed, so that four may have left."""
    before = {(person, 0): (0, person % 2) for person in range(4)} | {(9 + i, 0): (1, i) for i in range(3)}
    after = {key: told for key, told in before.items() if key != (0, 0)}
    now = trace_of(after)
    out = held_back(
        {"r": trace_of(before)},
        Trace(now.rows.with_row_index("row"), now.names, now.sensitive),
        Demand(3, {}),
    )
    assert [list(after)[row] for row in sorted(out)] == [(1, 0), (2, 0), (3, 0)]


def test_other_quasi_identifiers_are_compared_person_by_person() -> None:
    """Records cannot be matched: all pairs of a person's classes count, so that groups are rather too small."""
    before = {(0, 0): (0, 0), (0, 1): (1, 0), (1, 0): (0, 1)}
    after = {(0, 5): (7, 0), (1, 5): (8, 1)}
    found = groups(trace_of(before, names=("zip",)), trace_of(after))
    assert found is not None
    pairs = {(b, a) for (p, _), (b, _) in before.items() for (q, _), (a, _) in after.items() if p == q}
    assert found["common"].height == len(pairs) == 3
    assert found["added"].is_empty()
    assert found["removed"].is_empty()


def test_without_people_and_with_other_quasi_identifiers_nothing_can_be_compared() -> None:
    """The measure says so instead of passing."""
    before, now = trace_of({(0, 0): (0, 0)}, names=("zip",)), trace_of({(0, 0): (0, 0)})
    blind = Trace(before.rows, before.names, before.sensitive, by_row=True)
    assert groups(blind, Trace(now.rows, now.names, now.sensitive, by_row=True)) is None
    assert list(product(histories({"a": blind}, now))) == [("release a",)]

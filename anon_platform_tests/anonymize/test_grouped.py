"""Classes that merge without the rows: people and values counted as sets, however large the codes."""

import tracemalloc
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.k_anonymity import Grouped
from anon_platform.anonymize.k_anonymity.grouped import DENSE
from anon_platform_tests import oracles

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Row = dict[str, Any]


def as_rows(
    codes: Codes, records: Ints, people: Ints, values: Sequence[Ints]
) -> tuple[list[Row], list[str], list[str]]:
    """The input of `Grouped.of` as one row a record."""
    names, sensitive = [f"q{i}" for i in range(len(codes))], [f"s{i}" for i in range(len(values))]
    rows = [
        {
            **{name: int(codes[j, i]) for j, name in enumerate(names)},
            **{name: int(values[j][i]) for j, name in enumerate(sensitive)},
            "who": int(people[i]),
        }
        for i in range(len(records))
        for _ in range(int(records[i]))
    ]
    return rows, names, sensitive


def counted(classes: Grouped) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Records, people and distinct values by class."""
    distinct = [np.bincount(of_class, minlength=classes.height) for of_class, _, _ in classes.values]
    for of_class, _, records in classes.values:
        assert np.bincount(of_class, records, classes.height).tolist() == classes.records.tolist()
    measures = zip(classes.records, classes.people(), *distinct, strict=True)
    found = dict(zip(map(tuple, classes.codes.T.tolist()), measures, strict=True))
    assert len(found) == classes.height
    return {key: tuple(int(number) for number in measure) for key, measure in found.items()}


def counted_by_hand(
    rows: Sequence[Row], names: Sequence[str], sensitive: Sequence[str]
) -> dict[tuple[Hashable, ...], tuple[int, ...]]:
    """The same from rows, people as sets."""
    return {
        key: (
            len(members),
            len({row["who"] for row in members}),
            *(len({row[name] for row in members}) for name in sensitive),
        )
        for key, members in oracles.classes(rows, names).items()
    }


@st.composite
def count_tables(draw: st.DrawFn) -> tuple[Codes, Ints, Ints, list[Ints]]:
    """The input of `Grouped.of`; combinations may come twice."""
    d, rows, attributes = draw(st.integers(0, 3)), draw(st.integers(0, 25)), draw(st.integers(0, 2))

    def column(least: int, most: int) -> Ints:
        return np.array(
            draw(st.lists(st.integers(least, most), min_size=rows, max_size=rows)), np.int64
        ).reshape(rows)

    codes = np.array([column(0, 3) for _ in range(d)], np.int32).reshape(d, rows)
    return codes, column(1, 4), column(0, 7), [column(0, 2) for _ in range(attributes)]


@settings(deadline=None, max_examples=120)
@given(count_tables(), st.data())
def test_merged_classes_count_people_and_values_as_sets(
    table: tuple[Codes, Ints, Ints, list[Ints]], data: st.DataObject
) -> None:
    """A person with rows in two classes is one person when they merge: adding up would overstate k."""
    codes, records, people, values = table
    rows, names, sensitive = as_rows(codes, records, people, values)
    grouped = Grouped.of(codes, records, people, values)
    assert counted(grouped) == counted_by_hand(rows, names, sensitive)
    for _ in range(2):
        maps = [
            np.array(to, np.int32) if to is not None else None
            for to in data.draw(
                st.lists(
                    st.none() | st.lists(st.integers(0, 3), min_size=4, max_size=4),
                    min_size=len(names),
                    max_size=len(names),
                )
            )
        ]
        grouped = grouped.roll_up(maps)
        rows = [
            {
                **row,
                **{name: int(to[row[name]]) for name, to in zip(names, maps, strict=True) if to is not None},
            }
            for row in rows
        ]
        assert counted(grouped) == counted_by_hand(rows, names, sensitive)


@pytest.mark.parametrize(
    ("columns", "spread"),
    [
        (2, 2**14),  # 2^28 keys: sorted, since a table of all would be too large
        (5, 2**20),  # 2^100 keys: more than 63 bits
        (2, 2**31),
        (7, 2**9 + 1),
    ],
)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_huge_code_spaces_give_the_same_classes(columns: int, spread: int, data: st.DataObject) -> None:
    """Six quasi-identifiers with thousands of values each: an overflow would merge classes silently."""
    count = data.draw(st.integers(1, 30))
    small = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(0, 2), min_size=count, max_size=count),
                min_size=columns,
                max_size=columns,
            )
        ),
        np.int32,
    )
    spots = np.array([0, spread // 2, spread - 1], np.int32)
    wide = np.concatenate([spots[small], np.full((columns, 1), spread - 1, np.int32)], axis=1)
    narrow = np.concatenate([small, np.full((columns, 1), 2, np.int32)], axis=1)
    assert spread**columns > DENSE
    records = np.arange(1, count + 2)
    who = np.array([*data.draw(st.lists(st.integers(0, 5), min_size=count, max_size=count)), 0], np.int64)
    rows, names, sensitive = as_rows(narrow, records, who, [who % 2])
    by_hand = counted_by_hand(rows, names, sensitive)
    dense, other = (Grouped.of(codes, records, who, [who % 2]) for codes in (narrow, wide))
    assert counted(dense) == by_hand
    assert counted(other) == {
        tuple(int(spots[code]) for code in key): found for key, found in by_hand.items()
    }
    assert (spots[dense.codes] == other.codes).all()  # in the same order, too


def test_few_rows_of_many_possible_classes_need_little_memory() -> None:
    """A thousand rows may have sixty million possible combinations, and a search looks at hundreds of nodes."""
    codes = np.random.default_rng(1).integers(0, 7_900, (2, 1000), dtype=np.int32)
    tracemalloc.start()
    grouped = Grouped.of(codes, np.ones(1000, np.int64), np.arange(1000), [])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grouped.height == len(set(map(tuple, codes.T.tolist())))
    assert peak < 2_000_000


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 25), st.randoms(use_true_random=False))
def test_rolling_up_huge_code_spaces_gives_the_same_classes(count: int, random: Any) -> None:
    """The maps of the levels lead from the sort branch into the dense one."""
    width = 2**20
    codes = np.array([[random.choice([0, 5, width - 1]) for _ in range(count)] for _ in range(5)], np.int32)
    who = np.array([random.randrange(4) for _ in range(count)], np.int64)
    halved, one = (np.arange(width) // part for part in (width // 2, width))
    rows, names, sensitive = as_rows(codes, np.ones(count, np.int64), who, [who])
    merged = Grouped.of(codes, np.ones(count, np.int64), who, [who]).roll_up([halved, one, None, halved, one])
    for row in rows:
        row.update(q0=halved[row["q0"]], q1=0, q3=halved[row["q3"]], q4=0)
    assert counted(merged) == counted_by_hand(rows, names, sensitive)


def test_one_person_in_all_classes_stays_one_person() -> None:
    """One patient with a hundred encounters, no two alike, does not make k = 100."""
    codes = np.arange(100, dtype=np.int32).reshape(1, 100)
    grouped = Grouped.of(codes, np.ones(100, np.int64), np.zeros(100, np.int64), [])
    assert grouped.people().tolist() == [1] * 100
    assert grouped.roll_up([codes[0] // 50]).people().tolist() == [1, 1]
    assert grouped.roll_up([codes[0] * 0]).people().tolist() == [1]

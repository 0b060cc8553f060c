"""Every privacy model of a sensitive column against its definition, the papers, and the property that a search rests on."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import exp, inf, log
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from anon_platform.errors import PolicyError
from anon_platform.frequency import (
    BetaLikeness,
    Cells,
    ClassModel,
    DeltaDisclosure,
    DistinctL,
    EntropyL,
    HierarchicalBound,
    OrderedTCloseness,
    RecursiveL,
    TCloseness,
    cells_of,
    t_of,
)
from anon_platform.frequency.diversity import leveled
from anon_platform_tests import model_oracles, oracles

VALUES = 6
PATHS = {
    0: (0, "a", "x"),
    1: (1, "a", "x"),
    2: (2, "b", "x"),
    3: (3, "b", "x"),
    4: (4, "c", "y"),
    5: (5, "c", "y"),
}
LEVELS = np.array([[0, 1, 2, 3, 4, 5], [0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1]])

members = st.lists(st.integers(0, VALUES - 1), max_size=9)
tables = st.lists(members, min_size=1, max_size=5)


def cells(classes: Sequence[Sequence[int]], table: Sequence[int], shuffle: int = 0) -> Cells:
    """The classes as entries in an order that means nothing; `table` is the reference."""
    entries = [(i, value, n) for i, held in enumerate(classes) for value, n in Counter(held).items()]
    np.random.default_rng(shuffle).shuffle(entries)
    columns = np.array(entries, np.int64).reshape(-1, 3).T
    overall = np.bincount(np.array(table, np.int64), minlength=VALUES) / max(len(table), 1)
    return Cells(columns[0], columns[1], columns[2], len(classes), overall)


def ordered(t: float) -> ClassModel:
    spec = OrderedTCloseness(model="t_closeness", distance="ordered", t=t)
    return spec.bound(pl.Series(range(VALUES)))


MODELS: dict[str, Any] = {
    "distinct": lambda x: DistinctL(model="distinct_l", l=1 + int(4 * x)),
    "entropy": lambda x: EntropyL(model="entropy_l", l=1 + 3 * x),
    "recursive 2": lambda x: RecursiveL(model="recursive_l", c=0.3 + 3 * x, l=2),
    "recursive 3": lambda x: RecursiveL(model="recursive_l", c=0.3 + 3 * x, l=3),
    "equal": lambda x: TCloseness(model="t_closeness", distance="equal", t=x),
    "ordered": ordered,
    "hierarchical": lambda x: HierarchicalBound(x, LEVELS),
    "beta": lambda x: BetaLikeness(model="beta_likeness", beta=0.1 + 3 * x, enhanced=False),
    "enhanced beta": lambda x: BetaLikeness(model="beta_likeness", beta=0.1 + 3 * x, enhanced=True),
    "delta": lambda x: DeltaDisclosure(model="delta_disclosure", delta=0.1 + 3 * x),
}
"""By name: a model of a strictness between 0 and 1."""


BY_HAND: dict[str, Callable[[Sequence[int], Sequence[int]], float]] = {
    "distinct": lambda held, _: float(len(set(held)) or inf),
    "entropy": lambda held, _: model_oracles.entropy_number(held),
    "recursive 2": lambda held, _: model_oracles.commonest_against_rare(held, 2),
    "recursive 3": lambda held, _: model_oracles.commonest_against_rare(held, 3),
    "equal": lambda held, table: float(oracles.total_variation(held, table)) if held else 0.0,
    "ordered": lambda held, table: model_oracles.transport(
        held, table, model_oracles.steps_apart(range(VALUES))
    ),
    "hierarchical": lambda held, table: model_oracles.transport(
        held, table, model_oracles.height_apart(PATHS)
    ),
    "beta": model_oracles.relative_gain,
    "delta": model_oracles.log_ratio,
}
"""By name: the measure of one class (and the whole table) by the oracle."""


@pytest.mark.parametrize("name", BY_HAND)
@settings(deadline=None, max_examples=60)
@given(tables, st.integers(0, 9))
@example([[]], 0)
@example([[3]], 0)
@example([[2] * 9, [2]], 0)
@example([[0, 1, 2, 3, 4, 5]], 0)
@example([[0], [1], [2], [3], [5]], 1)
@example([[5], [], [0]], 0)
def test_each_measure_is_that_of_its_definition(name: str, classes: list[list[int]], seed: int) -> None:
    """Earth mover's distances as linear programs, all others counted value by value."""
    table = [value for held in classes for value in held]
    assume(table or not any(classes))
    bound = MODELS[name](0.5)
    found = bound.measure(cells(classes, table, seed))
    assert found == pytest.approx([BY_HAND[name](held, table) for held in classes], abs=1e-7)
    assert bound.met(cells(classes, table))[[not held for held in classes]].all()


@settings(deadline=None, max_examples=200)
@given(tables, st.floats(0.05, 4.0))
@example([[0, 0], [0]], 1.0)
def test_enhanced_beta_bounds_each_value_by_its_own_share(classes: list[list[int]], beta: float) -> None:
    """A value that half of the table has may gain ln 2 at most, however large beta is."""
    table = [value for held in classes for value in held]
    model = BetaLikeness(model="beta_likeness", beta=beta, enhanced=True)
    found = model.met(cells(classes, table)).tolist()
    assert found == [not held or model_oracles.beta_enhanced_met(held, table, beta) for held in classes]


@pytest.mark.parametrize("name", MODELS)
@settings(deadline=None, max_examples=150)
@given(members, members, members, st.floats(0, 1))
def test_two_classes_that_meet_a_model_meet_it_together(
    name: str, left: list[int], right: list[int], others: list[int], strictness: float
) -> None:
    """Else a search could not conclude from a fine generalization to a coarse one."""
    bound = MODELS[name](strictness)
    assert bound.monotone
    table = [*left, *right, *others]
    apart = bound.met(cells([left, right], table))
    assert bound.met(cells([[*left, *right]], table))[0] or not apart.all()


@pytest.mark.parametrize("name", MODELS)
@settings(deadline=None, max_examples=80)
@given(members, st.integers(0, 4), st.floats(0, 1))
def test_what_is_called_impossible_is_so(
    name: str, table: list[int], removed: int, strictness: float
) -> None:
    """All records that may stay, tried out: none of them meets the model, or nothing is called impossible."""
    assume(table and removed < len(table))
    bound = MODELS[name](strictness)
    counts = [table.count(value) for value in range(VALUES)]
    reference = cells([table], table)
    left = [np.array(kept) for kept in model_oracles.most_even(counts, removed)]
    met = [
        bool(
            bound.met(
                Cells(
                    np.zeros((kept > 0).sum(), np.int64),
                    np.flatnonzero(kept),
                    kept[kept > 0],
                    1,
                    reference.overall,
                )
            )[0]
        )
        for kept in left
    ]
    said = bound.possible(reference.overall, len(table), removed / len(table))
    assert said is None or not any(met)
    if name == "distinct":
        assert (said is None) == (len(set(table)) >= bound.l)
    if removed == 0 and name not in {"delta", "beta", "enhanced beta"}:
        assert (said is None) == any(met)


def test_what_is_possible_instead_is_said() -> None:
    """The way out is a number that can be written."""
    overall = np.array([0.7, 0.2, 0.1])
    told = [
        DistinctL(model="distinct_l", l=4).possible(overall, 100),
        EntropyL(model="entropy_l", l=3).possible(overall, 100, 0.1),
        RecursiveL(model="recursive_l", c=2, l=2).possible(overall, 100, 0.0),
        RecursiveL(model="recursive_l", c=2, l=4).possible(overall, 100),
    ]
    assert told == [
        "4 distinct values demanded, there are 3; write l: 3 or less",
        "entropy of 3 values demanded, 2.336 can be reached; write l: 2.336 or less",
        "c of 2 demanded, it must be above 2.334; write a larger c, or a smaller l",
        "l of 4 demanded, there are 3 distinct values; write l: 3 or less",
    ]
    shares = np.array([0.6, 0.2, 0.1]) / 0.9
    assert exp(-(shares * np.log(shares)).sum()) == pytest.approx(2.3365, abs=1e-4)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.floats(0, 0.99))
def test_cutting_the_peaks_leaves_a_distribution_below_the_old_shares(
    counts: list[int], left_out: float
) -> None:
    """What stays are records of the table, as many as may stay."""
    shares = np.array(counts) / sum(counts)
    even = leveled(shares, left_out)
    assert even.sum() == pytest.approx(1)
    assert (even * (1 - left_out) <= np.sort(shares)[::-1] + 1e-12).all()


SALARY = [[3, 5, 9], [6, 11, 8], [4, 7, 10]]
"""Li, Li, Venkatasubramanian 2007, table 5: salaries in thousands, three classes of three."""


def test_the_salaries_of_li_et_al_2007() -> None:
    """Section 4.1: the classes {3, 4, 5} and {6, 8, 11} are 0.375 and 0.167 from all; table 5 is 0.167-close."""
    spec = OrderedTCloseness(model="t_closeness", distance="ordered", t=0.167)
    bound = spec.bound(pl.Series(range(3, 12)))
    everything = np.full(9, 1 / 9)

    def measured(classes: list[list[int]]) -> list[float]:
        of_class = np.repeat(np.arange(len(classes)), 3)
        value = np.array(classes).ravel() - 3
        return bound.measure(
            Cells(of_class, value, np.ones(len(value), np.int64), len(classes), everything)
        ).tolist()

    assert measured([[3, 4, 5], [6, 8, 11]]) == pytest.approx([0.375, 1 / 6])
    assert max(measured(SALARY)) == pytest.approx(1 / 6)
    assert (
        OrderedTCloseness(model="t_closeness", distance="ordered", t=1 / 6)
        .bound(pl.Series(range(3, 12)))
        .met(
            Cells(np.repeat([0, 1, 2], 3), np.array(SALARY).ravel() - 3, np.ones(9, np.int64), 3, everything)
        )
        .all()
    )


def test_the_diseases_of_li_et_al_2007() -> None:
    """Section 4.2: flu is 1/3 from bronchitis, 2/3 from pulmonary embolism and 3/3 from stomach cancer."""
    # flu, bronchitis | pulmonary embolism || stomach cancer
    levels = np.array([[0, 1, 2, 3], [0, 0, 1, 2], [0, 0, 0, 1]])
    flu = np.array([1.0, 0.0, 0.0, 0.0])
    other = Cells(np.arange(3), np.array([1, 2, 3]), np.ones(3, np.int64), 3, flu)
    assert HierarchicalBound(1.0, levels).measure(other).tolist() == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_the_patients_of_machanavajjhala_et_al_2007() -> None:
    """Figure 3: each class holds one condition twice and two others once, so that its entropy is 1.5 bits."""
    held = [[0, 1, 2, 2], [2, 0, 1, 1], [0, 1, 2, 2]]
    found = cells(held, [value for values in held for value in values])
    assert EntropyL(model="entropy_l", l=2.8).measure(found).tolist() == pytest.approx([2**1.5] * 3)
    assert EntropyL(model="entropy_l", l=2.8).met(found).all()
    assert RecursiveL(model="recursive_l", c=1.0, l=2).measure(found).tolist() == [1.0] * 3
    assert not RecursiveL(model="recursive_l", c=1.0, l=2).met(found).any()
    assert RecursiveL(model="recursive_l", c=2.1, l=3).met(found).all()


def test_the_bounds_of_a_model_are_what_its_formula_says() -> None:
    """At most and at least hold at equality, below does not."""
    found = cells([[0, 1], [0, 0, 0, 1]], [0, 0, 0, 1, 1, 1])
    assert EntropyL(model="entropy_l", l=2).met(found).tolist() == [True, False]
    assert TCloseness(model="t_closeness", distance="equal", t=0.25).met(found).all()
    assert BetaLikeness(model="beta_likeness", beta=0.5, enhanced=False).met(found).all()
    assert RecursiveL(model="recursive_l", c=3, l=2).met(found).tolist() == [True, False]
    assert DeltaDisclosure(model="delta_disclosure", delta=1).met(found).tolist() == [True, False]
    enhanced = BetaLikeness(model="beta_likeness", beta=5, enhanced=True)
    assert enhanced.measure(found).tolist() == pytest.approx([0.0, 0.5 * 5 / log(2)])


def test_an_order_is_that_of_the_values() -> None:
    """10 is above 9, a date above an earlier one, a null below all; text is in the order that the policy gives."""
    spec = OrderedTCloseness(model="t_closeness", distance="ordered", t=0.1)
    assert spec.bound(pl.Series([9, None, 10])).rank.tolist() == [1, 0, 2]
    assert spec.bound(pl.Series(["2020-01-02", "2019-12-31"]).str.to_date()).rank.tolist() == [1, 0]
    named = OrderedTCloseness(model="t_closeness", distance="ordered", t=0.1, order=("low", "mid", "high"))
    assert named.bound(pl.Series(["high", None, "low"])).rank.tolist() == [2, 0, 1]
    alphabetical = OrderedTCloseness(model="t_closeness", distance="ordered", t=0.1, alphabetical=True)
    assert alphabetical.bound(pl.Series(["b", "a"])).rank.tolist() == [1, 0]


def test_a_column_without_the_order_it_needs_is_refused_without_its_values() -> None:
    """An order made up by us would be a measure of nothing."""
    spec = OrderedTCloseness(model="t_closeness", distance="ordered", t=0.1)
    with pytest.raises(
        PolicyError, match=r"^text has no order of its own; write order: \[lowest, …, highest\], or"
    ):
        spec.bound(pl.Series(["low", "high"]))
    named = OrderedTCloseness(model="t_closeness", distance="ordered", t=0.1, order=("low", "mid"))
    with pytest.raises(
        PolicyError, match=r"^order does not name 1 of the column's values; add them in their place$"
    ):
        named.bound(pl.Series(["low", "secret"]))


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 2),
            st.none() | st.sampled_from("ab"),
            st.none() | st.sampled_from("xyz"),
        ),
        max_size=20,
    ),
    st.sampled_from([["n0"], ["class", "n0"], []]),
)
def test_cells_are_counted_as_a_reader_counts(rows: list[tuple[Any, ...]], names: list[str]) -> None:
    """Nulls are a value, and no name of a column gets in the way."""
    counts = pl.DataFrame(rows, schema={"n0": pl.Int64, "class": pl.String, "value": pl.String}, orient="row")
    found, values = cells_of(counts.with_columns(n=pl.lit(1, pl.UInt32)), names, "value")
    dicts = counts.rows(named=True)
    expected = Counter(
        tuple(sorted(Counter(row["value"] for row in held).items(), key=str))
        for held in oracles.classes(dicts, names).values()
    )
    of_class: dict[int, list[tuple[Any, int]]] = {i: [] for i in range(found.classes)}
    for i, code, n in zip(found.of_class.tolist(), found.value.tolist(), found.records.tolist(), strict=True):
        of_class[i].append((values[code], n))
    assert Counter(tuple(sorted(held, key=str)) for held in of_class.values()) == expected
    equal = TCloseness(model="t_closeness", distance="equal", t=1.0).measure(found)
    with_n = counts.with_columns(n=pl.lit(1, pl.UInt32))
    assert max(equal.tolist(), default=0.0) == pytest.approx(t_of(with_n, names, "value"), abs=1e-12)

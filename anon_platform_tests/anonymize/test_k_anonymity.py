"""The search against one that tries every node, and its result counted again from the rows by plain Python."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Flat, Intervals, Ladder, ladder
from anon_platform.anonymize.k_anonymity import Demand, Fitted, Grouped, Sensitive, Solution, search, solve
from anon_platform.errors import PolicyError
from anon_platform.frequency import DistinctL
from anon_platform_tests import oracles

Ints = npt.NDArray[np.int64]
Row = dict[str, Any]
NAMES = ("age", "sex", "zip")


@dataclass(frozen=True)
class ByHand:
    """A hierarchy that is written down label by label; a real one, as `solve` takes any."""

    levels: tuple[Mapping[Hashable, str | None], ...]

    @property
    def level_names(self) -> tuple[str, ...]:
        """Finest first."""
        return tuple(f"level {i}" for i in range(len(self.levels)))

    def fault(self, dtype: pl.DataType) -> str | None:
        """None: any value may stand in the mappings."""
        del dtype
        return None

    def labels(self, values: pl.Series) -> list[pl.Series]:
        """Looked up."""
        return [pl.Series([level[value] for value in values], dtype=pl.String) for level in self.levels]

    def for_oracle(self) -> oracles.Levels:
        """The same with the closing level of stars."""
        return [*self.levels, dict.fromkeys(self.levels[0], "*")]


@st.composite
def hierarchies(draw: st.DrawFn) -> ByHand:
    """One to three levels over the values 0 to 3 and null, each made by merging labels of the one before."""
    groups = {value: value for value in range(4)}
    if draw(st.booleans()):  # the finest allowed level may already join values
        groups = {value: draw(st.integers(0, 3)) for value in range(4)}
    levels: list[Mapping[Hashable, str | None]] = []
    for _ in range(draw(st.integers(1, 3))):
        levels.append({None: None, **{value: f"g{group}" for value, group in groups.items()}})
        merge = draw(st.lists(st.integers(0, 3), min_size=4, max_size=4))
        groups = {value: merge[group] for value, group in groups.items()}
    return ByHand(tuple(levels))


def rows_of(columns: int, most: int = 24) -> st.SearchStrategy[list[Row]]:
    """Rows with some quasi-identifiers, a person and two sensitive attributes."""
    value = st.none() | st.integers(0, 3)
    fields = {
        **dict.fromkeys(NAMES[:columns], value),
        "who": st.integers(0, 9),
        "dx": st.none() | st.sampled_from("abc"),
        "drug": st.integers(0, 1),
    }
    return st.lists(st.fixed_dictionaries(fields), min_size=1, max_size=most)


@dataclass(frozen=True)
class Case:
    """A table, hierarchies of its quasi-identifiers and a demand."""

    rows: list[Row]
    kinds: dict[str, ByHand]
    person: str | None
    k: int
    l: dict[str, int]
    allowed: int

    def best(self) -> oracles.Best | None:
        """What trying every node finds."""
        by_hand = {name: kind.for_oracle() for name, kind in self.kinds.items()}
        return oracles.best_node(
            self.rows, by_hand, k=self.k, l=self.l, allowed=self.allowed, person=self.person
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Small tables with every kind of demand, some of which cannot be met."""
    columns = draw(st.integers(0, 3))
    rows = draw(rows_of(columns))
    return Case(
        rows,
        {name: draw(hierarchies()) for name in NAMES[:columns]},
        draw(st.sampled_from(["who", None])),
        draw(st.integers(1, 4)),
        {name: draw(st.integers(1, 3)) for name in draw(st.sampled_from([[], ["dx"], ["dx", "drug"]]))},
        draw(st.sampled_from([0, 1, len(rows) // 4, len(rows) // 2, len(rows)])),
    )


def numbers(values: Sequence[Hashable]) -> Ints:
    """A number for each value, the same for the same."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)


def bottom_of(case: Case) -> tuple[Grouped, list[Ladder]]:
    """The classes at the finest levels, one input row a record, made without `solve`."""
    ladders, codes = [], []
    for name, kind in case.kinds.items():
        values = [row[name] for row in case.rows]
        built = ladder(kind, pl.Series(list(dict.fromkeys(values)), dtype=pl.Int64), column=name)
        code = dict(zip(built.values, built.codes[0], strict=True))
        ladders.append(built)
        codes.append([code[value] for value in values])
    count = len(case.rows)
    who = np.arange(count) if case.person is None else np.array([row[case.person] for row in case.rows])
    return (
        Grouped.of(
            np.array(codes, np.int32).reshape(len(codes), count),
            np.ones(count, np.int64),
            who.astype(np.int64),
            [numbers([row[name] for row in case.rows]) for name in case.l],
        ),
        ladders,
    )


# --- the search


def demand_of(case: Case) -> Demand:
    """Distinct l needs no reference distribution."""
    models = [Sensitive((DistinctL(model="distinct_l", l=l),), np.ones(9)) for l in case.l.values()]
    return Demand(case.k, case.allowed, tuple(models))


def found_by_search(case: Case) -> Solution | None:
    bottom, ladders = bottom_of(case)
    return search(bottom, ladders, demand_of(case))


@settings(deadline=None, max_examples=400)
@given(cases())
def test_the_search_finds_what_trying_every_node_finds(case: Case) -> None:
    """Optimal, not nearly so: the same node, of equal ones the first, with the same loss and suppression."""
    found, best = found_by_search(case), case.best()
    if best is None or found is None:
        assert found is best is None
        return
    assert (found.node, found.suppressed, found.nodes) == (best.node, best.suppressed, best.nodes)
    assert found.loss == pytest.approx(float(best.loss), abs=1e-9)
    assert 1 <= found.evaluated <= found.nodes


PAIRS = [(2, 4), (3, 4), (4, 1), (1, 0), (3, 2), (2, 4), (1, 5), (1, 0), (4, 4), (4, 0)]


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([(3,), (2, 6)]),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12),
    st.integers(2, 5),
    st.integers(0, 4),
)
@example((3,), PAIRS, 2, 4)
def test_of_equal_losses_the_first_node_wins(
    widths: tuple[int, ...], pairs: list[tuple[int, int]], k: int, allowed: int
) -> None:
    """Every node of a symmetric table has a twin: sums in another order must not decide between them."""
    finest: Mapping[Hashable, str] = {value: str(value) for value in range(6)}
    coarser = [{value: str(value // width) for value in range(6)} for width in widths]
    kind = ByHand((finest, *coarser))
    rows = [{"age": a, "sex": b} for a, b in [*pairs, *((b, a) for a, b in pairs)]]
    case = Case(rows, {"age": kind, "sex": kind}, None, k, {}, allowed)
    found, best = found_by_search(case), case.best()
    assert (found and (found.node, found.suppressed)) == (best and (best.node, best.suppressed))


def test_progress_never_goes_back_and_ends_at_all_nodes() -> None:
    """A bar that a user watches."""
    kinds = [Intervals(kind="intervals", widths=(1, 2, 4, 8)), Intervals(kind="intervals", widths=(1, 3))]
    values = pl.Series(range(16))
    ladders = [ladder(kind, values, column="x") for kind in kinds]
    codes = np.stack([built.codes[0] for built in ladders])
    bottom = Grouped.of(codes, np.ones(16, np.int64), np.arange(16), [])
    heard: list[tuple[int, int]] = []
    found = search(bottom, ladders, Demand(4, 0), progress=lambda *at: heard.append(at))
    assert found is not None
    assert heard == sorted(heard)
    assert heard[-1] == (found.nodes, found.nodes) == (15, 15)


# --- from counts to a function of rows


def frequency_table(rows: Sequence[Row], columns: Sequence[str], *, split: bool = False) -> pl.DataFrame:
    """Counts over `columns`; with `split`, every record is a line of its own."""
    types = {**dict.fromkeys(NAMES, pl.Int64), "who": pl.UInt32, "dx": pl.String, "drug": pl.Int64}
    keys = [tuple(row[name] for name in columns) for row in rows]
    found = [(key, 1) for key in keys] if split else list(Counter(keys).items())
    schema = {**{name: types[name] for name in columns}, "n": pl.UInt32}
    return pl.DataFrame([(*key, n) for key, n in found], schema=schema, orient="row")


def solved(case: Case, share: float, l: int, *, split: bool = False) -> Fitted:
    columns = [*case.kinds, *([case.person] if case.person else []), *case.l]
    return solve(
        frequency_table(case.rows, columns, split=split),
        case.kinds,
        person=case.person,
        sensitive={name: [DistinctL(model="distinct_l", l=l)] for name in case.l},
        k=case.k,
        suppressed_share=share,
    )


def released(case: Case, fitted: Fitted) -> list[Row]:
    """The rows as they would leave, with the person behind each."""
    types = {**dict.fromkeys(case.kinds, pl.Int64), "who": pl.UInt32, "dx": pl.String, "drug": pl.Int64}
    table = pl.DataFrame([{name: row[name] for name in types} for row in case.rows], schema=types)
    treated = table.with_columns(fitted.treat[name](table[name]).alias(name) for name in case.kinds)
    return fitted.keep(treated).rows(named=True)


def possible(case: Case, l: int) -> bool:
    """Whether one class of all records meets the demand."""
    rows = case.rows
    return oracles.k_of(rows, [], case.person) >= case.k and all(
        oracles.l_of(rows, [], name) >= l for name in case.l
    )


@settings(deadline=None, max_examples=150)
@given(cases(), st.integers(1, 3), st.sampled_from([0.0, 0.1, 0.3, 1.0]))
def test_what_leaves_has_k_people_and_l_values_in_every_class(case: Case, l: int, share: float) -> None:
    """Counted afresh from the treated rows; and every row leaves or is counted as suppressed."""
    if not possible(case, l):
        with pytest.raises(PolicyError):
            solved(case, share, l)
        return
    fitted = solved(case, share, l)
    rows = released(case, fitted)
    names = list(case.kinds)
    assert len(case.rows) == fitted.records == len(rows) + fitted.solution.suppressed
    assert fitted.solution.suppressed <= share * len(case.rows) + 1e-9
    assert fitted.people == oracles.people(case.rows, case.person)
    if rows:
        assert oracles.k_of(rows, names, case.person) >= case.k
        assert all(oracles.l_of(rows, names, name) >= l for name in case.l)
    by_hand = case.kinds
    for name, level in fitted.levels.items():
        assert level in (*by_hand[name].level_names, "*")
    best = Case(
        case.rows,
        case.kinds,
        case.person,
        case.k,
        dict.fromkeys(case.l, l),
        int(share * len(case.rows) + 1e-9),
    ).best()
    assert best is not None
    assert fitted.solution.node == best.node
    assert fitted.solution.loss == pytest.approx(float(best.loss), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(cases(), st.integers(1, 2), st.sampled_from([0.0, 0.3]), st.randoms(use_true_random=False))
def test_the_solution_does_not_depend_on_the_order_or_split_of_the_counts(
    case: Case, l: int, share: float, random: Any
) -> None:
    """A release made again must be the same release, whatever order an engine returned its groups in."""
    if not possible(case, l):
        return
    shuffled = list(case.rows)
    random.shuffle(shuffled)
    other = Case(shuffled, case.kinds, case.person, case.k, case.l, case.allowed)
    first = solved(case, share, l)
    for again in (solved(case, share, l), solved(other, share, l), solved(other, share, l, split=True)):
        assert again.levels == first.levels
        assert again.solution == first.solution
        assert (again.people, again.records) == (first.people, first.records)
        assert Counter(again.kept.rows()) == Counter(first.kept.rows())


AGES = {"age": Intervals(kind="intervals", widths=(1, 10))}


def ages(
    values: Sequence[int | None], n: Sequence[int] | None = None, **columns: Sequence[Any]
) -> pl.DataFrame:
    """A frequency table of ages."""
    counted_ = [1] * len(values) if n is None else n
    schema = {"age": pl.Int64, "n": pl.UInt32}
    return pl.DataFrame({"age": values, "n": counted_}, schema=schema).with_columns(
        pl.Series(name, column) for name, column in columns.items()
    )


def distinct(l: int) -> dict[str, list[DistinctL]]:
    """Distinct values of the column dx."""
    return {"dx": [DistinctL(model="distinct_l", l=l)]}


def fit(counts: pl.DataFrame, kinds: Mapping[str, Any] = AGES, **changed: Any) -> Fitted:
    wanted = {"person": None, "sensitive": {}, "k": 2, "suppressed_share": 0.0}
    return solve(counts, kinds, **{**wanted, **changed})


def test_more_people_than_there_are_cannot_be_had() -> None:
    """Refused before the search, with the largest k that would do."""
    message = "thresholds.k: 4 people a class demanded, the source has 3; write k: 3 or less"
    for counts, person in ((ages([1, 2], [1, 2]), None), (ages([1, 2, 3], [9, 9, 9], who=[0, 1, 2]), "who")):
        with pytest.raises(PolicyError) as fault:
            fit(counts, k=4, person=person)
        assert str(fault.value) == message


def test_more_values_than_there_are_cannot_be_had() -> None:
    """A missing value is one of them."""
    counts = ages([1, 2, 3], dx=["a", None, "a"])
    with pytest.raises(PolicyError) as fault:
        fit(counts, sensitive=distinct(3))
    assert str(fault.value) == (
        "column dx, distinct l: 3 distinct values demanded, there are 2; write l: 2 or less"
    )
    assert fit(counts, sensitive=distinct(2)).levels == {"age": "10"}


def test_an_empty_table_is_refused() -> None:
    """No people, so no k; nothing is released."""
    with pytest.raises(PolicyError, match=r"^thresholds\.k: 2 people a class demanded, the source has 0;"):
        fit(ages([]))


def test_equal_rows_leave_as_they_are() -> None:
    """Nothing to hide: the finest level, no loss."""
    fitted = fit(ages([30], [5]), k=5)
    assert (fitted.levels, fitted.solution.loss, fitted.solution.suppressed) == ({"age": "1"}, 0.0, 0)
    assert fitted.kept.rows() == [("[30, 31)",)]


def test_unique_rows_of_one_class_each_need_the_level_that_joins_them() -> None:
    """At the finest level every record is alone."""
    fitted = fit(ages(range(10)), k=10)
    assert (fitted.levels, fitted.solution.suppressed) == ({"age": "10"}, 0)


def test_k_of_all_people_joins_everybody() -> None:
    """At `*` nothing of the column is left, the missing value included; all of it is lost."""
    fitted = fit(ages([1, 50, None]), k=3)
    assert (fitted.levels, fitted.solution.loss) == ({"age": "*"}, 1.0)
    assert fitted.treat["age"](pl.Series("age", [50, None, 1])).to_list() == ["*", "*", "*"]


def test_a_missing_value_is_a_class_of_its_own() -> None:
    """Two records without an age hide each other; a single one does not."""
    assert fit(ages([30, None], [2, 2])).kept.sort("age").rows() == [(None,), ("[30, 31)",)]
    assert fit(ages([30, None], [2, 1])).levels == {"age": "*"}
    suppressing = fit(ages([30, None], [2, 1]), suppressed_share=0.34)
    assert (suppressing.levels, suppressing.solution.suppressed) == ({"age": "1"}, 1)
    treated = pl.DataFrame({"age": ["[30, 31)", None, "[30, 31)"], "at": [0, 1, 2]})
    assert suppressing.keep(treated).rows() == [("[30, 31)", 0), ("[30, 31)", 2)]


def test_one_person_is_released_only_where_one_is_enough() -> None:
    """K = 1 demands nothing; k = 2 cannot be had."""
    assert fit(ages([30]), k=1).levels == {"age": "1"}
    with pytest.raises(PolicyError, match="write k: 1 or less"):
        fit(ages([30]), k=2)


def test_without_quasi_identifiers_all_records_are_one_class() -> None:
    """A policy may have none; then only the number of people counts."""
    counts = pl.DataFrame({"who": [0, 1, 1], "n": [1, 2, 3]}, schema={"who": pl.UInt32, "n": pl.UInt32})
    fitted = fit(counts, {}, person="who")
    batch = pl.DataFrame({"x": [1, 2]})
    assert (fitted.levels, fitted.people, fitted.records, fitted.solution.nodes) == ({}, 2, 6, 1)
    assert fitted.keep(batch).equals(batch)
    assert fitted.keep(batch.clear()).height == 0


def test_all_records_may_be_suppressed_when_the_policy_allows_it() -> None:
    """The least loss is then the choice of the search; whatever is kept meets the demand."""
    fitted = fit(ages([1, 500, 1000], [1, 1, 1]), suppressed_share=1.0)
    kept = fitted.keep(pl.DataFrame({"age": fitted.treat["age"](pl.Series("age", [1, 500, 1000]))}))
    assert kept.height + fitted.solution.suppressed == 3
    assert kept.height != 1


@pytest.mark.parametrize(
    ("share", "expected"), [(0.28, ("*", 0)), (0.29, ("value", 29)), (1.0, ("value", 29))]
)
def test_the_share_that_may_be_suppressed_means_whole_records(
    share: float, expected: tuple[str, int]
) -> None:
    """0.29 × 100 is 28.999999999999996 in floating point, and is meant to be 29 records."""
    counts = ages(range(30), [71] + [1] * 29)
    fitted = fit(counts, {"age": Flat(kind="flat")}, suppressed_share=share)
    assert (fitted.levels["age"], fitted.solution.suppressed) == expected


def test_people_are_counted_and_not_records() -> None:
    """Nine records of one person are one person, so the class of ten is the first that hides two."""
    counts = ages([30, 31], [9, 9], who=[0, 1])
    assert fit(counts, person="who").levels == {"age": "10"}
    assert fit(counts, person=None).levels == {"age": "1"}


def test_sensitive_values_of_every_type_are_told_apart() -> None:
    """L counts values, whatever they are."""
    for values in ([1.5, None, 1.5], [True, False, True], ["a", "", "a"], [None, 1, 1]):
        fitted = fit(ages([1, 1, 11], [1, 1, 2], dx=values), sensitive=distinct(2), suppressed_share=0.5)
        assert (fitted.levels, fitted.solution.suppressed) == ({"age": "1"}, 2)


def test_rows_are_kept_in_their_order() -> None:
    """The position of a row ties it to its source row."""
    fitted = fit(ages([1, 2, 30], [2, 2, 1]), suppressed_share=0.2)
    batch = pl.DataFrame({"age": ["[2, 3)", "[30, 31)", "[1, 2)", "[2, 3)"], "at": [3, 2, 1, 0]})
    assert fitted.keep(batch)["at"].to_list() == [3, 1, 0]

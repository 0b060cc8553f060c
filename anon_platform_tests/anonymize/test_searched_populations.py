"""The search beside populations: what trying every node finds, and what the validator accepts."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Groups, ladder
from anon_platform.anonymize.k_anonymity import Crowd, Demand, Fitted, Grouped, beside, solve, widened
from anon_platform.errors import PolicyError
from anon_platform.frequency import beside_population, classes, presence
from anon_platform_tests.anonymize.every_node import (
    HAIR,
    KIND,
    KINDS,
    Label,
    Row,
    best_by_hand,
    counts_of,
    groups_of,
    labelled,
    leaving,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 7), st.sampled_from("abc")),
    min_size=1,
    max_size=20,
)


@dataclass(frozen=True)
class Beside:
    """A demand beside two populations; people of a population: age, place. The ages and places may be others."""

    k: int
    allowed: float
    k_map: int
    lower: float
    upper: float
    voters: list[tuple[int, int]]
    everybody: list[tuple[int, int]]

    def may_leave(self, people: int, voters: int, everybody: int) -> bool:
        """Whether a class may."""
        if people < self.k or voters < self.k_map or not everybody:
            return False
        return self.lower <= people / everybody <= min(self.upper + HAIR, 1)

    def kept(self, rows: Sequence[Row], node: tuple[int, ...], labels: Sequence[Label]) -> set[int] | None:
        """The rows that may leave; None when somebody of the population is less likely in the data than he must be."""
        voters, everybody = self._counted(self.voters, node), self._counted(self.everybody, node)
        good = {
            label: members
            for label, members in groups_of(labels).items()
            if self.may_leave(len({rows[at][2] for at in members}), voters[label], everybody[label])
        }
        if self.lower > 0 and (not good or set(everybody) - set(good)):
            return None
        return {at for members in good.values() for at in members}

    def _counted(self, population: list[tuple[int, int]], node: tuple[int, ...]) -> Counter[Label]:
        return Counter(
            zip(
                *(labelled([one[i] for one in population], level) for i, level in enumerate(node)),
                strict=True,
            )
        )

    def frames(self) -> list[tuple[Crowd, pl.DataFrame]]:
        """For the search."""
        crowds = [
            (Crowd(least=self.k_map), self.voters),
            (Crowd(presence=(self.lower, self.upper)), self.everybody),
        ]
        schema = {"age": pl.Int64, "place": pl.Int64}
        return [
            (crowd, pl.DataFrame(of, schema=schema, orient="row").group_by("age", "place").agg(n=pl.len()))
            for crowd, of in crowds
        ]


ELSEWHERE = st.tuples(st.integers(0, 6), st.integers(0, 3))


@st.composite
def besides(draw: st.DrawFn) -> tuple[list[Row], Beside]:
    """The data is a part of both populations, mostly."""
    rows = draw(ROWS)
    theirs = list({row[2]: row[:2] for row in rows}.values())
    more = draw(st.lists(ELSEWHERE, max_size=15))
    lower = draw(st.sampled_from([0.0, 0.0, 0.2, 0.4]))
    return rows, Beside(
        draw(st.integers(1, 2)),
        draw(st.sampled_from([0.0, 0.1, 0.3, 1.0])),
        draw(st.integers(1, 6)),
        lower,
        draw(st.sampled_from([0.4, 0.6, 0.9, 1.0])),
        theirs + draw(st.lists(ELSEWHERE, max_size=10)),
        (theirs if draw(st.booleans()) else []) + more,
    )


def fitted_beside(rows: list[Row], wanted: Beside) -> Fitted:
    """The search."""
    return solve(
        counts_of(rows), KINDS, person="who", sensitive={}, k=wanted.k, suppressed_share=wanted.allowed,
        populations=wanted.frames(),
    )  # fmt: skip


# whoever has rows in two classes counts twice, until they are one
TWICE: list[Row] = [(0, 0, 1, "a"), (1, 0, 1, "a"), (4, 0, 2, "a"), (4, 1, 2, "b")]

# without the last one half of the others' look-alikes are in the data; with it, more
CROWDED: list[Row] = [(0, 0, who, "a") for who in range(4)] + [(4, 0, 4, "a")]


@settings(deadline=None, max_examples=200)
@given(besides())
@example((TWICE, Beside(1, 0.0, 1, 0.9, 1.0, [(0, 0)], [(0, 0), (1, 0), (4, 0), (4, 1)])))
@example((TWICE, Beside(1, 1.0, 1, 0.4, 0.6, [(0, 0)], [(0, 0)] * 3)))
@example((CROWDED, Beside(1, 0.2, 1, 0.0, 0.55, [(0, 0)] * 9, [(0, 0)] * 8 + [(4, 0)])))
@example((TWICE, Beside(1, 1.0, 1, 0.0, 0.5, [(5, 3), (0, 0)], [(0, 0), (1, 0), (5, 0), (4, 1)])))
def test_beside_populations_the_search_finds_what_trying_every_node_finds(
    case: tuple[list[Row], Beside],
) -> None:
    """Also where people have rows in several classes, and the population has values that the data lacks."""
    rows, wanted = case
    allowed = int(wanted.allowed * len(rows) + HAIR)
    best = best_by_hand(rows, allowed, lambda node, labels: wanted.kept(rows, node, labels))
    if best is None:
        with pytest.raises(PolicyError):
            fitted_beside(rows, wanted)
        return
    if best[2] == len(rows):
        # a release of nothing meets whatever is demanded of classes; where people are too few it is refused
        with suppress(PolicyError):
            assert fitted_beside(rows, wanted).solution.suppressed == len(rows)
        return
    fitted = fitted_beside(rows, wanted)
    assert (fitted.solution.node, fitted.solution.suppressed) == (best[0], best[2])
    assert fitted.solution.loss == pytest.approx(best[1], abs=1e-9)
    counts = leaving(rows, fitted)
    assert counts["n"].sum() == len(rows) - best[2]
    if counts.height:
        held_as_the_validator_does(counts, fitted, wanted)


def held_as_the_validator_does(counts: pl.DataFrame, fitted: Fitted, wanted: Beside) -> None:
    """k-map and δ-presence of the released classes beside the populations at the released levels."""
    names = ["age", "place"]
    of_classes = classes(counts, names, person="who")
    at = [[*KIND.level_names, "*"].index(fitted.levels[name]) for name in names]
    frames = []
    for people in (wanted.voters, wanted.everybody):
        labels = {name: labelled([one[i] for one in people], at[i]) for i, name in enumerate(names)}
        frames.append(pl.DataFrame(labels, schema=dict.fromkeys(names, pl.String)).with_columns(n=1))
    both = beside_population(of_classes, frames[0], names)
    assert both.filter(pl.col("people") > 0)["population"].min() >= wanted.k_map  # type: ignore[operator]
    both = beside_population(of_classes, frames[1], names)
    found = presence(both["people"].to_numpy(), both["population"].to_numpy())
    assert found.min() >= wanted.lower
    assert found.max() <= min(wanted.upper + HAIR, 1)


def test_a_lower_bound_may_hold_at_fine_levels_only() -> None:
    """Somebody with rows in two classes is one person when they merge, so that nothing may be pruned by it."""
    ages, once = np.array([[0, 1]], np.int32), np.ones(2, np.int64)
    bottom = beside(Grouped.of(ages, once, np.zeros(2, np.int64), []), [(ages, once)])
    coarser = bottom.roll_up([np.zeros(2, np.int32)])
    lower = Demand(1, 0, crowds=(Crowd(presence=(0.9, 1.0)),))
    assert lower.kept(bottom).tolist() == [True, True]
    assert lower.kept(coarser).tolist() == [False]
    assert not lower.closed
    upper, k_map = Crowd(presence=(0.0, 0.9)), Crowd(least=2)
    assert Demand(1, 0, crowds=(upper, k_map)).closed
    assert not Demand(1, 1, crowds=(upper,)).closed
    assert Demand(1, 1, crowds=(k_map,)).closed


def frame(rows: Sequence[tuple[int, int, int]]) -> pl.DataFrame:
    """A population: age, place, people."""
    return pl.DataFrame(rows, schema={"age": pl.Int64, "place": pl.Int64, "n": pl.UInt32}, orient="row")


SOME: list[Row] = [(age, 0, 2 * age + i, "a") for age in range(4) for i in (0, 1)]


@pytest.mark.parametrize(
    ("crowd", "people", "message"),
    [
        (
            Crowd(least=12),
            8,
            "thresholds.k_map: 12 people of the population a class demanded, it has 8; write k: 8 or less",
        ),
        (
            Crowd(presence=(0.5, 1.0)),
            40,
            (
                "thresholds.delta_presence: a lower bound of 0.5 for 40 people of the population, of whom 8 at most are"
                " in the data; write lower: 0.2 or less"
            ),
        ),
        (
            Crowd(presence=(0.0, 0.25)),
            16,
            (
                "thresholds.delta_presence: an upper bound of 0.25 for 16 people of the population, of whom 8 at least"
                " leave; write upper: 0.5 or more, or allow more suppression (thresholds.suppressed_records)"
            ),
        ),
    ],
)
def test_what_a_population_cannot_give_is_refused_before_the_search(
    crowd: Crowd, people: int, message: str
) -> None:
    """With what is possible."""
    wanted = {"person": "who", "sensitive": {}, "k": 2, "suppressed_share": 0.0}
    with pytest.raises(PolicyError) as fault:
        solve(counts_of(SOME), KINDS, populations=[(crowd, frame([(0, 0, people)]))], **wanted)  # type: ignore[arg-type]
    assert str(fault.value) == message


def test_strangers_of_a_population_change_neither_labels_nor_losses() -> None:
    """The release is of the data; only its classes are held against others."""
    own = ladder(KIND, pl.Series("age", [1, 5, None]), column="age")
    wide = widened(own, KIND, [pl.Series([5, 9, None]), pl.Series([0])], column="age")
    assert wide.values.to_list()[:3] == [1, 5, None]
    assert sorted(wide.values.to_list()[3:]) == [0, 9]
    assert wide.leaves == own.leaves
    for level in range(own.height):
        for at in range(3):
            mine, code = own.codes[level, at], wide.codes[level, at]
            assert wide.labels[level][int(code)] == own.labels[level][int(mine)]
            assert wide.loss(level)[code] == own.loss(level)[mine]


class ByCount:
    """A hierarchy whose labels depend on how many values there are."""

    level_names = ("counted",)

    def fault(self, dtype: pl.DataType) -> str | None:
        """Never."""
        del dtype

    def labels(self, values: pl.Series) -> list[pl.Series]:
        """One label."""
        return [pl.Series([f"one of {len(values)}"] * len(values))]


def test_a_hierarchy_that_a_population_would_change_is_refused() -> None:
    """What is counted under other labels says nothing; and values that are not listed are told as for the data."""
    own = ladder(ByCount(), pl.Series("age", [1, 2]), column="age")
    with pytest.raises(
        PolicyError, match=r"^column age: its hierarchy labels values by the others that occur"
    ):
        widened(own, ByCount(), [pl.Series([3])], column="age")
    listed = Groups(kind="groups", order=("a", "b"), sizes=(2,))
    own = ladder(listed, pl.Series("town", ["a"]), column="town")
    with pytest.raises(PolicyError):
        widened(own, listed, [pl.Series(["c"])], column="town")


def test_populations_and_linked_rows_do_not_go_together() -> None:
    """One row a person cannot be compared with many."""
    with pytest.raises(
        PolicyError, match=r"^a population has one row a person, linked rows are compared in sets"
    ):
        solve(
            counts_of(SOME), KINDS, person="who", sensitive={}, k=2, suppressed_share=0.0, linked=True,
            populations=[(Crowd(least=2), frame([(0, 0, 9)]))],
        )  # fmt: skip

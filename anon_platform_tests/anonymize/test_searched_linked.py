"""The search over linked rows: what trying every node finds, and what the validator accepts."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.k_anonymity import Fitted, solve
from anon_platform.errors import PolicyError
from anon_platform.frequency import EntropyL, TCloseness, classes, k_of, risk_of
from anon_platform.validate.counts import with_sequences
from anon_platform.validate.privacy_models import column_metrics
from anon_platform_tests import model_oracles
from anon_platform_tests.anonymize.every_node import (
    HAIR,
    KINDS,
    Label,
    Row,
    best_by_hand,
    counts_of,
    groups_of,
    leaving,
)

ENTROPY = EntropyL(model="entropy_l", l=1.8)
CLOSE = TCloseness(model="t_closeness", distance="equal", t=0.4)


@dataclass(frozen=True)
class Linked:
    """A demand of people whose rows are linked."""

    k: int
    allowed: float
    entropy: bool
    close: bool
    attackers: tuple[tuple[tuple[int, ...], int], ...]

    def kept(self, rows: Sequence[Row], labels: Sequence[Label]) -> set[int]:
        """The rows of the people who may leave."""
        alike = alike_people(rows, labels)
        good = {
            who
            for people in alike
            if len(people) >= self.k
            and (not self.entropy or all(_even(c) for c in _values(rows, labels, people)))
            for who in people
        }
        while True:
            table = [row[3] for row in rows if row[2] in good]
            fewer = {
                who
                for people in alike
                if people <= good
                and (not self.close or all(_near(c, table) for c in _values(rows, labels, people)))
                for who in people
            }
            for columns, least in self.attackers:
                known = [tuple(label[i] for i in columns) for label in labels]
                stay = [at for at, row in enumerate(rows) if row[2] in fewer]
                groups = alike_people([rows[at] for at in stay], [known[at] for at in stay])
                fewer = {who for people in groups if len(people) >= least for who in people}
            if fewer == good:
                return {at for at, row in enumerate(rows) if row[2] in good}
            good = fewer


def alike_people(rows: Sequence[Row], labels: Sequence[Label]) -> list[set[int]]:
    """People with the same multiset of labels."""
    pairs = [(row[2], label) for row, label in zip(rows, labels, strict=True)]
    return model_oracles.sequences(pairs)  # type: ignore[return-value] - people are numbers


def _values(rows: Sequence[Row], labels: Sequence[Label], people: set[int]) -> list[list[str]]:
    """The diagnoses of alike people, class by class."""
    mine = [at for at, row in enumerate(rows) if row[2] in people]
    return [
        [rows[mine[i]][3] for i in members] for members in groups_of([labels[at] for at in mine]).values()
    ]


def _even(values: list[str]) -> bool:
    return model_oracles.entropy_number(values) >= ENTROPY.l - HAIR


def _near(values: list[str], table: list[str]) -> bool:
    shared = sum(min(model_oracles.share(v, values), model_oracles.share(v, table)) for v in set(table))
    return float(1 - shared) <= CLOSE.t + HAIR


LINKED = st.builds(
    Linked,
    k=st.integers(1, 3),
    allowed=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    entropy=st.booleans(),
    close=st.booleans(),
    attackers=st.sampled_from([(), (((0,), 3),), (((0,), 2), ((1,), 4))]),
)
HISTORIES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 7), st.sampled_from("abc")),
    min_size=1,
    max_size=24,
)


def fitted_linked(rows: list[Row], wanted: Linked, mean_risk: float | None = None) -> Fitted:
    """The search."""
    names = ("age", "place")
    models = [model for model, used in ((ENTROPY, wanted.entropy), (CLOSE, wanted.close)) if used]
    return solve(
        counts_of(rows), KINDS, person="who", sensitive={"dx": models}, k=wanted.k,
        suppressed_share=wanted.allowed, linked=True, mean_risk=mean_risk,
        attackers=[([names[i] for i in columns], least) for columns, least in wanted.attackers],
    )  # fmt: skip


SAME: list[Row] = [(i % 3, 0, who, "ab"[i % 2]) for who in range(3) for i in range(4)]


@settings(deadline=None, max_examples=200)
@given(HISTORIES, LINKED)
@example(SAME, Linked(3, 0.0, entropy=False, close=False, attackers=()))
@example([*SAME, (0, 0, 9, "a")], Linked(3, 0.2, entropy=False, close=True, attackers=(((0,), 3),)))
def test_over_linked_rows_the_search_finds_what_trying_every_node_finds(
    rows: list[Row], wanted: Linked
) -> None:
    """People leave with all of their rows or not at all, and only among people who have the same."""
    allowed = int(wanted.allowed * len(rows) + HAIR)
    best = best_by_hand(rows, allowed, lambda _, labels: wanted.kept(rows, labels))
    try:
        fitted = fitted_linked(rows, wanted)
    except PolicyError:
        # a release of nothing is not looked for where people or values are too few from the start
        assert best is None or best[2] == len(rows)
        return
    assert best is not None
    assert (fitted.solution.node, fitted.solution.suppressed) == (best[0], best[2])
    assert fitted.solution.loss == pytest.approx(best[1], abs=1e-9)
    counts = leaving(rows, fitted)
    assert counts["n"].sum() == len(rows) - best[2]
    if counts.height:
        accepted_as_the_validator_does(counts, wanted)


def accepted_as_the_validator_does(counts: pl.DataFrame, wanted: Linked) -> None:
    """Classes are told apart by sequence and quasi-identifiers."""
    names = ["age", "place"]
    whole = with_sequences(counts, names, "who")
    assert k_of(classes(whole.counts, whole.names, person="who")) >= wanted.k
    models = [model for model, used in ((ENTROPY, wanted.entropy), (CLOSE, wanted.close)) if used]
    metrics = column_metrics(whole.counts, whole.names, "dx", models, pl.String())
    assert all(metric.passed for metric in metrics)
    for columns, least in wanted.attackers:
        knows = [names[i] for i in columns]
        known = with_sequences(counts.select(*knows, "who", "n"), knows, "who")
        assert k_of(classes(known.counts, known.names, person="who")) >= least


@settings(deadline=None, max_examples=100)
@given(HISTORIES, LINKED, st.sampled_from([0.3, 0.5]))
def test_linked_rows_hold_the_mean_risk_too(rows: list[Row], wanted: Linked, bound: float) -> None:
    """The smallest groups go first, whole."""
    try:
        fitted = fitted_linked(rows, wanted, bound)
    except PolicyError:
        return
    counts = leaving(rows, fitted)
    if counts.height:
        accepted_as_the_validator_does(counts, wanted)
        whole = with_sequences(counts, ["age", "place"], "who")
        assert risk_of(classes(whole.counts, whole.names, person="who")).mean <= bound + HAIR


def test_linked_rows_that_nothing_makes_alike_are_refused_before_the_search() -> None:
    """No level hides how many rows somebody has."""
    rows: list[Row] = [*SAME, *[(0, 0, 9, "a")] * 4, *[(0, 0, 8, "a")] * 7]
    wanted = Linked(3, 0.1, entropy=False, close=False, attackers=())
    with pytest.raises(PolicyError) as fault:
        fitted_linked(rows, wanted)
    assert str(fault.value) == (
        "privacy_unit.linked: 7 of 23 records are of people whose number of rows fewer than 3 have; write"
        " suppressed_records: 0.3044 or more, or a smaller k"
    )
    enough = Linked(3, 0.3044, entropy=False, close=False, attackers=())
    assert fitted_linked(rows, enough).solution.suppressed >= 7

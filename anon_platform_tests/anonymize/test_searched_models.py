"""The search with every privacy model: the node that trying every node finds, and what leaves holds by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Intervals, Ladder, ladder
from anon_platform.anonymize.k_anonymity import Demand, Fitted, Grouped, Known, Sensitive, search, solve
from anon_platform.errors import PolicyError
from anon_platform.frequency import (
    BetaLikeness,
    ColumnModel,
    DeltaDisclosure,
    EntropyL,
    OrderedTCloseness,
    RecursiveL,
    TCloseness,
    classes,
    k_of,
    risk_of,
    t_of,
)
from anon_platform.validate.privacy_models import column_metrics
from anon_platform_tests import model_oracles

Row = tuple[int, int, int, str]
"""Age, place, person, diagnosis."""
Class = list[Row]
KIND = Intervals(kind="intervals", widths=(1, 2, 4))
HAIR = 1e-9

Check = Callable[[list[str], list[str]], bool]
"""Whether the values of a class meet a model, beside those of all records that leave."""

ALONE = (0, 1)
"""Models that look at the class only."""

MODELS: list[tuple[ColumnModel, Check]] = [
    (EntropyL(model="entropy_l", l=1.9), lambda c, _: model_oracles.entropy_number(c) >= 1.9 - HAIR),
    (
        RecursiveL(model="recursive_l", c=2.5, l=2),
        lambda c, _: model_oracles.commonest_against_rare(c, 2) < 2.5,
    ),
    (
        TCloseness(model="t_closeness", distance="equal", t=0.3),
        lambda c, table: distance(c, table) <= 0.3 + HAIR,
    ),
    (
        BetaLikeness(model="beta_likeness", beta=1.0, enhanced=False),
        lambda c, table: model_oracles.relative_gain(c, table) <= 1.0 + HAIR,
    ),
    (
        DeltaDisclosure(model="delta_disclosure", delta=1.5),
        lambda c, table: model_oracles.log_ratio(c, table) < 1.5,
    ),
    (
        OrderedTCloseness(model="t_closeness", distance="ordered", t=0.2, alphabetical=True),
        lambda c, table: steps(c, table) <= 0.2 + HAIR,
    ),
]


def steps(members: list[str], table: list[str]) -> float:
    """Earth mover's distance in an order of the values that leave: what has to cross each gap between neighbours."""
    order = sorted(set(table))
    gaps = [
        sum(model_oracles.share(v, members) - model_oracles.share(v, table) for v in order[:i])
        for i in range(1, len(order))
    ]
    return float(sum(abs(gap) for gap in gaps)) / max(len(order) - 1, 1)


def distance(members: list[str], table: list[str]) -> float:
    """Total variation."""
    values = set(table)
    return 1 - float(sum(min(model_oracles.share(v, members), model_oracles.share(v, table)) for v in values))


@dataclass(frozen=True)
class Wanted:
    """A demand, for the search and by hand."""

    k: int
    allowed: int
    models: tuple[int, ...]
    attackers: tuple[tuple[tuple[int, ...], int], ...]
    mean_risk: float | None
    unique_records: float | None


def people(members: Sequence[Row]) -> int:
    """Distinct people."""
    return len({row[2] for row in members})


def kept_by_hand(classes: dict[tuple[int, ...], Class], wanted: Wanted) -> set[tuple[int, ...]]:
    """The classes that may leave, dropped one demand after the other until nothing changes."""

    def met(members: Class, models: Sequence[int], table: list[str]) -> bool:
        return all(MODELS[i][1]([row[3] for row in members], table) for i in models)

    good = {
        key
        for key, members in classes.items()
        if people(members) >= wanted.k and met(members, [i for i in wanted.models if i in ALONE], [])
    }
    while True:
        table = [row[3] for key in good for row in classes[key]]
        beside = [i for i in wanted.models if i not in ALONE]
        fewer = {key for key in good if met(classes[key], beside, table)}
        for columns, least in wanted.attackers:
            known: dict[tuple[int, ...], Class] = {}
            for key in fewer:
                known.setdefault(tuple(key[i] for i in columns), []).extend(classes[key])
            fewer = {key for key in fewer if people(known[tuple(key[i] for i in columns)]) >= least}
        order = sorted(fewer, key=lambda key: (people(classes[key]), key))
        while order and not _whole_holds([classes[key] for key in order], wanted):
            order.pop(0)
        if set(order) == good:
            return good
        good = set(order)


def _whole_holds(classes: list[Class], wanted: Wanted) -> bool:
    records = sum(len(members) for members in classes)
    mean = sum(len(members) / people(members) for members in classes) / records
    alone = sum(len(members) for members in classes if people(members) == 1) / records
    return (wanted.mean_risk is None or mean <= wanted.mean_risk + HAIR) and (
        wanted.unique_records is None or alone <= wanted.unique_records + HAIR
    )


def best_by_hand(
    rows: list[Row], ladders: Sequence[Ladder], wanted: Wanted
) -> tuple[tuple[int, ...], float, int] | None:
    """Node, loss and suppressed records of the best of all nodes."""
    places = [{v: i for i, v in enumerate(built.values)} for built in ladders]
    best = None
    for node in product(*(range(built.height) for built in ladders)):
        classes: dict[tuple[int, ...], Class] = {}
        for row in rows:
            key = tuple(int(ladders[i].codes[node[i], places[i][row[i]]]) for i in range(2))
            classes.setdefault(key, []).append(row)
        kept = kept_by_hand(classes, wanted)
        suppressed = len(rows) - sum(len(classes[key]) for key in kept)
        lost = sum(
            len(classes[key]) * float(ladders[i].loss(node[i])[key[i]]) for key in kept for i in range(2)
        )
        loss = (lost / 2 + suppressed) / len(rows)
        if suppressed <= wanted.allowed and (best is None or loss < best[1] - 1e-12):
            best = (node, loss, suppressed)
    return best


def bottom_of(rows: list[Row]) -> tuple[Grouped, list[Ladder], np.ndarray]:
    """Classes at the finest levels, made without `solve`; and the share of each diagnosis."""
    ladders, codes = [], []
    for i in range(2):
        column = [row[i] for row in rows]
        built = ladder(KIND, pl.Series(sorted(set(column)), dtype=pl.Int64), column="q")
        place = {v: int(c) for v, c in zip(built.values, built.codes[0], strict=True)}
        ladders.append(built)
        codes.append([place[v] for v in column])
    names = sorted({row[3] for row in rows})
    values = np.array([names.index(row[3]) for row in rows], np.int64)
    grouped = Grouped.of(
        np.array(codes, np.int32),
        np.ones(len(rows), np.int64),
        np.array([row[2] for row in rows], np.int64),
        [values],
    )
    return grouped, ladders, np.bincount(values) / len(rows)


ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 7), st.sampled_from("abc")),
    min_size=1,
    max_size=20,
)
WANTED = st.builds(
    Wanted,
    k=st.integers(1, 3),
    allowed=st.sampled_from([0, 1, 3, 6, 20]),
    models=st.lists(st.integers(0, len(MODELS) - 1), max_size=2, unique=True).map(tuple),
    attackers=st.sampled_from([(), (((0,), 3),), (((0,), 2), ((1,), 4))]),
    mean_risk=st.sampled_from([None, 0.5, 0.3]),
    unique_records=st.sampled_from([None, 0.0, 0.25]),
)


@settings(deadline=None, max_examples=400)
@given(ROWS, WANTED)
def test_the_search_finds_what_trying_every_node_finds(rows: list[Row], wanted: Wanted) -> None:
    """Also where suppression may grow towards coarser levels, and nothing may be pruned by it."""
    bottom, ladders, overall = bottom_of(rows)
    values = pl.Series(sorted({row[3] for row in rows}))
    demand = Demand(
        wanted.k,
        wanted.allowed,
        (Sensitive(tuple(MODELS[i][0].bound(values) for i in wanted.models), overall),),
        tuple(Known(columns, least) for columns, least in wanted.attackers),
        wanted.mean_risk,
        wanted.unique_records,
    )
    found, best = search(bottom, ladders, demand), best_by_hand(rows, ladders, wanted)
    assert (found is None) == (best is None)
    if found is not None and best is not None:
        assert (found.node, found.suppressed) == (best[0], best[2])
        assert found.loss == pytest.approx(best[1], abs=1e-9)


def counts_of(rows: list[Row]) -> pl.DataFrame:
    """The frequency table."""
    frame = pl.DataFrame(rows, schema=["age", "place", "who", "dx"], orient="row")
    return frame.group_by(frame.columns).agg(n=pl.len())


def leaving(rows: list[Row], fitted: Fitted) -> pl.DataFrame:
    """The frequency table of the rows that leave."""
    frame = pl.DataFrame(rows, schema=["age", "place", "who", "dx"], orient="row")
    treated = frame.with_columns(fitted.treat[name](frame[name]).alias(name) for name in ("age", "place"))
    return fitted.keep(treated).group_by(frame.columns).agg(n=pl.len())


@settings(deadline=None, max_examples=200)
@given(
    ROWS, st.sets(st.integers(0, len(MODELS) - 1), min_size=1, max_size=3), st.sampled_from([0.1, 0.3, 0.6])
)
def test_what_the_search_finds_the_validator_accepts(rows: list[Row], picked: set[int], share: float) -> None:
    """Both hold classes against the records that leave, also where some are suppressed: not missed by a hair."""
    models = [MODELS[i][0] for i in sorted(picked)]
    attackers = [(["age"], 3)]
    try:
        fitted = solve(
            counts_of(rows), {"age": KIND, "place": KIND}, person="who", sensitive={"dx": models}, k=2,
            suppressed_share=share, attackers=attackers, mean_risk=0.4,
        )  # fmt: skip
    except PolicyError:
        return
    counts, names = leaving(rows, fitted), ["age", "place"]
    if not counts.height:
        return
    assert all(metric.passed for metric in column_metrics(counts, names, "dx", models, pl.String()))
    of_classes = classes(counts, names, person="who")
    assert k_of(of_classes) >= 2
    assert risk_of(of_classes).mean <= 0.4 + HAIR
    assert k_of(classes(counts, ["age"], person="who")) >= 3
    assert 2 not in picked or t_of(counts, names, "dx") <= 0.3 + HAIR


def test_a_reference_of_all_records_would_be_refused() -> None:
    """Two of eight go, and with them all of a value: the others are held against what is left."""
    rows: list[Row] = [(0, 0, i, "aab"[i % 3]) for i in range(6)] + [(4, 0, 9, "c"), (4, 1, 9, "c")]
    model = TCloseness(model="t_closeness", distance="equal", t=0.0)
    bottom, ladders, overall = bottom_of(rows)
    demand = Demand(2, 2, (Sensitive((model,), overall),))
    assert demand.kept(bottom).tolist() == [True, False, False]
    assert demand.met(bottom).tolist() == [False, False, False]
    assert not demand.closed
    found = search(bottom, ladders, demand)
    assert found is not None
    assert (found.node, found.suppressed) == ((0, 0), 2)


def test_an_order_is_that_of_the_values_that_leave() -> None:
    """Without the highest of three values the other two are as far apart as can be."""
    values = ["a", "a", "a", "b", "a", "b", "b", "b", "c"]
    rows: list[Row] = [(min(i // 4, 2) * 2, 0, i, value) for i, value in enumerate(values)]
    bottom, _, overall = bottom_of(rows)
    for t, expected in ((0.2, False), (0.25, True)):
        model = OrderedTCloseness(model="t_closeness", distance="ordered", t=t, alphabetical=True)
        demand = Demand(2, 1, (Sensitive((model.bound(pl.Series(["a", "b", "c"])),), overall),))
        counts = counts_of([row for row in rows if row[3] != "c"])
        (metric,) = column_metrics(counts, ["age", "place"], "dx", [model], pl.String())
        assert metric.passed == expected
        assert demand.kept(bottom).tolist() == [expected, expected, False]


def test_a_model_that_no_class_can_meet_is_refused_before_the_search() -> None:
    """With what is possible; and a model that cannot be bound names its column."""
    counts = counts_of([(i % 3, 0, i, "ab"[i % 2]) for i in range(12)])
    entropy = EntropyL(model="entropy_l", l=2.5)
    kinds = {"age": KIND, "place": KIND}
    with pytest.raises(PolicyError, match=r"^column dx, entropy l: .* write l: 2 or less$"):
        solve(counts, kinds, person="who", sensitive={"dx": [entropy]}, k=2, suppressed_share=0.0)
    with pytest.raises(
        PolicyError, match=r"^attackers: 13 people a class demanded, the source has 12; write k: 12"
    ):
        solve(counts, kinds, person="who", sensitive={}, k=2, suppressed_share=0.0, attackers=[(["age"], 13)])


def test_what_an_attacker_knows_is_enforced() -> None:
    """Classes of two that fall apart into ages of two leave only where four share the age."""
    rows: list[Row] = [
        (age, place, 10 * age + place * 2 + i, "a") for age in range(4) for place in (0, 1) for i in (0, 1)
    ]
    kinds = {"age": KIND, "place": KIND}
    fine = solve(counts_of(rows), kinds, person="who", sensitive={}, k=2, suppressed_share=0.0)
    assert fine.solution.loss == 0
    strict = solve(
        counts_of(rows),
        kinds,
        person="who",
        sensitive={},
        k=2,
        suppressed_share=0.0,
        attackers=[(["age"], 8)],
    )
    assert strict.levels["age"] != fine.levels["age"]
    assert strict.levels["place"] == fine.levels["place"]

"""The search against a naive one that rolls up every node, with every kind of demand: what is closed without a look."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Intervals, Ladder, ladder
from anon_platform.anonymize.k_anonymity import Demand, Grouped, Known, Sensitive, exact, search
from anon_platform.anonymize.k_anonymity.lattice import upward
from anon_platform.anonymize.k_anonymity.linked import linked_groups
from anon_platform.anonymize.k_anonymity.look import look
from anon_platform.anonymize.k_anonymity.presence import Crowd, beside
from anon_platform.anonymize.k_anonymity.price import Costs, Prices, prices
from anon_platform.frequency import ClassModel, DistinctL, EntropyL, TCloseness

Node = tuple[int, ...]

DEMANDS = (
    "k",
    "repeated",
    "people",
    "distinct",
    "entropy",
    "t",
    "attacker",
    "risk",
    "linked",
    "crowd",
    "presence",
)


@dataclass(frozen=True)
class Problem:
    """Something to search, and what labels cost."""

    bottom: Grouped
    ladders: list[Ladder]
    demand: Demand
    at: Prices

    def nodes(self) -> list[Node]:
        """All of them, in level order."""
        return list(product(*(range(built.height) for built in self.ladders)))

    def naive(self, node: Node) -> tuple[float, int]:
        """Loss and suppressed records: rolled up from the finest classes, summed label by label."""
        maps = [upward(built, 0, level) for built, level in zip(self.ladders, node, strict=True)]
        classes = self.bottom.roll_up(maps)
        good = self.demand.kept(classes)
        kept = classes.records * good
        lost = sum(
            float(kept @ self.at[i][level][codes])
            for i, (level, codes) in enumerate(zip(node, classes.codes, strict=True))
        )
        total, left = int(classes.records.sum()), int(kept.sum())
        return (lost + total - left) / total, total - left

    def capped(self, node: Node) -> bool:
        """Whether a level is above its cap."""
        return any(np.isinf(self.at[i][level]).any() for i, level in enumerate(node))


def models(kind: str, values: int) -> tuple[ClassModel, ...]:
    """Bound to the value codes, 0 to `values` − 1."""
    every = pl.Series(range(values))
    if kind == "distinct":
        return (DistinctL(model="distinct_l", l=2),)
    if kind == "entropy":
        return (DistinctL(model="distinct_l", l=2), EntropyL(model="entropy_l", l=1.8).bound(every))
    if kind == "t":
        return (TCloseness(model="t_closeness", distance="equal", t=0.3).bound(every),)
    return ()


def problem(seed: int, kind: str, share: float, *, priced: bool = False) -> Problem:
    """Twenty to ninety records of skewed values; the finest classes hold up to a few of them."""
    rng = np.random.default_rng(seed)
    count, columns = int(rng.integers(20, 90)), int(rng.integers(2, 5))
    ladders, codes = [], []
    for _ in range(columns):
        column = np.minimum(rng.exponential(2.5, count).astype(np.int64), 9)
        widths = (1, 2, 4, 8)[: int(rng.integers(1, 4))]
        values, code = np.unique(column, return_inverse=True)
        ladders.append(ladder(Intervals(kind="intervals", widths=widths), pl.Series(values), column="q"))
        codes.append(ladders[-1].codes[0][code])
    ones, stacked = np.ones(count, np.int64), np.array(codes, np.int32)
    records = rng.integers(1, 4, count) if kind == "repeated" else ones
    who = np.arange(count) if kind in {"k", "repeated"} else rng.integers(0, count // 2, count)
    values = rng.integers(0, 3, count)
    sensitive = bool(models(kind, 3))
    if kind == "linked":
        bottom: Grouped = linked_groups(stacked, ones, who, [])[0]
    else:
        bottom = Grouped.of(stacked, records, who, [values] if sensitive else [])
    if kind in {"crowd", "presence"}:
        bottom = beside(bottom, [(stacked, rng.integers(1, 4, count))])
    crowds = {"crowd": (Crowd(least=6),), "presence": (Crowd(presence=(0.0, 0.6)),)}
    demand = Demand(
        int(rng.integers(2, 6)),
        int(share * count),
        (Sensitive(models(kind, 3), np.bincount(values, minlength=3) / count),) if sensitive else (),
        (Known((0,), 9),) if kind == "attacker" else (),
        0.2 if kind == "risk" else None,
        crowds=crowds.get(kind, ()),
    )
    if not priced:
        return Problem(bottom, ladders, demand, prices(ladders))
    caps = [None if rng.random() < 0.5 else int(rng.integers(0, built.height)) for built in ladders]
    return Problem(bottom, ladders, demand, prices(ladders, [*rng.integers(0, 4, columns) + 0.5], caps))


seeds, kinds = st.integers(0, 2**32 - 1), st.sampled_from(DEMANDS)
shares = st.sampled_from([0.0, 0.02, 0.1, 0.3, 1.0])


@settings(deadline=None, max_examples=300)
@given(seed=seeds, kind=kinds, share=shares, priced=st.booleans())
def test_the_search_closes_no_node_that_is_better(
    seed: int, kind: str, share: float, *, priced: bool
) -> None:
    """Node, loss and suppression of the first of the best, weights and caps included; and it says that it is proven."""
    given_ = problem(seed, kind, share, priced=priced)
    found = search(given_.bottom, given_.ladders, given_.demand, at=given_.at)
    best: tuple[float, Node, int] | None = None
    for node in given_.nodes():
        if given_.capped(node):
            continue
        loss, suppressed = given_.naive(node)
        if suppressed <= given_.demand.suppressed and (best is None or loss < best[0] - 1e-12):
            best = (loss, node, suppressed)
    if found is None or best is None:
        assert found is None
        assert best is None
        return
    assert (found.node, found.suppressed) == (best[1], best[2])
    assert found.loss == pytest.approx(best[0], abs=1e-12)
    assert found.proven
    assert found.lower_bound == found.loss
    plain = Problem(given_.bottom, given_.ladders, given_.demand, prices(given_.ladders))
    assert found.information_loss == pytest.approx(plain.naive(found.node)[0], abs=1e-12)


def finer(node: Node) -> list[Node]:
    """The node and all below it."""
    return list(product(*(range(level + 1) for level in node)))


@settings(deadline=None, max_examples=150)
@given(seeds, kinds, shares)
def test_records_that_are_surely_suppressed_bound_every_finer_node(
    seed: int, kind: str, share: float
) -> None:
    """One look at a node speaks of all below it: a bound too high would hide the best node, one too low is slow."""
    given_ = problem(seed, kind, share)
    costs = Costs.of(given_.bottom, given_.ladders, given_.at)
    eye = look(given_.bottom, given_.ladders, given_.demand)
    naive = {node: given_.naive(node) for node in given_.nodes()}
    for node in given_.nodes():
        seen = eye.at(node)
        loss, suppressed = naive[node]
        if suppressed <= given_.demand.suppressed:
            assert seen.gone.records == suppressed
            assert costs.loss(node, seen.gone) == pytest.approx(loss, abs=1e-12)
        else:
            assert seen.gone.records > given_.demand.suppressed
        if seen.sure is None:
            assert not given_.demand.closed
            continue
        for below in finer(node):
            good = naive[below][1] <= given_.demand.suppressed
            if seen.sure.records > given_.demand.suppressed:
                assert not good
            elif good:
                assert costs.loss(below, seen.sure) <= naive[below][0] + 1e-12


@pytest.mark.parametrize(("kind", "most"), [("k", 0.3), ("repeated", 0.3), ("people", 0.3), ("entropy", 0.5)])
def test_most_nodes_are_closed_without_a_look(kind: str, most: float) -> None:
    """Else the bounds could be missing and no other test would tell; also where only a part of the demand is closed."""
    evaluated, nodes = 0, 0
    for seed in range(30):
        for share in (0.05, 1.0):
            given_ = problem(seed, kind, share)
            found = search(given_.bottom, given_.ladders, given_.demand)
            assert found is not None
            evaluated, nodes = evaluated + found.evaluated, nodes + found.nodes
    assert evaluated < most * nodes, evaluated / nodes


@pytest.mark.parametrize("kind", DEMANDS)
def test_a_descent_first_leaves_the_search_optimal(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in lattices of many thousand nodes, where a good node early saves looks: same node, same proof."""
    given_ = [problem(seed, kind, share) for seed in range(10) for share in (0.0, 0.1, 1.0)]
    found = [search(one.bottom, one.ladders, one.demand) for one in given_]
    monkeypatch.setattr(exact, "WORTH_A_DESCENT", 0)
    for one, before in zip(given_, found, strict=True):
        again = search(one.bottom, one.ladders, one.demand)
        assert (again and (again.node, again.loss, again.proven)) == (
            before and (before.node, before.loss, True)
        )


@settings(deadline=None, max_examples=200)
@given(seed=seeds, kind=kinds, share=shares, priced=st.booleans())
def test_a_large_lattice_gives_a_good_node_and_an_honest_bound(
    seed: int, kind: str, share: float, *, priced: bool
) -> None:
    """Searched by descent, the demand is met within the caps, and no node that meets it loses less than the bound."""
    given_ = problem(seed, kind, share, priced=priced)
    best = search(given_.bottom, given_.ladders, given_.demand, at=given_.at)
    found = search(given_.bottom, given_.ladders, given_.demand, at=given_.at, enumerated=0)
    if best is None:
        assert found is None
    elif given_.demand.closed or found is not None:
        assert found is not None
        loss, suppressed = given_.naive(found.node)
        assert not given_.capped(found.node)
        assert suppressed == found.suppressed <= given_.demand.suppressed
        assert loss == pytest.approx(found.loss, abs=1e-12)
        assert found.lower_bound <= best.loss + 1e-12 <= found.loss + 2e-12
        assert found == search(given_.bottom, given_.ladders, given_.demand, at=given_.at, enumerated=0)


def test_descent_finds_the_optimum_of_most_small_lattices() -> None:
    """Four of five, at least, and the others are near: what a user of a large lattice may expect."""
    losses: list[tuple[float, float]] = []
    for seed in range(60):
        for share in (0.0, 0.1):
            given_ = problem(seed, "k", share)
            pair = [
                search(given_.bottom, given_.ladders, given_.demand, enumerated=most) for most in (0, 10**6)
            ]
            losses.append((pair[0].loss, pair[1].loss) if pair[0] and pair[1] else (1.0, 0.0))
    same = sum(abs(found - best) < 1e-12 for found, best in losses)
    assert same >= 0.8 * len(losses)
    assert sum(found for found, _ in losses) <= 1.02 * sum(best for _, best in losses)


@settings(deadline=None, max_examples=60)
@given(seeds, kinds, shares, st.sampled_from([0, 10**6]))
def test_a_search_that_is_out_of_time_has_a_result_and_says_how_good_it_is(
    seed: int, kind: str, share: float, enumerated: int
) -> None:
    """The best so far meets the demand; what is left cannot lose less than the lower bound."""
    given_ = problem(seed, kind, share)
    best = search(given_.bottom, given_.ladders, given_.demand)
    found = search(given_.bottom, given_.ladders, given_.demand, seconds=0.0, enumerated=enumerated)
    if best is None or found is None:
        assert best is None or (enumerated == 0 and not given_.demand.closed)
        return
    assert given_.naive(found.node)[1] == found.suppressed <= given_.demand.suppressed
    assert found.lower_bound <= best.loss + 1e-12 <= found.loss + 2e-12
    assert found.proven == (found.lower_bound >= found.loss - 1e-12)
    assert found.evaluated <= best.evaluated


def test_fifteen_quasi_identifiers_are_searched() -> None:
    """Thirty thousand million nodes; every class that leaves has k people, counted from the rows."""
    rng = np.random.default_rng(1)
    count, columns = 2_000, 15
    column = np.minimum(rng.exponential(4, (columns, count)).astype(np.int32), 15)
    kind = Intervals(kind="intervals", widths=(1, 2, 4, 8))
    ladders = [ladder(kind, pl.Series(range(16)), column="q")] * columns
    bottom = Grouped.of(ladders[0].codes[0][column], np.ones(count, np.int64), np.arange(count), [])
    found = search(bottom, ladders, Demand(5, 100))
    assert found is not None
    assert found.nodes == 5**15
    assert found.evaluated < 10_000
    assert 0 < found.lower_bound <= found.loss < 1
    assert suppressed_by_hand(column, ladders, found.node, 5) == found.suppressed <= 100


def suppressed_by_hand(columns: np.ndarray, ladders: Sequence[Ladder], node: Node, k: int) -> int:
    """Records in classes of fewer than k."""
    labels = [
        built.codes[level][row].tolist() for built, level, row in zip(ladders, node, columns, strict=True)
    ]
    rows = list(zip(*labels, strict=True))
    sizes = dict.fromkeys(rows, 0)
    for row in rows:
        sizes[row] += 1
    return sum(sizes[row] < k for row in rows)


def test_descent_hears_of_its_progress() -> None:
    """A bar that a user watches never goes back, and ends full."""
    given_ = problem(3, "k", 0.1)
    heard: list[tuple[int, int]] = []
    search(
        given_.bottom,
        given_.ladders,
        given_.demand,
        enumerated=0,
        progress=lambda done, of: heard.append((done, of)),
    )
    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1] > 0

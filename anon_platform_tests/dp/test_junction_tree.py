"""Marginals, fits and draws of junction trees, beside the whole joint distribution of small tables."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp.synthetic.draw import drawn
from anon_platform.dp.synthetic.fit import Marginal, Model, fitted
from anon_platform.dp.synthetic.junction import beliefs, cells_of, junction_tree, tree_cells


@st.composite
def scopes_and_sizes(draw):
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    columns = range(len(sizes))
    every = [scope for r in (1, 2, 3) for scope in itertools.combinations(columns, r)]
    return draw(st.lists(st.sampled_from(every), max_size=6, unique=True)), sizes


def spread_over(table, scope, sizes):
    """The table with axes of length 1 for the columns that it has not."""
    return table.reshape([sizes[at] if at in scope else 1 for at in range(len(sizes))])


def summed(joint, scope):
    return joint.sum(axis=tuple(at for at in range(joint.ndim) if at not in scope))


@settings(deadline=None, max_examples=60)
@given(scopes_and_sizes(), st.integers(0, 99))
def test_cliques_have_the_marginals_of_the_joint(case, seed) -> None:
    scopes, sizes = case
    rng = np.random.default_rng(seed)
    potentials = {scope: rng.normal(0, 2, [sizes[at] for at in scope]) for scope in scopes}
    tree = junction_tree(scopes, sizes)
    assert tree_cells(scopes, sizes) == sum(cells_of(clique, sizes) for clique in tree.cliques)
    joint = np.zeros(sizes)
    for scope, potential in potentials.items():
        joint = joint + spread_over(potential, scope, sizes)
    total = np.exp(joint).sum()
    joint = np.exp(joint) / total
    found = Model(tree, potentials, {}, 1.0).cliques()
    for clique, belief in zip(tree.cliques, found, strict=True):
        np.testing.assert_allclose(belief, summed(joint, clique), atol=1e-12)
    logs = [np.zeros(tree.shape(clique)) for clique in tree.cliques]
    assert beliefs(tree, logs)[1] == pytest.approx(np.log(np.prod(sizes)))


@given(scopes_and_sizes())
def test_a_column_stays_connected_in_the_tree(case) -> None:
    """What a clique shares with all before it is in its parent: the running intersection property."""
    scopes, sizes = case
    tree = junction_tree(scopes, sizes)
    assert all(any(set(scope) <= set(clique) for clique in tree.cliques) for scope in scopes)
    for at in range(1, len(tree.cliques)):
        before = set().union(*tree.cliques[:at])
        assert tree.parents[at] < at
        assert set(tree.cliques[at]) & before == set(tree.separators[at])


def correlated(rows, rng):
    """Four columns: a chain a, b, c and one that depends on a and c."""
    a = rng.integers(0, 3, rows)
    b = np.where(rng.random(rows) < 0.7, a, rng.integers(0, 4, rows))
    c = np.where(rng.random(rows) < 0.6, b % 2, rng.integers(0, 2, rows))
    d = np.where(rng.random(rows) < 0.5, (a + c) % 3, rng.integers(0, 3, rows))
    return np.stack([a, b, c, d]), [3, 4, 2, 3]


def table_of(codes, scope, sizes):
    return np.histogramdd(codes[list(scope)].T, [np.arange(sizes[at] + 1) for at in scope])[0]


def believed(codes, scope, sizes, deviation, spread):
    counts = table_of(codes, scope, sizes)
    return Marginal(scope, counts, np.full(counts.shape, deviation), spread)


def test_without_noise_the_model_repeats_what_was_measured() -> None:
    codes, sizes = correlated(5000, np.random.default_rng(1))
    scopes = [(0, 1), (1, 2), (0, 2, 3)]
    tree = junction_tree(scopes, sizes)
    exact = [believed(codes, scope, sizes, 1e-3, 100.0) for scope in scopes]
    model = fitted(tree, exact, {}, 5000.0, steps=2000)
    for one in exact:
        at = tree.home(one.scope)
        found = summed(model.cliques()[at], [tree.cliques[at].index(column) for column in one.scope])
        np.testing.assert_allclose(found * 5000, one.counts, atol=2)


def test_a_marginal_that_is_all_noise_leaves_the_model_alone() -> None:
    codes, sizes = correlated(5000, np.random.default_rng(1))
    ones = [believed(codes, (at,), sizes, 0.1, 1e4) for at in range(4)]
    rng = np.random.default_rng(2)
    noise = Marginal((0, 1), rng.normal(0, 1e5, (3, 4)), np.full((3, 4), 1e5), 30.0)
    tree = junction_tree([(0, 1)], sizes)
    model = fitted(tree, [*ones, noise], {}, 5000.0)
    (home,) = [table for clique, table in zip(tree.cliques, model.cliques(), strict=True) if clique == (0, 1)]
    np.testing.assert_allclose(home, np.outer(home.sum(1), home.sum(0)), atol=0.01)


def test_cells_that_cannot_be_have_no_share() -> None:
    codes, sizes = correlated(2000, np.random.default_rng(3))
    impossible = np.zeros((3, 4), bool)
    impossible[0, 2:] = True
    tree = junction_tree([(0, 1), (1, 3)], sizes)
    given_ = [believed(codes, scope, sizes, 5.0, 100.0) for scope in ((0, 1), (1, 3))]
    model = fitted(tree, given_, {(0, 1): impossible}, 2000.0)
    rows = drawn(model, 3000, np.random.default_rng(4))
    assert not impossible[rows[0], rows[1]].any()
    assert (rows[1] >= 2).any()


def chain(strength=2.0):
    """Three columns, each of which depends on the one before."""
    sizes = [3, 3, 3]
    link = strength * np.eye(3)
    tree = junction_tree([(0, 1), (1, 2)], sizes)
    return Model(tree, {(0, 1): link, (1, 2): link + 0.3 * np.arange(3)}, {}, 1.0), sizes


def test_drawn_rows_are_conditionally_independent() -> None:
    """Given b, c is drawn without regard of a: the G statistic stays within that of chance (χ² with 12 degrees)."""
    model, sizes = chain()
    statistics = []
    for seed in range(200):
        table = table_of(drawn(model, 3000, np.random.default_rng(seed)), (0, 1, 2), sizes)
        by_b = table.sum(axis=(0, 2), keepdims=True)
        free = table.sum(2, keepdims=True) * table.sum(0, keepdims=True) / by_b
        seen = table > 0
        statistics.append(2 * (table[seen] * np.log(table[seen] / free[seen])).sum())
    assert np.mean(statistics) == pytest.approx(12, abs=1.2)  # 3.4 standard errors: √(24/200) = 0.35
    assert np.var(statistics) == pytest.approx(24, rel=0.4)


def test_drawn_rows_have_the_models_marginals_and_less_chance_than_independent_rows() -> None:
    """The cells of a clique are off by less than rows drawn one by one would be."""
    model, sizes = chain()
    tree, rows = model.tree, 2000
    shares = model.cliques()
    off = [[] for _ in tree.cliques]
    for seed in range(100):
        codes = drawn(model, rows, np.random.default_rng(seed))
        for at, clique in enumerate(tree.cliques):
            off[at].append(table_of(codes, clique, sizes) - rows * shares[at])
    for share, errors in zip(shares, off, strict=True):
        alone = np.sqrt(rows * share * (1 - share))
        assert (np.abs(np.mean(errors, axis=0)) <= 0.5 * alone / 10 * 4).all()
        assert (np.std(errors, axis=0) <= 0.5 * alone).all()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_are_drawn_too(rows) -> None:
    model, _ = chain()
    codes = drawn(model, rows, np.random.default_rng(0))
    assert codes.shape == (3, rows)
    assert ((codes >= 0) & (codes < 3)).all()

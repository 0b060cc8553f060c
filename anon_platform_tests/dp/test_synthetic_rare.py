"""Rare codes share one code of the model and part again when rows are drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp import loss_of
from anon_platform.dp.noise import noise_for
from anon_platform.dp.synthetic.layout import EFFORTS, layout
from anon_platform.dp.synthetic.light import learned
from anon_platform.dp.synthetic.rare import merging


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=3), st.integers(0, 9)
)
def test_tables_of_merged_codes_are_counts_of_merged_rows(counts, seed) -> None:
    sizes = [len(line) for line in counts]
    merged = merging(sizes, [np.array(line) for line in counts], [3.0] * len(sizes), set())
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, size, 50) for size in sizes]).astype(np.int32)
    scope = tuple(range(len(sizes)))
    exact = np.zeros(sizes)
    np.add.at(exact, tuple(codes), 1)
    expected = np.zeros(merged.sizes)
    for row in codes.T:
        expected[tuple(merged.places[at][code] for at, code in enumerate(row))] += 1
    np.testing.assert_array_equal(merged.table(exact, scope), expected)
    for place, size, line in zip(merged.places, merged.sizes, counts, strict=True):
        rare = [at for at, count in enumerate(line) if count < 3]
        assert size == (len(line) if len(rare) < 2 else len(line) - len(rare) + 1)
        assert len({int(place[at]) for at in rare}) == (min(len(rare), 1))
        common = [int(place[at]) for at in range(len(line)) if at not in rare]
        assert common == sorted(set(common))


def test_rare_codes_part_by_their_shares_given_the_target() -> None:
    counts = [np.array([500.0, 4, 1, 1]), np.array([250.0, 256])]
    merged = merging([4, 2], counts, [10.0, 10.0], {1})
    assert merged.sizes == (2, 2)
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, 2, 6000), rng.integers(0, 2, 6000)]).astype(np.int32)
    # rare codes 1, 2, 3: with target 0 only the first of them, with target 1 the others, one three times as often
    shares = [np.array([[500.0, 4, -3, 0], [9, 0, 3, 1]]), np.ones((1, 2))]
    parted = merged.parted(codes, 1, shares, rng)
    np.testing.assert_array_equal(merged.merged(parted), codes)
    assert set(parted[0][(codes[0] == 1) & (codes[1] == 0)]) == {1}
    of_ones = np.bincount(parted[0][(codes[0] == 1) & (codes[1] == 1)], minlength=4)
    assert of_ones[:2].tolist() == [0, 0]
    assert of_ones[2] == pytest.approx(3 * of_ones[3], abs=4)


def test_columns_of_the_target_and_of_constraints_keep_their_rare_codes() -> None:
    """Under much noise most of 12 equal codes are rare; the tables drawn have all of them."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 12, (4, 300)).astype(np.int32)
    loss, effort = loss_of(0.5, 1e-6), EFFORTS["fast"]
    zeros = {(2, 3): np.zeros((12, 12), bool)}
    plan = layout([12] * 4, 1, list(zeros), loss, effort)
    found = learned(codes, plan, 1, zeros, 1, effort, rng, lambda _what, _share: None)
    assert noise_for(plan.later_loss, 1).deviation > 20
    assert found.merging.sizes[0] < 12
    assert found.merging.sizes[1:] == (12, 12, 12)
    made = found.drawn(5000, rng)
    assert made.min() == 0
    assert made.max() == 11
    assert len(set(made[0])) > found.merging.sizes[0]

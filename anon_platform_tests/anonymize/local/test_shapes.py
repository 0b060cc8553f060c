"""What groups of leaves look like and lose: ancestors, intervals and sets beside plain Python on plain sets."""

from collections.abc import Callable
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import ladder
from anon_platform.anonymize.local import shapes
from anon_platform.anonymize.local.grouping import Merging
from anon_platform.anonymize.local.shapes import Shape, Span, Subset, Tree
from anon_platform_tests.anonymize.local.recount import Paths

Lost = Callable[[set[int]], float]
"""What a record of a group of leaves loses, by hand."""


@st.composite
def trees(draw: st.DrawFn) -> tuple[Shape, Lost, int]:
    """A hierarchy drawn level by level; a table of all pairs of leaves is kept, or not."""
    width, above = draw(st.integers(1, 9)), draw(st.integers(0, 3))
    level = [f"0.{leaf}" for leaf in range(width)]
    columns = [level]
    for height in range(1, above + 1):
        joined = draw(st.lists(st.integers(0, 3), min_size=width, max_size=width))
        parent = {label: f"{height}.{joined[i]}" for i, label in reversed(list(enumerate(level)))}
        level = [parent[label] for label in level]
        columns.append(level)
    paths = list(zip(*columns, strict=True))
    built = ladder(
        Paths({path[0]: path for path in paths}), pl.Series([p[0] for p in paths]).sort(), column="q"
    )
    with mock.patch.object(shapes, "SMALL", draw(st.sampled_from([0, 2048]))):
        shape = Tree(built, [built.loss(height) for height in range(built.height)])

    def lost(leaves: set[int]) -> float:
        rows = [(*path, "*") for path in paths]
        height = min(h for h in range(above + 2) if len({rows[leaf][h] for leaf in leaves}) == 1)
        same = sum(row[height] == rows[min(leaves)][height] for row in rows)
        return (same - 1) / max(width - 1, 1)

    return shape, lost, width


@st.composite
def spans(draw: st.DrawFn) -> tuple[Shape, Lost, int]:
    """Numbers, some of which only the hierarchy knows; the last leaf may be a null."""
    known = draw(st.integers(1, 12))
    place = draw(st.lists(st.integers(0, known - 1), min_size=1, unique=True))
    null = draw(st.booleans())
    at = np.array([*place, *([-2 * known - 2] if null else [])], np.int64)
    weight, leaves = draw(st.sampled_from([0.25, 1.0])), known + null

    def lost(group: set[int]) -> float:
        if null and len(at) - 1 in group:
            return 0.0 if len(group) == 1 else weight
        ends = [place[leaf] for leaf in group]
        return weight * (max(ends) - min(ends)) / max(leaves - 1, 1)

    return Span(at, [str(i) for i in range(known)], leaves, weight), lost, len(at)


@st.composite
def subsets(draw: st.DrawFn) -> tuple[Shape, Lost, int]:
    """Also more leaves than one integer has bits."""
    width = draw(st.sampled_from([1, 2, 62, 63, 64, 126, 127, 200]))
    leaves, weight = width + draw(st.integers(0, 5)), draw(st.sampled_from([0.25, 1.0]))
    return Subset(width, leaves, weight), lambda g: weight * (len(g) - 1) / max(leaves - 1, 1), width


SHAPES = st.one_of(trees(), spans(), subsets())


@settings(deadline=None, max_examples=300)
@given(SHAPES, st.data())
def test_hulls_lose_what_their_leaves_lose(drawn: tuple[Shape, Lost, int], data: st.DataObject) -> None:
    """Of a whole group, of two groups together, of one leaf, and of each head of a line."""
    shape, lost, width = drawn
    group = st.lists(st.integers(0, width - 1), min_size=1, max_size=6)
    groups = data.draw(st.lists(group, min_size=1, max_size=5))
    line = np.array([leaf for members in groups for leaf in members], np.int32)
    starts = np.cumsum([0, *[len(members) for members in groups[:-1]]])
    hull = shape.hull(line, starts)
    assert shape.loss(hull) == pytest.approx([lost(set(members)) for members in groups], abs=1e-12)
    both = shape.loss(shape.merged(hull[:, :, None], hull[:, None, :]))
    wanted = [[lost({*left, *right}) for right in groups] for left in groups]
    assert both == pytest.approx(np.array(wanted), abs=1e-12)
    assert shape.loss(shape.leaf(line)) == pytest.approx([lost({int(leaf)}) for leaf in line])
    heads = [lost(set(line[: i + 1].tolist())) for i in range(len(line))]
    assert shape.running(np.stack([line, line])) == pytest.approx(np.array([heads, heads]), abs=1e-6)


@settings(deadline=None, max_examples=100)
@given(st.lists(SHAPES, min_size=1, max_size=3), st.data())
def test_the_table_of_all_pairs_is_the_loss_of_their_unions(
    drawn: list[tuple[Shape, Lost, int]], data: st.DataObject
) -> None:
    """Kept whole or made for some rows at a time, in large blocks and small ones."""
    rows, others = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    some = [[data.draw(st.integers(0, width - 1)) for _ in range(rows + others)] for _, _, width in drawn]
    hulls = [
        shape.leaf(np.array(leaves, np.int32)) for (shape, _, _), leaves in zip(drawn, some, strict=True)
    ]
    place = "anon_platform.anonymize.local.grouping"
    limits = data.draw(st.sampled_from([(1, 0), (2_000_000, 0), (9, 40_000_000)]))
    with mock.patch.multiple(place, BLOCK=limits[0], TABLE=limits[1]):
        merging = Merging(
            tuple(shape for shape, _, _ in drawn),
            tuple(hull[:, :rows] for hull in hulls),
            tuple(hull[:, rows:] for hull in hulls),
        )
        table = np.concatenate([block for _, block in merging.blocks(rows)])
    for i in range(rows):
        for j in range(others):
            wanted = sum(
                lost({leaves[i], leaves[rows + j]}) for (_, lost, _), leaves in zip(drawn, some, strict=True)
            )
            assert table[i, j] == pytest.approx(wanted, abs=1e-6)


def test_an_interval_of_all_numbers_is_the_whole_column_and_one_number_is_not() -> None:
    """`*` loses all; of a column with one value nothing is hidden by it."""
    span = Span(np.array([0, 1, 2], np.int64), ["1", "2", "3"], 3, 1.0)
    assert [span.whole(np.array(ends)) for ends in ((0, 2), (0, 1), (1, 1), (-8, 1))] == [
        True, False, False, True,
    ]  # fmt: skip
    assert not Span(np.array([0], np.int64), ["1"], 1, 1.0).whole(np.array([0, 0]))
    beside_null = Span(np.array([0, 1, -6], np.int64), ["1", "2"], 3, 1.0)
    assert [beside_null.whole(np.array(ends)) for ends in ((0, 1), (-6, 0), (-6, -6))] == [False, True, False]
    assert [span.text(place) for place in (0, 2, -8)] == ["1", "3", None]


def test_a_set_knows_its_leaves_in_any_word() -> None:
    """The 64th leaf is the first bit of the second integer."""
    subset = Subset(130, 130, 1.0)
    hull = subset.hull(np.array([0, 62, 63, 129, 63], np.int32), np.array([0]))
    assert subset.leaves_of(hull[:, 0]) == [0, 62, 63, 129]
    assert not subset.whole(hull[:, 0])
    assert subset.whole(subset.hull(np.arange(130, dtype=np.int32), np.array([0]))[:, 0])

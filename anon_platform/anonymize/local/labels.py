"""What groups look like in the release: a label of the hierarchy, an interval of numbers, or a set of values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from anon_platform.anonymize.hierarchy import SUPPRESSED, Ladder
from anon_platform.anonymize.hierarchy.levels import KnowsLeaves, LevelLabels
from anon_platform.anonymize.local.shapes import BARRED, Floats, Hull, Ints, Shape, Span, Subset, Tree

Output = Literal["hierarchy", "intervals"]
"""Labels of the hierarchy; or intervals of numbers, and sets of what are no numbers."""

LARGEST_SET = 512
"""Columns with more values keep their hierarchy's labels: nobody reads a set of hundreds."""


@dataclass(frozen=True)
class Column:
    """One quasi-identifier: its ladder, its hierarchy as a shape, and the shape in which it leaves.

    order: the place of each leaf, where the leaves are numbers. plain: as `tree`, and measure: as `shape`, but what it says is lost is a share of the column, 0 to 1, without weights and caps.
    """

    name: str
    ladder: Ladder
    tree: Tree
    plain: Tree
    shape: Shape
    measure: Shape
    order: Ints | None

    @property
    def kind(self) -> Literal["hierarchy", "interval", "set"]:
        """What its labels are."""
        if isinstance(self.shape, Span):
            return "interval"
        return "set" if isinstance(self.shape, Subset) else "hierarchy"

    def labels(self, hull: Hull) -> tuple[pl.Series, pl.Series]:
        """The label of each group as text, and as the parts that a solution keeps (JSON)."""
        distinct, place = np.unique(hull, axis=1, return_inverse=True)
        texts, parts = zip(*[self._label(state) for state in distinct.T], strict=True)
        at = pl.Series(place.ravel().astype(np.uint32))
        return (
            pl.Series(self.name, texts, dtype=pl.String).gather(at),
            pl.Series(self.name, parts, dtype=pl.String).gather(at),
        )

    def _label(self, state: "np.ndarray") -> tuple[str | None, str]:
        finest = self.ladder.labels[0]
        if isinstance(self.shape, Tree):
            level = int(state[1])
            label = self.ladder.labels[level][int(self.tree.up[level][int(state[0])])]
            return label, json.dumps([self.ladder.names[level], label])
        if isinstance(self.shape, Span):
            low, high = (self.shape.text(int(place)) for place in state)
            if self.shape.whole(state):
                return SUPPRESSED, json.dumps(None)
            return (low if low == high else f"[{low}, {high}]"), json.dumps([low, high])
        assert isinstance(self.shape, Subset)
        members = sorted((finest[int(leaf)] for leaf in self.shape.leaves_of(state)), key=_null_first)
        if len(members) > 1 and self.shape.whole(state):
            return SUPPRESSED, json.dumps(None)
        return (members[0] if len(members) == 1 else set_label(members)), json.dumps(members)


def _null_first(text: str | None) -> tuple[bool, str]:
    return text is not None, text or ""


def set_label(members: Sequence[str | None]) -> str:
    """A set as text; a member that could be mistaken is in quotes.

    >>> set_label(["a", "b, c", None])
    '{a, "b, c", null}'
    """
    return "{" + ", ".join(_member(member) for member in members) + "}"


def _member(text: str | None) -> str:
    if text is None:
        return "null"
    plain = text.strip() == text and text not in {"", "null"} and not set(text) & set(',{}"')
    return text if plain else json.dumps(text, ensure_ascii=False)


def column(name: str, kind: LevelLabels, ladder: Ladder, prices: Sequence[Floats], output: Output) -> Column:
    """The column in its shape. A cap forbids intervals and sets wider than it: such a column keeps its hierarchy."""
    tree, plain = Tree(ladder, prices), Tree(ladder, [ladder.loss(level) for level in range(ladder.height)])
    free = bool((tree.price < BARRED).all()) and _shows_values(ladder)
    finest, leaves = ladder.labels[0], ladder.leaves
    weight = float(tree.price[-1].max(initial=0.0))
    places = _places(finest, kind.leaves() if isinstance(kind, KnowsLeaves) else None)
    order = None if places is None else places[0]
    if output == "hierarchy" or not free or ladder.height == 1:
        return Column(name, ladder, tree, plain, tree, plain, order)
    if places is not None:
        return Column(
            name, ladder, tree, plain, Span(*places, leaves, weight), Span(*places, leaves, 1.0), order
        )
    if len(finest) > LARGEST_SET:
        return Column(name, ladder, tree, plain, tree, plain, order)
    width = len(finest)
    return Column(name, ladder, tree, plain, Subset(width, leaves, weight), Subset(width, leaves, 1.0), order)


def _shows_values(ladder: Ladder) -> bool:
    """Whether the finest labels are the values: an interval or set of other labels would say nothing of a value."""
    finest = ladder.labels[0].gather(pl.Series(ladder.codes[0].astype(np.uint32)))
    return bool((ladder.loss(0) == 0).all()) and finest.equals(ladder.values.cast(pl.String), null_equal=True)


def _places(finest: pl.Series, known: pl.Series | None) -> "tuple[np.ndarray, list[str]] | None":
    """The rank of each label among all leaves, and the leaves in order; None unless all are plain numbers.

    A null is far off (see `Span`).
    """
    texts = finest if known is None else pl.concat([finest, known.cast(pl.String)])
    texts = texts.drop_nulls().unique()
    numbers = texts.cast(pl.Float64, strict=False)
    # 02139 is no number, but a code that is written in digits
    plain = texts.str.contains(r"^-?(0|[1-9]\d*)(\.\d+)?$").all()
    if not len(texts) or not plain or numbers.null_count() or numbers.n_unique() < len(numbers):
        return None
    ordered = texts.gather(numbers.arg_sort())
    index = pl.DataFrame({"text": ordered, "place": np.arange(len(ordered))})
    found = pl.DataFrame({"text": finest}).join(index, on="text", how="left", maintain_order="left")
    return found["place"].fill_null(-2 * len(ordered) - 2).to_numpy().astype(np.int64), ordered.to_list()

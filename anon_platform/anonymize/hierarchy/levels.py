"""A hierarchy applied to the values of one column: labels a level, as codes, with the share of leaves each covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from anon_platform.errors import PolicyError

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import polars as pl

SUPPRESSED = "*"
"""Name and label of the coarsest level, where every value looks the same."""


class LevelLabels(Protocol):
    """What a hierarchy kind has to offer."""

    @property
    def level_names(self) -> tuple[str, ...]:
        """Allowed levels, finest first, without `*`."""
        ...

    def fault(self, dtype: "pl.DataType") -> str | None:
        """What is wrong with a column of this type, and what to write instead; None when nothing is."""
        ...

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """One series of text labels a level, as long as `values`; a null stays null."""
        ...


@runtime_checkable
class KnowsLeaves(Protocol):
    """A hierarchy that may know all its leaves, also those that no record of the data has."""

    def leaves(self) -> "pl.Series | None":
        """All leaf values as distinct texts; None when there is no finite list of them."""
        ...


@runtime_checkable
class FitsItself(Protocol):
    """A hierarchy that may be known only when its column was counted."""

    @property
    def needs_counts(self) -> bool:
        """Whether it is not known before."""
        ...

    def fitted(self, values: "pl.Series", counts: "pl.Series") -> LevelLabels:
        """The hierarchy for distinct `values` with `counts` people each; itself when it needs no counts."""
        ...


def resolved(kind: LevelLabels, values: "pl.Series", counts: "pl.Series") -> LevelLabels:
    """The hierarchy as it stands for a column with these distinct values and so many people at each.

    counts: integers as long as `values`; nobody counts at two values. The same counts give the same hierarchy.
    """
    return kind.fitted(values, counts) if isinstance(kind, FitsItself) else kind


def needs_counts(kind: LevelLabels) -> bool:
    """Whether the hierarchy is known only when its column was counted."""
    return isinstance(kind, FitsItself) and kind.needs_counts


@dataclass(frozen=True)
class Ladder:
    """A hierarchy over the distinct values of one column.

    values: the distinct values (null included when it occurs).
    names: levels, finest allowed first, `*` last.
    labels: one a level; `labels[i][c]` is the label of code `c` at level `i`.
    codes: int32, levels × values; `codes[i, v]` is the code of value `v` at level `i`.
    share: one float array a level; the share of all leaves of the hierarchy that code `c` covers.
    leaves: number of leaves of the hierarchy: the values, and those that it knows beside them.
    """

    values: "pl.Series"
    names: tuple[str, ...]
    labels: "tuple[pl.Series, ...]"
    codes: "np.ndarray"
    share: "tuple[np.ndarray, ...]"
    leaves: int

    @property
    def height(self) -> int:
        """Number of levels, `*` included."""
        return len(self.names)

    def loss(self, level: int) -> "np.ndarray":
        """Loss of each code at `level`: (leaves covered − 1) / (leaves − 1), 0 exact, 1 for `*`.

        Source: Iyengar 2002, as ARX's Loss metric counts it: over the leaves of the hierarchy, not of the data.
        """
        import numpy as np

        if self.leaves <= 1:
            return np.zeros(len(self.share[level]))
        return np.asarray((self.share[level] * self.leaves - 1) / (self.leaves - 1))


def ladder(kind: LevelLabels, values: "pl.Series", *, column: str) -> Ladder:
    """The hierarchy over `values` (distinct), checked: every coarser level joins whole classes of the finer one.

    Leaves that the hierarchy knows and the values lack count as well; a null among the values is a leaf.
    A hierarchy in which one label has two parents raises `PolicyError`, naming column and levels.
    """
    import numpy as np
    import polars as pl

    names = (*kind.level_names, SUPPRESSED)
    others = _other_leaves(kind, values)
    leaves = len(values) + len(others)
    texts = [pl.concat(both) for both in zip(_texts(kind, values), _texts(kind, others), strict=True)]
    _require_one_parent(texts, names, column)
    labels, codes, share = [], [], []
    for text in texts:
        found = text.head(len(values))
        labels.append(found.unique().sort(nulls_last=False))
        codes.append(_positions(found, labels[-1]))
        share.append(_times(labels[-1], text) / max(leaves, 1))
    return Ladder(values, names, tuple(labels), np.stack(codes), tuple(share), leaves)


def _texts(kind: LevelLabels, values: "pl.Series") -> "list[pl.Series]":
    import polars as pl

    stars = pl.Series([SUPPRESSED] * len(values), dtype=pl.String)
    return [*kind.labels(values), stars]


def _other_leaves(kind: LevelLabels, values: "pl.Series") -> "pl.Series":
    """Leaves that the hierarchy knows and no value is, as text."""
    import polars as pl

    known = kind.leaves() if isinstance(kind, KnowsLeaves) else None
    if known is None:
        return values.clear()
    return known.filter(~known.is_in(values.cast(pl.String).drop_nulls().implode()))


def _positions(text: "pl.Series", distinct: "pl.Series") -> "np.ndarray":
    import numpy as np
    import polars as pl

    index = pl.DataFrame({"label": distinct, "code": np.arange(len(distinct), dtype=np.int32)})
    found = pl.DataFrame({"label": text}).join(
        index, on="label", how="left", nulls_equal=True, maintain_order="left"
    )
    return found["code"].to_numpy().astype(np.int32)


def _times(labels: "pl.Series", text: "pl.Series") -> "np.ndarray":
    """How often each of `labels` stands in `text`."""
    import polars as pl

    counted = pl.DataFrame({"label": text}).group_by("label").len()
    found = pl.DataFrame({"label": labels}).join(
        counted, on="label", how="left", nulls_equal=True, maintain_order="left"
    )
    return found["len"].to_numpy()


def _require_one_parent(texts: "Sequence[pl.Series]", names: Sequence[str], column: str) -> None:
    import polars as pl

    for level in range(len(texts) - 1):
        pairs = pl.DataFrame({"fine": texts[level], "coarse": texts[level + 1]}).unique()
        if pairs.height != texts[level].n_unique():
            raise PolicyError(
                f"column {column}: a label of level {names[level]} has two parents at level {names[level + 1]};"
                " give every label one parent"
            )

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
    of_values, of_others = _texts(kind, values), _texts(kind, others)
    labels, codes, share, whole = [], [], [], []
    for text, other in zip(of_values, of_others, strict=True):
        distinct = text.unique(maintain_order=False).sort(nulls_last=False)
        everything = pl.concat([distinct, other.unique().filter(~other.unique().is_in(distinct.implode()))])
        whole.append(_positions(pl.concat([text, other]), everything))
        covered = np.bincount(whole[-1], minlength=len(everything))[: len(distinct)]
        labels.append(distinct)
        codes.append(whole[-1][: len(values)])
        share.append(covered / max(leaves, 1))
    _require_one_parent(whole, names, column)
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


def _require_one_parent(codes: "Sequence[np.ndarray]", names: Sequence[str], column: str) -> None:
    import numpy as np

    for level in range(len(codes) - 1):
        pairs = np.unique(np.stack([codes[level], codes[level + 1]]), axis=1)
        if pairs.shape[1] != len(np.unique(codes[level])):
            raise PolicyError(
                f"column {column}: a label of level {names[level]} has two parents at level {names[level + 1]};"
                " give every label one parent"
            )

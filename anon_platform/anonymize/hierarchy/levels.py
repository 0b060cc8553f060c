"""A hierarchy applied to the values of one column: labels a level, as codes, with the share of leaves each covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import polars as pl

from anon_platform.errors import PolicyError

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np

SUPPRESSED = "*"
"""Name and label of the coarsest level, where every value looks the same."""


class LevelLabels(Protocol):
    """What a hierarchy kind has to offer."""

    @property
    def level_names(self) -> tuple[str, ...]:
        """Allowed levels, finest first, without `*`."""
        ...

    def fault(self, dtype: pl.DataType) -> str | None:
        """What is wrong with a column of this type, and what to write instead; None when nothing is."""
        ...

    def labels(self, values: pl.Series) -> list[pl.Series]:
        """One series of text labels a level, as long as `values`; a null stays null."""
        ...


@dataclass(frozen=True)
class Ladder:
    """A hierarchy over the distinct values of one column.

    values: the distinct values (null included when it occurs), the leaves.
    names: levels, finest allowed first, `*` last.
    labels: one a level; `labels[i][c]` is the label of code `c` at level `i`.
    codes: int32, levels × leaves; `codes[i, v]` is the code of leaf `v` at level `i`.
    share: one float array a level; the share of all leaves that code `c` covers.
    """

    values: pl.Series
    names: tuple[str, ...]
    labels: tuple[pl.Series, ...]
    codes: "np.ndarray"
    share: "tuple[np.ndarray, ...]"

    @property
    def height(self) -> int:
        """Number of levels, `*` included."""
        return len(self.names)

    def loss(self, level: int) -> "np.ndarray":
        """Loss of each code at `level`: (leaves covered − 1) / (leaves − 1), 0 exact, 1 for `*`.

        Source: Iyengar 2002, as ARX's Loss metric counts it.
        """
        import numpy as np

        leaves = len(self.values)
        if leaves <= 1:
            return np.zeros(len(self.share[level]))
        return np.asarray((self.share[level] * leaves - 1) / (leaves - 1))


def ladder(kind: LevelLabels, values: pl.Series, *, column: str) -> Ladder:
    """The hierarchy over `values` (distinct), checked: every coarser level joins whole classes of the finer one.

    A hierarchy in which one label has two parents raises `PolicyError`, naming column and levels.
    """
    import numpy as np

    names = (*kind.level_names, SUPPRESSED)
    texts = [*kind.labels(values), pl.Series([SUPPRESSED] * len(values), dtype=pl.String)]
    labels, codes, share = [], [], []
    for text in texts:
        distinct = text.unique(maintain_order=False).sort(nulls_last=False)
        labels.append(distinct)
        codes.append(_positions(text, distinct))
        share.append(np.bincount(codes[-1], minlength=len(distinct)) / max(len(values), 1))
    _require_one_parent(codes, names, column)
    stacked = np.stack(codes) if codes else np.zeros((0, 0), np.int32)
    return Ladder(values, names, tuple(labels), stacked, tuple(share))


def _positions(text: pl.Series, distinct: pl.Series) -> "np.ndarray":
    import numpy as np

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

"""What a label costs: the loss of each quasi-identifier by its weight, and nothing at all above its coarsest level.

A record loses the sum over its labels, 0 to 1; one that is suppressed loses 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anon_platform.anonymize.hierarchy import Ladder
from anon_platform.anonymize.k_anonymity.grouped import Floats, Grouped
from anon_platform.anonymize.k_anonymity.look import Gone
from anon_platform.errors import PolicyError

Prices = tuple[tuple[Floats, ...], ...]
"""`prices[i][level][code]`: what a record loses by that label of quasi-identifier i."""


def prices(
    ladders: Sequence[Ladder],
    weights: Sequence[float] | None = None,
    caps: Sequence[int | None] | None = None,
) -> Prices:
    """For each quasi-identifier and level the price of every code: weight / sum of weights × loss; ∞ above its cap.

    weights: one a quasi-identifier, ≥ 0, not all 0; None: all equal. caps: the coarsest level allowed; None: any.
    Source of the loss: Iyengar 2002, as ARX's Loss metric counts it; see `Ladder.loss`.

    >>> import polars as pl
    >>> from anon_platform.anonymize.hierarchy import Intervals, ladder
    >>> age = ladder(Intervals(kind="intervals", widths=(1, 2)), pl.Series([0, 1, 2]), column="age")
    >>> [level.tolist() for level in prices([age])[0]]
    [[0.0, 0.0, 0.0], [0.5, 0.0], [1.0]]
    >>> [level.tolist() for level in prices([age, age], weights=[3, 1], caps=[1, None])[0]]
    [[0.0, 0.0, 0.0], [0.375, 0.0], [inf]]
    """
    shares = _shares(weights, len(ladders))
    coarsest = [None] * len(ladders) if caps is None else caps
    return tuple(
        tuple(
            np.full(len(ladder.share[level]), np.inf)
            if cap is not None and level > cap
            else ladder.loss(level) * share
            for level in range(ladder.height)
        )
        for ladder, share, cap in zip(ladders, shares, coarsest, strict=True)
    )


def _shares(weights: Sequence[float] | None, count: int) -> Sequence[float]:
    if weights is None:
        return [1 / count] * count if count else []
    total = float(sum(weights))
    if not np.isfinite(total) or min(weights, default=0) < 0 or (count and total <= 0):
        raise PolicyError(
            "weights: a weight is a finite number, 0 or more, and at least one of them more than 0"
        )
    return [weight / total for weight in weights]


def weights_of(names: Sequence[str], weights: Mapping[str, float] | None) -> list[float] | None:
    """The weight of each quasi-identifier, 1 where none is given; one of no quasi-identifier raises `PolicyError`."""
    if not weights:
        return None
    _require_known(weights, names, "weights")
    return [weights.get(name, 1.0) for name in names]


def caps_of(ladders: Mapping[str, Ladder], caps: Mapping[str, str] | None) -> list[int | None] | None:
    """The coarsest level allowed of each quasi-identifier; an unknown level raises `PolicyError`, saying which exist."""
    if not caps:
        return None
    _require_known(caps, list(ladders), "caps")
    return [_cap(name, ladder, caps[name]) if name in caps else None for name, ladder in ladders.items()]


def _cap(name: str, ladder: Ladder, level: str) -> int:
    if level not in ladder.names:
        raise PolicyError(
            f"caps: column {name} has no level {level}; its levels are {', '.join(ladder.names)}"
        )
    return ladder.names.index(level)


def _require_known(given: Mapping[str, object], names: Sequence[str], what: str) -> None:
    if unknown := sorted(set(given) - set(names)):
        raise PolicyError(
            f"{what}: {', '.join(unknown)} is no quasi-identifier; these are {', '.join(names) or 'none'}"
        )


@dataclass(frozen=True)
class Costs:
    """What whole nodes cost, by prices alone. Levels above a cap do not exist here.

    leaf: for each quasi-identifier, levels × codes at the finest level, what a record with that leaf loses.
    mean: for each quasi-identifier, by level, what all records together lose, as a share of `records`.
    """

    leaf: tuple[Floats, ...]
    mean: tuple[Floats, ...]
    records: int

    @classmethod
    def of(cls, bottom: Grouped, ladders: Sequence[Ladder], at: Prices) -> "Costs":
        """For the classes `bottom` at the finest levels."""
        leaf = tuple(_by_leaf(ladder, levels) for ladder, levels in zip(ladders, at, strict=True))
        total = max(int(bottom.records.sum()), 1)
        weights = bottom.records.astype(np.float64)
        mean = tuple(
            table @ np.bincount(codes, weights=weights, minlength=table.shape[1]) / total
            for table, codes in zip(leaf, bottom.codes, strict=True)
        )
        return cls(leaf, mean, total)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of allowed levels of each quasi-identifier."""
        return tuple(len(levels) for levels in self.mean)

    def kept(self, gone: Gone) -> tuple[Floats, ...]:
        """As `mean`, of the records that are not gone only; with `lost`, the loss of nodes that suppress just these."""
        return tuple(
            mean - table @ by_leaf / self.records
            for mean, table, by_leaf in zip(self.mean, self.leaf, gone.by_leaf, strict=True)
        )

    def lost(self, gone: Gone) -> float:
        """What records that are gone lose: all."""
        return gone.records / self.records

    def loss(self, node: Sequence[int], gone: Gone) -> float:
        """What all records lose at a node that suppresses `gone`, 0 to 1."""
        return self.lost(gone) + sum(
            float(levels[level]) for levels, level in zip(self.kept(gone), node, strict=True)
        )


def _by_leaf(ladder: Ladder, levels: Sequence[Floats]) -> Floats:
    """Levels × codes at the finest level, up to the coarsest level that is allowed."""
    allowed = [level for level, at in enumerate(levels) if np.isfinite(at).all()]
    table = np.zeros((len(allowed), len(ladder.share[0])))
    for level in allowed:
        table[level, ladder.codes[0]] = levels[level][ladder.codes[level]]
    return table

"""A local recoding counted again from its released rows, in plain Python: what each label covers, loses, and who shares it."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest

from anon_platform.anonymize.hierarchy import SUPPRESSED
from anon_platform.anonymize.hierarchy.levels import KnowsLeaves, LevelLabels
from anon_platform.anonymize.local import Recoded
from anon_platform.frequency import (
    BetaLikeness,
    ColumnModel,
    DeltaDisclosure,
    DistinctL,
    EntropyL,
    OrderedTCloseness,
    RecursiveL,
    TCloseness,
)
from anon_platform_tests import model_oracles

HAIR = 1e-9
Row = dict[str, Any]
Value = str | int | None
Check = Callable[[list[str], list[str]], bool]
"""Whether the values of a class meet a model, beside those of all records that leave."""

MODELS: list[tuple[ColumnModel, Check]] = [
    (DistinctL(model="distinct_l", l=2), lambda c, _: len(set(c)) >= 2),
    (EntropyL(model="entropy_l", l=1.9), lambda c, _: model_oracles.entropy_number(c) >= 1.9 - HAIR),
    (
        RecursiveL(model="recursive_l", c=2.5, l=2),
        lambda c, _: model_oracles.commonest_against_rare(c, 2) < 2.5,
    ),
    (
        TCloseness(model="t_closeness", distance="equal", t=0.3),
        lambda c, table: total_variation(c, table) <= 0.3 + HAIR,
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
        lambda c, table: crossing(c, table) <= 0.2 + HAIR,
    ),
]
"""Models with their checks by hand."""


def total_variation(members: list[str], table: list[str]) -> float:
    """Half the sum of the differences of all shares."""
    common = sum(
        min(model_oracles.share(v, members), model_oracles.share(v, table)) for v in sorted(set(table))
    )
    return 1 - float(common)


def crossing(members: list[str], table: list[str]) -> float:
    """Earth mover's distance in the order of the values that leave: what crosses each gap between neighbours."""
    order = sorted(set(table))
    gaps = [
        sum(model_oracles.share(v, members) - model_oracles.share(v, table) for v in order[:i])
        for i in range(1, len(order))
    ]
    return float(sum(abs(gap) for gap in gaps)) / max(len(order) - 1, 1)


@dataclass(frozen=True)
class Paths:
    """A hierarchy written as paths: for each leaf its labels from the first level up. known: all are leaves of it."""

    paths: Mapping[str, tuple[str, ...]]
    known: bool = True

    @property
    def level_names(self) -> tuple[str, ...]:
        """One a label of a path."""
        return tuple(f"level {i}" for i in range(len(next(iter(self.paths.values())))))

    def fault(self, dtype: pl.DataType) -> str | None:  # noqa: ARG002 - the protocol has it
        """Nothing is wrong."""
        return None

    def labels(self, values: pl.Series) -> list[pl.Series]:
        """By looking up; a value without a path is a `KeyError`."""
        found = [None if v is None else self.paths[v] for v in values.cast(pl.String)]
        return [
            pl.Series([None if path is None else path[i] for path in found], dtype=pl.String)
            for i in range(len(self.level_names))
        ]

    def leaves(self) -> pl.Series | None:
        """All that have a path, if that is known."""
        return pl.Series(list(self.paths), dtype=pl.String) if self.known else None


@dataclass(frozen=True)
class Wanted:
    """What is asked of a release."""

    k: int
    share: float = 0.0
    models: tuple[int, ...] = ()
    """Places in `MODELS`."""
    attackers: tuple[tuple[tuple[str, ...], int], ...] = ()
    mean_risk: float | None = None
    unique_records: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Leaves:
    """The leaves of one column: of the data, and those that the hierarchy knows."""

    kind: LevelLabels
    values: list[Value]
    paths: dict[Value, tuple[str | None, ...]]

    @classmethod
    def of(cls, kind: LevelLabels, column: pl.Series) -> "Leaves":
        """As they stand in this column."""
        known = kind.leaves() if isinstance(kind, KnowsLeaves) else None
        values = column.unique().to_list()
        texts = {None if value is None else str(value) for value in values}
        values += [leaf for leaf in ([] if known is None else known.to_list()) if leaf not in texts]
        series = pl.Series(values, dtype=column.dtype)
        paths = zip(*[level.to_list() for level in kind.labels(series)], strict=True)
        return cls(kind, values, {v: (*path, SUPPRESSED) for v, path in zip(values, paths, strict=True)})

    def loss_of_label(self, value: Value, label: str | None) -> tuple[float, int]:
        """What a value loses as this ancestor, and the level; a label that is no ancestor fails."""
        level = self.paths[value].index(label)
        covered = sum(path[level] == label for path in self.paths.values())
        return (covered - 1) / max(len(self.values) - 1, 1), level

    def loss_of_interval(self, value: Value, label: str | None) -> float:
        """What a value loses in an interval that contains it."""
        if label == SUPPRESSED or label is None:
            assert label is not None or value is None
            return 1.0 if label == SUPPRESSED else 0.0
        low, high = [float(v) for v in label[1:-1].split(", ")] if label[0] == "[" else [float(label)] * 2
        assert value is not None
        assert low <= float(value) <= high
        inside = sum(v is not None and low <= float(v) <= high for v in self.values)
        return (inside - 1) / max(len(self.values) - 1, 1)

    def loss_of_set(self, value: Value, label: str | None) -> float:
        """What a value loses in a set that contains it."""
        if label == SUPPRESSED:
            return 1.0 if len(self.values) > 1 else 0.0
        members: list[str | None] = [label]
        if label is not None and label.startswith("{"):
            members = [None if part == "null" else part for part in label[1:-1].split(", ")]
        assert value in members
        assert len(set(members)) == len(members)
        return (len(members) - 1) / max(len(self.values) - 1, 1)


def recount(
    rows: pl.DataFrame, hierarchies: Mapping[str, LevelLabels], found: Recoded, wanted: Wanted
) -> None:
    """Fails where the released rows do not meet what is wanted, or the result says something else of them.

    rows: one a record, with the quasi-identifiers, `who` and `dx`.
    """
    names = list(hierarchies)
    released = found.release(rows)
    out = released.to_dicts()
    kept = [at for at, row in enumerate(out) if row["kept"]]
    allowed = int(wanted.share * rows.height + HAIR)
    assert found.records == rows.height
    assert found.suppressed == rows.height - len(kept) <= allowed
    assert all(set(row.values()) == {SUPPRESSED, False} for row in out if not row["kept"])
    _met(rows.to_dicts(), [tuple(row[name] for name in names) for row in out], kept, names, wanted)
    lost = dict.fromkeys(names, 0.0)
    for name, kind in hierarchies.items():
        leaves = Leaves.of(kind, rows[name])
        for at in kept:
            lost[name] += _lost(
                leaves, found.kinds[name], rows[name][at], out[at][name], wanted.caps.get(name)
            )
    gone = rows.height - len(kept)
    shares = {name: (lost[name] + gone) / rows.height for name in names}
    assert found.by_column == approx(shares)
    assert abs(found.information_loss - sum(shares.values()) / len(names)) < 1e-7
    stars = {name: sum(out[at][name] == SUPPRESSED for at in kept) / len(kept) for name in names}
    assert found.suppressed_cells == approx(stars)
    weights = {name: wanted.weights.get(name, 1.0) for name in names}
    loss = sum(weights[name] * shares[name] for name in names) / sum(weights.values())
    assert abs(found.loss - loss) < 1e-7
    assert found.classes == len({tuple(out[at].values()) for at in kept})
    same: dict[tuple[Any, ...], set[tuple[Any, ...]]] = defaultdict(set)
    for row, labels in zip(rows.select(names).rows(), out, strict=True):
        same[row].add(tuple(labels.values()))
    assert all(len(labels) == 1 for labels in same.values())


def approx(numbers: Mapping[str, float]) -> Any:
    """The numbers, but for their last digits."""
    return pytest.approx(dict(numbers), abs=1e-7)


def _lost(leaves: Leaves, kind: str, value: Value, label: str | None, cap: str | None) -> float:
    if kind == "interval":
        return leaves.loss_of_interval(value, label)
    if kind == "set":
        return leaves.loss_of_set(value, label)
    lost, level = leaves.loss_of_label(value, label)
    names = [*leaves.kind.level_names, SUPPRESSED]
    assert cap is None or level <= names.index(cap)
    return lost


def _met(
    rows: Sequence[Row], labels: Sequence[tuple[Any, ...]], kept: list[int], names: list[str], wanted: Wanted
) -> None:
    classes: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for at in kept:
        classes[labels[at]].append(at)

    def people(members: Sequence[int]) -> int:
        return len({rows[at]["who"] for at in members})

    table = [rows[at]["dx"] for at in kept]
    for members in classes.values():
        assert people(members) >= wanted.k
        for model in wanted.models:
            assert MODELS[model][1]([rows[at]["dx"] for at in members], table)
    for knows, least in wanted.attackers:
        seen: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for at in kept:
            seen[tuple(labels[at][names.index(name)] for name in knows)].append(at)
        assert all(people(members) >= least for members in seen.values())
    mean = sum(len(members) / people(members) for members in classes.values()) / len(kept)
    alone = sum(len(members) for members in classes.values() if people(members) == 1) / len(kept)
    assert wanted.mean_risk is None or mean <= wanted.mean_risk + HAIR
    assert wanted.unique_records is None or alone <= wanted.unique_records + HAIR


def state_of(found: Recoded) -> str:
    """The whole result as text, whatever the order of its rows."""
    of = sorted(map(str, found.of.rows()))
    return json.dumps([found.solution(), of, found.loss, found.suppressed])

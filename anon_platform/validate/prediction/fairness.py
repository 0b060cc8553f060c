"""Whether anonymization costs one group of people more than the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.policy.utility import Cell
from anon_platform.validate.prediction.bootstrap import Interval, Resamples, interval_of
from anon_platform.validate.prediction.scores import Bools, Floats, Ranked

OTHERS = "others"


@dataclass(frozen=True)
class Group:
    """One group of held-out people. before, after: area under the curve of both models within it.

    excess: what the group loses beyond what everybody loses, in area under the curve, with its 95 % interval. recall and
    false_alarms: before and after, where scores from the share of events among original training rows on are alarms.
    """

    column: str
    name: str
    people: int
    before: float
    after: float
    excess: float
    interval: Interval
    recall: tuple[float, float]
    false_alarms: tuple[float, float]


@dataclass(frozen=True)
class Fairness:
    """groups: those with enough people and both outcomes. hidden: by column, how many groups had not. compared: groups.

    With so many groups compared, about one in twenty has an interval without 0 by chance alone.
    """

    groups: list[Group]
    hidden: dict[str, int]

    @property
    def worst(self) -> Group | None:
        """The group that loses most beyond what everybody loses."""
        return max(self.groups, key=lambda group: group.excess, default=None)


@dataclass(frozen=True)
class HeldOut:
    """Held-out rows: truth, scores of both models, person of each, and the score from which on there is an alarm."""

    truth: Bools
    before: Floats
    after: Floats
    person: np.ndarray
    cut: float


def measure_fairness(
    tested: HeldOut,
    rows: pl.DataFrame,
    groups: Mapping[str, Sequence[Cell]],
    resamples: Resamples,
    least: int,
) -> Fairness:
    """Every group that the policy names, and the others of its column. rows: held-out rows with the columns of groups.

    least: people that a group needs to be shown, with both outcomes among them.
    """
    members: dict[tuple[str, str], np.ndarray] = {}
    hidden: dict[str, int] = {}
    for column, values in groups.items():
        for name, inside in _members(rows[column], values):
            many = len(np.unique(tested.person[inside])) >= least
            positive, negative = (
                len(np.unique(tested.person[inside & (tested.truth == side)])) for side in (True, False)
            )
            if many and min(positive, negative) >= least:
                members[column, name] = inside
            elif inside.any():
                hidden[column] = hidden.get(column, 0) + 1
    excess = _excess(tested, members, resamples)
    return Fairness([_group(tested, key, inside, excess[key]) for key, inside in members.items()], hidden)


def _members(values: pl.Series, named: Sequence[Cell]) -> list[tuple[str, np.ndarray]]:
    """For each group which rows are in it; those in none are the others."""
    texts = values.cast(pl.String)
    names = [str(one).lower() if isinstance(one, bool) else str(one) for one in named]
    found = [(name, (texts == name).fill_null(value=False).to_numpy()) for name in names]
    rest = ~np.logical_or.reduce([inside for _, inside in found])
    return [*found, (OTHERS, rest)]


def _excess(
    tested: HeldOut, members: Mapping[tuple[str, str], np.ndarray], resamples: Resamples
) -> dict[tuple[str, str], Floats]:
    """For each group its excess loss: of all people first, then of every sample of people."""
    everybody = np.ones(len(tested.truth), dtype=bool)
    ranked = {key: _ranked(tested, inside) for key, inside in {("", ""): everybody, **members}.items()}
    lost: dict[tuple[str, str], list[Floats]] = {key: [] for key in ranked}
    for weights in [np.ones((1, len(tested.truth))), *resamples.weights()]:
        for key, (inside, before, after) in ranked.items():
            own = weights[:, inside]
            lost[key].append(before.area_under_curve(own) - after.area_under_curve(own))
    whole = {key: np.concatenate(parts) for key, parts in lost.items()}
    return {key: whole[key] - whole["", ""] for key in members}


def _ranked(tested: HeldOut, inside: np.ndarray) -> tuple[np.ndarray, Ranked, Ranked]:
    truth = tested.truth[inside]
    before, after = (Ranked.of(truth, side[inside]) for side in (tested.before, tested.after))
    return inside, before, after


def _group(tested: HeldOut, key: tuple[str, str], inside: np.ndarray, excess: Floats) -> Group:
    truth = tested.truth[inside]
    alarms = [side[inside] >= tested.cut for side in (tested.before, tested.after)]
    areas = [
        float(Ranked.of(truth, side[inside]).area_under_curve(np.ones((1, int(inside.sum()))))[0])
        for side in (tested.before, tested.after)
    ]
    recall, false_alarms = (
        [float(alarm[truth == side].mean()) for alarm in alarms] for side in (True, False)
    )
    return Group(
        *key,
        len(np.unique(tested.person[inside])),
        areas[0],
        areas[1],
        float(excess[0]),
        interval_of(excess[1:]),
        (recall[0], recall[1]),
        (false_alarms[0], false_alarms[1]),
    )

"""The model loss alone, for many treatments of the same rows: the original model is trained once."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.policy import Model
from anon_platform.table import PERSON
from anon_platform.validate.files import alike
from anon_platform.validate.prediction.bootstrap import Interval, Resamples, interval_of
from anon_platform.validate.prediction.learners import FOLDS, encoded, learnt
from anon_platform.validate.prediction.measure import is_positive, split_people
from anon_platform.validate.prediction.scores import (
    CHANCE,
    Bools,
    Floats,
    Ranked,
    area_under_curve,
    lost_lift,
)


@dataclass(frozen=True)
class Trained:
    """The model of the original rows on held-out people: truth, scores, person of each row."""

    truth: Bools
    scores: Floats
    person: np.ndarray
    train: pl.Series
    test: pl.Series

    def beside(
        self, released: pl.DataFrame, everybody: pl.DataFrame, model: Model
    ) -> tuple[float, Interval] | str:
        """Loss with its interval, as of `measure_model`; or in words why there is none.

        released: rows that leave, as they leave; everybody: all rows at that detail, in the order of the originals.
        """
        train = released.filter(pl.col(PERSON).is_in(self.train.implode()))
        test = everybody.filter(pl.col(PERSON).is_in(self.test.implode()))
        fault = fault_of(train, model)
        if fault is not None:
            return fault
        for name in model.features:
            wanted, found = alike(test[name], train[name])
            test, train = test.with_columns(wanted), train.with_columns(found)
        scores = _scores(train, test, model)
        ranked = [Ranked.of(self.truth, one) for one in (self.scores, scores)]
        areas = [one.area_under_curve(np.ones((1, len(self.truth))))[0] for one in ranked]
        drawn = Resamples.of(self.person, model.seed).each(
            {"before": ranked[0].area_under_curve, "after": ranked[1].area_under_curve}
        )
        losses = [lost_lift(*pair) for pair in zip(drawn["before"], drawn["after"], strict=True)]
        return lost_lift(float(areas[0]), float(areas[1])), interval_of(np.array(losses))


def trained(rows: pl.DataFrame, model: Model) -> Trained | str:
    """The first learner of the policy on original rows; or in words why none can be trained."""
    train, test = split_people(rows[PERSON], model)
    learnt_from = rows.filter(pl.col(PERSON).is_in(train.implode()))
    held_out = rows.filter(pl.col(PERSON).is_in(test.implode()))
    for part in (learnt_from, held_out):
        fault = fault_of(part, model)
        if fault is not None:
            return fault
    truth = is_positive(held_out, model).to_numpy()
    scores = _scores(learnt_from, held_out, model)
    if area_under_curve(truth, scores) <= CHANCE:
        return "the original model is no better than chance on held-out people"
    return Trained(truth, scores, held_out[PERSON].to_numpy(), train, test)


def fault_of(rows: pl.DataFrame, model: Model) -> str | None:
    """Why nothing can be learnt from the rows."""
    if rows[PERSON].n_unique() < FOLDS:
        return f"fewer than {FOLDS} people to learn from"
    if is_positive(rows, model).n_unique() < 2:  # noqa: PLR2004 - a target needs two classes
        return f"the rows hold one class of {model.target.column} only"
    return None


def _scores(train: pl.DataFrame, test: pl.DataFrame, model: Model) -> Floats:
    side = encoded(train, is_positive(train, model).to_numpy(), test, model)
    return learnt(side, model.learners[0], model.seed).scores(side.test)

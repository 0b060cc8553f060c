"""The model the data is for, trained twice: on the original and on the released rows, tested on the same held-out people."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.policy import Model
from anon_platform.policy.model import Learner
from anon_platform.table import PERSON, ROW
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import alike, read_released
from anon_platform.validate.prediction.bootstrap import Interval, Resamples, interval_of
from anon_platform.validate.prediction.calibration import Calibration, measure_calibration
from anon_platform.validate.prediction.fairness import Fairness, HeldOut, measure_fairness
from anon_platform.validate.prediction.importance import Importance, measure_importance
from anon_platform.validate.prediction.learners import FOLDS, Encoded, Fitted, encoded, learnt
from anon_platform.validate.prediction.scores import (
    CHANCE,
    CUT,
    Bools,
    Curve,
    Floats,
    Ranked,
    area_under_curve,
    lost_lift,
)

SMALL_GROUP = 11
"""People that a group needs to be shown, where the policy's k does not ask for more (CMS cell size suppression policy)."""


MEASURES = ("auc", "average_precision", "brier", "accuracy")


@dataclass(frozen=True)
class Measured:
    """A measure with its 95 % interval over held-out people."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Side:
    """One model on held-out people."""

    auc: Measured
    average_precision: Measured
    brier: Measured
    accuracy: Measured
    calibration: Calibration


@dataclass(frozen=True)
class Comparison:
    """One learner, trained on original and on released rows. loss: as of `ModelLoss`."""

    learner: str
    original: Side
    released: Side
    loss: float
    interval: Interval


@dataclass(frozen=True)
class ModelLoss:
    """loss: share of the original model's lift over chance that is lost, (AUC0 − AUC1) / (AUC0 − 0.5).

    interval: 95 % percentile bootstrap over held-out people of the loss. Below zero the released rows did better. All this
    is of the first learner of the policy; learners: of each. events: share of them among held-out rows.
    """

    original: Curve
    released: Curve
    loss: float
    interval: Interval
    train_rows: int
    train_rows_released: int
    test_rows: int
    test_people: int
    people: int
    events: float
    learners: list[Comparison]
    importance: Importance
    fairness: Fairness


@dataclass(frozen=True)
class Rows:
    """What is learnt from and tested on; released rows at the detail in which they leave."""

    train: pl.DataFrame
    train_released: pl.DataFrame
    test: pl.DataFrame
    test_released: pl.DataFrame
    people: tuple[int, int]
    """In training and held out."""


def measure_model(evidence: Evidence, model: Model) -> ModelLoss | str:
    """Both models on held-out people, or in words why they cannot be compared.

    Held-out people keep their original rows, suppressed ones included. The released model reads them at
    the released detail (the published levels), as it would read a new patient. The split is by person, so no person is on
    both sides.
    """
    rows = _rows(evidence, model)
    if min(part[PERSON].n_unique() for part in (rows.train, rows.train_released)) < FOLDS:
        return f"fewer than {FOLDS} people to learn from"
    parts = ((rows.train, "original"), (rows.train_released, "released"), (rows.test, "held-out"))
    for part, what in parts:
        if is_positive(part, model).n_unique() < 2:  # noqa: PLR2004 - a target needs two classes
            return f"the {what} rows hold one class of {model.target.column} only; nothing can be learnt from them"
    truth = is_positive(rows.test, model).to_numpy()
    sides = _encoded(rows, model)
    fitted = {learner: _in_parallel(learner, sides, model.seed) for learner in model.learners}
    scores = {
        learner: [one.scores(side.test) for one, side in zip(models, sides, strict=True)]
        for learner, models in fitted.items()
    }
    first = model.learners[0]
    if area_under_curve(truth, scores[first][0]) <= CHANCE:
        return "the original model is no better than chance on held-out people, so no loss can be stated"
    least = max(evidence.policy.thresholds.k or 0, SMALL_GROUP)
    return _compared(rows, model, truth, (sides, fitted[first]), scores, least)


def _compared(
    rows: Rows,
    model: Model,
    truth: Bools,
    first: tuple[list[Encoded], list[Fitted]],
    scores: dict[Learner, list[Floats]],
    least: int,
) -> ModelLoss:
    person = rows.test[PERSON].to_numpy()
    resamples = Resamples.of(person, model.seed)
    found = [_comparison(learner, truth, both, person, resamples, least) for learner, both in scores.items()]
    before, after = scores[model.learners[0]]
    cut = float(is_positive(rows.train, model).mean() or 0.0)  # type: ignore[arg-type]
    tested = HeldOut(truth, before, after, person, cut)
    (encoded_before, encoded_after), (fitted_before, fitted_after) = first
    return ModelLoss(
        Curve.of(truth, before),
        Curve.of(truth, after),
        found[0].loss,
        found[0].interval,
        rows.train.height,
        rows.train_released.height,
        rows.test.height,
        rows.people[1],
        sum(rows.people),
        float(truth.mean()),
        found,
        measure_importance((encoded_before, fitted_before), (encoded_after, fitted_after), truth, model.seed),
        measure_fairness(tested, rows.test, model.groups, resamples, least),
    )


def _comparison(
    learner: str, truth: Bools, both: list[Floats], person: np.ndarray, resamples: Resamples, least: int
) -> Comparison:
    measures = {
        f"{side} {name}": measure
        for side, scores in zip(("before", "after"), both, strict=True)
        for name, measure in _measures(truth, scores).items()
    }
    drawn = resamples.each(measures)
    whole = {name: float(measure(np.ones((1, len(truth))))[0]) for name, measure in measures.items()}
    sides = []
    for side, scores in zip(("before", "after"), both, strict=True):
        values = {name: (whole[f"{side} {name}"], interval_of(drawn[f"{side} {name}"])) for name in MEASURES}
        calibration = measure_calibration(truth, scores, person, least)
        sides.append(
            Side(**{name: Measured(*value) for name, value in values.items()}, calibration=calibration)
        )
    losses = [lost_lift(*pair) for pair in zip(drawn["before auc"], drawn["after auc"], strict=True)]
    loss = lost_lift(whole["before auc"], whole["after auc"])
    return Comparison(learner, sides[0], sides[1], loss, interval_of(np.array(losses)))


def _measures(truth: Bools, scores: Floats) -> dict[str, Callable[[Floats], Floats]]:
    """By name, of weightings × rows a value each."""
    ranked = Ranked.of(truth, scores)
    squares, right = (scores - truth) ** 2, ((scores >= CUT) == truth).astype(np.float64)
    return {
        "auc": ranked.area_under_curve,
        "average_precision": ranked.average_precision,
        "brier": lambda weights: weights @ squares / weights.sum(axis=1),
        "accuracy": lambda weights: weights @ right / weights.sum(axis=1),
    }


def _encoded(rows: Rows, model: Model) -> list[Encoded]:
    pairs = [(rows.train, rows.test), (rows.train_released, rows.test_released)]
    return [encoded(train, is_positive(train, model).to_numpy(), test, model) for train, test in pairs]


def _in_parallel(learner: Learner, sides: list[Encoded], seed: int) -> list[Fitted]:
    """Both models at the same time."""
    with ThreadPoolExecutor(len(sides)) as pool:
        return list(pool.map(lambda side: learnt(side, learner, seed), sides))


def _rows(evidence: Evidence, model: Model) -> Rows:
    columns = [*model.features, model.target.column]
    recoded_together = () if evidence.recoded is None else evidence.recoded.columns
    read = list(dict.fromkeys([*columns, *recoded_together, *model.groups]))
    train_people, test_people = split_people(evidence.source.counts([PERSON])[PERSON], model)
    everybody = pl.concat([train_people, test_people]).implode()
    # of many people few are looked at, so that no more is kept of a batch
    original = pl.concat(
        batch.filter(pl.col(PERSON).is_in(everybody))
        for batch in evidence.source.batches([ROW, PERSON, *read])
    )
    released = read_released(evidence.data, columns).with_columns(evidence.kept[PERSON])
    train_released = released.filter(pl.col(PERSON).is_in(train_people.implode()))
    test = original.filter(pl.col(PERSON).is_in(test_people.implode()))
    recoded = evidence.at_released_detail(test, model.features)
    for name in model.features:
        wanted, found = alike(recoded[name], train_released[name])
        recoded, train_released = recoded.with_columns(wanted), train_released.with_columns(found)
    train = original.filter(pl.col(PERSON).is_in(train_people.implode()))
    return Rows(train, train_released, test, recoded, (len(train_people), len(test_people)))


def split_people(person: pl.Series, model: Model) -> tuple[pl.Series, pl.Series]:
    """Training and test people, drawn by the policy's seed."""
    people = person.unique().sort().to_numpy()
    rng = np.random.default_rng(model.seed)
    drawn = rng.permutation(people)[: model.max_people]
    test = max(1, round(len(drawn) * model.test_share))
    return pl.Series(drawn[test:]), pl.Series(drawn[:test])


def is_positive(rows: pl.DataFrame, model: Model) -> pl.Series:
    """Which rows are an event."""
    return (rows[model.target.column].cast(pl.String) == model.target.positive).fill_null(value=False)

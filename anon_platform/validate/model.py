"""The model the data is for, trained twice: on the original and on the released rows, tested on the same held-out people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.policy import Model
from anon_platform.table import PERSON, ROW
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import alike, read_released

Floats = npt.NDArray[np.float64]

CHANCE = 0.5
"""The area under the curve of a coin."""

FOLDS = 5
"""Folds of people for the target encoding."""

MISSING = "(missing)"
"""An empty text, which may tell as much as any other."""

REPLICATES = 200
"""Bootstrap samples of people for the interval."""


@dataclass(frozen=True)
class Curve:
    """A ROC curve at 101 false-positive rates, and the area under it."""

    auc: float
    true_positive_rate: list[float]


@dataclass(frozen=True)
class ModelLoss:
    """loss: share of the original model's lift over chance that is lost, (AUC0 − AUC1) / (AUC0 − 0.5).

    interval: 95 % percentile bootstrap over held-out people of the loss. Below zero the released rows did better.
    """

    original: Curve
    released: Curve
    loss: float
    interval: tuple[float, float]
    train_rows: int
    train_rows_released: int
    test_rows: int
    test_people: int
    people: int


def measure_model(evidence: Evidence, model: Model) -> ModelLoss | str:
    """Both models on held-out people, or in words why they cannot be compared.

    Held-out people keep their original rows, suppressed ones included. The released model reads them at
    the released detail (the published levels), as it would read a new patient. Gradient boosting on
    histograms (Ke et al. 2017); the split is by person, so no person is on both sides.
    """
    columns = [*model.features, model.target.column]
    recoded_together = () if evidence.recoded is None else evidence.recoded.columns
    read = list(dict.fromkeys([*columns, *recoded_together]))
    original = pl.concat(evidence.source.batches([ROW, PERSON, *read]))
    train_people, test_people = _split(original[PERSON], model)
    released = read_released(evidence.data, columns).with_columns(evidence.kept[PERSON])
    train = original.filter(pl.col(PERSON).is_in(train_people.implode()))
    train_released = released.filter(pl.col(PERSON).is_in(train_people.implode()))
    test = original.filter(pl.col(PERSON).is_in(test_people.implode()))
    recoded = evidence.at_released_detail(test, model.features)
    for name in model.features:
        wanted, found = alike(recoded[name], train_released[name])
        recoded, train_released = recoded.with_columns(wanted), train_released.with_columns(found)
    truth = _is_positive(test, model)
    if min(rows[PERSON].n_unique() for rows in (train, train_released)) < FOLDS:
        return f"fewer than {FOLDS} people to learn from"
    for rows, what in ((train, "original"), (train_released, "released"), (test, "held-out")):
        if _is_positive(rows, model).n_unique() < 2:  # noqa: PLR2004 - a target needs two classes
            return f"the {what} rows hold one class of {model.target.column} only; nothing can be learnt from them"
    scores = _scores(train, test, model)
    if area_under_curve(truth.to_numpy(), scores) <= CHANCE:
        return "the original model is no better than chance on held-out people, so no loss can be stated"
    scores_released = _scores(train_released, recoded, model)
    interval = _interval(truth.to_numpy(), scores, scores_released, test[PERSON].to_numpy(), model.seed)
    before, after = _curve(truth.to_numpy(), scores), _curve(truth.to_numpy(), scores_released)
    return ModelLoss(
        before,
        after,
        lost_lift(before.auc, after.auc),
        interval,
        train.height,
        train_released.height,
        test.height,
        len(test_people),
        len(train_people) + len(test_people),
    )


def lost_lift(before: float, after: float) -> float:
    """(before − after) / (before − 0.5), of two areas under the curve; 0 when the first is no better than chance.

    >>> lost_lift(0.7, 0.68)
    0.1
    """
    return round((before - after) / (before - 0.5), 12) if before > CHANCE else 0.0


def area_under_curve(truth: npt.NDArray[np.bool_], scores: Floats, weights: Floats | None = None) -> float:
    """Probability that a positive scores above a negative, ties half; weighted by `weights`.

    Source: Hanley, McNeil 1982. NaN when a class is missing.

    >>> area_under_curve(np.array([True, False, True]), np.array([0.9, 0.4, 0.4]))
    0.75
    """
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    sorted_scores = scores[order]
    positive, negative = weights[order] * truth[order], weights[order] * ~truth[order]
    below = np.cumsum(negative)
    first = np.searchsorted(sorted_scores, sorted_scores, side="left")
    last = np.searchsorted(sorted_scores, sorted_scores, side="right")
    padded = np.concatenate([[0.0], below])
    wins = positive @ ((padded[first] + padded[last]) / 2)
    total = positive.sum() * negative.sum()
    return float(wins / total) if total else float("nan")


def _split(person: pl.Series, model: Model) -> tuple[pl.Series, pl.Series]:
    """Training and test people, drawn by the policy's seed."""
    people = person.unique().sort().to_numpy()
    rng = np.random.default_rng(model.seed)
    drawn = rng.permutation(people)[: model.max_people]
    test = max(1, round(len(drawn) * model.test_share))
    return pl.Series(drawn[test:]), pl.Series(drawn[:test])


def _is_positive(rows: pl.DataFrame, model: Model) -> pl.Series:
    return (rows[model.target.column].cast(pl.String) == model.target.positive).fill_null(value=False)


def _scores(train: pl.DataFrame, test: pl.DataFrame, model: Model) -> Floats:
    """Scores of the test rows by boosting on `train`.

    Texts are target-encoded (Micci-Barreca 2001), cross-fitted over folds of people: one encoding serves
    hundreds of diagnosis codes as well as their chapters, so that neither side is hampered by its number of values.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GroupKFold
    from sklearn.preprocessing import TargetEncoder

    truth = _is_positive(train, model).to_numpy()
    numbers = [name for name in model.features if train.schema[name].is_numeric()]
    texts = [name for name in model.features if name not in numbers]
    x, x_test = [_numeric(train, numbers)], [_numeric(test, numbers)]
    if texts:
        people = train[PERSON].to_numpy()
        folds = GroupKFold(FOLDS, shuffle=True, random_state=model.seed)
        encoder = TargetEncoder(target_type="binary", cv=list(folds.split(people, truth, people)))
        x.append(encoder.fit_transform(_textual(train, texts), truth))
        x_test.append(encoder.transform(_textual(test, texts)))
    booster = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.06,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=model.seed,
    )
    booster.fit(np.column_stack(x), truth)
    return np.asarray(booster.predict_proba(np.column_stack(x_test))[:, 1])


def _numeric(rows: pl.DataFrame, names: Sequence[str]) -> Floats:
    return rows.select(pl.col(name).cast(pl.Float64).fill_null(np.nan) for name in names).to_numpy()


def _textual(rows: pl.DataFrame, names: Sequence[str]) -> npt.NDArray[Any]:
    return rows.select(pl.col(name).cast(pl.String).fill_null(MISSING) for name in names).to_numpy()


def _curve(truth: npt.NDArray[np.bool_], scores: Floats) -> Curve:
    from sklearn.metrics import roc_curve

    false_rate, true_rate, _ = roc_curve(truth, scores)
    grid = np.interp(np.linspace(0, 1, 101), false_rate, true_rate)
    return Curve(area_under_curve(truth, scores), [round(float(rate), 4) for rate in grid])


def _interval(
    truth: npt.NDArray[np.bool_], before: Floats, after: Floats, person: npt.NDArray[Any], seed: int
) -> tuple[float, float]:
    """2.5 % and 97.5 % points of the loss when the held-out people are drawn again."""
    rng = np.random.default_rng(seed)
    _, number = np.unique(person, return_inverse=True)
    people = int(number.max()) + 1
    losses = []
    for _ in range(REPLICATES):
        weights = np.bincount(rng.integers(0, people, people), minlength=people)[number].astype(np.float64)
        aucs = area_under_curve(truth, before, weights), area_under_curve(truth, after, weights)
        if not np.isnan(aucs).any():
            losses.append(lost_lift(*aucs))
    low, high = np.quantile(losses, [0.025, 0.975]) if losses else (float("nan"), float("nan"))
    return float(low), float(high)

"""What is learnt from rows of features: gradient boosting and logistic regression on one encoding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.policy import Model
from anon_platform.policy.model import Learner
from anon_platform.table import PERSON
from anon_platform.validate.prediction.scores import Bools, Floats

FOLDS = 5
"""Folds of people for the target encoding."""

MISSING = "(missing)"
"""An empty text, which may tell as much as any other."""


@dataclass(frozen=True)
class Encoded:
    """Rows × features as numbers, NaN where one is missing: those learnt from and those tested on. names: of the columns."""

    names: tuple[str, ...]
    train: Floats
    truth: Bools
    test: Floats


def encoded(train: pl.DataFrame, truth: Bools, test: pl.DataFrame, model: Model) -> Encoded:
    """Numbers as they are; texts target-encoded (Micci-Barreca 2001), cross-fitted over folds of people.

    One encoding serves hundreds of diagnosis codes as well as their chapters, so that neither side is hampered by its
    number of values.
    """
    from sklearn.model_selection import GroupKFold
    from sklearn.preprocessing import TargetEncoder

    numbers = [name for name in model.features if train.schema[name].is_numeric()]
    texts = [name for name in model.features if name not in numbers]
    x, x_test = [_numeric(train, numbers)], [_numeric(test, numbers)]
    if texts:
        people = train[PERSON].to_numpy()
        folds = GroupKFold(FOLDS, shuffle=True, random_state=model.seed)
        encoder = TargetEncoder(target_type="binary", cv=list(folds.split(people, truth, people)))
        x.append(encoder.fit_transform(_textual(train, texts), truth))
        x_test.append(encoder.transform(_textual(test, texts)))
    return Encoded((*numbers, *texts), np.column_stack(x), truth, np.column_stack(x_test))


def learnt(rows: Encoded, learner: Learner, seed: int) -> "Fitted":
    """A model of the rows. One thread each: boosting waits in a busy loop where others need the processors."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return _boosted(rows, seed) if learner == "gradient_boosting" else _regressed(rows)


@dataclass(frozen=True)
class Fitted:
    """A model. filled: what stands for missing numbers of each column, and which columns tell that one is missing."""

    model: Any
    filled: tuple[Floats, npt.NDArray[np.bool_]] | None = None

    def scores(self, x: Floats) -> Floats:
        """The chance of the event for each row of features."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            prepared = x if self.filled is None else _filled(x, *self.filled)
            return np.asarray(self.model.predict_proba(prepared)[:, 1], np.float64)


def _boosted(rows: Encoded, seed: int) -> Fitted:
    """Gradient boosting on histograms (Ke et al. 2017)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    booster = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.06,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=seed,
    )
    return Fitted(booster.fit(rows.train, rows.truth))


def _regressed(rows: Encoded) -> Fitted:
    """Logistic regression with a light penalty on standardized features; a missing number is the mean, and is told."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    missing = np.isnan(rows.train)
    counts = (~missing).sum(axis=0)
    means = np.where(counts > 0, np.where(missing, 0.0, rows.train).sum(axis=0) / np.maximum(counts, 1), 0.0)
    filled: tuple[Floats, npt.NDArray[np.bool_]] = means, np.asarray(missing.any(axis=0))
    regression = LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=50)
    return Fitted(
        make_pipeline(StandardScaler(), regression).fit(_filled(rows.train, *filled), rows.truth), filled
    )


def _filled(x: Floats, means: Floats, told: npt.NDArray[np.bool_]) -> Floats:
    missing = np.isnan(x)
    return np.column_stack([np.where(missing, means, x), missing[:, told]])


def _numeric(rows: pl.DataFrame, names: Sequence[str]) -> Floats:
    return rows.select(pl.col(name).cast(pl.Float64).fill_null(np.nan) for name in names).to_numpy()


def _textual(rows: pl.DataFrame, names: Sequence[str]) -> npt.NDArray[Any]:
    return rows.select(pl.col(name).cast(pl.String).fill_null(MISSING) for name in names).to_numpy()

"""The model of the policy trained on released rows, and how well it fits each row: what a membership attack looks at."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

MOST_CATEGORIES = 250
"""Values of a text column that the model tells apart; the rarer ones are one."""

SURE = 1e-6
"""No probability is taken for 0 or 1."""


def losses(
    train: pl.DataFrame,
    asked: pl.DataFrame,
    features: Sequence[str],
    truth: tuple[pl.Series, pl.Series],
    seed: int,
) -> tuple[Floats, Floats]:
    """The model's cross entropy of every row it was trained on and of the `asked` rows, in nats.

    Gradient boosting on histograms (Ke et al. 2017), as in the measure of usefulness, on codes of texts. truth: whether
    the event happened, of the rows of both. A model whose events are all alike raises `ValueError`.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns = [_coded(train[name], asked[name]) for name in features]
    texts = [number is False for _, _, number in columns]
    x = np.column_stack([first for first, _, _ in columns])
    x_asked = np.column_stack([second for _, second, _ in columns])
    booster = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.06,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        l2_regularization=5.0,
        early_stopping=False,
        categorical_features=texts,
        random_state=seed,
    )
    events = truth[0].to_numpy()
    booster.fit(x, events)
    return _loss(booster.predict_proba(x)[:, 1], events), _loss(
        booster.predict_proba(x_asked)[:, 1], truth[1].to_numpy()
    )


def _loss(probability: npt.NDArray[np.float64], event: npt.NDArray[np.bool_]) -> Floats:
    right = np.clip(np.where(event, probability, 1 - probability), SURE, 1 - SURE)
    return np.asarray(-np.log(right))


def _coded(train: pl.Series, asked: pl.Series) -> tuple[Floats, Floats, bool]:
    """Numbers, missing as NaN; and whether they are measures and not codes."""
    if train.dtype.is_numeric() and asked.dtype.is_numeric():
        both = [side.cast(pl.Float64).fill_null(float("nan")).to_numpy() for side in (train, asked)]
        return both[0], both[1], True
    text = train.cast(pl.String).drop_nulls()
    common = text.value_counts(sort=True).sort("count", train.name, descending=[True, False])
    kept = common[train.name].head(MOST_CATEGORIES)
    codes = dict(zip(kept.to_list(), range(len(kept)), strict=True))

    def of(side: pl.Series) -> Floats:
        # the rarer ones together, a missing one apart
        found = side.cast(pl.String).replace_strict(codes, default=len(codes), return_dtype=pl.Float64)
        return np.where(side.is_null().to_numpy(), float("nan"), found.fill_null(0.0).to_numpy())

    return of(train), of(asked), False

"""How good models are, by scikit-learn and by hand; what one group loses beyond the others; nobody on both sides."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anon_platform.policy import Model, Policy
from anon_platform.validate.prediction import measure_model, model_metrics
from anon_platform.validate.prediction.bootstrap import REPLICATES, Resamples, interval_of
from anon_platform.validate.prediction.calibration import (
    calibration_error,
    measure_calibration,
    recalibration,
)
from anon_platform.validate.prediction.fairness import OTHERS, HeldOut, measure_fairness
from anon_platform.validate.prediction.importance import rank_correlation
from anon_platform.validate.prediction.scores import (
    Ranked,
    accuracy,
    area_under_curve,
    average_precision,
    brier_score,
)
from anon_platform_tests.validate.small_releases import POLICY, release, source_of


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, scores of which many tie, and weights of which some are zero; both outcomes weigh something."""
    size = draw(st.integers(2, 25))

    def some(values: st.SearchStrategy[Any]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=size, max_size=size)))

    truth, scores = some(st.booleans()), some(st.sampled_from([0.1, 0.3, 0.5, 0.9]))
    weights = some(st.integers(0, 3)).astype(float)
    assume(len(set(truth[weights > 0])) == 2)
    return truth, scores, weights


@settings(max_examples=40)
@given(scored())
def test_measures_of_scores_are_those_of_scikit_learn(
    table: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """The reader of a report compares them with their own, weighted as well."""
    from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss

    truth, scores, weights = table
    mine = average_precision(truth, scores, weights), brier_score(truth, scores, weights)
    theirs = [f(truth, scores, sample_weight=weights) for f in (average_precision_score, brier_score_loss)]
    assert mine == pytest.approx(theirs, abs=1e-9)
    assert accuracy(truth, scores, weights) == pytest.approx(
        accuracy_score(truth, scores >= 0.5, sample_weight=weights), abs=1e-9
    )


@settings(max_examples=40)
@given(scored(), st.integers(0, 9))
def test_many_weightings_at_once_are_each_of_them_alone(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int
) -> None:
    """The bootstrap sorts once and weighs two hundred times."""
    truth, scores, _ = table
    weights = np.random.default_rng(seed).integers(0, 3, (6, len(truth))).astype(float)
    ranked = Ranked.of(truth, scores)
    for one, area, precision in zip(
        weights, ranked.area_under_curve(weights), ranked.average_precision(weights), strict=True
    ):
        assert area == pytest.approx(area_under_curve(truth, scores, one), abs=1e-9, nan_ok=True)
        assert precision == pytest.approx(average_precision(truth, scores, one), abs=1e-9, nan_ok=True)


def test_people_are_drawn_with_all_their_rows() -> None:
    """Rows of one person are no independent witnesses."""
    person = np.array([7, 7, 3, 9, 9, 9])
    resamples = Resamples.of(person, seed=1)
    drawn = np.concatenate(list(resamples.weights()))
    assert drawn.shape == (REPLICATES, 6)
    for who in (3, 7, 9):
        of_person = drawn[:, person == who]
        assert (of_person == of_person[:, :1]).all()
    # as many people as there are, with repetition: one row of each counts them
    assert (drawn[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert np.array_equal(drawn, np.concatenate(list(resamples.weights())))
    assert interval_of(np.array([np.nan, 1.0, 1.0])) == (1.0, 1.0)
    assert np.isnan(interval_of(np.array([np.nan]))).all()


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_calibration_is_a_regression_on_the_log_odds(seed: int) -> None:
    """Slope and intercept as scikit-learn fits them without penalty; the error bin by bin."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    scores = np.round(rng.uniform(0.02, 0.98, 120), 3)
    truth = rng.random(120) < scores**1.5
    slope, intercept = recalibration(truth, scores)
    odds = np.log(scores / (1 - scores))[:, None]
    fitted = LogisticRegression(C=np.inf, tol=1e-12, max_iter=500).fit(odds, truth)
    assert slope == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    assert intercept == pytest.approx(fitted.intercept_[0], abs=1e-4)
    order = sorted(range(120), key=lambda i: scores[i])
    bins = [order[i * 12 : i * 12 + 12] for i in range(10)]
    by_hand = sum(abs(sum(scores[i] - truth[i] for i in part)) for part in bins) / 120
    assert calibration_error(truth, scores) == pytest.approx(by_hand, abs=1e-9)


def test_a_bin_of_few_people_is_not_drawn() -> None:
    """Twelve rows of one person would show how it went for that person."""
    scores, truth = np.linspace(0, 1, 100), np.arange(100) % 2 == 0
    assert len(measure_calibration(truth, scores, np.arange(100), 10).curve) == 10
    assert measure_calibration(truth, scores, np.zeros(100), 10).curve == []
    assert recalibration(truth, np.full(100, 0.5)) == (None, None)


def test_what_a_group_loses_is_beyond_what_everybody_loses() -> None:
    """One group's scores are turned around; the other keeps its order and stands better than the whole."""
    rng = np.random.default_rng(4)
    truth = rng.random(400) < 0.5
    before = np.where(truth, 0.6, 0.4) + rng.normal(0, 0.2, 400)
    rows = pl.DataFrame({"sex": ["F", "M"] * 200, "town": ["ash"] * 395 + [None] * 5})
    female = np.arange(400) % 2 == 0
    after = np.where(female, 1 - before, before)
    tested = HeldOut(truth, before, after, np.arange(400), 0.5)
    found = measure_fairness(
        tested, rows, {"sex": ("F",), "town": ("ash", "oak")}, Resamples.of(np.arange(400), 1), 11
    )
    groups = {(one.column, one.name): one for one in found.groups}
    assert set(groups) == {("sex", "F"), ("sex", OTHERS), ("town", "ash")}
    # nobody lives in oak, five nowhere: these are too few to be shown
    assert found.hidden == {"town": 1}
    for name, inside in (("F", female), (OTHERS, ~female)):
        lost = area_under_curve(truth[inside], before[inside]) - area_under_curve(
            truth[inside], after[inside]
        )
        whole = area_under_curve(truth, before) - area_under_curve(truth, after)
        assert groups["sex", name].excess == pytest.approx(lost - whole, abs=1e-9)
        low, high = groups["sex", name].interval
        assert low < groups["sex", name].excess < high
        assert groups["sex", name].recall[0] == np.mean(before[inside & truth] >= 0.5)
        assert groups["sex", name].false_alarms[1] == np.mean(after[inside & ~truth] >= 0.5)
    assert found.worst == groups["sex", "F"]


def test_ranks_of_features_agree_or_not() -> None:
    """Ties share their mean rank; a side without order has no correlation."""
    from scipy.stats import spearmanr

    left, right = np.array([3.0, 1.0, 1.0, 2.0]), np.array([9.0, 2.0, 4.0, 4.0])
    assert rank_correlation(left, right) == pytest.approx(spearmanr(left, right).statistic, abs=1e-9)
    assert rank_correlation(left, np.ones(4)) is None


MODEL = {
    "target": {"column": "stay", "positive": "6"},
    "features": ("age", "town", "weight"),
    "test_share": 0.4,
    "seed": 3,
    "groups": {"town": ("ash",)},
}


def visits(people: int = 300) -> list[tuple[Any, ...]]:
    """Two visits each; the heavier, the likelier a stay of six days, above all of those from ash."""
    rng = np.random.default_rng(8)
    drawn = []
    for i in range(people * 2):
        town, weight = ["ash", "bay", "elm"][i // 2 % 3], float(np.round(rng.random(), 2))
        stay = 6 if rng.random() < weight * (1.0 if town == "ash" else 0.8) else 1
        drawn.append((i // 2, 20 + i // 2 % 40, town, stay, weight, None))
    return drawn


def test_both_learners_are_compared_and_thresholds_are_about_the_first(tmp_path: Path) -> None:
    """The policy names the model the data is for; the other stands beside it. No person is on both sides."""
    source = source_of(visits())
    limits = {"group_loss": -0.5 + 0.5, "calibration_error": 0.0}
    evidence = release(tmp_path, source, range(600), limits)
    model = Model.model_validate({**MODEL, "learners": ["logistic_regression", "gradient_boosting"]})
    found = measure_model(evidence, model)
    assert not isinstance(found, str)
    assert [one.learner for one in found.learners] == ["logistic_regression", "gradient_boosting"]
    assert found.loss == found.learners[0].loss
    assert found.original.auc == found.learners[0].original.auc.value
    for side in (found.learners[0].original, found.learners[1].released):
        for measure in (side.auc, side.average_precision, side.brier, side.accuracy):
            assert measure.interval[0] < measure.value < measure.interval[1]
    assert (found.test_people, found.test_rows, found.train_rows) == (120, 240, 360)
    assert found.importance.features[0][0] == "weight"
    assert {(g.column, g.name) for g in found.fairness.groups} == {("town", "ash"), ("town", OTHERS)}
    thresholds = {**POLICY["thresholds"], "model_loss": 1.0}
    policy = Policy.model_validate({**POLICY, "thresholds": thresholds}).model_copy(
        update={"model": model, "utility": evidence.policy.utility}
    )
    metrics = {metric.name: metric for metric in model_metrics(found, policy)}
    assert metrics["model loss"].passed
    assert metrics["model loss of gradient boosting"].threshold is None
    assert not metrics["calibration error"].passed
    assert not metrics["largest group loss"].passed
    assert "beyond what everybody loses" in metrics["largest group loss"].note
    untrained = {metric.name: metric for metric in model_metrics("nothing to learn", policy)}
    assert {name for name, metric in untrained.items() if not metric.passed} == {
        "model loss", "calibration error", "largest group loss"
    }  # fmt: skip


def test_a_group_without_enough_people_is_missed_when_one_is_demanded(tmp_path: Path) -> None:
    """A limit that was never measured must not pass."""
    evidence = release(tmp_path, source_of(visits(45)), range(90), {"group_loss": 1.0})
    model = Model.model_validate({**MODEL, "learners": ["logistic_regression"]})
    found = measure_model(evidence, model)
    assert not isinstance(found, str)
    assert (found.fairness.groups, found.fairness.hidden) == ([], {"town": 2})
    policy = Policy.model_validate(POLICY).model_copy(
        update={"model": model, "utility": evidence.policy.utility}
    )
    missed = [metric for metric in model_metrics(found, policy) if not metric.passed]
    assert [(metric.name, metric.value) for metric in missed] == [("largest group loss", None)]

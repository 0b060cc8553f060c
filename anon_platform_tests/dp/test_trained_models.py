"""Differentially private models: sensitivity by brute force, an exact fit as oracle, and what is refused."""

import json
import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp.audit import Seen, epsilon_lower_bound
from anon_platform.dp.loss import loss_of
from anon_platform.dp.models import ModelRelease, card_of, check, expected, model_faults, predict, train
from anon_platform.dp.models.descent import GRID, Scores, counted, gradient, planned_sums
from anon_platform.dp.models.design import ONE, features_of
from anon_platform.dp.models.evaluation import CELLS, area, counted_by_score, edges_of
from anon_platform.dp.models.people import UNIT, People, averaged, held_out
from anon_platform.dp.models.train import _people, _sides
from anon_platform.dp.synthetic.coded import columns_of
from anon_platform.errors import PolicyError
from anon_platform_tests.dp.model_visits import DOMAINS, FEATURES, MUCH, said, visits


def vectors(frame: pl.DataFrame, chosen: ModelRelease, seed: int) -> list[np.ndarray]:
    """Everything that noise is added to, for scores that were made up; and the most that each may move in L1 and L2."""
    columns = check(chosen, DOMAINS, set(), dict(frame.schema))
    features = features_of(columns[1:], chosen.learner)
    inside, outside = _sides(frame, "person", columns, chosen, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    scores = tuple(rng.integers(-3 * GRID, 3 * GRID, len(each.place)) for each in features)
    model = Scores(-GRID, scores, tuple(np.ones(len(each.place)) for each in features))
    return [
        counted(inside, features),
        gradient(inside, features, model, int(chosen.clip * UNIT)),
        counted_by_score(outside, model, edges_of(model)),
    ]


def bounds(chosen: ModelRelease) -> list[tuple[int, int]]:
    """Vectors that a person moves, and by how much each."""
    features = len(chosen.features) + 1
    return [(features, UNIT), (features, int(chosen.clip * UNIT) * ONE), (1, UNIT)]


@pytest.mark.parametrize("learner", ["ebm", "logistic_regression"])
@pytest.mark.parametrize("clip", [0.07, 0.5, 1.0])
def test_nobody_moves_a_sum_further_than_its_noise_was_made_for(learner: str, clip: float) -> None:
    """Every person is taken out once, among them one with most of the rows; one's rows are changed for another's."""
    chosen = said(learner=learner, clip=clip, held_out=0.4)
    frame = visits(60, per_person=6).with_columns(
        person=pl.when(pl.int_range(pl.len()) < 25).then(pl.lit("many")).otherwise(pl.col("person"))
    )
    largest = [0.0, 0.0, 0.0]
    for seed in range(4):
        whole = vectors(frame, chosen, seed)
        for person in frame["person"].unique():
            without = vectors(frame.filter(pl.col("person") != person), chosen, seed)
            # on one side only: what is said of those held out is of nobody who was trained on
            on = [bool((whole[at] != without[at]).any()) for at in range(3)]
            assert not (on[2] and (on[0] or on[1]))
            changed = frame.with_columns(age=pl.when(pl.col("person") == person).then(1).otherwise("age"))
            for at, (several, by) in enumerate(bounds(chosen)):
                moved = np.abs(whole[at] - without[at])
                assert moved.sum() <= several * by
                assert (moved.astype(float) ** 2).sum() <= several * by**2
                largest[at] = max(largest[at], float(np.abs(moved).sum()) / several / by)
                other = np.abs(whole[at] - vectors(changed, chosen, seed)[at])
                assert other.sum() <= 2 * several * by
                assert (other.astype(float) ** 2).sum() <= 4 * several * by**2
    # so that the bound is no larger than it has to be
    assert largest[0] == pytest.approx(1, rel=1e-3) or learner == "logistic_regression"
    assert largest[2] == pytest.approx(1, rel=1e-3)
    assert largest[1] > 0.5 or clip == 1.0


def test_noise_is_made_for_these_sensitivities() -> None:
    """Under zCDP √(features + 1) times the most of one, under pure differential privacy the sum; for two people twice."""
    for loss in (loss_of(1.0, 1e-6), loss_of(1.0, 0.0)):
        one, two = (expected(said(), DOMAINS, set(), loss, people) for people in (1, 2))
        root = 2.0 if loss.measure == "zcdp" else 4.0
        assert one.sums.counts.sensitivity == root * UNIT
        assert one.sums.gradients.sensitivity == root * (UNIT // 2) * ONE
        assert one.counts is not None
        assert one.counts.sensitivity == UNIT
        assert two.sums.gradients.sensitivity == 2 * one.sums.gradients.sensitivity
        assert two.counts is not None
        assert two.counts.sensitivity == 2 * UNIT


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-UNIT, UNIT)), min_size=1, max_size=30),
    st.integers(1, UNIT),
)
def test_averages_stay_within_the_limit(rows: list[tuple[int, int]], limit: int) -> None:
    """Against plain Python with fractions: what is cut off by whole numbers is less than one unit a row, towards 0."""
    names = sorted({who for who, _ in rows})
    who = np.array([names.index(each) for each, _ in rows])
    residuals = np.array([each for _, each in rows], np.int64)
    people = People(np.zeros((0, len(rows)), np.int32), np.zeros(len(rows), np.int64), who)
    found = averaged(people, residuals, limit)
    for each in range(len(names)):
        own, given = found[who == each], residuals[who == each]
        assert np.abs(own).sum() <= limit
        size = int(np.abs(given).sum())
        scale = min(1 / len(given), limit / size) if size else 0
        assert (np.abs(own - given * scale) <= 1 + 1e-6).all()
        assert (np.abs(own) <= np.abs(given)).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(0, 20), st.integers(0, 9))
def test_on_which_side_somebody_is_depends_on_nobody_else(people: list[int], out: int, seed: int) -> None:
    persons = pl.Series([f"p{each}" for each in people])
    aside = held_out(persons, 0.5, np.random.default_rng(seed))
    left = persons != f"p{out}"
    assert (aside[left.to_numpy()] == held_out(persons.filter(left), 0.5, np.random.default_rng(seed))).all()
    sides: dict[str, set[bool]] = {}
    for person, side in zip(persons, aside, strict=True):
        sides.setdefault(person, set()).add(bool(side))
    assert all(len(side) == 1 for side in sides.values())


def test_about_the_share_is_held_out() -> None:
    """4,000 people; ten deviations are 0.063."""
    persons = pl.Series([f"p{each}" for each in range(4000)])
    assert held_out(persons, 0.2, np.random.default_rng(1)).mean() == pytest.approx(0.2, abs=0.063)


def test_without_noise_it_fits_as_an_exact_solver_does() -> None:
    """The oracle is SciPy on the same bins, one row a person, nothing clipped: the model's loss is within a thousandth."""
    from scipy.optimize import minimize

    frame = visits(3000).with_columns(person=pl.int_range(3000))
    chosen = said(held_out=0.0, rounds=300, clip=1.0)
    made = train(frame, "person", chosen, DOMAINS, set(), MUCH, 1, np.random.default_rng(1))
    columns = check(chosen, DOMAINS, set(), dict(frame.schema))
    people = _people(frame, "person", columns, [2])
    hot = np.concatenate(
        [np.eye(each.size)[line] for each, line in zip(columns[1:], people.codes, strict=True)], 1
    )
    hot, positive = np.column_stack([hot, np.ones(3000)]), people.positive

    def loss_at(weights: np.ndarray) -> tuple[float, np.ndarray]:
        score = hot @ weights
        slope = hot.T @ (1 / (1 + np.exp(-score)) - positive) / 3000
        return float(np.mean(np.logaddexp(0, score) - positive * score)), slope

    best = minimize(loss_at, np.zeros(hot.shape[1]), jac=True).fun
    told = predict(made.form, frame)
    own = -np.mean(np.log(np.where(positive == 1, told, 1 - told)))
    assert best - 1e-6 <= own <= best + 1e-3


def test_one_coefficient_stands_for_a_column_of_numbers() -> None:
    """Scores of a logistic regression lie on a line, but for the grid; missing values have a score of their own."""
    frame = visits(3000)
    chosen = said(learner="logistic_regression", held_out=0.0, rounds=60)
    made = train(frame, "person", chosen, DOMAINS, set(), MUCH, 1, np.random.default_rng(1))
    scores = np.array(made.form["features"][0]["scores"])
    steps = np.diff(scores)
    assert steps.max() - steps.min() <= 3 / GRID + steps.mean() / 100
    assert steps.mean() > 0.3
    assert made.form["features"][0]["missing"] is not None


@pytest.mark.parametrize("delta", [0.0, 1e-6])
@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_no_more_is_spent_than_was_granted(delta: float, people: int, share: float) -> None:
    loss = loss_of(0.7, delta)
    made = train(
        visits(200), "person", said(held_out=share), DOMAINS, set(), loss, people, np.random.default_rng(1)
    )
    assert made.spent.measure == loss.measure
    assert 0.99 * loss.units <= made.spent.units <= loss.units
    assert made.spent.delta_units == 0


def test_it_learns_in_spite_of_noise() -> None:
    """20,000 rows of as many people at ε = 1; far more than a coin's 0.5, and what the evaluation says is near."""
    frame = visits(20_000).with_columns(person=pl.int_range(20_000))
    for learner in ("ebm", "logistic_regression"):
        made = train(
            frame,
            "person",
            said(learner=learner),
            DOMAINS,
            set(),
            loss_of(1.0, 1e-6),
            1,
            np.random.default_rng(2),
        )
        anew = visits(20_000, seed=9)
        true = rank_area(predict(made.form, anew), (anew["back"] == "soon").to_numpy())
        assert true > 0.85
        assert made.evaluation is not None
        assert made.evaluation.auc is not None
        assert made.evaluation.auc[0] == pytest.approx(true, abs=0.04)


def rank_area(score: np.ndarray, positive: np.ndarray) -> float:
    """The share of pairs in the right order."""
    from scipy.stats import rankdata

    ranks = rankdata(score)
    several = int(positive.sum())
    return float((ranks[positive].sum() - several * (several + 1) / 2) / several / (~positive).sum())


def test_the_area_of_exact_counts_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(3)
    score, positive = rng.integers(0, CELLS, 500), rng.random(500) < 0.3
    counts = [np.bincount(score[positive == side], minlength=CELLS).astype(float) for side in (False, True)]
    found = area(counts[0], counts[1], 0.0)
    assert found is not None
    assert found[0] == pytest.approx(rank_area(score, positive), abs=1e-4)


def test_the_interval_of_the_area_holds_it() -> None:
    """400 draws of people and of noise: of 95 % intervals 366 hold with chance 0.9984 (binomial, 3.1 deviations)."""
    rng = np.random.default_rng(4)
    places = np.arange(CELLS)
    shape = [np.exp(-((places - middle) ** 2) / 40) for middle in (9, 14)]
    shape = [each / each.sum() for each in shape]
    true = float(shape[1] @ (np.cumsum(shape[0]) - shape[0] / 2))
    held = 0
    for _ in range(400):
        drawn = [rng.multinomial(several, each) for several, each in zip((900, 300), shape, strict=True)]
        found = area(*[each + rng.normal(0, 5, CELLS) for each in drawn], 5.0)
        assert found is not None
        held += found[1] <= true <= found[2]
    assert held >= 366


def test_where_noise_is_all_there_is_no_quality_is_told() -> None:
    made = train(
        visits(30), "person", said(), DOMAINS, set(), loss_of(0.1, 1e-6), 1, np.random.default_rng(1)
    )
    assert made.evaluation is not None
    assert made.evaluation.auc is None
    assert "too few to tell its quality from noise" in card(made.form)


def card(form: dict[str, Any]) -> str:
    told = {
        "title": "A model", "owner": "us", "recipient": "you", "purpose": "tests", "epsilon": 1.0, "delta": 1e-6,
        "unit": "patient", "neighbours": "add_or_remove_person", "contribution": 2,
    }  # fmt: skip
    return card_of(form, told)


@pytest.mark.parametrize("what", ["zero rows", "one class", "constant", "no target", "all missing"])
def test_poor_tables_make_poor_models(what: str) -> None:
    """Nothing is raised that would tell of the data, and every probability is one."""
    frame = visits(300)
    missing = pl.lit(None, pl.String)
    frame = {
        "zero rows": frame.clear(),
        "one class": frame.with_columns(back=pl.lit("soon")),
        "constant": frame.with_columns(age=pl.lit(7), sex=pl.lit("F")),
        "no target": frame.with_columns(back=missing),
        "all missing": frame.with_columns(sex=missing, age=pl.lit(None, pl.Int64)),
    }[what]
    for learner in ("ebm", "logistic_regression"):
        made = train(
            frame,
            "person",
            said(learner=learner),
            DOMAINS,
            set(),
            loss_of(1.0, 1e-6),
            1,
            np.random.default_rng(1),
        )
        told = predict(made.form, visits(50))
        assert np.isfinite(told).all()
        assert ((told > 0) & (told < 1)).all()
        assert not model_faults(made.form, said(learner=learner), DOMAINS, frozenset())


def test_rows_without_a_target_or_a_person_have_no_part() -> None:
    frame = visits(400)
    odd = frame.with_columns(
        back=pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise("back"),
        person=pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise("person"),
    )
    chosen = said(held_out=0.3)
    assert all(
        (one == other).all()
        for one, other in zip(
            vectors(odd, chosen, 1),
            vectors(odd.filter(pl.col("back").is_not_null(), pl.col("person").is_not_null()), chosen, 1),
            strict=True,
        )
    )


def test_the_file_alone_predicts_what_was_trained() -> None:
    """Through JSON and back, with values beyond the bounds, unknown and missing; against the scores of the codes."""
    frame = visits(500)
    made = train(frame, "person", said(), DOMAINS, {"sex"}, loss_of(1.0, 1e-6), 1, np.random.default_rng(1))
    odd = frame.with_columns(
        age=pl.Series([-5.0, 500.0, None, 40.4, float("nan")] * 100),
        sex=pl.Series(["F", "X", None, "M", "F"] * 100),
        day=pl.Series([None, 1, 30_000, 19_800, 19_723] * 100, dtype=pl.Int32).cast(pl.Date),
    )
    domains = {name: DOMAINS[name] for name in FEATURES}
    columns = columns_of(dict(odd.schema), domains, {"sex"})
    codes = np.stack([each.encoded(odd[each.name]) for each in columns])
    score = made.scores.of(codes) / GRID
    found = predict(json.loads(json.dumps(made.form)), odd)
    assert found == pytest.approx(1 / (1 + np.exp(-score)), abs=1e-12)
    at_midnight = odd.with_columns(pl.col("day").cast(pl.Datetime("us")))
    assert predict(made.form, at_midnight) == pytest.approx(found, abs=1e-12)
    with pytest.raises(PolicyError, match=r"^model: no column age; the model needs all of its features$"):
        predict(made.form, odd.drop("age"))


def test_the_card_says_what_it_is_and_costs() -> None:
    made = train(
        visits(5000), "person", said(), DOMAINS, set(), loss_of(1.0, 1e-6), 1, np.random.default_rng(1)
    )
    text = card(made.form)
    assert "Predicts how likely `back` is `soon`." in text
    assert "ε = 1 at δ = 1e-06, between tables with one patient more or less" in text
    assert "| `sex` | categories | `F`, `M` | has a score |" in text
    assert re.search(r"Area under the curve 0\.\d{3} \(95 % interval", text)
    without = train(
        visits(100),
        "person",
        said(held_out=0),
        DOMAINS,
        set(),
        loss_of(1.0, 1e-6),
        1,
        np.random.default_rng(1),
    )
    assert "Not measured" in card(without.form)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"intercept": math.inf}, "its intercept is no number"),
        ({"mean_age": 43.2}, "it does not say what a model says"),
        ({"training": {"rows": 17}}, "it says something else of its training than the policy"),
        ({"evaluation": {"auc": 0.9}}, "its evaluation says more than noisy counts"),
        ({"features": []}, "its features are not those of the policy"),
        ({"learner": "logistic_regression"}, "its learner or target is not that of the policy"),
        ({"privacy": {"seed": 3}}, "its privacy loss is not told as a measure and units"),
        ({"at": (1, "values", ["F", "Name7"])}, "the bins or categories of sex are not those of the policy"),
        ({"at": (0, "from", [0.0, 17.3])}, "the bins or categories of age are not those of the policy"),
        ({"at": (0, "scores", [0.0, 1.0])}, "age has not one score for each bin or category"),
        ({"at": (1, "scores", [0.0, math.nan])}, "a score of sex is no number"),
        ({"at": (1, "missing", None)}, "sex has not one score for each bin or category"),
    ],
)
def test_what_is_not_public_is_found_in_a_file(change: dict[str, Any], fault: str) -> None:
    made = train(
        visits(100), "person", said(), DOMAINS, set(), loss_of(1.0, 1e-6), 1, np.random.default_rng(1)
    )
    form = json.loads(json.dumps(made.form))
    assert not model_faults(form, said(), DOMAINS, frozenset())
    if "at" in change:
        feature, key, value = change["at"]
        form["features"][feature][key] = value
    else:
        form |= change
    assert model_faults(form, said(), DOMAINS, frozenset()) == [fault]


def of_rows(rows: list[tuple[int, int, int]]) -> People:
    """People from rows of code, target and number of the person."""
    codes, positive, who = (np.array(each) for each in zip(*rows, strict=True))
    return People(codes[None, :], positive, who)


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_an_audit_finds_what_gradients_lose_and_no_more(factor: float) -> None:
    """Somebody with nine rows, alone in a bin: at ε = 1, 0.9 is for the one gradient; noise too small by 1.5 is caught.

    The bound fails with a chance of one in a thousand.
    """
    sums = planned_sums(loss_of(1.0, 0.0), 1, 1, 0.5, 1)
    (feature,) = features_of(columns_of({"sex": pl.String()}, {"sex": DOMAINS["sex"]}, {"sex"}), "ebm")
    model = Scores(0, (np.zeros(2, np.int64),), (np.ones(2),))
    others = [(1, 1, 0), (1, 0, 1), (1, 1, 2)]
    without, given = (
        gradient(of_rows(rows), [feature], model, sums.limit) for rows in (others, others + [(0, 1, 3)] * 9)
    )
    noise = replace(sums.gradients, scale=sums.gradients.scale / factor)
    runs = 30_000
    hits = [
        int((noise.added_to(np.tile(exact, (runs, 1)))[:, [0, 2]] >= given[[0, 2]]).all(1).sum())
        for exact in (given, without)
    ]
    bound = epsilon_lower_bound(Seen(hits[0], runs, hits[1], runs), confidence=0.999)
    assert bound > 0.6
    assert (bound > 1.0) == (factor > 1)

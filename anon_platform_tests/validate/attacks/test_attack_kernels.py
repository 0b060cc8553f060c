"""Singling out, linkability, inference and membership, on generalised and on synthetic tables."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.policy import Model
from anon_platform.policy.model import Target
from anon_platform.table import PERSON
from anon_platform.validate.attacks.inference import guessed, guessed_blindly, right_guesses
from anon_platform.validate.attacks.intervals import residual, wilson
from anon_platform.validate.attacks.linkability import linked_blindly, linked_parts
from anon_platform.validate.attacks.membership import closest, told_apart
from anon_platform.validate.attacks.of_model import losses
from anon_platform.validate.attacks.sides import Near, sides
from anon_platform.validate.attacks.singling_out import (
    Predicate,
    blind_predicates,
    drawn_predicates,
    singled_out,
)

SURE = 0.95
NAMES = ["a", "b", "c", "d", "e"]


def people(n: int, seed: int) -> pl.DataFrame:
    """Records of n people: four numbers that are nearly all different, and a secret that two of them settle in part."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 4)).round(4)
    secret = np.where(numbers[:, 0] + numbers[:, 1] + rng.normal(size=n) > 0, "high", "low")
    return pl.DataFrame(numbers, schema=NAMES[:4], orient="row").with_columns(e=pl.Series(secret))


def mixed(share: float) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Training people, control people, and a table of which a share is copied from training, the rest drawn anew."""
    training, control, fresh = people(800, 1), people(800, 2), people(800, 3)
    copied = round(share * 800)
    return training, control, pl.concat([training.head(copied), fresh.tail(800 - copied)])


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.0, 0.06), (0.4, 0.3, 0.5), (1.0, 0.93, 1.0)])
def test_linkability_finds_the_share_of_people_who_were_copied(share: float, low: float, high: float) -> None:
    """A copied person's two parts lead to one row; of a fresh table they lead to one no more than for control people."""
    training, control, released = mixed(share)

    def tried(rows: pl.DataFrame, seed: int) -> Any:
        parts = sides(rows, released, NAMES[:2]), sides(rows, released, NAMES[2:4])
        return linked_parts(*parts, 1, np.random.default_rng(seed), SURE)

    risk = residual(tried(training, 1), tried(control, 2), SURE)
    assert low <= risk.value <= high
    assert risk.low <= share <= risk.high + 0.01
    blind = linked_blindly(800, 800, 1, np.random.default_rng(3), SURE)
    assert blind.low <= 1 / 800 <= blind.high


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.0, 0.1), (1.0, 0.9, 1.0)])
def test_inference_finds_copied_secrets_and_not_what_holds_for_everybody(
    share: float, low: float, high: float
) -> None:
    """What two numbers tell of the secret is told of control people as well, and is no risk of the release."""
    training, control, released = mixed(share)

    def tried(rows: pl.DataFrame) -> Any:
        return guessed(sides(rows, released, NAMES[:4]), rows["e"], released["e"], 0.05, SURE)

    main, other = tried(training), tried(control)
    risk = residual(main, other, SURE)
    assert low <= risk.value <= high
    assert other.value > guessed_blindly(control["e"], released["e"], 0.05, SURE).value + 0.05


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.0, 0.12), (1.0, 0.15, 1.0)])
def test_predicates_of_a_copied_table_single_people_out(share: float, low: float, high: float) -> None:
    """Four conditions at the values of somebody's record are often true of him alone, if he is in the table."""
    training, control, released = mixed(share)
    columns, others = sides(training, released, NAMES[:4]), sides(control, released, NAMES[:4])
    predicates = drawn_predicates(columns, 400, 4, np.random.default_rng(1))
    assert len(predicates) == 400
    person = np.arange(800)
    main, other = (singled_out(predicates, each, person, SURE) for each in (columns, others))
    assert low <= residual(main, other, SURE).value <= high


def test_a_generalised_table_whose_classes_have_several_people_singles_nobody_out() -> None:
    """Every predicate over its labels is true of at least two; raw values of the same people single them out."""
    ages = pl.Series("age", [20, 21, 34, 35, 20])
    labels = pl.Series("age", ["[20, 30)", "[20, 30)", "[30, 40)", "[30, 40)", "[20, 30)"])
    related = pl.DataFrame(
        {"value": ["20", "21", "34", "35"], "label": ["[20, 30)", "[20, 30)", "[30, 40)", "[30, 40)"]}
    )
    person = np.array([0, 1, 2, 3, 0])
    seen = sides(ages.cast(pl.String).to_frame(), labels.to_frame(), ["age"], {"age": related})
    predicates = drawn_predicates(seen, 30, 2, np.random.default_rng(0))
    assert singled_out(predicates, seen, person, SURE).successes == 0
    raw = sides(ages.cast(pl.String).to_frame(), ages.cast(pl.String).to_frame(), ["age"])
    # 20 is said of two rows of one person
    assert singled_out(drawn_predicates(raw, 30, 2, np.random.default_rng(0)), raw, person, SURE).value == 1
    assert blind_predicates(raw, 30, 1, np.random.default_rng(0))


CELLS = st.lists(
    st.tuples(st.sampled_from(["x", "y", None]), st.none() | st.integers(0, 3), st.integers(0, 2)),
    min_size=1, max_size=8,
)  # fmt: skip
SCHEMA = {"t": pl.String, "n": pl.Int64, "p": pl.Int64}


def gower(first: tuple[Any, Any], second: tuple[Any, Any], span: float) -> float:
    """By the definition, one pair at a time."""
    texts = 0.0 if first[0] == second[0] else 1.0
    if first[1] is None or second[1] is None:
        return (texts + (first[1] is not second[1])) / 2
    return (texts + (abs(first[1] - second[1]) / span if span else 0.0)) / 2


@settings(max_examples=100)
@given(CELLS, CELLS)
def test_nearest_rows_and_predicates_are_those_of_a_loop_over_all(mine: list[Any], theirs: list[Any]) -> None:
    """Distances, ties and conditions on numbers, texts and missing values."""
    people_, released = (pl.DataFrame(rows, schema=SCHEMA, orient="row") for rows in (mine, theirs))
    columns = sides(people_, released, ["t", "n"])
    known = [row[1] for row in [*mine, *theirs] if row[1] is not None]
    span = max(known, default=0) - min(known, default=0)
    near = Near(columns)
    rng = np.random.default_rng(0)
    for i, person in enumerate(mine):
        expected = [gower(person[:2], row[:2], span) for row in theirs]
        assert np.abs(near.distances(i)[near.of] - expected).max() < 1e-9
        for k in (1, 3):
            found = near.neighbours(i, k, rng).tolist()
            assert len(found) == len(set(found)) == min(k, len(theirs))
            wanted = sorted(expected)[: len(found)]
            assert np.abs(np.sort([expected[row] for row in found]) - wanted).max() < 1e-9
        within = set(near.nearest(i).tolist())
        assert {row for row in range(len(theirs)) if near.of[row] in within} == {
            row for row in range(len(theirs)) if expected[row] < min(expected) + 1e-9
        }
    numbers = sorted({row[1] for row in theirs if row[1] is not None})
    for place, value in enumerate(numbers):
        # a missing number comes first
        code = place + any(row[1] is None for row in theirs)
        whose = {row[2] for row in mine if row[1] is not None and row[1] >= value}
        predicate = Predicate(((1, "≥", code),))
        found_ = singled_out([predicate], columns, people_["p"].to_numpy(), SURE)
        assert found_.successes == (len(whose) == 1)


def test_a_guessed_number_may_be_off_by_the_tolerance_and_a_text_may_not() -> None:
    """Five per cent of the true number, on both sides; a missing value is only guessed as missing."""
    truth, guess = pl.Series([100, 100, -100, None, 1]), pl.Series([105, 94, -96, 1, None])
    assert right_guesses(truth, guess, 0.05).tolist() == [True, False, True, False, False]
    assert right_guesses(pl.Series(["a", None]), pl.Series(["b", None]), 0.05).tolist() == [False, True]


def test_intervals_are_those_of_the_textbooks() -> None:
    """Wilson as scipy has it; a residual risk of equal rates holds 0, and one without attempts says nothing."""
    from scipy.stats import binomtest

    for successes, n in ((0, 30), (7, 30), (30, 30), (411, 1000)):
        share = wilson(successes, n, 0.9)
        theirs = binomtest(successes, n).proportion_ci(0.9, method="wilson")
        assert abs(share.low - theirs.low) < 1e-9
        assert abs(share.high - theirs.high) < 1e-9
    equal = residual(wilson(300, 1000, SURE), wilson(300, 1000, SURE), SURE)
    assert equal.low == 0
    assert 0.03 < equal.high < 0.07
    assert residual(wilson(0, 0, SURE), wilson(0, 0, SURE), SURE).high == 1.0


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """500 draws of a 95 % interval: fewer than 455 or more than 497 hits would come in one test of 10,000."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(500):
        main = wilson(int(rng.binomial(500, 0.44)), 500, SURE)
        control = wilson(int(rng.binomial(500, 0.2)), 500, SURE)
        risk = residual(main, control, SURE)
        hits += risk.low <= 0.3 <= risk.high
    assert 455 <= hits <= 497


def test_members_of_an_overfitted_model_are_told_and_others_are_not() -> None:
    """A table that is memorised shows by distance; scores without difference are a coin; the area is that of all pairs."""
    training, control, released = mixed(1.0)
    inside, outside = (closest(sides(rows, released, NAMES[:4])) for rows in (training, control))
    told = told_apart(-inside[0], -outside[0], -0.001, SURE)
    assert told.auc[1] > 0.99
    assert told.caught.value > 0.99
    assert told.advantage[1] > 0.9
    assert (inside[1] <= 1).all()
    rng = np.random.default_rng(1)
    coin = told_apart(rng.normal(size=700).round(1), rng.normal(size=900).round(1), 0.0, SURE)
    assert coin.auc[1] < 0.5 < coin.auc[2]
    first, second = rng.normal(size=40).round(1), rng.normal(size=50).round(1)
    pairs = [(a > b) + 0.5 * (a == b) for a in first for b in second]
    assert abs(told_apart(first, second, 0.0, SURE).auc[0] - np.mean(pairs)) < 1e-9


def test_losses_of_training_rows_are_lower_where_a_model_remembers() -> None:
    """Labels without any pattern: what the model knows of training rows it can only have remembered."""
    rng = np.random.default_rng(2)
    rows = people(600, 7).with_columns(
        pl.Series("ward", rng.choice(["n", "s", "w"], 600)).replace("w", None),
        pl.Series("event", rng.choice(["yes", "no"], 600)),
        pl.int_range(600, dtype=pl.UInt32).alias(PERSON),
    )
    model = Model(
        target=Target(column="event", positive="yes"),
        features=("a", "b", "c", "d", "ward"),
        test_share=0.5,
        seed=1,
    )
    inside, outside = losses(rows.head(300), rows.tail(300), model)
    assert (len(inside), len(outside)) == (300, 300)
    told = told_apart(-inside, -outside, -float(inside.mean()), SURE)
    assert told.auc[1] > 0.6
    assert (inside > 0).all()

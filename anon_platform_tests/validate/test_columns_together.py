"""Pairs, three columns together, queries and telling records apart, against slow counts record by record."""

from collections.abc import Hashable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import association

from anon_platform.policy import Utility
from anon_platform.validate import assess
from anon_platform.validate.utility.coded import Coded, People, coded, together
from anon_platform.validate.utility.compared import compared
from anon_platform.validate.utility.marginals import drawn_combinations, k_marginal_score, measure_marginals
from anon_platform.validate.utility.pairs import correlation_ratio, cramers_v, measure_pairs, pearson
from anon_platform.validate.utility.propensity import (
    expected_pmse,
    independent,
    measure_propensity,
    one_record_each,
    propensities,
)
from anon_platform.validate.utility.queries import (
    Answer,
    answers,
    errors_of,
    relative_error,
    weighted_mean,
    workload,
)
from anon_platform.validate.utility.several import measure_queries
from anon_platform_tests.validate import utility_oracles as oracles
from anon_platform_tests.validate.small_releases import COUNTY, county, decade, release, rows, source_of

Spread = Mapping[Hashable, Mapping[Hashable, Fraction]]


def codes_of(evidence: Any) -> dict[str, Coded]:
    rng = np.random.default_rng(0)
    return {column.name: coded(evidence, column, rng) for column in compared(evidence)}


def towns_spread(towns: list[Any]) -> Spread:
    """By county its towns of the source, in equal shares."""
    found: dict[Hashable, dict[Hashable, Fraction]] = {}
    for name in set(map(county, towns)):
        covered = {town for town in towns if county(town) == name}
        found[name] = {town: Fraction(1, len(covered)) for town in covered}
    return found


def itself(values: list[Any]) -> Spread:
    return {value: {value: Fraction(1)} for value in values}


@settings(max_examples=25)
@given(rows, st.data())
def test_cells_together_hold_what_each_record_spreads_over_them(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any], data: st.DataObject
) -> None:
    """Town and stay: a county is any of its towns, a stay itself; the score is that of the distance."""
    kept = data.draw(st.lists(st.integers(0, len(drawn) - 1), unique=True, min_size=1))
    columns = codes_of(release(tmp_path_factory.mktemp("r"), source_of(drawn), kept))
    towns, stays = [row[2] for row in drawn], [row[3] for row in drawn]
    before, after = together(columns, ["town", "stay"])
    pairs = list(zip(towns, stays, strict=True))
    exact_before = {pair: Fraction(pairs.count(pair)) for pair in set(pairs)}
    labels = [(county(towns[i]), stays[i]) for i in kept]
    exact_after = oracles.spread_table(labels, [towns_spread(towns), itself(stays)])
    assert sorted(before[before > 0].tolist()) == pytest.approx(sorted(map(float, exact_before.values())))
    assert sorted(after[after > 1e-12].tolist()) == pytest.approx(
        sorted(float(one) for one in exact_after.values() if one), abs=1e-9
    )
    two = {name: columns[name] for name in ("town", "stay")}
    found = measure_marginals(two, 10, np.random.default_rng(1))
    assert found is not None
    distance = oracles.total_variation(exact_before, exact_after)
    assert found.score == pytest.approx(1000 * (1 - float(distance)), abs=1e-9)
    assert (found.order, found.drawn, found.all, found.worst) == (2, 1, 1, ("town", "stay"))
    pair = measure_pairs(
        {name: columns[name] for name in ("town",)}, (np.arange(3), np.arange(1)), np.random.default_rng(1)
    )
    assert pair is None


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_associations_are_those_of_the_textbook(pairs: list[tuple[int, int]]) -> None:
    """Counted pair by pair, and as scipy and numpy have them."""
    exact = {pair: Fraction(pairs.count(pair)) for pair in set(pairs)}
    table = np.zeros((4, 4))
    for a, b in pairs:
        table[a, b] += 1
    found, by_hand = cramers_v(table), oracles.cramers_v(exact)
    assert (found is None) == (by_hand is None)
    x, y = (np.array(side, float) for side in zip(*pairs, strict=True))
    r = pearson(x, y, x**2, y**2)
    ratio = correlation_ratio(x, x**2, y.astype(int), np.eye(4))
    if found is None or by_hand is None:
        assert r is None
        assert ratio is None
        return
    assert found**2 == pytest.approx(by_hand**2, abs=1e-9)
    crossed = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0].astype(int)
    assert found == pytest.approx(association(crossed, method="cramer"), abs=1e-7)
    assert r == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)
    means = {b: np.mean([x[i] for i in range(len(x)) if y[i] == b]) for b in set(y)}
    between = sum((means[b] - x.mean()) ** 2 for b in y) / ((x - x.mean()) ** 2).sum()
    assert ratio is not None
    assert ratio**2 == pytest.approx(between, abs=1e-9)


def test_a_spread_number_varies_more_than_the_middle_of_its_label(tmp_path: Path) -> None:
    """Pearson's correlation of decades with themselves would be 1; with every age equally likely in them it is less."""
    drawn = [(i, 20 + i % 20, "ash", 1 + i % 6, float(i % 20), None) for i in range(200)]
    columns = codes_of(release(tmp_path, source_of(drawn), range(200)))
    everybody = np.arange(200), np.arange(200)
    found = measure_pairs(
        {name: columns[name] for name in ("age", "weight")}, everybody, np.random.default_rng(1)
    )
    assert found is not None
    pair = found.worst[0]
    middles = [24.5 if age < 30 else 34.5 for _, age, *_ in drawn]
    weights = [row[4] for row in drawn]
    covariance = np.mean((np.array(middles) - np.mean(middles)) * (np.array(weights) - np.mean(weights)))
    # every age from 20 to 39 is as likely as any other
    expected = covariance / np.sqrt((20**2 - 1) / 12) / np.std(weights)
    assert (pair.kind, pair.before) == ("pearson", pytest.approx(1.0, abs=1e-9))
    assert pair.after == pytest.approx(expected, abs=1e-9)


@settings(max_examples=25)
@given(rows, st.data())
def test_queries_are_answered_as_a_reader_of_the_release_would(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any], data: st.DataObject
) -> None:
    """Listed queries: people of some ages from some towns, the average stay of some, by town; record by record."""
    kept = data.draw(st.lists(st.integers(0, len(drawn) - 1), unique=True, min_size=1))
    utility = {
        "queries": [
            {
                "name": "some",
                "where": {"age": {"at_least": 25, "below": 34}, "town": {"values": ["ash", "elm"]}},
            },
            {"name": "stay", "average": "stay", "where": {"age": {"at_least": 20}}},
            {"name": "towns", "group_by": "town"},
        ]
    }
    evidence = release(tmp_path_factory.mktemp("r"), source_of(drawn), kept, utility)
    columns = {column.name: column for column in compared(evidence)}
    told = measure_queries(evidence, Utility.model_validate(utility), columns, codes_of(evidence))
    ages, towns, stays = ([row[place] for row in drawn] for place in (1, 2, 3))

    def share_of_age(age: int | None, low: int, high: int) -> Fraction:
        if age is None:
            return Fraction(0)
        covered = [one for one in ages if one is not None and decade(one) == decade(age)]
        numbers = range(min(covered), max(covered) + 1)
        return Fraction(sum(low <= one < high for one in numbers), len(numbers))

    spread = towns_spread(towns)
    share_of_town = {
        i: sum(spread[county(towns[i])].get(one, Fraction(0)) for one in ("ash", "elm")) for i in kept
    }
    true = sum(
        a is not None and 25 <= a < 34 and t in ("ash", "elm") for a, t in zip(ages, towns, strict=True)
    )
    got = sum((share_of_age(ages[i], 25, 34) * share_of_town[i] for i in kept), Fraction(0))
    assert told.listed["some"].median_absolute == pytest.approx(abs(float(got) - true), abs=1e-6)
    known = [s for a, s in zip(ages, stays, strict=True) if a is not None and a >= 20 and s is not None]
    assert ("stay" in told.listed) == bool(known)
    if known:
        parts = [(share_of_age(ages[i], 20, 99), stays[i]) for i in kept if stays[i] is not None]
        weight = sum((part for part, _ in parts), Fraction(0))
        average = float(sum(part * s for part, s in parts) / weight) if weight else None
        numbers = [s for s in stays if s is not None]
        answer = Answer(float(np.mean(known)), average, average=True, spread=float(np.std(numbers)))
        assert told.listed["stay"].median_relative == pytest.approx(
            relative_error(answer, len(drawn)), abs=1e-6
        )
    groups = {town for town in towns if town is not None}
    assert ("towns" in told.listed) == bool(groups)
    if groups:
        errors = [
            abs(float(sum(spread[county(towns[i])].get(town, Fraction(0)) for i in kept)) - towns.count(town))
            for town in groups
        ]
        assert told.listed["towns"].queries == len(groups)
        assert told.listed["towns"].high_absolute == pytest.approx(np.quantile(errors, 0.95), abs=1e-6)


def test_a_generated_workload_asks_what_cells_can_answer(tmp_path: Path) -> None:
    """Each answer is counted record by record from the cells; the same seed asks the same."""
    drawn = [(i, 18 + i % 30, [*COUNTY][i % 5], 1 + i % 6, i / 7, None) for i in range(240)]
    columns = codes_of(release(tmp_path, source_of(drawn), range(0, 240, 2)))
    asked = workload(columns, ["stay"], 40, np.random.default_rng(3))
    again = workload(columns, ["stay"], 40, np.random.default_rng(3))
    assert [sorted(one.where) for one in asked] == [sorted(one.where) for one in again]
    assert sum(one.average == "stay" for one in asked) == 10
    for one, answer in zip(asked, answers(columns, asked), strict=True):
        inside = [all(cells[columns[n].before[i]] for n, cells in one.where.items()) for i in range(240)]
        shares = [
            np.prod([columns[n].spread[columns[n].after[i]] @ cells for n, cells in one.where.items()])
            for i in range(120)
        ]
        if one.average is None:
            assert (answer.true, answer.got) == (sum(inside), pytest.approx(sum(shares), abs=1e-3))
        else:
            stays = [row[3] for row in drawn]
            assert answer.true == pytest.approx(np.average(stays, weights=inside), abs=1e-9)
            if answer.got is not None:
                assert answer.got == pytest.approx(np.average(stays[::2], weights=shares), abs=1e-5)


def test_errors_of_queries_have_a_floor() -> None:
    """One record too many of none is no error without end; what has no answer is wrong by all of it."""
    assert relative_error(Answer(5.0, 6.0, average=False), 100_000) == 0.01
    assert relative_error(Answer(5.0, None, average=True, spread=1.0), 10) == 1.0
    assert relative_error(Answer(0.0, 0.01, average=True, spread=1.0), 10) == pytest.approx(0.1)
    assert relative_error(Answer(0.0, 0.0, average=True, spread=0.0), 10) == 0.0
    assert errors_of([], 10) is None
    assert weighted_mean(np.array([1.0, np.nan, 5.0]), np.array([1, 9, 3])) == 4.0
    assert weighted_mean(np.array([np.nan]), np.array([1])) is None


def test_chance_gives_the_expected_pmse() -> None:
    """The formula against 150 pairs of samples of one population; a mean so far off has a chance below 1 in 10,000."""
    rng = np.random.default_rng(5)
    found = []
    truth = np.repeat([0.0, 1.0], [150, 250])
    for _ in range(150):
        features = rng.normal(size=(400, 4))
        scores = propensities(features, truth)
        found.append(((scores - 250 / 400) ** 2).mean())
    expected = expected_pmse(5, 150, 250)
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - expected) < 4 * error
    # the mean is told from the formula for records drawn from a fitted model
    assert abs(np.mean(found) - expected * 150 / 400) > 4 * error


def test_propensities_of_groups_are_their_shares() -> None:
    """Maximum likelihood with one indicator: each group's chance is how much of it was released."""
    features = np.array([[0.0]] * 8 + [[1.0]] * 5)
    truth = np.array([1, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0], float)
    assert propensities(features, truth) == pytest.approx([2 / 8] * 8 + [3 / 5] * 5, abs=1e-6)
    twice = np.column_stack([features, features * 2, np.ones(13)])
    assert independent(twice).shape == (13, 1)
    assert independent(np.ones((5, 2))).shape == (5, 0)


def test_records_of_different_people_are_told_apart_only_when_something_changed(tmp_path: Path) -> None:
    """Nobody is on both sides and nobody twice; released as it is the ratio is near 1, with half of the people gone it is not."""
    rng = np.random.default_rng(2)
    drawn = [
        (i // 2, 20 + int(rng.integers(20)), "fir", int(rng.integers(1, 7)), float(rng.random()), None)
        for i in range(3000)
    ]
    evidence = release(tmp_path / "all", source_of(drawn), range(3000))
    people = People.of(evidence)
    first, second = one_record_each(people, np.random.default_rng(1))
    assert not {*people.before[first]} & {*people.after[second]}
    assert (len(first), len({*people.before[first]})) == (750, 750)
    columns = {name: one for name, one in codes_of(evidence).items() if name in ("stay", "weight", "town")}
    same = measure_propensity(columns, people, np.random.default_rng(1))
    assert same is not None
    # a χ² with 9 degrees of freedom over its mean: above 3.2 once in 100,000
    assert same.ratio < 3.2
    short = [i for i, row in enumerate(drawn) if row[3] <= 3]
    evidence = release(tmp_path / "short", source_of(drawn), short)
    columns = {name: one for name, one in codes_of(evidence).items() if name in ("stay", "weight", "town")}
    other = measure_propensity(columns, People.of(evidence), np.random.default_rng(1))
    assert other is not None
    assert other.ratio > 10


def test_combinations_are_drawn_without_repeating() -> None:
    """All of them while there are few; else as many different ones as were asked for, the same for the same seed."""
    names = [f"c{i}" for i in range(9)]
    assert len(drawn_combinations(names, 3, 84, np.random.default_rng(0))) == 84
    some = drawn_combinations(names, 3, 40, np.random.default_rng(0))
    assert len({*some}) == 40
    assert some == drawn_combinations(names, 3, 40, np.random.default_rng(0))
    # 500 × (2 − mean of Σ |p − q|)
    assert k_marginal_score([0.25, 0.5]) == pytest.approx(500 * (2 - (0.5 + 1.0) / 2))


def test_every_measure_stands_beside_its_limit(tmp_path: Path) -> None:
    """Below utility a limit that is missed refuses; a query that cannot be answered refuses when one is demanded."""
    drawn = [(i, 18 + i % 30, [*COUNTY][i % 5], 1 + i % 6, i / 7, None) for i in range(240)]
    limits = {"pair_difference": 0.0, "k_marginal": 1000, "pmse_ratio": 0.01, "query_error": 0.0}
    assessment = assess(release(tmp_path / "a", source_of(drawn), range(120), limits))
    missed = {metric.name for metric in assessment.missed()}
    assert missed == {"mean pair difference", "k-marginal score", "pMSE ratio", "median query error"}
    assert not assessment.check_passed("query_accuracy")
    assert {"pairs", "marginals", "propensity", "queries"} <= set(assessment.detail["utility"])
    asked = {"queries": [{"name": "range of towns", "where": {"town": {"at_least": 3}}}]}
    free = assess(release(tmp_path / "b", source_of(drawn), range(240), asked))
    assert free.passed
    bound = assess(release(tmp_path / "c", source_of(drawn), range(240), {**asked, "query_error": 1.0}))
    metric = next(metric for metric in bound.missed() if metric.check == "query_accuracy")
    assert (metric.value, metric.note) == (
        None,
        "range of towns: town: a range needs numbers or dates; write values",
    )
    # cheap measures need no section, and no other is taken without one
    plain = assess(release(tmp_path / "d", source_of(drawn), range(240)))
    assert set(plain.detail["utility"]) == {"columns", "information_loss"}

"""Whom an attacker's file may mean, against a count by plain loops."""

from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Flat, Intervals, Prefix
from anon_platform.table import PERSON
from anon_platform.validate.attacks.candidates import Compared, as_codes, candidates
from anon_platform.validate.attacks.linkage import Held, attack_release
from anon_platform.validate.attacks.probabilistic import best_candidates, learn
from anon_platform.validate.attacks.relations import covering_labels, equal_values, years_since

LABELS = st.sampled_from(["a", "b", "*", "z", None])
VALUES = st.sampled_from(["a", "b", "c", None])
ROWS = st.lists(st.tuples(LABELS, LABELS, st.integers(0, 4)), min_size=1, max_size=12)
KNOWN = st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6)
COVERS = [("a", "a"), ("b", "b"), ("a", "*"), ("b", "*"), ("c", "*")]


def frames(rows: list[Any], known: list[Any]) -> tuple[pl.DataFrame, pl.DataFrame, list[Compared]]:
    """The table, the people, and two comparisons in which `*` covers everything."""
    table = pl.DataFrame(rows, schema={"x": pl.String, "y": pl.String, PERSON: pl.UInt32}, orient="row")
    people = pl.DataFrame(known, schema={"k": pl.String, "l": pl.String}, orient="row")
    related = pl.DataFrame(COVERS, schema={"value": pl.String, "label": pl.String}, orient="row")
    return table, people, [Compared("x", "k", related), Compared("y", "l", related)]


def fits(value: str | None, label: str | None) -> bool:
    """Nobody knows: everything fits; a missing label covers nothing that is known."""
    return value is None or (value, label) in COVERS


@settings(max_examples=150)
@given(ROWS, KNOWN)
def test_candidates_are_those_that_a_loop_over_all_pairs_finds(rows: list[Any], known: list[Any]) -> None:
    """A person too many hides a re-identification, one too few invents it."""
    table, people, compared = frames(rows, known)
    found = candidates(people, compared, table)
    coded = candidates(*as_codes(people, compared, table))
    assert coded.size.tolist() == found.size.tolist()
    assert coded.only.tolist() == found.only.tolist()
    for i, (first, second) in enumerate(known):
        meant = {person for x, y, person in rows if fits(first, x) and fits(second, y)}
        assert found.size[i] == len(meant)
        assert found.only[i] == (min(meant) if len(meant) == 1 else -1)
        for person in range(5):
            asked = pl.Series([person if j == i else None for j in range(len(known))], dtype=pl.UInt32)
            assert found.hold(asked).tolist() == [j == i and person in meant for j in range(len(known))]


@settings(max_examples=60)
@given(ROWS, KNOWN)
def test_the_likeliest_candidates_fit_in_as_much_as_any_set_of_their_weight(
    rows: list[Any], known: list[Any]
) -> None:
    """Whoever fits in everything is never passed over for somebody who fits in less."""
    table, people, compared = frames(rows, known)
    best = best_candidates(people, compared, table)
    whole = candidates(people, compared, table, missing_fits=False)
    # a comparison that all pairs pass tells nothing, so that both columns together may weigh nothing
    if best.weights.weight((0, 1)) > max(best.weights.weight((0,)), best.weights.weight((1,)), 0):
        here = whole.size > 0
        assert (best.size[here] == whole.size[here]).all()
    assert ((best.only == -1) | (best.size == 1)).all()


def test_learnt_weights_are_those_the_pairs_were_drawn_from() -> None:
    """A million pairs with known probabilities: the maximum of the likelihood is close to them."""
    m, u, prior = np.array([0.9, 0.8, 0.7]), np.array([0.05, 0.1, 0.02]), 0.01
    patterns = (np.arange(8)[:, None] >> np.arange(3) & 1).astype(np.bool_)
    same = np.where(patterns, m, 1 - m).prod(axis=1) * prior
    different = np.where(patterns, u, 1 - u).prod(axis=1) * (1 - prior)
    weights = learn(patterns, (same + different) * 1e6, prior)
    assert np.abs(weights.m - m).max() < 0.05
    # u counts all pairs, those of the same person among them
    assert np.abs(weights.u - u).max() < prior
    assert weights.weight((0, 1, 2)) > weights.weight((0, 1)) > 0 > weights.weight(())
    assert weights.belief((0, 1, 2)) > 0.9
    assert weights.belief(()) < 0.01


def test_labels_that_cover_a_value_are_its_ancestors_and_hulls_that_hold_it() -> None:
    """Full-domain levels, local labels of two levels at once, intervals, sets and `*`."""
    ages = pl.Series([23, 30, 41])
    labels = pl.Series(["[20, 25)", "[20, 30)", "*", None, "[60, 65)"])
    hierarchy = Intervals(kind="intervals", widths=(5, 10))
    found = covering_labels(ages.cast(pl.String), ages, labels, hierarchy, column="age")
    assert sorted(found.rows()) == [
        ("23", "*"),
        ("23", "[20, 25)"),
        ("23", "[20, 30)"),
        ("30", "*"),
        ("41", "*"),
    ]
    labels = pl.Series(["[30, 50]", '{41, "x"}', "23"])
    found = covering_labels(ages.cast(pl.String), ages, labels, Flat(kind="flat"), column="age")
    assert sorted(found.rows()) == [("23", "23"), ("30", "[30, 50]"), ("41", "[30, 50]"), ("41", '{41, "x"}')]
    codes = pl.Series(["4711", "4801"])
    prefixes = Prefix(kind="prefix", keep=(2,))
    found = covering_labels(codes, codes, pl.Series(prefixes.labels(codes)[0]), prefixes, column="code")
    assert found.height == 2
    assert covering_labels(codes, codes, pl.Series(["4711"]), Flat(kind="flat"), column="code").rows() == [
        ("4711", "4711")
    ]


def test_ages_of_a_time_are_all_that_somebody_had_in_it() -> None:
    """From before the birthday in the first year to after it in the last; nobody has an age before birth."""
    from datetime import date

    days = pl.Series([date(1950, 6, 1), date(1950, 1, 1), date(2008, 5, 5)])
    found = years_since(days, 2007, 2008)
    ages = {value: set(part["of"]) for (value,), part in found.group_by("value")}
    assert ages == {days[0]: {56, 57, 58}, days[1]: {57, 58}, days[2]: {0}}


def test_claims_are_scored_against_the_truth_and_against_guessing() -> None:
    """Three people of the file: one found, one claimed wrongly, one among two; one of them is not in the data."""
    table = pl.DataFrame({"zip": ["1", "2", "3", "3"], PERSON: pl.Series([0, 1, 2, 3], dtype=pl.UInt32)})
    known = pl.DataFrame({"place": ["1", "2", "3"]})
    relation = Compared("zip", "place", equal_values(known["place"], table["zip"]))
    held = Held(9, known, pl.Series([0, None, 3], dtype=pl.UInt32), (relation,), (relation,), (relation,))
    for found in attack_release(held, table, 0.95):
        if found.way == "probabilistic":
            continue
        assert (found.attacked, found.matched, found.claims) == (3, 3, 2)
        assert (found.certain.successes, found.certain.n) == (1, 3)
        assert found.precision is not None
        assert (found.precision.successes, found.precision.n) == (1, 2)
        assert found.recall is not None
        assert (found.recall.successes, found.recall.n) == (1, 2)
        assert abs(found.picked - (1 + 1 / 2) / 2) < 1e-12
        assert found.chance == 1 / 4
    blind = Held(9, known, None, (relation,), (relation,), (relation,))
    found = attack_release(blind, table, 0.95)[0]
    assert found.precision is None
    assert (found.certain.successes, found.certain.n) == (2, 3)
    assert abs(found.picked - (1 + 1 + 1 / 2) / 3) < 1e-12

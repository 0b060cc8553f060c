"""Equivalence classes, k, l, t and risk against a count by hand and against the papers that define them."""

from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anon_platform.frequency import (
    Risk,
    class_size_histogram,
    classes,
    k_of,
    l_of,
    risk_of,
    t_of,
)
from anon_platform_tests import oracles

SCHEMA = {"age": pl.Int64, "sex": pl.String, "who": pl.UInt32, "dx": pl.String, "drug": pl.Int64}
Rows = list[dict[str, Any]]

records = st.fixed_dictionaries(
    {
        "age": st.none() | st.integers(0, 2),
        "sex": st.none() | st.sampled_from(["F", "M", ""]),
        "who": st.integers(0, 5),
        "dx": st.none() | st.sampled_from(["a", "b", "c"]),
        "drug": st.none() | st.integers(0, 3),
    }
)
tables = st.lists(records, max_size=30)
quasi_identifiers = st.sampled_from([[], ["age"], ["sex"], ["age", "sex"]])
people = st.sampled_from([None, "who"])


def frequency_table(rows: Rows) -> pl.DataFrame:
    """One row a combination of all columns, in no order that means anything."""
    found = Counter(tuple(row[name] for name in SCHEMA) for row in rows)
    counted = [(*values, n) for values, n in found.items()]
    return pl.DataFrame(counted, schema={**SCHEMA, "n": pl.UInt32}, orient="row")


@settings(deadline=None, max_examples=150)
@given(tables, quasi_identifiers, people)
@example([], ["age"], "who")
@example([], [], None)
@example([{"age": None, "sex": None, "who": 0, "dx": None, "drug": None}], ["age", "sex"], "who")
@example([{"age": 1, "sex": "F", "who": 0, "dx": None, "drug": 2}] * 9, ["age"], "who")
def test_classes_are_those_a_reader_counts(rows: Rows, names: list[str], person: str | None) -> None:
    """Everything the platform promises rests on these numbers: who is alike, and how many they are."""
    found = classes(frequency_table(rows), names, person=person, sensitive=["dx", "drug"])
    by_hand = [
        (
            *key,
            len(members),
            oracles.people(members, person),
            len({row["dx"] for row in members}),
            len({row["drug"] for row in members}),
        )
        for key, members in oracles.classes(rows, names).items()
    ]
    assert found.columns == [*names, "n", "people", "l:dx", "l:drug"]
    assert Counter(found.rows()) == Counter(by_hand)


@settings(deadline=None, max_examples=150)
@given(tables, quasi_identifiers, people)
@example([], ["age"], "who")
@example([{"age": None, "sex": "F", "who": 3, "dx": "a", "drug": None}] * 5, ["age"], "who")
def test_k_l_t_and_risk_are_those_a_reader_counts(rows: Rows, names: list[str], person: str | None) -> None:
    """Five records of one person are no crowd to hide in, and an empty cell is a value like any other."""
    counts = frequency_table(rows)
    of_classes = classes(counts, names, person=person, sensitive=["dx", "drug"])
    assert k_of(of_classes) == oracles.k_of(rows, names, person)
    for name in ("dx", "drug"):
        assert l_of(of_classes, name) == oracles.l_of(rows, names, name)
        assert t_of(counts, names, name) == pytest.approx(float(oracles.t_of(rows, names, name)), abs=1e-9)
    risk, by_hand = risk_of(of_classes), oracles.risk(rows, names, person)
    assert risk.maximum == pytest.approx(float(by_hand.maximum), abs=1e-9)
    assert risk.mean == pytest.approx(float(by_hand.mean), abs=1e-9)
    assert risk.unique_share == pytest.approx(float(by_hand.unique_share), abs=1e-9)
    assert risk.classes == by_hand.classes
    assert dict(class_size_histogram(of_classes).rows()) == oracles.class_sizes(rows, names, person)


@settings(deadline=None, max_examples=50)
@given(tables, st.randoms(use_true_random=False))
def test_measures_do_not_depend_on_how_the_counts_are_split_or_ordered(rows: Rows, random: Any) -> None:
    """An engine may return its groups in any order, and a second pass may bring a combination twice."""
    whole = frequency_table(rows)
    single = [(*tuple(row[name] for name in SCHEMA), 1) for row in rows]
    random.shuffle(single)
    split = pl.DataFrame(single, schema={**SCHEMA, "n": pl.UInt32}, orient="row")
    for counts in (whole, split):
        of_classes = classes(counts, ["age", "sex"], person="who", sensitive=["dx"])
        assert Counter(of_classes.rows()) == Counter(
            classes(whole, ["age", "sex"], person="who", sensitive=["dx"]).rows()
        )
        assert t_of(counts, ["age", "sex"], "dx") == pytest.approx(
            t_of(whole, ["age", "sex"], "dx"), abs=1e-9
        )


@pytest.mark.parametrize(
    ("quasi_identifier", "sensitive"),
    [("p", "q"), ("q", "p"), ("shared", "dx"), ("lower", "value"), ("age group", "shared"), ("k", "l")],
)
def test_no_column_name_of_the_source_changes_a_measure(quasi_identifier: str, sensitive: str) -> None:
    """A column that is called like a step of the computation must not take its place: t would be wrong."""
    plain = pl.DataFrame({"age": [1, 1, 2, 3], "dx": ["a", "b", "a", "c"], "n": [1, 2, 3, 4]})
    named = plain.rename({"age": quasi_identifier, "dx": sensitive})
    assert t_of(named, [quasi_identifier], sensitive) == t_of(plain, ["age"], "dx")
    found = classes(named, [quasi_identifier], sensitive=[sensitive])
    assert Counter(found.rows()) == Counter(classes(plain, ["age"], sensitive=["dx"]).rows())


def test_a_table_without_records_promises_nothing() -> None:
    """Zero, not an error and not infinity: a release of no rows has k = 0 and misses every threshold."""
    empty = frequency_table([])
    for names in ([], ["age"]):
        of_classes = classes(empty, names, person="who", sensitive=["dx"])
        assert of_classes.height == 0
        assert (k_of(of_classes), l_of(of_classes, "dx"), t_of(empty, names, "dx")) == (0, 0, 0.0)
        assert risk_of(of_classes) == Risk(0.0, 0.0, 0.0, 0)
        assert class_size_histogram(of_classes).rows() == []


def test_the_risk_of_five_alike_people_is_a_fifth() -> None:
    """max_risk: 0.2 and k: 5 are the same demand, so the quotient has to be the same float."""
    assert risk_of(pl.DataFrame({"n": [5], "people": [5]})) == Risk(0.2, 0.2, 0.0, 1)


@pytest.mark.parametrize("power", range(41))
def test_a_class_of_a_power_of_two_people_opens_its_bin(power: int) -> None:
    """A logarithm in floating point falls short of whole numbers, and 8 people would stand with 4."""
    sizes = [size for size in (2**power - 1, 2**power, 2**power + 1) if size]
    of_classes = pl.DataFrame({"n": [1] * len(sizes), "people": sizes})
    expected = Counter(1 << (size.bit_length() - 1) for size in sizes)
    assert class_size_histogram(of_classes).rows() == sorted(expected.items())


def test_the_patients_of_machanavajjhala_et_al_2007() -> None:
    """l-Diversity, TKDD 1(1), figures 2 and 3: the inpatient table that is 4-anonymous and tells who has cancer.

    Figure 2 generalises ZIP code and age to three classes of four; its last class holds cancer only. The
    3-diverse table of figure 3 generalises otherwise and has three conditions in every class.
    """
    condition = ["heart", "heart", "viral", "viral", "cancer", "heart", "viral", "viral", *["cancer"] * 4]
    figure_2 = ["130**, <30"] * 4 + ["1485*, ≥40"] * 4 + ["130**, 3*"] * 4
    figure_3 = [
        "1305*, ≤40", "1306*, ≤40", "1306*, ≤40", "1305*, ≤40", "1485*, >40", "1485*, >40",
        "1485*, >40", "1485*, >40", "1305*, ≤40", "1305*, ≤40", "1306*, ≤40", "1306*, ≤40",
    ]  # fmt: skip
    for of_row, expected in ((figure_2, (4, 1)), (figure_3, (4, 3))):
        counts = pl.DataFrame({"class": of_row, "condition": condition, "n": [1] * 12})
        of_classes = classes(counts, ["class"], sensitive=["condition"])
        assert (k_of(of_classes), l_of(of_classes, "condition")) == expected


def test_a_table_of_sweeney_2002_is_2_anonymous() -> None:
    """k-Anonymity: a model for protecting privacy, figure 2: race, birth, gender, ZIP code, and a problem.

    The paper's example of k-anonymity with k = 2 over four quasi-identifiers, eleven records.
    """
    rows = [
        ("Black", "1965", "m", "0214*", "short breath"),
        ("Black", "1965", "m", "0214*", "chest pain"),
        ("Black", "1965", "f", "0213*", "hypertension"),
        ("Black", "1965", "f", "0213*", "hypertension"),
        ("Black", "1964", "f", "0213*", "obesity"),
        ("Black", "1964", "f", "0213*", "chest pain"),
        ("White", "1964", "m", "0213*", "chest pain"),
        ("White", "1964", "m", "0213*", "obesity"),
        ("White", "1964", "m", "0213*", "short breath"),
        ("White", "1967", "m", "0213*", "chest pain"),
        ("White", "1967", "m", "0213*", "chest pain"),
    ]
    names = ["race", "birth", "gender", "zip"]
    counts = pl.DataFrame(rows, schema=[*names, "problem"], orient="row").with_columns(n=1)
    of_classes = classes(counts, names, sensitive=["problem"])
    assert (of_classes.height, k_of(of_classes), l_of(of_classes, "problem")) == (5, 2, 1)
    risk = risk_of(of_classes)
    assert (risk.maximum, risk.unique_share) == (0.5, 0.0)
    assert risk.mean == pytest.approx(5 / 11, abs=1e-12)

"""Every privacy model of a policy measured on released files as a reader measures it, and refused when it is missed."""

from collections.abc import Mapping, Sequence
from math import isinf
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.policy import Policy
from anon_platform.table import PERSON, ROW, PolarsTable
from anon_platform.validate import Evidence, Metric, assess, file_metrics
from anon_platform_tests import model_oracles, oracles

FLAT = {"technique": "generalize", "hierarchy": {"kind": "flat"}}
MODELS: dict[str, Any] = {
    "grade": (
        {"model": "entropy_l", "l": 1.5},
        {"model": "recursive_l", "c": 2.5, "l": 2},
        {"model": "t_closeness", "distance": "ordered", "t": 0.3},
        {"model": "t_closeness", "distance": "hierarchical", "t": 0.3, "hierarchy": {"kind": "flat"}},
    ),
    "result": (
        {"model": "distinct_l", "l": 2},
        {"model": "t_closeness", "distance": "ordered", "t": 0.3, "order": ("low", "mid", "high")},
        {"model": "beta_likeness", "beta": 1.5, "enhanced": False},
        {"model": "delta_disclosure", "delta": 1.5},
    ),
}
THRESHOLDS: dict[str, Any] = {
    "k": 2, "l": 1, "max_risk": 0.5, "suppressed_records": 1, "fidelity": 1, "mean_risk": 0.4, "sensitive": MODELS,
}  # fmt: skip
NAMES = ["sex", "town"]
LEAVING = {"who": pl.String, "sex": pl.String, "town": pl.String, "grade": pl.Int64, "result": pl.String}
Rows = Sequence[tuple[Any, ...]]


def policy_of(
    thresholds: Mapping[str, Any], attackers: Sequence[Any] = (), *, linked: bool = False
) -> Policy:
    """A policy of these thresholds; with `linked` the person leaves as a pseudonym."""
    key = {"technique": "pseudonymize", "key": "people"} if linked else {"technique": "suppress"}
    return Policy.model_validate(
        {
            "version": 1,
            "dataset": "visits",
            "title": "Visits",
            "owner": "privacy@hospital.example",
            "source": {"format": "csv", "path": "visits.csv"},
            "privacy_unit": {"column": "who", **({"linked": True} if linked else {})},
            "columns": {
                "who": {"role": "direct_identifier", "treat": key},
                "sex": {"role": "quasi_identifier", "treat": FLAT},
                "town": {"role": "quasi_identifier", "treat": FLAT},
                "grade": {"role": "sensitive", "type": "integer"},
                "result": {"role": "sensitive"},
            },
            "thresholds": thresholds,
            "attackers": tuple(attackers),
            "publish": {"formats": ("csv",), "recipient": "us", "purpose": "tests"},
        }
    )


def evidence_of(
    folder: Path,
    rows: Rows,
    policy: Policy,
    written: str = "parquet",
    population: Mapping[str, pl.DataFrame] | None = None,
) -> Evidence:
    """A release of all rows as they are; rows: person, sex, town, grade, result."""
    raw, data = folder / "raw", folder / "data"
    raw.mkdir(parents=True)
    data.mkdir()
    table = [(i, who, f"P{who}", *cells) for i, (who, *cells) in enumerate(rows)]
    source = pl.DataFrame(table, schema={ROW: pl.UInt32, PERSON: pl.UInt32, **LEAVING}, orient="row")
    source.write_parquet(raw / "part.parquet")
    leaving = source.select(policy.released)
    if written == "parquet":
        leaving.write_parquet(data / "part-00000.parquet")
    else:
        leaving.write_csv(data / "part-00000.csv")
    return Evidence(
        policy=policy,
        data=data,
        kept=source.select(ROW, PERSON),
        suppressed=pl.Series([], dtype=pl.UInt32),
        source=PolarsTable.over(raw),
        treat=dict.fromkeys(policy.released, lambda values: values),
        population=population or {},
    )


def measured(evidence: Evidence) -> dict[str, Metric]:
    """The metrics by name."""
    return {metric.name: metric for metric in assess(evidence).metrics}


visits = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.none() | st.sampled_from("FM"),
        st.sampled_from(["A", "B"]),
        st.none() | st.sampled_from([9, 10, 11]),
        st.none() | st.sampled_from(["low", "mid", "high"]),
    ),
    min_size=1,
    max_size=14,
)


def expected_of(rows: list[dict[str, Any]], names: list[str]) -> dict[str, float]:
    """The measures of MODELS by hand: the worst class; nulls rank below all values."""
    classes = list(oracles.classes(rows, names).values())
    found: dict[str, float] = {}
    grades, results = [row["grade"] for row in rows], [row["result"] for row in rows]
    order = [value for value in (None, "low", "mid", "high") if value in results]
    numbers = [value for value in (None, 9, 10, 11) if value in grades]
    g = [[row["grade"] for row in members] for members in classes]
    r = [[row["result"] for row in members] for members in classes]
    found["entropy l of grade"] = min(map(model_oracles.entropy_number, g))
    found["recursive c (l = 2) of grade"] = max(model_oracles.commonest_against_rare(held, 2) for held in g)
    steps = model_oracles.steps_apart(numbers)
    found["t (ordered) of grade"] = max(model_oracles.transport(held, grades, steps) for held in g)
    found["t (hierarchical) of grade"] = max(float(oracles.total_variation(held, grades)) for held in g)
    found["distinct l of result"] = min(len(set(held)) for held in r)
    steps = model_oracles.steps_apart(order)
    found["t (ordered) of result"] = max(model_oracles.transport(held, results, steps) for held in r)
    found["beta of result"] = max(model_oracles.relative_gain(held, results) for held in r)
    found["delta of result"] = max(model_oracles.log_ratio(held, results) for held in r)
    return found


@settings(deadline=None, max_examples=60)
@given(visits, st.sampled_from(["parquet", "csv"]), st.booleans())
def test_every_model_is_measured_as_by_hand(
    tmp_path_factory: pytest.TempPathFactory,
    rows: Rows,
    written: str,
    linked: bool,  # noqa: FBT001
) -> None:
    """From either format, on rows alone or on linked ones; files alone show the same."""
    policy = policy_of(THRESHOLDS, linked=linked)
    evidence = evidence_of(tmp_path_factory.mktemp("r"), rows, policy, written)
    found = measured(evidence)
    dicts = [dict(zip(["who", *list(LEAVING)[1:]], row, strict=True)) for row in rows]
    names = NAMES
    if linked:
        groups = model_oracles.sequences([(row["who"], (row["sex"], row["town"])) for row in dicts])
        for row in dicts:
            row["sequence"] = next(i for i, group in enumerate(groups) if row["who"] in group)
        names = ["sequence", *NAMES]
    assert found["k"].value == oracles.k_of(dicts, names, "who")
    assert found["mean risk"].value == pytest.approx(float(oracles.risk(dicts, names, "who").mean))
    for name, value in expected_of(dicts, names).items():
        if isinf(value):
            assert found[name].value is None
            assert not found[name].passed
        else:
            assert found[name].value == pytest.approx(value, abs=1e-7), name
            assert found[name].passed == bool(found[name].note == "")
    types = {"grade": "int64", "result": "string"}
    again = file_metrics(evidence.data, NAMES, policy.thresholds.sensitive, types, "who" if linked else None)
    assert again == [found[metric.name] for metric in again]
    assert len(again) == 8


ROWS = [
    (i, sex, town, 9 + i % 3, ["low", "mid", "high"][i % 3])
    for i, (sex, town) in enumerate([("F", "A")] * 6 + [("M", "B")] * 6)
]
"""Twelve people in two classes of six, each as the whole."""


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"mean_risk": 0.16}, "mean risk"),
        ({"k": None, "k_map": {"k": 3, "sampling_fraction": 0.5, "significance": 0.05}, "unique_records": 0.0}, "k"),
        ({"k_map": {"k": 20, "sampling_fraction": 0.9, "significance": 0.05}}, "k-map"),
        ({"sensitive": {"result": ({"model": "entropy_l", "l": 3.001},)}}, "entropy l of result"),
        ({"sensitive": {"result": ({"model": "recursive_l", "c": 0.5, "l": 2},)}}, "recursive c (l = 2) of result"),
        ({"sensitive": {"grade": ({"model": "distinct_l", "l": 4},)}}, "distinct l of grade"),
        ({"sensitive": {"result": ({"model": "t_closeness", "distance": "ordered", "t": 1.0},)}}, "t (ordered) of result"),
        (
            {"sensitive": {"result": ({"model": "t_closeness", "distance": "ordered", "t": 1.0, "order": ("low", "high")},)}},
            "t (ordered) of result",
        ),
    ],
    ids=["mean", "no k", "k-map", "entropy", "recursive", "distinct", "no order", "short order"],
)  # fmt: skip
def test_a_missed_model_refuses_the_release(tmp_path: Path, change: dict[str, Any], name: str) -> None:
    """Whatever the search believes, and also what could not be measured."""
    thresholds = {**THRESHOLDS, "sensitive": {}, **change}
    found = assess(evidence_of(tmp_path, ROWS, policy_of(thresholds)))
    missed = [metric.name for metric in found.missed()]
    assert missed == ([] if name == "k" else [name])
    for metric in found.missed():
        assert metric.note
        assert "mid" not in metric.note


def test_models_that_hold_release(tmp_path: Path) -> None:
    """Six people a class, three values each in equal parts: as even, and as near to all, as can be."""
    found = assess(evidence_of(tmp_path, ROWS, policy_of(THRESHOLDS)))
    assert found.passed
    assert {m.name: m.value for m in found.metrics if m.name.startswith(("t (", "beta", "delta"))} == {
        "t (ordered) of grade": 0.0,
        "t (hierarchical) of grade": 0.0,
        "t (ordered) of result": 0.0,
        "beta of result": 0.0,
        "delta of result": 0.0,
    }


@pytest.mark.parametrize("linked", [False, True])
def test_an_attacker_is_measured_by_what_he_knows(tmp_path: Path, linked: bool) -> None:  # noqa: FBT001
    """Somebody who knows the sex only finds twice as many people, and may be held to more."""
    rows = [
        (i, "FM"[i % 2], "AB"[i // 2 % 2], 9 + i // 4 % 3, ["low", "mid", "high"][i // 4 % 3])
        for i in range(24)
    ]
    attackers = [
        {"name": "neighbour", "knows": ("sex",), "k": 12, "max_risk": 0.1},
        {"name": "clerk", "knows": ("town", "sex"), "k": 7},
    ]
    policy = policy_of({**THRESHOLDS, "sensitive": {}}, attackers, linked=linked)
    found = assess(evidence_of(tmp_path, rows, policy))
    values = {
        metric.name: (metric.value, metric.passed) for metric in found.metrics if " for " in metric.name
    }
    assert values == {
        "k for neighbour": (12.0, True),
        "maximum risk for neighbour": (1 / 12, True),
        "k for clerk": (6.0, False),
        "maximum risk for clerk": (1 / 6, True),
    }


POPULATION = {"format": "csv", "path": "voters", "columns": {"sex": "gender", "town": "place"}}


def against(tmp_path: Path, counts: Rows | None) -> dict[str, Metric]:
    """The release of ROWS against a population of these counts."""
    thresholds = {
        **THRESHOLDS,
        "sensitive": {},
        "k_map": {"k": 10, "population": POPULATION},
        "delta_presence": {"lower": 0.1, "upper": 0.5, "population": POPULATION},
    }
    schema = {"sex": pl.String, "town": pl.String, "n": pl.UInt32}
    frame = None if counts is None else pl.DataFrame(counts, schema=schema, orient="row")
    population = {} if frame is None else {"k_map": frame, "delta_presence": frame}
    return measured(evidence_of(tmp_path, ROWS, policy_of(thresholds), population=population))


def test_a_release_is_held_against_its_population(tmp_path: Path) -> None:
    """Six of twelve and six of sixty; of a class that nobody of the data is in the presence is nothing."""
    found = against(tmp_path / "a", [("F", "A", 12), ("M", "B", 60)])
    values = [
        (found[name].value, found[name].passed) for name in ("k-map", "lowest presence", "highest presence")
    ]
    assert values == [(12.0, True), (0.1, True), (0.5, True)]
    found = against(tmp_path / "b", [("F", "A", 9), ("M", "B", 60), ("M", "A", 5)])
    values = [
        (found[name].value, found[name].passed) for name in ("k-map", "lowest presence", "highest presence")
    ]
    assert values == [(9.0, False), (0.0, False), (pytest.approx(6 / 9), False)]


@pytest.mark.parametrize("counts", [None, [("F", "A", 12)], [("F", "A", 12), ("M", "B", 5)]])
def test_what_is_no_population_of_the_data_refuses_it(tmp_path: Path, counts: Rows | None) -> None:
    """Not generalized, without a class of the data, or with fewer people than the data has of it."""
    found = against(tmp_path, counts)
    names = ("k-map", "lowest presence", "highest presence")
    assert [found[name].passed for name in names] == [False, False, False]
    assert found["highest presence"].value is None
    assert found["highest presence"].note

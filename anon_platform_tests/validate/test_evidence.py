"""A release beside the staging it came from: every row and column accounted for, people counted, the model trained."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize import Treat
from anon_platform.policy import Policy
from anon_platform.policy.model import Model, Target
from anon_platform.table import PERSON, ROW, PolarsTable
from anon_platform.validate import Evidence
from anon_platform.validate.accounting import account
from anon_platform.validate.prediction.measure import measure_model
from anon_platform.validate.privacy import measure_privacy
from anon_platform.validate.utility.columns import measure_fidelity
from anon_platform_tests import oracles

POLICY = {
    "version": 1,
    "dataset": "visits",
    "title": "Visits",
    "owner": "privacy@hospital.example",
    "source": {"format": "csv", "path": "visits.csv"},
    "privacy_unit": {"column": "who"},
    "columns": {
        "who": {"role": "direct_identifier", "treat": {"technique": "suppress"}},
        "sex": {
            "role": "quasi_identifier",
            "treat": {"technique": "generalize", "hierarchy": {"kind": "flat"}},
        },
        "weight": {"role": "sensitive", "type": "number"},
        "at": {"role": "sensitive", "type": "datetime"},
        "ok": {"role": "insensitive", "type": "boolean"},
    },
    "thresholds": {"k": 2, "l": 1, "max_risk": 0.5, "suppressed_records": 1, "fidelity": 1},
    "publish": {"formats": ("csv",), "recipient": "us", "purpose": "tests"},
}
LEAVING = {"sex": pl.String, "weight": pl.Float64, "at": pl.Datetime("us"), "ok": pl.Boolean}


def known_as(values: pl.Series) -> pl.Series:
    """The treatment of `sex` in these tests: a label."""
    return values.replace_strict({"F": "female", "M": "male", "": "female"}, default=None).alias(values.name)


def as_it_is(values: pl.Series) -> pl.Series:
    return values


TREAT: dict[str, Treat] = {**dict.fromkeys(LEAVING, as_it_is), "sex": known_as}


def release(
    folder: Path,
    source: pl.DataFrame,
    kept: Sequence[int],
    formats: Sequence[str],
    change: Callable[[pl.DataFrame], pl.DataFrame] = lambda data: data,
) -> Evidence:
    """A release of the rows `kept`, in that order; `change` tampers with the data before it is written."""
    staging, data = folder / "raw", folder / "data"
    staging.mkdir(parents=True)
    data.mkdir()
    source.write_parquet(staging / "part.parquet")
    rows = source[list(kept)]
    leaving = change(rows.select(TREAT[name](rows[name]) for name in LEAVING))
    for number, part in enumerate((leaving[: len(kept) // 2], leaving[len(kept) // 2 :])):
        if "parquet" in formats:
            part.write_parquet(data / f"part-{number:05d}.parquet")
        if "csv" in formats:
            part.write_csv(data / f"part-{number:05d}.csv")
    suppressed = source.filter(~pl.col(ROW).is_in(rows[ROW].implode()))[ROW]
    return Evidence(
        policy=Policy.model_validate(POLICY),
        data=data,
        kept=rows.select(ROW, PERSON),
        suppressed=suppressed,
        source=PolarsTable.over(staging),
        treat=TREAT,
    )


def source_of(rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """A snapshot: position, person, then the columns that leave."""
    types = {ROW: pl.UInt32, PERSON: pl.UInt32, **LEAVING}
    return pl.DataFrame([(i, *row) for i, row in enumerate(rows)], schema=types, orient="row")


visits = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.none() | st.sampled_from(["F", "M", ""]),
        st.none() | st.sampled_from([0.1, 1e-7, 1e16]),
        st.none() | st.sampled_from([dt.datetime(2020, 1, 1, 3, 0, 1, 5), dt.datetime(2021, 1, 1)]),
        st.none() | st.booleans(),
    ),
    min_size=1,
    max_size=12,
)
formats = st.sampled_from([("parquet",), ("csv",), ("csv", "parquet")])


@settings(deadline=None, max_examples=60)
@given(visits, formats, st.data())
def test_a_true_release_is_measured_as_by_hand(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[Any, ...]],
    formats: tuple[str, ...],
    data: st.DataObject,
) -> None:
    """Whatever was suppressed, in whatever order and format it left: all adds up, people are counted."""
    source = source_of(rows)
    kept = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True))
    evidence = release(tmp_path_factory.mktemp("r"), source, kept, formats)
    accounting = account(evidence)
    assert accounting.faults == ()
    assert (accounting.rows_in, accounting.rows_out) == (len(rows), len(kept))
    assert accounting.suppressed == len(rows) - len(kept)
    everybody = source.with_columns(known_as(source["sex"])).rows(named=True)
    leaving = [everybody[i] for i in kept]
    privacy = measure_privacy(evidence)
    assert privacy.k == oracles.k_of(leaving, ["sex"], PERSON)
    assert privacy.l == {name: oracles.l_of(leaving, ["sex"], name) for name in ("weight", "at")}
    assert privacy.t == pytest.approx(
        {name: float(oracles.t_of(leaving, ["sex"], name)) for name in ("weight", "at")}, abs=1e-9
    )
    assert privacy.risk.mean == pytest.approx(float(oracles.risk(leaving, ["sex"], PERSON).mean), abs=1e-9)
    assert dict(privacy.class_sizes) == oracles.class_sizes(leaving, ["sex"], PERSON)
    assert privacy.people == len({row[PERSON] for row in leaving})
    for column in measure_fidelity(evidence):
        before = [row[column.name] for row in everybody]
        distance = oracles.total_variation(before, [row[column.name] for row in leaving])
        assert column.distance == pytest.approx(float(distance), abs=1e-9), column.name
        assert column.distinct_before == source[column.name].n_unique()
        assert column.distinct_after == len({row[column.name] for row in leaving})


def test_the_distance_of_many_numbers_does_not_depend_on_the_format(tmp_path: Path) -> None:
    """A CSV holds text; its numbers are compared as numbers, in the same bins."""
    rows = [(i, "F", i / 7, None, True) for i in range(600)]
    kept = range(0, 600, 2)
    distances = [
        {
            column.name: column.distance
            for column in measure_fidelity(release(tmp_path / f, source_of(rows), kept, (f,)))
        }
        for f in ("csv", "parquet")
    ]
    assert distances[0] == distances[1]
    assert distances[0]["weight"] < 0.01


MODEL = Model(
    target=Target(column="ok", positive="true"), features=("sex", "weight", "at"), test_share=0.3, seed=7
)


def coins(seed: int, rows: int = 400) -> pl.DataFrame:
    """Visits of 100 people: the heavier, the likelier ok; the day tells a little more."""
    rng = np.random.default_rng(seed)
    days = [dt.datetime(2020, 1, 1), dt.datetime(2020, 6, 1, 12)]
    drawn = zip(rng.random(rows), rng.integers(0, 2, rows), rng.random(rows), strict=True)
    return source_of(
        [
            (i % 100, "FM"[day], weight, days[day], bool(weight + 0.2 * day > luck))
            for i, (weight, day, luck) in enumerate(drawn)
        ]
    )


def test_a_model_on_unchanged_rows_loses_nothing_in_any_format(tmp_path: Path) -> None:
    """The same rows in the same order give the same model, also when a CSV has made text of its numbers."""
    source = coins(seed=1)
    for written in ("parquet", "csv"):
        found = measure_model(release(tmp_path / written, source, range(400), (written,)), MODEL)
        assert not isinstance(found, str)
        assert found.original.auc > 0.6
        assert (found.loss, found.interval, found.released) == (0.0, (0.0, 0.0), found.original)
        assert (found.train_rows_released, found.train_rows + found.test_rows) == (found.train_rows, 400)
        assert (found.test_people, found.people) == (30, 100)


@pytest.mark.parametrize(
    ("kept", "people", "reason"),
    [
        (0, 100, "fewer than 5 people to learn from"),
        (400, 5, "fewer than 5 people to learn from"),
        (40, 100, "the released rows hold one class of ok only; nothing can be learnt from them"),
    ],
)
def test_a_model_that_cannot_be_trained_says_why(tmp_path: Path, kept: int, people: int, reason: str) -> None:
    """A number made of nothing would pass or refuse a release by chance."""
    source = (
        coins(seed=2).with_columns((pl.col(PERSON) % people).alias(PERSON)).sort("ok", maintain_order=True)
    )
    source = source.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
    assert measure_model(release(tmp_path, source, range(kept), ("parquet",)), MODEL) == reason


VISITS = [
    (0, "F", 0.1, None, True),
    (1, "M", 0.2, None, False),
    (2, None, 0.3, None, None),
    (3, "F", 0.4, None, None),
]
OTHER_CONTENT = "a released row does not say what its source row says"


@pytest.mark.parametrize("written", [("parquet",), ("csv",)])
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda data: data, None),
        (lambda data: data.reverse(), OTHER_CONTENT),
        (lambda data: data.with_columns(weight=pl.col("weight") + 1e-9), OTHER_CONTENT),
        (lambda data: data.with_columns(sex=pl.lit("female")), OTHER_CONTENT),
        (lambda data: data.head(2), "4 rows came in, 2 leave and 1 are suppressed"),
        (lambda data: data.drop("ok"), "the released columns are not those of the policy, in its order"),
        (
            lambda data: data.select("weight", "sex", "at", "ok"),
            "the released columns are not those of the policy, in its order",
        ),
    ],
    ids=["nothing", "order", "number", "label", "rows", "column", "columns"],
)
def test_rows_and_columns_that_do_not_add_up_are_faults(
    tmp_path: Path,
    written: tuple[str, ...],
    change: Callable[[pl.DataFrame], pl.DataFrame],
    fault: str | None,
) -> None:
    """Counting by position is only worth something when each row stands where staging says."""
    faults = account(release(tmp_path, source_of(VISITS), [2, 0, 3], written, change)).faults
    assert (fault in faults) if fault else faults == ()


def test_a_row_released_twice_is_a_fault(tmp_path: Path) -> None:
    """As many rows as there should be, and one of them instead of another."""
    evidence = release(tmp_path, source_of(VISITS), [2, 0, 0, 1], ("parquet",))
    faults = account(evidence).faults
    assert "a source row is released twice, or neither released nor suppressed" in faults

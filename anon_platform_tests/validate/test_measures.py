"""What the validator measures, against a count by hand, scikit-learn, and files that are wrong on purpose."""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from anon_platform.anonymize import Treat
from anon_platform.errors import IntegrityError
from anon_platform.policy import Policy
from anon_platform.policy.model import Model, Target
from anon_platform.table import PERSON, ROW, PolarsTable
from anon_platform.validate import Evidence, measure_files
from anon_platform.validate.accounting import account
from anon_platform.validate.fidelity import BINS, MANY, measure_fidelity, total_variation
from anon_platform.validate.files import (
    count_rows,
    formats_agree,
    read_csv,
    read_released,
    released_columns,
    spelled,
)
from anon_platform.validate.model import area_under_curve, lost_lift, measure_model
from anon_platform.validate.privacy import measure_privacy
from anon_platform_tests import oracles

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)

# --- total variation


def tally(values: Sequence[Any], dtype: pl.DataType, name: str = "x") -> pl.DataFrame:
    """The frequency table of one column."""
    return pl.DataFrame({name: pl.Series(values, dtype=dtype)}).group_by(name).agg(n=pl.len())


columns = st.sampled_from(
    [
        (pl.String(), st.none() | st.sampled_from(["a", "b", "", "NA"])),
        (pl.Int64(), st.none() | st.integers(0, 3)),
        (pl.Float64(), st.none() | st.sampled_from([0.1, 0.2, -1.5])),
        (pl.Boolean(), st.none() | st.booleans()),
        (pl.Date(), st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2020, 1, 3))),
    ]
)


@settings(deadline=None, max_examples=120)
@given(columns, st.data(), st.sampled_from(["x", "p", "q", "null", "value", "bin"]))
def test_total_variation_is_half_the_sum_of_the_differences(
    column: tuple[pl.DataType, st.SearchStrategy[Any]], data: st.DataObject, name: str
) -> None:
    """A missing value is a value, no column name gets in the way, and an empty side is as far as can be."""
    dtype, values = column
    left, right = data.draw(st.lists(values, max_size=20)), data.draw(st.lists(values, max_size=20))
    found = total_variation(tally(left, dtype, name), tally(right, dtype, name), name)
    assert found == pytest.approx(float(oracles.total_variation(left, right)), abs=1e-9)
    assert found == total_variation(tally(right, dtype, name), tally(left, dtype, name), name)


def in_bins(values: Sequence[int | None], of: Sequence[int | None]) -> list[int | None]:
    """The bin of each value when the known values of `of` are cut into 50 bins of equal shares."""
    known = sorted(value for value in of if value is not None)
    edges = sorted({known[math.ceil(len(known) * i / BINS) - 1] for i in range(1, BINS)})
    return [None if value is None else sum(edge < value for edge in edges) for value in values]


@settings(deadline=None, max_examples=30)
@given(
    st.integers(MANY + 1, 400),
    st.lists(st.none() | st.integers(-20, 450), min_size=1, max_size=60),
    st.integers(0, 9),
    st.sampled_from([pl.Int64(), pl.Float64()]),
    st.sampled_from(["x", "null"]),
)
def test_many_numbers_are_compared_in_bins_of_equal_size(
    distinct: int, right: list[int | None], missing: int, dtype: pl.DataType, name: str
) -> None:
    """Laboratory values are nearly all different: compared one by one, any sample would look far off."""
    left: list[int | None] = [*range(distinct), *range(0, distinct, 3), *[None] * missing]
    found = total_variation(tally(left, dtype, name), tally(right, dtype, name), name)
    by_hand = oracles.total_variation(in_bins(left, left), in_bins(right, left))
    assert found == pytest.approx(float(by_hand), abs=1e-9)


def test_half_of_the_numbers_is_half_of_the_distance() -> None:
    """1000 different numbers, of which the lower 500 are left: half of the mass has nowhere to go."""
    whole, half = tally(range(1000), pl.Int64()), tally(range(500), pl.Int64())
    assert total_variation(whole, half, "x") == pytest.approx(0.5, abs=1e-9)
    assert total_variation(whole, whole, "x") == 0.0


# --- the model's measures


@st.composite
def scored(draw: st.DrawFn) -> tuple[list[bool], list[float], list[float]]:
    """Few different scores, so that many tie, and weights of which some are zero."""
    size = draw(st.integers(1, 25))

    def some(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    return some(st.booleans()), some(st.sampled_from([0.1, 0.3, 0.5, 0.9])), some(st.integers(0, 3))


@settings(deadline=None, max_examples=150)
@given(scored())
@example(([True, False], [0.5, 0.5], [1, 1]))
def test_the_area_under_the_curve_is_won_pairs_and_half_the_ties(
    table: tuple[list[bool], list[float], list[float]],
) -> None:
    """By all pairs, weighted; NaN, and not 0.5, when a class is missing or weighs nothing."""
    truth, scores, weights = table
    found = area_under_curve(np.array(truth), np.array(scores), np.array(weights, np.float64))
    assert found == pytest.approx(oracles.area_under_curve(truth, scores, weights), abs=1e-9, nan_ok=True)
    plain = area_under_curve(np.array(truth), np.array(scores))
    assert plain == pytest.approx(
        oracles.area_under_curve(truth, scores, [1] * len(truth)), abs=1e-9, nan_ok=True
    )


@settings(deadline=None, max_examples=60)
@given(scored())
def test_the_area_under_the_curve_is_that_of_scikit_learn(
    table: tuple[list[bool], list[float], list[float]],
) -> None:
    """The reader of a report compares it with their own."""
    from sklearn.metrics import roc_auc_score

    truth, scores, weights = table
    assume(len({known for known, weight in zip(truth, weights, strict=True) if weight}) == 2)
    found = area_under_curve(np.array(truth), np.array(scores), np.array(weights, np.float64))
    assert found == pytest.approx(roc_auc_score(truth, scores, sample_weight=weights), abs=1e-9)


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (0.7, 0.68, 0.1),
        (0.7, 0.7, 0.0),
        (0.7, 0.5, 1.0),
        (0.7, 0.75, -0.25),
        (0.7, 0.4, 1.5),
        (0.5, 0.9, 0.0),
        (0.3, 0.2, 0.0),
    ],
)
def test_the_loss_is_a_share_of_the_lift_over_chance(before: float, after: float, lost: float) -> None:
    """A model no better than a coin has nothing to lose; worse than a coin is more than all of it."""
    assert lost_lift(before, after) == pytest.approx(lost, abs=1e-9)


# --- released files

SCHEMA = {
    "sex": pl.String,
    "weight": pl.Float64,
    "born": pl.Date,
    "at": pl.Datetime("us"),
    "ok": pl.Boolean,
    "n": pl.Int64,
}
moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))  # noqa: DTZ001 - without a time zone
released_rows = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["F", "M", ""]) | texts,
        st.none() | st.sampled_from([0.1, 1e-7, 1e16, 3.0]) | st.floats(),
        st.none() | st.dates(),
        st.none() | moments,
        st.none() | st.booleans(),
        st.none() | st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=8,
)
Rows = list[tuple[Any, ...]]


def frame(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def write(folder: Path, rows: Rows, formats: Sequence[str], files: int = 1) -> Path:
    """The rows as released files, dealt to `files` parts in order."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(files):
        part = frame(rows[i * len(rows) // files : (i + 1) * len(rows) // files])
        if "parquet" in formats:
            part.write_parquet(folder / f"part-{i:05d}.parquet")
        if "csv" in formats:
            part.write_csv(folder / f"part-{i:05d}.csv")
    return folder


@settings(deadline=None, max_examples=50)
@given(released_rows, st.integers(1, 3))
@example([("", None, None, None, None, None), (None, None, None, None, None, None)], 1)
@example(
    [("a,b", 0.1, None, None, True, 1), ('"', 1e-7, None, None, True, 1), ("\r\n", 0.0, None, None, None, 2)],
    2,
)
def test_both_formats_say_the_same_and_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, files: int
) -> None:
    """Also an empty text beside a missing one, quotes, line ends, dates, and numbers with an exponent."""
    data = write(tmp_path_factory.mktemp("r"), rows, ("parquet", "csv"), files)
    assert formats_agree(data)
    assert count_rows(data) == len(rows)
    assert released_columns(data) == tuple(SCHEMA)
    assert read_released(data, ["n", "sex"]).equals(frame(rows).select("n", "sex"))
    only_csv = write(tmp_path_factory.mktemp("c"), rows, ("csv",), files)
    assert count_rows(only_csv) == len(rows)
    text = read_released(only_csv, list(SCHEMA))
    assert text["sex"].to_list() == [row[0] for row in rows]
    for name in SCHEMA:
        assert text[name].equals(spelled(frame(rows)[name]), null_equal=True)


@settings(deadline=None, max_examples=40)
@given(released_rows, st.integers(1, 2), st.data())
def test_one_other_cell_is_seen(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, files: int, data: st.DataObject
) -> None:
    """A CSV that was made otherwise than the Parquet beside it has passed no check."""
    assume(rows)
    folder = write(tmp_path_factory.mktemp("r"), rows, ("parquet", "csv"), files)
    path = data.draw(st.sampled_from(sorted(folder.glob("*.csv"))))
    text = read_csv(path)
    assume(text.height)
    row = data.draw(st.integers(0, text.height - 1))
    name = data.draw(st.sampled_from(text.columns))
    cell = text[name][row]
    other = "" if cell is None else None if cell == "" else data.draw(st.sampled_from([None, "x" + cell]))
    changed = [other if i == row else value for i, value in enumerate(text[name])]
    text.with_columns(pl.Series(name, changed, dtype=pl.String)).write_csv(path)
    assert not formats_agree(folder)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda data: (data / "part-00001.csv").write_text("sex\nF\n"),
        lambda data: (data / "part-00000.csv").rename(data / "part-00007.csv"),
        lambda data: frame([]).write_parquet(data / "part-00001.parquet"),
        lambda data: frame([("F", 1.0, None, None, None, 2)]).write_csv(data / "part-00000.csv"),
        lambda data: frame([]).write_csv(data / "part-00000.csv"),
        lambda data: frame([]).drop("ok").write_csv(data / "part-00000.csv"),
    ],
    ids=["extra csv", "renamed csv", "extra parquet", "other row", "no rows", "other columns"],
)
def test_files_that_do_not_stand_in_pairs_do_not_agree(
    tmp_path: Path, tamper: Callable[[Path], object]
) -> None:
    """A file of one format only was neither counted nor measured, and would leave all the same."""
    data = write(tmp_path, [("F", 1.0, None, None, None, 1)], ("parquet", "csv"))
    assert formats_agree(data)
    tamper(data)
    assert not formats_agree(data)


def test_one_format_agrees_with_itself(tmp_path: Path) -> None:
    """There is nothing to compare."""
    rows: Rows = [("F", 1.0, None, None, None, 1)]
    assert formats_agree(write(tmp_path / "p", rows, ("parquet",)))
    assert formats_agree(write(tmp_path / "c", rows, ("csv",)))


SIMPLE = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["F", "M", ""]),
        st.none() | st.sampled_from([0.1, 1e-7]),
        st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2020, 1, 2)),
        st.none(),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=16,
)


@settings(deadline=None, max_examples=50)
@given(
    SIMPLE,
    st.sampled_from([("parquet",), ("csv",), ("csv", "parquet")]),
    st.integers(1, 3),
    st.sampled_from([["sex", "born"], ["weight"], []]),
    st.sampled_from([["ok"], ["ok", "at"], []]),
)
def test_files_alone_show_k_l_and_t_of_their_rows(
    tmp_path_factory: pytest.TempPathFactory,
    rows: Rows,
    formats: tuple[str, ...],
    files: int,
    names: list[str],
    sensitive: list[str],
) -> None:
    """Whoever holds a release can count again, from either format, without our word for it."""
    data = write(tmp_path_factory.mktemp("r"), rows, formats, files)
    measured = measure_files(data, names, sensitive)
    by_hand = [dict(zip(SCHEMA, row, strict=True)) for row in rows]
    assert (measured.rows, measured.columns) == (len(rows), tuple(SCHEMA))
    if names or sensitive:
        assert measured.k == oracles.k_of(by_hand, names)
        assert measured.classes == len(oracles.classes(by_hand, names))
    assert measured.l == {name: oracles.l_of(by_hand, names, name) for name in sensitive}
    assert measured.t == pytest.approx(
        {name: float(oracles.t_of(by_hand, names, name)) for name in sensitive}, abs=1e-9
    )


def test_an_empty_text_and_a_missing_value_are_two_classes_in_a_csv_too(tmp_path: Path) -> None:
    """Read as one they would hide each other on paper and stand apart in the file."""
    rows: Rows = [("", None, None, None, None, 1), (None, None, None, None, None, 2)]
    for formats in (("csv",), ("parquet",)):
        assert measure_files(write(tmp_path / formats[0], rows, formats), ["sex"], []).k == 1


def test_a_single_column_keeps_its_missing_values_in_a_csv(tmp_path: Path) -> None:
    """They are empty lines, which a reader may take for none."""
    pl.DataFrame({"sex": ["F", None, "", None]}).write_csv(tmp_path / "part-00000.csv")
    assert count_rows(tmp_path) == 4
    assert read_released(tmp_path, ["sex"])["sex"].to_list() == ["F", None, "", None]


def test_files_of_two_schemas_and_folders_without_files_are_refused(tmp_path: Path) -> None:
    """Nothing measured on half of the files would mean anything."""
    with pytest.raises(IntegrityError, match=r"^the files in .* do not have one schema$"):
        released_columns(tmp_path)
    with pytest.raises(IntegrityError, match=r"^no data file in "):
        read_released(tmp_path, ["sex"])
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "part-00000.parquet")
    pl.DataFrame({"b": [1]}).write_csv(tmp_path / "part-00000.csv")
    with pytest.raises(IntegrityError, match=r"do not have one schema$"):
        measure_files(tmp_path, ["a"], [])


# --- evidence: released files beside the staging they came from

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
LEAVING = ["sex", "weight", "at", "ok"]


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
    types = {ROW: pl.UInt32, PERSON: pl.UInt32, **{name: SCHEMA[name] for name in LEAVING}}
    return pl.DataFrame([(i, *row) for i, row in enumerate(rows)], schema=types, orient="row")


visits = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.none() | st.sampled_from(["F", "M", ""]),
        st.none() | st.sampled_from([0.1, 1e-7, 1e16]),
        st.none() | st.sampled_from([dt.datetime(2020, 1, 1, 3, 0, 1, 5), dt.datetime(2021, 1, 1)]),  # noqa: DTZ001
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
    days = [dt.datetime(2020, 1, 1), dt.datetime(2020, 6, 1, 12)]  # noqa: DTZ001 - without a time zone
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

"""What the released files alone can show: read as they were written, in every format, and only in pairs."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from anon_platform.errors import IntegrityError
from anon_platform.validate import measure_files
from anon_platform.validate.files import (
    count_rows,
    formats_agree,
    read_csv,
    read_released,
    released_columns,
    spelled,
)
from anon_platform_tests import oracles

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)

SCHEMA = {
    "sex": pl.String,
    "weight": pl.Float64,
    "born": pl.Date,
    "at": pl.Datetime("us"),
    "ok": pl.Boolean,
    "n": pl.Int64,
}
moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))
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

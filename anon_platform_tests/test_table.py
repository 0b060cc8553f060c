"""The four verbs every engine offers, held against plain Python."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.table import DuckDBTable, PolarsTable, Step, Table

Engine = PolarsTable | DuckDBTable
SCHEMA = {"id": pl.Int64, "sex": pl.String, "weight": pl.Float64, "ok": pl.Boolean}
ENGINES: list[type[Engine]] = [PolarsTable, DuckDBTable]

rows = st.tuples(
    st.integers(0, 3) | st.none(),
    st.sampled_from(["F", "M", ""]) | st.none(),
    st.sampled_from([0.5, 1.0]) | st.none(),
    st.booleans() | st.none(),
)
parts = st.lists(st.lists(rows, max_size=8), min_size=1, max_size=4)
Rows = list[tuple[Any, ...]]


def written(folder: Path, parts: Sequence[Rows]) -> tuple[Path, ...]:
    """One Parquet file a part."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, part in enumerate(parts):
        files.append(folder / f"{number}.parquet")
        pl.DataFrame(part, schema=SCHEMA, orient="row").write_parquet(files[-1])
    return tuple(files)


def tallied(counts: pl.DataFrame) -> Counter[tuple[Any, ...]]:
    """A frequency table as a counter; no combination stands twice and none has no record."""
    assert counts.schema["n"] == pl.UInt32
    assert counts.height == counts.drop("n").unique().height or counts.width == 1
    assert counts.height == 0 or counts.width == 1 or counts["n"].min() >= 1  # type: ignore[operator]
    return Counter({row[:-1]: row[-1] for row in counts.rows()})


def without_men(frame: pl.DataFrame) -> pl.DataFrame:
    """Drops rows and a column, adds one, and knows nothing of the batch it is in."""
    kept = frame.filter(pl.col("sex").ne_missing("M"))
    return kept.select("id", "sex", twice=pl.col("id").cast(pl.Int32) * 2)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> type[Engine]:
    """Every engine passes every test of this file."""
    return request.param


@settings(deadline=None, max_examples=40)
@given(parts, st.integers(1, 9), st.sampled_from([["id"], ["sex", "ok"], ["ok", "id", "weight", "sex"], []]))
def test_counts_are_those_of_plain_python(
    tmp_path_factory: pytest.TempPathFactory, parts: Sequence[Rows], batch: int, columns: list[str]
) -> None:
    """Every technique rests on them; an empty cell is a value of its own."""
    files = written(tmp_path_factory.mktemp("t"), parts)
    places = [list(SCHEMA).index(name) for name in columns]
    rows = [row for part in parts for row in part]
    by_hand = Counter(tuple(row[i] for i in places) for row in rows)
    for engine in ENGINES:
        for table in (engine(files, batch=batch), engine(files, batch=batch).map(lambda frame: frame)):
            counts = table.counts(columns)
            assert counts.columns == [*columns, "n"]
            assert tallied(counts) == (by_hand if columns else Counter({(): len(rows)}))
            assert {name: counts.schema[name] for name in columns} == {name: SCHEMA[name] for name in columns}


@settings(deadline=None, max_examples=40)
@given(parts, st.integers(1, 9))
def test_the_batch_size_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, parts: Sequence[Rows], batch: int
) -> None:
    """A release must not depend on how much memory the machine had."""
    files = written(tmp_path_factory.mktemp("t"), parts)
    rows = [row for part in parts for row in part]
    for engine in ENGINES:
        table: Table = engine(files, batch=batch)
        frames = list(table.batches())
        assert all(0 < frame.height <= batch for frame in frames)
        assert [row for frame in frames for row in frame.rows()] == rows
        assert table.rows == len(rows)
        mapped = table.map(without_men)
        expected = [(i, sex, None if i is None else 2 * i) for i, sex, _, _ in rows if sex != "M"]
        assert [row for frame in mapped.batches() for row in frame.rows()] == expected
        assert [row for frame in mapped.batches(["twice"]) for row in frame.rows()] == [
            (twice,) for _, _, twice in expected
        ]
        assert mapped.rows == len(expected)
        assert tallied(mapped.counts(["sex"])) == Counter((sex,) for _, sex, _ in expected)
        assert list(table.batches()) != [] or not rows  # the unmapped table is unchanged


@settings(deadline=None, max_examples=25)
@given(parts, st.integers(1, 9))
def test_a_table_written_is_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, parts: Sequence[Rows], batch: int
) -> None:
    """Rows, their order, their types; and the progress ends at the number of rows."""
    folder = tmp_path_factory.mktemp("t")
    files = written(folder / "in", parts)
    for engine in ENGINES:
        table = engine(files, batch=batch).map(without_men)
        heard: list[int] = []
        out = table.write(folder / engine.__name__, progress=heard.append)
        again = engine.over(folder / engine.__name__)
        assert again.files == tuple(out)
        assert heard == sorted(heard)
        assert (heard or [0])[-1] == table.rows
        assert again.schema == table.schema == {"id": pl.Int64, "sex": pl.String, "twice": pl.Int32}
        assert [row for frame in again.batches() for row in frame.rows()] == [
            row for frame in table.batches() for row in frame.rows()
        ]


def test_hundreds_of_parts_keep_their_order(tmp_path: Path, engine: type[Engine]) -> None:
    """Part names are sorted as text, so they need enough digits."""
    file = tmp_path / "in.parquet"
    pl.DataFrame({"id": range(1200)}).write_parquet(file)
    engine((file,), batch=7).write(tmp_path / "out")
    assert pl.concat(engine.over(tmp_path / "out").batches())["id"].to_list() == list(range(1200))


def drop_all(frame: pl.DataFrame) -> pl.DataFrame:
    """A step that keeps no row."""
    return frame.clear()


@pytest.mark.parametrize("step", [None, drop_all, without_men])
def test_an_empty_table_has_a_schema_and_no_rows(
    tmp_path: Path, engine: type[Engine], step: Step | None
) -> None:
    """A source may be empty, and a step may drop every row: neither is an error of the table."""
    source = engine(written(tmp_path / "in", [[]]))
    table = source if step is None else source.map(step)
    assert table.rows == 0
    assert list(table.batches()) == []
    counts = table.counts(["sex", "id"])
    assert counts.height == 0
    assert counts.schema == {"sex": pl.String, "id": pl.Int64, "n": pl.UInt32}
    assert table.counts([]).rows() == [(0,)]
    (file,) = table.write(tmp_path / "out")
    assert pl.read_parquet(file).schema == table.schema
    assert pl.read_parquet(file).height == 0


def test_a_step_that_drops_every_row_leaves_an_empty_frequency_table(
    tmp_path: Path, engine: type[Engine]
) -> None:
    """All records suppressed is a result that the validator has to see, not a crash before it."""
    table = engine(written(tmp_path, [[(1, "F", 0.5, True)], [(2, "M", None, None)]])).map(drop_all)
    assert table.counts(["id"]).schema == {"id": pl.Int64, "n": pl.UInt32}
    assert (table.counts(["id"]).height, table.rows) == (0, 0)


def test_a_folder_without_files_is_a_table_without_columns(tmp_path: Path, engine: type[Engine]) -> None:
    """Whoever asks for its rows gets none."""
    table = engine.over(tmp_path)
    assert (table.rows, table.schema, list(table.batches()), table.files) == (0, {}, [], ())
    assert table.counts(["id"]).schema == {"id": pl.Null, "n": pl.UInt32}
    assert table.write(tmp_path / "out") == []


def test_one_row_is_a_table(tmp_path: Path, engine: type[Engine]) -> None:
    """The smallest that can be released at all."""
    table = engine(written(tmp_path, [[(1, None, 0.5, True)]]))
    assert table.counts(["sex"]).rows() == [(None, 1)]
    assert [frame.rows() for frame in table.batches(["ok", "id"])] == [[(True, 1)]]


def test_steps_run_first_to_last_and_see_the_schema_before_any_row(
    tmp_path: Path, engine: type[Engine]
) -> None:
    """The plan shows types without reading rows; a step is therefore also called on no rows."""
    table = engine(written(tmp_path, [[(2, "F", 0.5, True)]]))
    mapped = table.map(lambda frame: frame.with_columns(pl.col("id") + 1)).map(
        lambda frame: frame.select(id=(pl.col("id") * 10).cast(pl.String))
    )
    assert mapped.schema == {"id": pl.String}
    assert [frame.rows() for frame in mapped.batches()] == [[("30",)]]
    assert table.schema == SCHEMA


def test_files_are_read_by_name(tmp_path: Path, engine: type[Engine]) -> None:
    """The order of the rows ties a released record to its source record."""
    for name in ("b", "a", "c"):
        pl.DataFrame({"x": [name]}).write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "notes.txt").write_text("not a table")
    assert [frame.item() for frame in engine.over(tmp_path).batches()] == ["a", "b", "c"]


OTHER_VALUES: dict[str, tuple[pl.DataType, st.SearchStrategy[Any]]] = {
    "float": (pl.Float64(), st.sampled_from([float("nan"), -float("nan"), 0.0, -0.0, 0.1, float("inf")])),
    "small float": (pl.Float32(), st.sampled_from([float("nan"), 0.5, -0.0])),
    "integer": (pl.Int64(), st.sampled_from([-(2**63), 2**63 - 1, 0])),
    "small integer": (pl.Int8(), st.sampled_from([-128, 127])),
    "natural number": (pl.UInt64(), st.sampled_from([0, 2**64 - 1])),
    "decimal": (pl.Decimal(38, 2), st.sampled_from([Decimal("0.10"), Decimal("-" + "9" * 36 + ".99")])),
    "date": (pl.Date(), st.sampled_from([dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1970, 1, 1)])),
    "second": (pl.Datetime("us"), st.datetimes().map(lambda time: time.replace(microsecond=1))),
    "millisecond": (pl.Datetime("ms"), st.sampled_from([dt.datetime(1900, 1, 1), dt.datetime(2024, 2, 29)])),
    "nanosecond": (pl.Datetime("ns"), st.sampled_from([dt.datetime(1900, 1, 1), dt.datetime(2024, 2, 29)])),
    "zoned": (pl.Datetime("us", "America/New_York"), st.just(dt.datetime(2024, 3, 10, 7, tzinfo=dt.UTC))),
    "time": (pl.Time(), st.sampled_from([dt.time(0), dt.time(23, 59, 59, 999999)])),
    "boolean": (pl.Boolean(), st.booleans()),
    "text": (
        pl.String(),
        st.sampled_from(["", " ", "a", "A", "\0", "e\u0301", "\u00e9", "NULL", "nan", "'"]),
    ),
    "bytes": (pl.Binary(), st.sampled_from([b"", b"\0\xff"])),
    "category": (pl.Categorical(), st.sampled_from(["x", "y"])),
    "choice": (pl.Enum(["x", "y"]), st.sampled_from(["x", "y"])),
    "nothing": (pl.Null(), st.none()),
}
"""By kind of value: the type, and values that some system or other takes for equal, for null, or out of range."""

ODD_NAMES = (
    "age",
    "Age",
    "AGE",
    "a b",
    'say "so"',
    "*.*",
    "a[0]*?",
    "c0",
    "count(*)",
    "$1",
    "'; --",
    "\n",
    "é",
)
"""Names that are something else in SQL, or in patterns; three of them differ in upper case only."""


def one_nan(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with a word for each NaN, which in Python equals nothing."""
    return tuple("not a number" if value != value else value for value in row)  # noqa: PLR0124


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(sorted(OTHER_VALUES)), min_size=1, max_size=3),
    st.lists(st.sampled_from(ODD_NAMES), min_size=3, max_size=3, unique=True),
    st.integers(0, 2),
    st.data(),
)
def test_every_value_and_every_name_is_counted_as_it_is(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[str],
    names: list[str],
    first: int,
    data: st.DataObject,
) -> None:
    """NaN is one value, -0.0 and 0.0 are one; null is neither; nothing is rounded, folded or trimmed."""
    file = tmp_path_factory.mktemp("t") / "odd [0-9]*, 'name'?.parquet"
    values = st.tuples(*(st.none() | OTHER_VALUES[kind][1] for kind in kinds))
    rows = data.draw(st.lists(values, max_size=8))
    schema = {name: OTHER_VALUES[kind][0] for name, kind in zip(names, kinds, strict=False)}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(file)
    wanted = [*schema][first:] or [*schema]
    stored = pl.read_parquet(file, glob=False)
    by_hand = Counter(one_nan(row) for row in stored.select(wanted).rows())
    for engine in ENGINES:
        for table in (engine((file,)), engine((file,), batch=3).map(lambda frame: frame)):
            counts = table.counts(wanted)
            assert counts.schema == {**{name: schema[name] for name in wanted}, "n": pl.UInt32}
            found = [(one_nan(row[:-1]), row[-1]) for row in counts.rows()]
            assert dict(found) == by_hand
            assert len(found) == len(by_hand)
        assert pl.concat([stored.clear(), *engine((file,), batch=3).batches()]).equals(stored)


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path, engine: type[Engine]) -> None:
    """Hive writes `year=2024` for a column; here it is a folder, which must not reach a release."""
    folder = tmp_path / "year=2024" / "sex=F"
    files = written(folder, [[(1, "M", 0.5, True)], [(2, "M", 0.5, True)]])
    table = engine.over(folder)
    assert table.files == files
    assert table.schema == SCHEMA
    assert table.counts(["sex"]).rows() == [("M", 2)]


def test_a_file_whose_name_is_a_pattern_is_that_file_only(tmp_path: Path, engine: type[Engine]) -> None:
    """`part[0-9]` matches part0, and a release would hold its rows."""
    written(tmp_path / "other", [[(9, "F", 0.5, True)]])
    for name in ("part0", "part[0-9]", "part*"):
        pl.DataFrame({"x": [name]}).write_parquet(tmp_path / f"{name}.parquet")
    for name in ("part[0-9]", "part*"):
        table = engine((tmp_path / f"{name}.parquet",))
        assert table.counts(["x"]).rows() == [(name, 1)]
        assert table.rows == 1


def test_a_column_that_is_not_there_cannot_be_counted(tmp_path: Path, engine: type[Engine]) -> None:
    """Under no circumstances is another one counted for it."""
    table = engine(written(tmp_path, [[(1, "F", 0.5, True)]]))
    for wrong in (table, table.map(lambda frame: frame)):
        with pytest.raises(pl.exceptions.ColumnNotFoundError):
            wrong.counts(["SEX"])


def test_relative_paths_are_files_of_the_current_folder(
    tmp_path: Path, engine: type[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table may be opened by whoever stands beside its files."""
    written(tmp_path, [[(1, "F", 0.5, True)]])
    monkeypatch.chdir(tmp_path)
    assert engine.over(Path()).counts(["sex"]).rows() == [("F", 1)]

"""The four verbs every engine offers, held against plain Python; one engine so far."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.table import PolarsTable, Step, Table

SCHEMA = {"id": pl.Int64, "sex": pl.String, "weight": pl.Float64, "ok": pl.Boolean}
ENGINES = [PolarsTable]

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
def engine(request: pytest.FixtureRequest) -> type[PolarsTable]:
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


def test_hundreds_of_parts_keep_their_order(tmp_path: Path, engine: type[PolarsTable]) -> None:
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
    tmp_path: Path, engine: type[PolarsTable], step: Step | None
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
    tmp_path: Path, engine: type[PolarsTable]
) -> None:
    """All records suppressed is a result that the validator has to see, not a crash before it."""
    table = engine(written(tmp_path, [[(1, "F", 0.5, True)], [(2, "M", None, None)]])).map(drop_all)
    assert table.counts(["id"]).schema == {"id": pl.Int64, "n": pl.UInt32}
    assert (table.counts(["id"]).height, table.rows) == (0, 0)


def test_a_folder_without_files_is_a_table_without_columns(tmp_path: Path, engine: type[PolarsTable]) -> None:
    """Whoever asks for its rows gets none."""
    table = engine.over(tmp_path)
    assert (table.rows, table.schema, list(table.batches()), table.files) == (0, {}, [], ())
    assert table.counts(["id"]).schema == {"id": pl.Null, "n": pl.UInt32}
    assert table.write(tmp_path / "out") == []


def test_one_row_is_a_table(tmp_path: Path, engine: type[PolarsTable]) -> None:
    """The smallest that can be released at all."""
    table = engine(written(tmp_path, [[(1, None, 0.5, True)]]))
    assert table.counts(["sex"]).rows() == [(None, 1)]
    assert [frame.rows() for frame in table.batches(["ok", "id"])] == [[(True, 1)]]


def test_steps_run_first_to_last_and_see_the_schema_before_any_row(
    tmp_path: Path, engine: type[PolarsTable]
) -> None:
    """The plan shows types without reading rows; a step is therefore also called on no rows."""
    table = engine(written(tmp_path, [[(2, "F", 0.5, True)]]))
    mapped = table.map(lambda frame: frame.with_columns(pl.col("id") + 1)).map(
        lambda frame: frame.select(id=(pl.col("id") * 10).cast(pl.String))
    )
    assert mapped.schema == {"id": pl.String}
    assert [frame.rows() for frame in mapped.batches()] == [[("30",)]]
    assert table.schema == SCHEMA


def test_files_are_read_by_name(tmp_path: Path, engine: type[PolarsTable]) -> None:
    """The order of the rows ties a released record to its source record."""
    for name in ("b", "a", "c"):
        pl.DataFrame({"x": [name]}).write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "notes.txt").write_text("not a table")
    assert [frame.item() for frame in engine.over(tmp_path).batches()] == ["a", "b", "c"]

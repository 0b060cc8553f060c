"""What DuckDB does beyond the four verbs: it keeps to its memory, goes to disk, and leaves nothing there."""

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import polars as pl
import pytest

from anon_platform.errors import SourceError, StorageError
from anon_platform.table import DuckDBTable, PolarsTable
from anon_platform.table import on_duckdb as module

MEGABYTE = 1_000_000


def combinations(folder: Path, rows: int) -> Path:
    """Files in which each row is another combination of a number and a text, two rows a combination."""
    folder.mkdir()
    for part in range(2):
        number = pl.int_range(rows, eager=True) * 7919 % rows
        pl.DataFrame({"number": number, "text": number.cast(pl.String)}).write_parquet(
            folder / f"{part}.parquet"
        )
    return folder


@contextmanager
def watched(folder: Path) -> Iterator[dict[str, int]]:
    """The modes of everything that appears below `folder` meanwhile."""
    seen: dict[str, int] = {}
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            # what is gone while it is looked at is looked at no more
            with suppress(FileNotFoundError):
                for path in folder.rglob("*"):
                    with suppress(FileNotFoundError):
                        seen[path.name] = stat.S_IMODE(path.stat().st_mode)
            done.wait(0.002)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("mapped", [False, True])
def test_more_combinations_than_memory_holds_are_counted_on_disk(tmp_path: Path, *, mapped: bool) -> None:
    """A million combinations need some 150 MB; with 40 the count goes through the spill folder, and is the same."""
    rows = 1_000_000
    folder = combinations(tmp_path / "data", rows)
    table = DuckDBTable.over(folder, memory_limit=40 * MEGABYTE, spill=tmp_path / "spill")
    if mapped:
        table = table.map(lambda frame: frame)
    with watched(tmp_path / "spill") as seen:
        counts = table.counts(["text", "number"])
    folders = {name: mode for name, mode in seen.items() if name.startswith("spill-")}
    assert set(folders.values()) == {0o700}
    assert any(name.endswith(".tmp") for name in seen)
    assert list((tmp_path / "spill").iterdir()) == []
    assert counts.height == rows
    assert counts["n"].unique().to_list() == [2]
    expected = PolarsTable.over(folder).counts(["text", "number"])
    assert counts.sort("number").equals(expected.sort("number"))


def test_what_fits_nowhere_is_an_error_that_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    """No half count, no identified data left behind, and no word of DuckDB's, which might quote a value."""
    folder = combinations(tmp_path / "data", 100_000)
    table = DuckDBTable.over(folder, memory_limit=1 * MEGABYTE, spill=tmp_path / "spill")
    with pytest.raises(StorageError) as caught:
        table.counts(["number", "text"])
    assert str(caught.value) == (
        f"DuckDB needs more than 1 MB of memory and the free space at {tmp_path / 'spill'};"
        " write a larger engine.memory_limit in the policy, or free space"
    )
    assert caught.value.__context__ is None
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_step_that_fails_leaves_nothing_in_the_spill_folder(tmp_path: Path) -> None:
    """By then batches before it have been counted and lie there."""
    folder = combinations(tmp_path / "data", 100)

    def step(frame: pl.DataFrame) -> pl.DataFrame:
        if frame.height and next(calls) == 3:
            raise ZeroDivisionError
        return frame

    calls = iter(range(10))
    table = DuckDBTable(tuple(sorted(folder.iterdir())), batch=10, spill=tmp_path / "spill").map(step)
    with pytest.raises(ZeroDivisionError):
        table.counts(["number"])
    assert list((tmp_path / "spill").iterdir()) == []


def test_without_a_folder_for_it_the_spill_lies_beside_the_files(tmp_path: Path) -> None:
    """What wipes the snapshot then wipes what a killed run left of it."""
    folder = combinations(tmp_path / "data", 500_000)
    with watched(folder) as seen:
        DuckDBTable.over(folder, memory_limit=30 * MEGABYTE).counts(["number", "text"])
    assert any(name.startswith("spill-") for name in seen)
    assert sorted(path.name for path in folder.iterdir()) == ["0.parquet", "1.parquet"]


def test_the_database_reaches_its_files_only(tmp_path: Path) -> None:
    """Neither another file, nor the network, nor a variable of the program, and nobody can change that."""
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    for file in (one, other):
        pl.DataFrame({"x": [1]}).write_parquet(file)
    frame = pl.DataFrame({"x": [1]})
    spill = tmp_path / "spill"
    with module._connected((one,), spill, 100 * MEGABYTE) as connection:  # noqa: SLF001 - what only it can tell
        value = "SELECT current_setting($name)"
        settings = {
            name: connection.execute(value, {"name": name}).fetchall()[0][0]
            for name in (
                "autoinstall_known_extensions", "autoload_known_extensions", "enable_external_access",
                "preserve_insertion_order", "memory_limit", "temp_directory",
            )
        }  # fmt: skip
        assert settings == {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_access": False,
            "preserve_insertion_order": False,
            "memory_limit": "95.3 MiB",
            "temp_directory": str(spill),
        }
        read = "SELECT * FROM read_parquet($file)"
        assert connection.execute(read, {"file": str(one)}).fetchall() == [(1,)]
        for refused in (str(other), str(tmp_path / "*.parquet"), "https://example.org/x.parquet"):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(read, {"file": refused})
        for refused in (
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET threads = 1",
        ):
            with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
                connection.execute(refused)
        with pytest.raises(duckdb.CatalogException):
            connection.execute("SELECT * FROM frame")
    assert frame.height == 1


def test_the_program_s_own_database_is_not_used(tmp_path: Path) -> None:
    """The settings of one count are no other one's."""
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "a.parquet")
    DuckDBTable.over(tmp_path).counts(["x"])
    assert duckdb.execute("SELECT current_setting('enable_external_access')").fetchall() == [(True,)]
    assert duckdb.execute("SHOW TABLES").fetchall() == []


@pytest.mark.parametrize(
    "other",
    [
        pl.DataFrame({"Age": [1], "age": ["a"]}),
        pl.DataFrame({"age": [1], "Age": [2]}),
        pl.DataFrame({"age": ["1"], "Age": ["a"]}),
        pl.DataFrame({"age": [1]}),
    ],
    ids=["order", "type", "type of the first", "column"],
)
def test_files_of_different_schemas_are_refused(tmp_path: Path, other: pl.DataFrame) -> None:
    """DuckDB would count `Age` for `age`, or make texts of numbers, and say nothing."""
    pl.DataFrame({"age": [1], "Age": ["a"]}).write_parquet(tmp_path / "a.parquet")
    other.write_parquet(tmp_path / "b.parquet")
    with pytest.raises(SourceError) as caught:
        DuckDBTable.over(tmp_path).counts(["age"])
    assert str(caught.value) == (
        "b.parquet has other columns or types than a.parquet, or in another order; write all files with one schema"
    )


def test_a_type_that_only_polars_knows_is_named_with_the_way_out(tmp_path: Path) -> None:
    """Polars stores 128-bit integers in a way of its own."""
    frame = pl.DataFrame({"id": [2**100], "x": [1]}, schema={"id": pl.Int128, "x": pl.Int64})
    frame.write_parquet(tmp_path / "a.parquet")
    table = DuckDBTable.over(tmp_path)
    assert table.counts(["x"]).rows() == [(1, 1)]
    for counted in (table, table.map(lambda frame: frame)):
        with pytest.raises(SourceError) as caught:
            counted.counts(["id"])
        assert str(caught.value) == (
            "DuckDB cannot read the type of column id; write engine: {kind: polars} in the policy"
        )


@pytest.mark.parametrize(("megabytes", "threads"), [(1, 1), (99, 1), (100, 2), (100_000, 8)])
def test_threads_are_as_many_as_there_is_memory_for(
    monkeypatch: pytest.MonkeyPatch, megabytes: int, threads: int
) -> None:
    """On a machine of many cores a small limit would not do for a hash table each."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert module._threads(megabytes * MEGABYTE) == threads  # noqa: SLF001

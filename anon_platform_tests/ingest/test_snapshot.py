"""What ingestion writes to staging: every row once, numbered, typed, and nothing of what the policy suppresses."""

import csv
import datetime as dt
import io
import shutil
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from anon_platform.ingest import fingerprint, snapshot, source_files
from anon_platform.ingest.csv_files import to_parquet
from anon_platform.ingest.schema import DTYPES
from anon_platform.ingest.snapshot import Ingested
from anon_platform.ingest.typed import typed, without_missing
from anon_platform.keys import Key
from anon_platform.policy import Column, Source, load_policy
from anon_platform.table import PERSON, ROW
from anon_platform_tests.ingest.sources import HEADER, tiny

CANARY = "Quetzalcoatl"


def taken(file: Path, folder: Path) -> tuple[pl.DataFrame, Ingested]:
    """The snapshot of a policy's source, and what is said of it."""
    came = snapshot(load_policy(file), folder)
    return pl.concat([pl.read_parquet(path) for path in sorted(folder.iterdir())]), came


def test_rows_keep_their_order_and_people_get_numbers(tmp_path: Path) -> None:
    """ROW counts over all files; PERSON is the rank of the original key, the same in every file."""
    first, second = "P9,x,1,A\nP2,x,2,B\nP9,x,3,C\n", "P2,x,4,D\nP10,x,5,E\n"
    file = tiny(tmp_path, {"b.csv": HEADER + second, "a.csv": HEADER + first})
    rows, came = taken(file, tmp_path / "snapshot")
    assert rows.columns == [ROW, PERSON, "age", "ward"]
    assert rows.rows() == [(0, 2, 1, "A"), (1, 1, 2, "B"), (2, 2, 3, "C"), (3, 1, 4, "D"), (4, 0, 5, "E")]
    assert came == Ingested(rows=5, people=3, files=2, missing={"age": 0, "ward": 0})


def test_without_a_person_column_every_row_is_a_person(tmp_path: Path) -> None:
    """The number of the row is the number of the person."""
    file = tiny(
        tmp_path, {"a.csv": HEADER + "P1,x,1,A\nP1,x,2,B\n"}, privacy_unit="{each_row_is_a_person: true}"
    )
    rows, came = taken(file, tmp_path / "snapshot")
    assert rows.select(ROW, PERSON).rows() == [(0, 0), (1, 1)]
    assert came.people == 2


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_suppressed_is_nowhere_in_the_snapshot(tmp_path: Path, form: str) -> None:
    """Neither the names nor the person keys: the bytes are searched, not the table."""
    table = pl.DataFrame(
        {
            "person": [f"{CANARY}{i}" for i in range(50)],
            "name": [f"Xochipilli{i}" for i in range(50)],
            "age": range(50),
            "ward": ["Tlaloc"] * 50,
        }
    )
    file = tiny(tmp_path, {"a.parquet": table} if form == "parquet" else {"a.csv": table.write_csv()})
    taken(file, tmp_path / "snapshot")
    written = [path for path in (tmp_path / "snapshot").rglob("*") if path.is_file()]
    assert [path.name for path in written] == ["part-00000-000000000000.parquet"]
    content = written[0].read_bytes()
    assert CANARY.encode() not in content
    assert b"Xochipilli" not in content
    assert b"Tlaloc" in content  # such a search does find what is there


@pytest.mark.parametrize("rows", [0, 1, 3, 4, 5, 8, 9])
def test_batches_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """At, below and above the border of a batch, in the first and in the second file."""
    from anon_platform.table import PolarsTable

    texts = [f"P{i % 3},x,{i},w{i}\n" for i in range(rows + 4)]
    file = tiny(tmp_path, {"a.csv": HEADER + "".join(texts[:rows]), "b.csv": HEADER + "".join(texts[rows:])})
    whole, came = taken(file, tmp_path / "whole")
    monkeypatch.setattr(PolarsTable.__init__, "__defaults__", ((), 4))
    heard: list[int] = []
    again = snapshot(load_policy(file), tmp_path / "batches", progress=heard.append)
    parts = [pl.read_parquet(path) for path in sorted((tmp_path / "batches").iterdir())]
    assert max(part.height for part in parts) <= 4
    assert pl.concat(parts).equals(whole)
    assert again == came
    assert heard == [sum(part.height for part in parts[: i + 1]) for i in range(len(parts))]


DECLARED = {
    "role": "{role: insensitive}", "whole": "{role: insensitive, type: integer}", "part": "{role: insensitive, type: number}",
    "yes": "{role: insensitive, type: boolean}", "day": "{role: insensitive, type: date}",
    "moment": "{role: insensitive, type: datetime}", "text": "{role: insensitive, type: string}",
}  # fmt: skip


def test_csv_and_parquet_of_the_same_content_give_the_same_snapshot(tmp_path: Path) -> None:
    """When types are declared, the format of the source is no matter of the release."""
    rows = 300
    table = pl.DataFrame(
        {
            "person": [f"P{i % 70}" for i in range(rows)],
            "whole": [None if i % 7 == 0 else i - 150 for i in range(rows)],
            "part": [None if i % 5 == 0 else i / 8 for i in range(rows)],
            "yes": [None if i % 3 == 0 else i % 2 == 0 for i in range(rows)],
            "day": [dt.date(2008, 1, 1) + dt.timedelta(days=i) for i in range(rows)],
            "moment": [dt.datetime(2008, 1, 1) + dt.timedelta(hours=i, microseconds=i) for i in range(rows)],
            "text": [None if i % 11 == 0 else f'a,"{i}"\n' for i in range(rows)],
        }
    )
    columns = "".join(f"  {name}: {column}\n" for name, column in DECLARED.items() if name != "role")
    found = []
    for form, files in (
        ("csv", {"a.csv": table[:100].write_csv(), "b.csv": table[100:].write_csv()}),
        ("parquet", {"a.parquet": table[:100], "b.parquet": table[100:]}),
    ):
        folder = tmp_path / form
        folder.mkdir()
        file = tiny(folder, files)
        begin, end = (
            file.read_text().split("  name:")[0],
            "thresholds:" + file.read_text().split("thresholds:")[1],
        )
        file.write_text(begin + columns + end)
        found.append(taken(file, folder / "snapshot"))
    assert found[0][0].schema == found[1][0].schema
    assert found[0][0].equals(found[1][0])
    assert found[0][1] == found[1][1]
    assert found[0][1].missing == {
        name: table[name].null_count() for name in table.columns if name != "person"
    }


def test_parquet_columns_without_a_declared_type_keep_theirs_and_categories_become_texts(
    tmp_path: Path,
) -> None:
    """A category is a text that was written shorter."""
    table = pl.DataFrame({"person": ["P1", "P2"], "name": ["x", "y"], "age": [1, 2], "ward": ["A", "?"]})
    for number, dtype in enumerate((pl.Categorical(), pl.Enum(["A", "?", "P1", "P2"]))):
        kept = table.with_columns(pl.col("age").cast(pl.Int8), pl.col("ward", "person").cast(dtype))
        source = '{format: parquet, path: source, missing_values: ["?"]}'
        file = tiny(
            tmp_path,
            {"a.parquet": kept},
            source=source,
            age="{role: insensitive}",
            ward="{role: insensitive}",
        )
        rows, came = taken(file, tmp_path / f"snapshot-{number}")
        assert dict(rows.schema) == {ROW: pl.UInt32, PERSON: pl.UInt32, "age": pl.Int8, "ward": pl.String}
        assert rows.rows() == [(0, 0, 1, "A"), (1, 1, 2, None)]
        assert came.missing == {"age": 0, "ward": 1}


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6) | st.sampled_from(
    ['"', ",", "\n", "\r", '""', '","', " ", "?", "NA", "'", "é", "#", "\\", "\r\n"]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(texts, min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from([",", ";", "\t"]),
)
def test_texts_written_by_python_are_read_as_they_were(
    tmp_path: Path, values: list[str], line_end: str, quoting: int, separator: str
) -> None:
    """Python's writer is the oracle: what it quotes, a strict reader has to give back."""
    assume(
        quoting == csv.QUOTE_ALL or not any("\r" in value for value in values)
    )  # Python forgets to quote these
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerows(
        [["person", "name", "age", "ward"], *[[f"P{i}", "x", i, value] for i, value in enumerate(values)]]
    )
    source = f'{{format: csv, path: source, separator: "{separator}", missing_values: [NA]}}'.replace(
        "\t", "\\t"
    )
    file = tiny(tmp_path, {"a.csv": out.getvalue()}, source=source, ward="{role: insensitive}")
    folder = tmp_path / "snapshot"
    shutil.rmtree(folder, ignore_errors=True)
    rows, _ = taken(file, folder)
    assert rows["ward"].to_list() == [None if value == "NA" else value for value in values]


MOMENTS = {
    "2008-03-01": dt.datetime(2008, 3, 1),
    "2008-03-01 07:05": dt.datetime(2008, 3, 1, 7, 5),
    "2008-03-01T07:05:09": dt.datetime(2008, 3, 1, 7, 5, 9),
    "2008-03-01T07:05:09.25": dt.datetime(2008, 3, 1, 7, 5, 9, 250_000),
    "2008-03-01T23:05:09Z": dt.datetime(2008, 3, 1, 23, 5, 9),
    "2008-03-01T23:05:09-06:00": dt.datetime(2008, 3, 1, 23, 5, 9),
    "2008-03-01 23:05+0200": dt.datetime(2008, 3, 1, 23, 5),
    **dict.fromkeys(["01.03.2008 07:05", "03/01/2008", "2008-02-30", "2008-3-1", "2008-03-01 25:00", "07:05", "x", " 2008-03-01", "2008-03-01-06"]),
}  # fmt: skip


def test_times_in_text_are_iso_8601_and_nothing_else() -> None:
    """No guess from the first values: 03/04 is April in one house and March in the next. Time zones are left out."""
    column = Column(role="insensitive", type="datetime")
    found = typed(pl.Series(list(MOMENTS)), column, DTYPES["datetime"])
    assert dict(zip(MOMENTS, found.to_list(), strict=True)) == MOMENTS
    for text, moment in MOMENTS.items():
        assert typed(pl.Series([text]), column, DTYPES["datetime"]).to_list() == [moment]


@pytest.mark.parametrize(
    ("kind", "date_format", "texts", "values"),
    [
        ("date", None, ["2008-03-01", "2008-02-30", "01.03.2008", "2008-03-01 10:00"], [dt.date(2008, 3, 1), None, None, None]),
        ("date", "%d.%m.%Y", ["01.03.2008", "2008-03-01"], [dt.date(2008, 3, 1), None]),
        ("date", "nonsense", ["01.03.2008"], [None]),
        ("datetime", "%d.%m.%Y %H:%M", ["01.03.2008 23:05", "01.03.2008"], [dt.datetime(2008, 3, 1, 23, 5), None]),
        ("datetime", "%d.%m.%Y %H:%M %z", ["01.03.2008 23:05 -0600"], [dt.datetime(2008, 3, 1, 23, 5)]),
        ("boolean", None, ["yes", "NO", "True", "f", "1", "0", "2", "on", ""], [True, False, True, False, True, False, None, None, None]),
        ("integer", None, ["7", "-7", "+7", "7.0", "7e0", "0x7", "7_0", "", " 7"], [7, -7, 7, None, None, None, None, None, None]),
        ("number", None, ["7", "7.5", ".5", "1e3", "7,5", "x"], [7.0, 7.5, 0.5, 1000.0, None, None]),
    ],
)  # fmt: skip
def test_texts_are_read_as_the_declared_type_or_not_at_all(
    kind: str, date_format: str | None, texts: list[str], values: list[object]
) -> None:
    """Null where a text is no such value; the caller stops the run there. Also with nothing but nulls around."""
    column = Column(role="insensitive", type=kind, date_format=date_format)
    series = pl.Series([None, *texts, None])
    assert typed(series, column, DTYPES[kind]).to_list() == [None, *values, None]
    assert typed(pl.Series([None, None], dtype=pl.String), column, DTYPES[kind]).to_list() == [None, None]


def test_a_moment_of_a_time_zone_keeps_the_day_of_its_place() -> None:
    """23:05 in Chicago is the next day in UTC; the patient was admitted today."""
    there = pl.Series([dt.datetime(2008, 3, 1, 23, 5)]).dt.replace_time_zone("America/Chicago")
    assert typed(there, Column(role="insensitive", type="date"), pl.Date()).to_list() == [dt.date(2008, 3, 1)]
    moment = typed(there, Column(role="insensitive", type="datetime"), DTYPES["datetime"])
    assert (moment.dtype, moment.to_list()) == (DTYPES["datetime"], [dt.datetime(2008, 3, 1, 23, 5)])


@pytest.mark.parametrize("marks", [[], [""], ["", "?"], ["NA"]])
def test_marks_of_missing_values_count_for_texts_only(marks: list[str]) -> None:
    """The whole text, upper case and blanks included; a number is never a mark."""
    values = ["", "?", " ?", "NA", "na", None]
    assert without_missing(pl.Series(values), marks).to_list() == [None if v in marks else v for v in values]
    assert without_missing(pl.Series([1, None]), marks).to_list() == [1, None]


KEY = Key("instance", bytes(range(32)))


def test_a_fingerprint_tells_contents_and_nothing_else(tmp_path: Path) -> None:
    """The same source on another machine, under other names, is the same; another key gives another number."""
    contents = [b"one", b"two", b""]

    def of(folder: str, names: list[str], contents: list[bytes], key: Key = KEY) -> str:
        paths = [tmp_path / folder / name for name in names]
        for path, content in zip(paths, contents, strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return fingerprint(paths, key)

    first = of("a", ["1", "2", "3"], contents)
    assert len(first) == 64
    assert of("b", ["x", "y", "z"], contents) == first
    others = [
        of("c", ["1", "2", "3"], [b"two", b"one", b""]),
        of("d", ["1", "2", "3"], [b"onet", b"wo", b""]),
        of("e", ["1", "2"], [b"one", b"two"]),
        of("f", ["1", "2", "3"], [b"one", b"two", b"\0"]),
        of("g", ["1", "2", "3"], contents, Key("instance", bytes(range(1, 33)))),
    ]
    assert len({first, *others}) == 6


def test_every_byte_counts_in_a_fingerprint(tmp_path: Path) -> None:
    """One flipped bit of an identified file makes another release."""
    file = tmp_path / "a"
    content = bytes(range(64))
    seen = set()
    for i in range(-1, 64):
        file.write_bytes(content if i < 0 else content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :])
        seen.add(fingerprint([file], KEY))
    assert len(seen) == 65


def test_the_files_of_a_source_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Else ROW and the fingerprint would depend on the file system."""
    file = tiny(tmp_path, {f"{name}.csv": HEADER for name in ("b", "a", "c", "B", "10", "9")})
    names = [path.name for path in source_files(load_policy(file).source)]
    assert names == ["10.csv", "9.csv", "B.csv", "a.csv", "b.csv", "c.csv"]


def test_what_csv_files_need_beside_memory_lies_beside_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB's own choice is a folder in the working directory, which nobody wipes."""
    seen: list[tuple[str, str]] = []
    connect = duckdb.connect

    def watched(**settings: Any) -> Any:
        connection = connect(**settings)
        asked = "SELECT current_setting('temp_directory'), current_setting('memory_limit')"
        seen.append(connection.execute(asked).fetchall()[0])
        return connection

    monkeypatch.setattr(duckdb, "connect", watched)
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "copy").mkdir()
    source = Source(format="csv", path=str(tmp_path / "a.csv"))
    to_parquet(tmp_path / "a.csv", source, {"x": "c0"}, tmp_path / "copy" / "a.parquet")
    unlimited = connect().execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
    ((folder, limit),) = seen
    assert Path(folder) == tmp_path / "copy"
    assert limit != unlimited

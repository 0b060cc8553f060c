"""Bad input gets one clear message that names file, row and column and never a cell, and leaves nothing behind."""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from anon_platform.errors import AnonError
from anon_platform.pipeline import run
from anon_platform_tests.clinic import COLUMNS, POLICY, make_clinic, visits, write_csv

HEADER = ",".join(COLUMNS)
ROW = "V1,P1,Secretname,50,F,60614,2008-01-01,flu,high,3,no"


def lines(*texts: str, end: str = "\n") -> bytes:
    return (end.join([HEADER, *texts]) + end).encode()


def many(rows: int, bad: int, text: str) -> bytes:
    """So many rows, of which one (1-based) has another age."""
    return lines(
        *[ROW.replace(",50,", f",{text},") if number == bad else ROW for number in range(1, rows + 1)]
    )


BAD: dict[str, tuple[bytes | Callable[[Path], None], str]] = {
    "a missing column": (b"visit,patient\nV1,P1\n", "columns.name: the source has no column name; the source has visit, patient"),
    "a column that no policy names": (
        lines(ROW).replace(b",again", b",again,extra").replace(b",no", b",no,1"),
        "the source has a column extra that the policy does not name; add it, such as extra: {role: direct_identifier",
    ),
    "a wrong type in row 70,000": (many(70_100, 70_000, "Secretage"), "column age is not integer in row 70000"),
    "a wrong date": (
        lines(ROW, ROW.replace("2008-01-01", "2008-13-77")), "column admitted is not date in row 2",
    ),
    "a required value that is missing": (lines(ROW, ROW.replace(",no", ",")), "column again is required, row 2 has no value"),
    "a person without a key": (lines(ROW, ROW.replace("P1", "")), "visits.csv: column patient has no value in row 2, so that nobody can say whose it is; complete the source"),
    "an empty file": (b"", "visits.csv is empty or begins with an empty line"),
    "a header and no row": (lines(), "has no rows; nothing to release"),
    "a broken quote": (lines(ROW, ROW.replace("Secretname", '"Secretname'), ROW), "visits.csv:3 column name has a broken quote"),
    "bytes that are not UTF-8": (lines(ROW, ROW) .replace(b"high,3,no\nV1", b"hi\xffgh,3,no\nV1"), "is not UTF-8"),
    "column names that stand twice": (
        lines(ROW).replace(b"visit,patient", b"visit,visit", 1), "visits.csv:1 columns 1 and 2 have the same name",
    ),
    "a record with too few fields": (lines(ROW, "V2,P2,Secretname"), "visits.csv:3"),
    "a record with too many fields": (lines(ROW, ROW + ",Secretmore"), "visits.csv:3 has too many fields"),
    "another separator": (lines(ROW).replace(b",", b";"), "no column of the policy is in the source"),
    "a column without a name": (lines(ROW).replace(b"visit,patient", b",patient", 1), "visits.csv:1 a column has no name (column 1)"),
}  # fmt: skip


def refused(file: Path) -> str:
    with pytest.raises(AnonError) as caught:
        run(file)
    return str(caught.value)


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_bad_csv_is_told_without_a_cell_and_leaves_nothing(
    tmp_path: Path, anon_home: Path, content: bytes, message: str
) -> None:
    """The reader mends the file; nobody who reads the log learns a name."""
    file = make_clinic(tmp_path)
    (tmp_path / "source" / "visits.csv").write_bytes(content)
    said = refused(file)
    assert message in said
    assert "Secret" not in said
    assert not list(anon_home.rglob("*.parquet"))
    assert not (anon_home / "releases").exists()


def test_rows_are_counted_in_records_also_behind_line_breaks_in_quotes(tmp_path: Path) -> None:
    """Row 3 is the third record, though it stands on line 6 of the file."""
    file = make_clinic(tmp_path)
    broken = ROW.replace("Secretname", '"Secret\nname"')
    (tmp_path / "source" / "visits.csv").write_bytes(lines(broken, broken, ROW.replace(",50,", ",fifty,")))
    assert "visits.csv: column age is not integer in row 3" in refused(file)


def test_good_but_unusual_csv_is_read(tmp_path: Path) -> None:
    """Separators, quotes and line breaks in quotes, a byte order mark, CR LF, names in another order."""
    rows = visits()
    file = make_clinic(tmp_path)
    plain = run(file)
    order = sorted(range(len(COLUMNS)), key=lambda i: COLUMNS[i])
    text = "\r\n".join(",".join(f'"{row[i]}"' for i in order) for row in [COLUMNS, *rows]) + "\r\n"
    text = text.replace('"Name7"', '"Na,me ""7""\r\nJr."')
    (tmp_path / "source" / "visits.csv").write_bytes("\ufeff".encode() + text.encode())
    unusual = run(file)
    counts = [outcome.reports["raw"].numbers for outcome in (plain, unusual)]
    assert [(n["rows"], n["people"]) for n in counts] == [(len(rows), 250)] * 2
    data = [Path(o.validated.path) / "data" / "part-00000.parquet" for o in (plain, unusual)]
    one, other = (pl.read_parquet(path) for path in data)
    assert one.sort(pl.all()).equals(other.sort(pl.all()))


def parquet_clinic(folder: Path) -> tuple[Path, Path]:
    """A clinic whose source is Parquet, and the source file."""
    file = make_clinic(folder)
    file.write_text(POLICY.replace("format: csv", "format: parquet"))
    (folder / "source" / "visits.csv").unlink()
    source = folder / "source" / "visits.parquet"
    frame = pl.DataFrame(visits(), schema=list(COLUMNS), orient="row").with_columns(
        pl.col("age", "stay").cast(pl.Int64)
    )
    frame.write_parquet(source)
    return file, source


@pytest.mark.parametrize("cut", ["footer", "data"])
def test_a_broken_parquet_file_is_told_without_a_traceback(tmp_path: Path, anon_home: Path, cut: str) -> None:
    """A transfer that stopped, or a bad disk."""
    file, source = parquet_clinic(tmp_path)
    content = bytearray(source.read_bytes())
    if cut == "footer":
        source.write_bytes(bytes(content[:-100]))
    else:
        content[4:3000] = b"\xff" * 2996
        source.write_bytes(bytes(content))
    said = refused(file)
    assert re.search(r"visits\.parquet|could not be processed", said)
    assert not (anon_home / "releases").exists()


def test_a_parquet_column_of_another_type_is_told_from_the_footer(tmp_path: Path) -> None:
    """Before a row is read."""
    file, source = parquet_clinic(tmp_path)
    pl.read_parquet(source).with_columns(age=pl.lit([1])).write_parquet(source)
    assert "columns.age: declared type integer, the source holds list; correct the type" in refused(file)


def test_parquet_and_csv_of_the_same_content_give_the_same_release_data(tmp_path: Path) -> None:
    """The format of the source is no part of what is released."""
    csv = run(make_clinic(tmp_path / "csv"))
    parquet = run(parquet_clinic(tmp_path / "parquet")[0])
    data = [pl.read_parquet(Path(o.validated.path) / "data" / "part-00000.parquet") for o in (csv, parquet)]
    assert data[0].sort(pl.all()).equals(data[1].sort(pl.all()))


def test_files_with_other_columns_are_told_by_name(tmp_path: Path) -> None:
    """One delivery of many has another layout."""
    file = make_clinic(tmp_path)
    write_csv(tmp_path / "source" / "other.csv", [("1", "2")], ("visit", "patient"))
    assert "visits.csv has other columns or types than other.csv; make them equal" in refused(file)


@pytest.mark.parametrize("path", ["source/visits.csv", "source/*.csv", "source", "sou*/vis*.csv"])
def test_a_source_is_a_file_a_folder_or_a_glob(tmp_path: Path, path: str) -> None:
    """Hidden and temporary files are left out of folders and globs."""
    file = make_clinic(tmp_path, source={"path": path})
    for name in (".hidden.csv", "_half.csv"):
        (tmp_path / "source" / name).write_text("garbage")
    assert run(file).reports["raw"].numbers["files"] == 1


def test_a_source_that_is_not_there_is_told_with_its_place_in_the_policy(tmp_path: Path) -> None:
    """Line and column of source.path."""
    file = make_clinic(tmp_path, source={"path": "elsewhere"})
    assert re.search(
        r"clinic\.yaml:\d+:\d+ source\.path: no csv file at source\.path elsewhere", refused(file)
    )


def test_suppressed_columns_are_not_even_copied_to_staging(tmp_path: Path, anon_home: Path) -> None:
    """What is not in staging cannot leak from it; of the person column only a number stays."""
    from anon_platform.pipeline import raw

    raw(make_clinic(tmp_path))
    copies = list((anon_home / "staging").rglob("*.parquet"))
    assert copies
    frame = pl.read_parquet(copies)
    assert frame.columns[:2] == ["__row__", "__person__"]
    assert not {"visit", "patient", "name"} & set(frame.columns)
    assert not [
        path for path in copies for secret in (b"Name1", b"P0001", b"V00001") if secret in path.read_bytes()
    ]
    assert frame["__row__"].to_list() == list(range(len(visits())))
    people = {row[1]: number for row, number in zip(visits(), frame["__person__"], strict=True)}
    assert sorted(set(people.values())) == list(range(250))
    assert all(people[row[1]] == number for row, number in zip(visits(), frame["__person__"], strict=True))


def test_the_fingerprint_follows_content_and_key_not_name_or_place(tmp_path: Path) -> None:
    """The same delivery under another name is the same input; another key gives another fingerprint."""
    from anon_platform.ingest import fingerprint
    from anon_platform.keys import Key

    one, same, other = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    one.write_text("x"), same.write_text("x"), other.write_text("y")
    key, second = Key("one", bytes(range(32))), Key("two", bytes(range(1, 33)))
    assert fingerprint([one], key) == fingerprint([same], key)
    assert fingerprint([one], key) != fingerprint([other], key)
    assert fingerprint([one, other], key) != fingerprint([other, one], key)
    assert fingerprint([one], key) != fingerprint([one], second)

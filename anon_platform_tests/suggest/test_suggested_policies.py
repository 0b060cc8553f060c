"""Suggested policies: complete, without a value, sound as they stand, and good for a release."""

import json
from datetime import date, datetime, time
from pathlib import Path

import polars as pl
import pytest

from anon_platform.errors import SourceError, StorageError
from anon_platform.pipeline import plan, run
from anon_platform.policy import FaultyPolicyError, Policy, load_policy
from anon_platform.suggest import as_json, suggest, write
from anon_platform.suggest.hierarchies import round_number
from anon_platform_tests.analyze.schemas import HOSPITAL, KLINIK, SCHEMAS, Schema


@pytest.fixture(autouse=True)
def no_language_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds to load; what it adds is one reason."""
    monkeypatch.setattr("anon_platform.analyze.columns.text_sample._model", lambda: None)


def suggested(data: Path, policy: Path) -> Policy:
    """The policy as written to a file, after `anon check` has found it sound."""
    write(suggest(str(data), policy), policy, force=True)
    plan(policy)
    return load_policy(policy)


def parquet(folder: Path, columns: dict[str, list[object]], name: str = "t.parquet") -> Path:
    file = folder / name
    pl.DataFrame(columns).write_parquet(file)
    return file


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_a_suggested_policy_is_complete_sound_and_without_a_value(schema: Schema, tmp_path: Path) -> None:
    """It goes into version control, where cells of identified data have no place."""
    data = tmp_path / f"{schema.name}.csv"
    data.write_text(schema.csv(), encoding="utf-8")
    policy = suggested(data, tmp_path / "policies" / "x.yaml")
    assert set(policy.columns) == set(schema.gold)
    text = (tmp_path / "policies" / "x.yaml").read_text(encoding="utf-8")
    cells = {cell for row in schema.rows(300, 1) for cell in row if len(cell) > 5}
    words = {
        "Finance",
        "Manager",
        "student",
        "savings",
        "current",
        "Operations",
        "Analyst",
        "Hispanic",
        "married",
        "single",
    }
    assert not [cell for cell in cells - words if cell in text]
    for name, roles in schema.gold.items():
        if roles[0] in "DF":
            assert policy.columns[name].suppressed, name


def test_a_suggested_policy_makes_a_release(tmp_path: Path) -> None:
    """Sound is not enough: types that were declared must hold in every row, or the run stops at the first that does not."""
    data = tmp_path / "visits.csv"
    data.write_text(HOSPITAL.csv(3_000), encoding="utf-8")
    suggested(data, tmp_path / "visits.yaml")
    outcome = run(tmp_path / "visits.yaml", lambda _what, _done, _total: None)
    assert outcome.released


@pytest.mark.parametrize("odd", ["None", "41 ", "?", ""])
def test_a_type_is_only_declared_when_every_value_has_it(odd: str, tmp_path: Path) -> None:
    """One cell that is no number would stop a run; a mark that surely means nothing is declared as such."""
    rows = "".join(f"{20 + i % 30},{'FM'[i % 2]},2020-01-{1 + i % 28:02d}\n" for i in range(900))
    file = tmp_path / "t.csv"
    file.write_text(f"age,sex,admitted\n{rows}{odd},F,{odd}\n", encoding="utf-8")
    policy = suggested(file, tmp_path / "t.yaml")
    assert (policy.columns["age"].type == "integer") == (odd in {"?", "NA", ""})
    assert run(tmp_path / "t.yaml", lambda _what, _done, _total: None).released


def test_every_column_has_its_kind_and_reason_above_it(tmp_path: Path) -> None:
    """A privacy officer decides by the reasons."""
    data = tmp_path / "k.csv"
    data.write_text(KLINIK.csv(), encoding="utf-8")
    lines = suggest(str(data), tmp_path / "k.yaml").text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("  KVNR:"))
    assert lines[at - 1].strip().startswith("#")
    assert "health plan or insurance number (0." in lines[at - 1]
    assert any(line.startswith("  separator: ") for line in lines)
    assert max(len(line) for line in lines if line.startswith("  #")) <= 110


def test_what_the_page_says_of_who_is_alone_is_true(tmp_path: Path) -> None:
    """Recounted in plain Python: two of four people have an age and a sex of their own."""
    file = parquet(
        tmp_path,
        {
            "person_id": ["p1", "p2", "p3", "p4", "p4"],
            "age": [30, 30, 41, 41, 41],
            "sex": ["F", "F", "F", "M", "M"],
        },
    )
    found = suggest(str(file), tmp_path / "t.yaml")
    assert "50.00%  age + sex" in found.text
    assert as_json(found.classification)["people_counted"] == 4


def test_an_unsure_column_is_kept_back_and_marked(tmp_path: Path) -> None:
    """Fail closed: what nobody understands does not leave."""
    file = parquet(tmp_path, {"zzq": [f"{i % 90} q{i % 7}" for i in range(900)], "sex": ["F", "M"] * 450})
    policy = suggested(file, tmp_path / "t.yaml")
    assert policy.columns["zzq"].suppressed
    assert "# look at this: nothing that points to a person (0." in (tmp_path / "t.yaml").read_text()


def test_a_number_that_tells_people_apart_does_not_leave_as_it_is(tmp_path: Path) -> None:
    """A bill of 1,234.56 is found again in the billing system."""
    cost = [round(100 + i * 1.37, 2) for i in range(300)]
    file = parquet(tmp_path, {"total_cost": cost, "sex": ["F", "M", "F"] * 100})
    column = suggested(file, tmp_path / "t.yaml").columns["total_cost"]
    assert [step.technique for step in column.treat] == ["microaggregate"]


STRANGE: dict[str, list[object]] = {
    "n": [1, 2], "people": ["a", "b"], "l:x": [1, 2], "*": [1, 2], "^a$": [1, 2], 'q"q': [1, 2], "tab\tname": [1, 2],
    "null": [1, 2], "true": [1, 2], "1": [1, 2], "- x": [1, 2], "a: b": [1, 2], "#": [1, 2], "é 👍": [1, 2], " ": [1, 2],
    "A": [1, 2], "a": [1, 2], "{x}": [1, 2], "x" * 300: [1, 2], "'": [1, 2], "C:\\dir": [1, 2], "~": [1, 2],
}  # fmt: skip
"""Names that mean something to YAML, to Polars or to the policy."""


def test_strange_names_of_columns_are_written_as_they_are(tmp_path: Path) -> None:
    """Names come from the world; reserved ones are kept back with a word on what to do."""
    file = parquet(tmp_path, {**STRANGE, "sex": ["F", "M"]})
    policy = suggested(file, tmp_path / "t.yaml")
    assert set(policy.columns) == {*STRANGE, "sex"}
    reserved = {"n", "people", "l:x", "*", "^a$", 'q"q', "tab\tname"}
    assert {name for name in reserved if not policy.columns[name].suppressed} == set()
    assert "rename it in the source to release it" in (tmp_path / "t.yaml").read_text()


def test_a_name_that_no_policy_may_hold_is_told(tmp_path: Path) -> None:
    """Two underscores are reserved even for columns that are kept back; the page says so, and so does the check."""
    file = parquet(tmp_path, {"__id": [1, 2], "sex": ["F", "M"]})
    write(suggest(str(file), tmp_path / "t.yaml"), tmp_path / "t.yaml", force=False)
    assert "rename it in the source, or no run is possible" in (tmp_path / "t.yaml").read_text()
    with pytest.raises(FaultyPolicyError):
        plan(tmp_path / "t.yaml")


def test_every_type_of_parquet_is_read(tmp_path: Path) -> None:
    """Lists, records, bytes and durations have no text; they are kept back, and nothing crashes."""
    table = pl.DataFrame({
        "lists": [[1], [2, 3]], "records": [{"a": 1}, {"a": 2}], "bytes": [b"x", b"y"], "empty": pl.Series([None, None]),
        "day": [date(2020, 1, 1), date(2021, 1, 1)], "moment": [datetime(2020, 1, 1, 2), datetime(2021, 1, 1, 3)],
        "clock": [time(1), time(2)], "yes": [True, False], "flag": pl.Series(["a", "b"], dtype=pl.Categorical),
        "level": pl.Series(["lo", "hi"], dtype=pl.Enum(["lo", "hi"])), "span": pl.Series([1, 2], dtype=pl.Duration("ms")),
        "money": pl.Series(["1.50", "2.25"]).cast(pl.Decimal(10, 2)), "not": [float("nan"), 1.5], "all_null": [None, None],
        "zoned": pl.Series([datetime(2020, 1, 1), datetime(2021, 1, 1)]).dt.replace_time_zone("Europe/Berlin"),
        "tiny": pl.Series([1, 2], dtype=pl.UInt8), "age": [40, 50],
    })  # fmt: skip
    table.write_parquet(tmp_path / "t.parquet")
    policy = suggested(tmp_path / "t.parquet", tmp_path / "t.yaml")
    assert {
        name
        for name in ("lists", "records", "bytes", "empty", "all_null")
        if not policy.columns[name].suppressed
    } == set()


def test_five_hundred_columns_and_very_long_texts_are_read(tmp_path: Path) -> None:
    """Wide exports and notes of megabytes come, too."""
    columns: dict[str, list[object]] = {f"v{i:03d}": [i % 7, i % 5, 3] for i in range(499)}
    file = parquet(tmp_path, {**columns, "note": ["word " * 100_000, "short", None]})
    policy = suggested(file, tmp_path / "t.yaml")
    assert len(policy.columns) == 500
    assert policy.columns["note"].suppressed


def test_one_row_is_enough(tmp_path: Path) -> None:
    """Somebody tries with a first record."""
    policy = suggested(
        parquet(tmp_path, {"name": ["Anna Miller"], "ward": ["north"], "x": [1]}), tmp_path / "t.yaml"
    )
    assert policy.columns["name"].suppressed


def test_a_source_that_is_kept_back_whole_says_so(tmp_path: Path) -> None:
    """Nothing could be released, and the reader has to decide what may leave."""
    file = parquet(tmp_path, {"ssn": ["123-45-6789", "987-65-4321"], "email": ["a@b.example", "c@d.example"]})
    text = suggest(str(file), tmp_path / "t.yaml").text
    assert "Every column is kept back" in text
    assert "k:" not in text.split("thresholds:")[1]


BROKEN = {
    "empty.csv": (b"", "is empty"),
    "header.csv": (b"a,b\n", "has no rows"),
    "latin.csv": ("name,städte\nJürgen,Köln\n".encode("latin-1"), "is not UTF-8"),
    "cells.csv": (b"a,b\n1,\xff\xfe\n", "is not UTF-8"),
    "twice.csv": (b"a,a\n1,2\n", "have the same name"),
    "short.csv": (b"a,b\n1\n", "is missing"),
    "broken.parquet": (b"PAR1 no", "is not a readable Parquet file"),
    "notes.docx": (b"x", "the data is CSV"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_source_that_cannot_be_read_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    """What is wrong, and what to do; never a traceback, never a cell."""
    content, told = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=told) as refused:
        suggest(str(tmp_path / name), tmp_path / "t.yaml")
    assert "\n" not in str(refused.value)
    assert "Jürgen" not in str(refused.value)


def test_nothing_is_left_of_the_copy_of_a_csv_file(tmp_path: Path, anon_home: Path) -> None:
    """The copy is identified data."""
    (tmp_path / "a.csv").write_text("name,age\nAnna Miller,44\n", encoding="utf-8")
    suggest(str(tmp_path / "a.csv"), tmp_path / "t.yaml")
    assert list(anon_home.iterdir()) == []


def test_a_folder_is_one_source_and_its_path_is_from_the_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy moves with its folder, not with the place where the command was typed."""
    (tmp_path / "data").mkdir()
    parquet(tmp_path / "data", {"age": [40, 50], "x": [1, 2]}, "a.parquet")
    parquet(tmp_path / "data", {"x": [3, 4], "age": [60, 70]}, "b.parquet")
    monkeypatch.chdir(tmp_path)
    policy = suggested(Path("data"), Path("policies") / "p.yaml")
    assert policy.source.path == "../data"
    assert as_json(suggest("data", Path("p.yaml")).classification)["rows"] == 4


def test_a_policy_is_never_overwritten_unless_asked(tmp_path: Path) -> None:
    """Somebody's decisions stand in it."""
    file = parquet(tmp_path, {"age": [40, 50], "x": [1, 2]})
    found = suggest(str(file), tmp_path / "t.yaml")
    (tmp_path / "t.yaml").write_text("mine")
    with pytest.raises(StorageError, match="exists; write another file, or say --force"):
        write(found, tmp_path / "t.yaml", force=False)
    assert (tmp_path / "t.yaml").read_text() == "mine"


def test_what_machines_get_has_no_value(tmp_path: Path) -> None:
    """Kinds, roles, reasons, numbers."""
    file = parquet(tmp_path, {"patient_id": ["p-0001", "p-0002"], "zip": ["60614", "02139"]})
    told = json.dumps(as_json(suggest(str(file), tmp_path / "t.yaml").classification))
    assert '"kind": "postcode"' in told
    assert not [cell for cell in ("p-0001", "60614", "02139") if cell in told]


@pytest.mark.parametrize(
    ("number", "above"), [(0.0, 1), (0.3, 0.5), (1, 1), (7, 10), (130, 200), (99_999, 100_000)]
)
def test_bounds_are_round_numbers(number: float, above: float) -> None:
    """A percentile is somebody's value; the round number above it is nobody's."""
    assert round_number(number) == above

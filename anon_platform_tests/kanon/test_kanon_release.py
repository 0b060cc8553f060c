"""`anon kanon` as it is typed: a table and hierarchy files in, a table out that holds what was asked, measured here anew."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anon_platform.cli import Exit
from anon_platform.kanon import counting, rows
from anon_platform_tests.kanon.tables import (
    AGES,
    ASKED,
    ILLNESSES,
    QI,
    SEXES,
    TOWNS,
    as_csv,
    classes,
    people,
    read,
)
from anon_platform_tests.typed import Typed


@pytest.mark.parametrize("model", ["local", "full", "intervals"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_release_has_k_people_a_class_in_the_rows_order_and_no_unnamed_column(
    tmp_path: Path, typed: Typed, hierarchies: Path, model: str, kind: str
) -> None:
    """What leaves is what was named; the numbers told are those counted here."""
    table = people(300)
    data = as_csv(tmp_path / "data.csv", table)
    out = tmp_path / f"out.{kind}"
    code, said, err = typed(
        data, "--hierarchies", hierarchies, *ASKED, "--model", model, "--suppression", 0.1, "--keep", "id,note",
        "-o", out, "--json",
    )  # fmt: skip
    assert code == 0, err
    assert err == "left out, since no option names them: patient, illness\n"
    told, left = json.loads(said), read(out)
    assert list(left[0]) == ["id", "age", "sex", "town", "note"]
    assert [(row["id"], row["note"]) for row in left] == [(str(row["id"]), row["note"]) for row in table]
    found = classes(left, QI, range(len(left)))
    assert told["smallest_class"] == min(map(len, found.values())) >= 4
    assert told["classes"] == len(found)
    assert told["suppressed_records"] == len(left) - sum(map(len, found.values())) <= 30
    assert told["rows"] == told["people"] == 300
    assert told["combinations"] == len({tuple(row[name] for name in QI) for row in table})
    assert told["loss"] == pytest.approx(sum(told["attribute_loss"].values()) / 3)
    assert {path.name for path in tmp_path.iterdir()} >= {out.name}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "nothing lies about"


def leaves_under(label: str, column: str) -> int:
    """Of a label of the hierarchies above, from the file's text."""
    lines = [
        line.replace(",", ";").split(";")
        for line in {"age": AGES, "sex": SEXES, "town": TOWNS}[column].split("\n")
    ]
    return sum(label in line for line in lines)


@pytest.mark.parametrize("model", ["local", "full"])
def test_the_loss_told_is_that_of_the_labels_as_written(
    tmp_path: Path, typed: Typed, hierarchies: Path, model: str
) -> None:
    """ARX's Loss: (leaves under the label − 1) / (leaves − 1), mean over records and columns; suppressed is 1."""
    data, out = as_csv(tmp_path / "data.csv", people(200)), tmp_path / "out.csv"
    said = typed(
        data,
        "--hierarchies",
        hierarchies,
        *ASKED,
        "--model",
        model,
        "--suppression",
        0.1,
        "-o",
        out,
        "--json",
    )[1]
    told, left = json.loads(said), read(out)
    for name, leaves in (("age", 40), ("sex", 2), ("town", 3)):
        lost = [(leaves_under(row[name], name) - 1) / (leaves - 1) for row in left]
        assert told["attribute_loss"][name] == pytest.approx(sum(lost) / len(lost))


@pytest.mark.parametrize("model", ["local", "full"])
def test_people_are_counted_and_not_their_rows(
    tmp_path: Path, typed: Typed, hierarchies: Path, model: str
) -> None:
    """Two rows of one patient are one person; the column that says so never leaves."""
    table = people(300)
    data, out = as_csv(tmp_path / "data.csv", table), tmp_path / "out.csv"
    code, said, err = typed(
        data,
        "--hierarchies",
        hierarchies,
        *ASKED,
        "--model",
        model,
        "--person",
        "patient",
        "-o",
        out,
        "--json",
    )
    assert code == 0, err
    found = classes(read(out), QI, [row["patient"] for row in table])
    assert json.loads(said)["smallest_class"] == min(map(len, found.values())) >= 4
    assert json.loads(said)["people"] == 150
    assert "patient" not in read(out)[0]
    table[7]["patient"] = ""
    code, _, err = typed(
        as_csv(data, table),
        "--hierarchies",
        hierarchies,
        *ASKED,
        "--person",
        "patient",
        "-o",
        tmp_path / "x.csv",
    )
    assert code == Exit.SOURCE
    assert "column patient has no value in some rows" in " ".join(err.split())


@pytest.mark.parametrize("model", ["local", "full"])
def test_sensitive_columns_hold_their_models(
    tmp_path: Path, typed: Typed, hierarchies: Path, model: str
) -> None:
    """Counted here: distinct values in each class, and the distance of each class from the whole."""
    table = people(300)
    data, out = as_csv(tmp_path / "data.csv", table), tmp_path / "out.csv"
    code, said, err = typed(
        data, "--hierarchies", hierarchies, *ASKED, "--model", model, "--sensitive", "illness", "--l", 2, "--t", 0.3,
        "-o", out, "--json",
    )  # fmt: skip
    assert code == 0, err
    left = read(out)
    in_class: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row in left:
        in_class[tuple(row[name] for name in QI)][row["illness"]] += 1
    whole = Counter(row["illness"] for row in left)
    distance = max(
        sum(abs(of[v] / of.total() - whole[v] / whole.total()) for v in whole) / 2 for of in in_class.values()
    )
    told = {measure["model"]: measure for measure in json.loads(said)["models"]}
    assert told["distinct l"]["value"] == min(map(len, in_class.values())) >= 2
    assert told["t (equal)"]["value"] == pytest.approx(distance)
    assert distance <= 0.3
    assert told["t (equal)"]["met"] is told["distinct l"]["met"] is True


@pytest.mark.parametrize("model", ["local", "full"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_ordered_distances_are_those_of_numbers(
    tmp_path: Path, typed: Typed, hierarchies: Path, model: str, kind: str
) -> None:
    """10 is far from 9 as text; here it is next to it. The oracle adds up the difference of the cumulated shares."""
    table = [{**row, "score": row["id"] * row["id"] % 11} for row in people(300)]
    data, out = tmp_path / f"data.{kind}", tmp_path / f"out.{kind}"
    if kind == "csv":
        as_csv(data, table)
    else:
        pl.DataFrame(table).write_parquet(data)
    code, said, err = typed(
        data, "--hierarchies", hierarchies, *ASKED, "--model", model, "--sensitive", "score", "--t", 0.15,
        "--t-distance", "ordered", "-o", out, "--json",
    )  # fmt: skip
    assert code == 0, err
    scores = sorted({row["score"] for row in table})
    in_class: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in read(out):
        in_class[tuple(row[name] for name in QI)].append(int(row["score"]))
    whole = [row["score"] for row in table]

    def at_most(found: list[int], score: int) -> float:
        return sum(one <= score for one in found) / len(found)

    distance = max(
        sum(abs(at_most(found, score) - at_most(whole, score)) for score in scores) / (len(scores) - 1)
        for found in in_class.values()
    )
    (measure,) = json.loads(said)["models"]
    assert measure["value"] == pytest.approx(distance)
    assert distance <= 0.15


@pytest.mark.parametrize("model", ["local", "full"])
def test_a_cap_holds_and_a_weight_counts(tmp_path: Path, typed: Typed, hierarchies: Path, model: str) -> None:
    """A column that may not be coarser than its cap never is; the loss told beside is the weighted one."""
    data, out = as_csv(tmp_path / "data.csv", people(300)), tmp_path / "out.csv"
    code, said, err = typed(
        data, "--hierarchies", hierarchies, *ASKED, "--model", model, "--cap", "age=level 1", "--weight", "town=3",
        "-o", out, "--json",
    )  # fmt: skip
    assert code == 0, err
    told, left = json.loads(said), read(out)
    assert {row["age"] for row in left} <= {
        label for line in AGES.split("\n") for label in line.split(";")[:2]
    }
    lost = told["attribute_loss"]
    assert told["weighted_loss"] == pytest.approx((lost["age"] + lost["sex"] + 3 * lost["town"]) / 5)
    assert told["loss"] == pytest.approx(sum(lost.values()) / 3)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_separator_is_found_and_used_again_and_empty_fields_stay_empty(
    tmp_path: Path, typed: Typed, hierarchies: Path, separator: str, encoding: str
) -> None:
    """A spreadsheet's file comes back as one; no value is a value of its own."""
    table = people(120, towns=("Ulm", "Bonn", None))
    data = as_csv(tmp_path / "data.csv", table, separator, encoding)
    out = tmp_path / "out.csv"
    code, _, err = typed(
        data, "--hierarchies", hierarchies, "--qi", "sex,town", "--k", 2, "--keep", "note", "-o", out
    )
    assert code == 0, err
    left = read(out, separator)
    assert [row["note"] for row in left] == [row["note"] for row in table]
    assert [row["town"] for row in left] == [row["town"] or "" for row in table]
    assert '""' not in out.read_text(encoding="utf-8")


def test_the_same_table_as_parquet_gives_the_same_release(
    tmp_path: Path, typed: Typed, hierarchies: Path
) -> None:
    """Numbers are their texts; a folder, a glob, small batches and the other engine change nothing."""
    table = people(200, towns=("Ulm", "Bonn", "Köln", None))
    as_csv(tmp_path / "data.csv", table)
    parts = tmp_path / "parts"
    parts.mkdir()
    frame = pl.DataFrame(table)
    for i, part in enumerate([frame.head(90), frame.slice(90, 10), frame.slice(100)]):
        part.write_parquet(parts / f"{i}.parquet", row_group_size=7)
    always = ("--hierarchies", hierarchies, *ASKED, "--keep", "id,note", "--json", "--model", "full")
    outs = []
    for i, source in enumerate([tmp_path / "data.csv", parts, parts / "*.parquet"]):
        outs.append(tmp_path / f"out{i}.csv")
        assert typed(source, *always, "-o", outs[-1])[0] == 0
    outs.append(tmp_path / "duck.csv")
    assert typed(parts, *always, "-o", outs[-1], "--engine", "duckdb", "--memory", "200MB")[0] == 0
    assert len({out.read_text(encoding="utf-8") for out in outs}) == 1
    assert typed(parts, *always, "-o", tmp_path / "out.parquet")[0] == 0
    assert read(tmp_path / "out.parquet") == read(outs[0])
    stored = pl.read_parquet_schema(tmp_path / "out.parquet")
    assert list(stored.items()) == [
        ("id", pl.Int64()), *[(name, pl.String()) for name in ("age", "sex", "town", "note")]
    ]  # fmt: skip


def test_many_small_batches_are_one_table(
    tmp_path: Path, typed: Typed, hierarchies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every batch has a dictionary of its own."""
    data = as_csv(tmp_path / "data.csv", people(200, towns=("Ulm", "Bonn", "Köln", None)))
    always = (
        data,
        "--hierarchies",
        hierarchies,
        *ASKED,
        "--keep",
        "id,note",
        "--person",
        "patient",
        "--json",
    )
    assert typed(*always, "-o", tmp_path / "one.csv")[0] == 0
    monkeypatch.setattr(rows, "BATCH", 7)
    monkeypatch.setattr(counting, "MERGED", 20)
    assert typed(*always, "-o", tmp_path / "many.csv")[0] == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "many.csv").read_bytes()


cells = st.fixed_dictionaries(
    {
        "age": st.sampled_from([20, 21, 30, 59]),
        "sex": st.sampled_from("fm"),
        "illness": st.sampled_from(ILLNESSES),
    }
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(cells, min_size=3, max_size=40),
    model=st.sampled_from(["local", "full", "intervals"]),
    suppression=st.sampled_from([0, 0.2, 1]),
)
def test_whatever_the_rows_a_release_holds(
    tmp_path: Path,
    typed: Typed,
    hierarchies: Path,
    table: list[dict[str, Any]],
    model: str,
    suppression: float,
) -> None:
    """The oracle counts in plain Python; a refusal is an answer too, a traceback is none."""
    data, out = as_csv(tmp_path / "data.csv", table), tmp_path / "out.csv"
    out.unlink(missing_ok=True)
    code, said, err = typed(
        data, "--hierarchies", hierarchies, "--qi", "age,sex", "--k", 3, "--sensitive", "illness", "--l", 2,
        "--model", model, "--suppression", suppression, "-o", out, "--json",
    )  # fmt: skip
    if code == Exit.POLICY:
        assert len({row["illness"] for row in table}) < 2 or len(table) < 6, err
        return
    assert code == 0, err
    left = read(out)
    assert [row["illness"] for row in left] == [row["illness"] for row in table]
    of_class = defaultdict(list)
    for row in left:
        of_class[row["age"], row["sex"]].append(row["illness"])
    suppressed = json.loads(said)["suppressed_records"]
    if suppressed:
        assert len(of_class.pop(("*", "*"))) >= suppressed
        assert suppressed <= suppression * len(table)
    assert all(len(found) >= 3 and len(set(found)) >= 2 for found in of_class.values())


def test_the_command_itself_starts_without_the_engines(tmp_path: Path) -> None:
    """Help must not wait for Polars."""
    program = "import sys, anon_platform.cli as _; print(*({'polars', 'duckdb', 'numpy', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()

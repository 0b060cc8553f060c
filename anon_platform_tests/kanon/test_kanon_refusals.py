"""What `anon kanon` refuses, and what it says then: before any work, with the way out, and without a file left."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anon_platform.cli import Exit
from anon_platform_tests.kanon.tables import AGES, ASKED, as_csv, people, read
from anon_platform_tests.typed import Typed


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--qi", "age,sex"), 2, "--qi and --k have no default"),
        (("--qi", "age,sexx", "--k", 2), 2, "no hierarchy for sexx"),
        (("--qi", "age,illness", "--k", 2), 2, "neither illness.csv nor a file that ends in hierarchy_illness.csv"),
        (("--qi", "age", "--k", 2, "--keep", "nothing"), 2, "no column nothing in the data; it has id, patient,"),
        (("--qi", "age", "--k", 101), 2, "--k 101: there are 100 people in the data; write --k 100 or less"),
        (("--qi", "age", "--k", 51, "--person", "patient"), 2, "there are 50 people in the data"),
        (("--qi", "age", "--k", 2, "--sensitive", "illness"), 2, "sensitive columns and models belong together"),
        (("--qi", "age", "--k", 2, "--l", 3), 2, "sensitive columns and models belong together"),
        (("--qi", "age", "--k", 2, "--l", 4, "--sensitive", "illness"), 2, "write l: 3 or less"),
        (("--qi", "age", "--k", 2, "--l", 2.5, "--sensitive", "illness"), 2, "a whole number"),
        (("--qi", "age", "--k", 2, "--l", 2, "--l-kind", "recursive", "--sensitive", "illness"), 2, "number --c"),
        (("--qi", "age", "--k", 2, "--t", 2, "--sensitive", "illness"), 2, "from 0 to 1"),
        (("--qi", "age", "--k", 2, "--t", 0.2, "--t-distance", "ordered", "--sensitive", "illness"), 2, "no order"),
        (("--qi", "age", "--k", 2, "--keep", "age"), 2, "column age is in --qi and in --keep"),
        (("--qi", "age", "--k", 2, "--person", "id", "--keep", "id"), 2, "column id is in --keep and in --person"),
        (("--qi", "age,n", "--k", 2), 2, "column n: that name is used in the counts; rename the column"),
        (("--qi", "age", "--k", 2, "--weight", "age=much"), 2, "write a number"),
        (("--qi", "age", "--k", 2, "--weight", "sex=2"), 2, "no quasi-identifier of that name"),
        (("--qi", "age", "--k", 2, "--cap", "age=decade"), 2, "its levels are value, level 1, *"),
        (("--qi", "age", "--k", 2, "--cap", "age"), 2, "write a column, = and a value"),
        (("--qi", "age", "--k", 2, "--suppression", 5), 2, "a share is from 0 to 1"),
        (("--qi", "age", "--k", 2, "--seconds", 5), 2, "--seconds belongs to --model full"),
        (("--qi", "age", "--k", 2, "--model", "full", "--effort", "fast"), 2, "--effort belongs to"),
        (("--qi", "age", "--k", 2, "--memory", "2GB"), 2, "Polars has no memory_limit"),
        (("--apply", "found.json", "--k", 2), 2, "leave out --k"),
        (("--apply", "found.json"), 2, "cannot read found.json"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_says_what_can(
    tmp_path: Path, typed: Typed, hierarchies: Path, options: tuple[object, ...], code: int, message: str
) -> None:
    """Before any work; no file is left."""
    data, out = as_csv(tmp_path / "data.csv", people(100)), tmp_path / "out.csv"
    ended, said, err = typed(data, "--hierarchies", hierarchies, *options, "-o", out)
    assert (ended, said) == (code, "")
    assert message in " ".join(err.split())
    assert not out.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"data.csv", "hierarchies", "anon_home"}


def test_a_value_without_a_leaf_is_shown_on_the_terminal_and_told_by_number(
    tmp_path: Path, typed: Typed, hierarchies: Path
) -> None:
    """Up to ten of them, here where the data lies anyway; spaces are hard to see, so they are told."""
    table = people(100)
    for i in range(12):
        table[i]["age"] = 100 + i
    table[20]["town"] = "Ulm "
    data, out = as_csv(tmp_path / "data.csv", table), tmp_path / "out.csv"
    code, _, err = typed(data, "--hierarchies", hierarchies, *ASKED, "-o", out)
    said = " ".join(err.split())
    assert code == 2
    assert "column age: 12 values are not in the first column of age.csv; add a line for each" in said
    assert "'100'" in said
    assert "'109'" in said
    assert "'110'" not in said
    assert "and 2 more" in said
    code, _, err = typed(data, "--hierarchies", hierarchies, "--qi", "town", "--k", 2, "-o", out)
    assert "1 of them differ from a line of it by spaces only" in " ".join(err.split())
    assert not out.exists()


def test_two_hierarchies_for_one_column_are_refused(tmp_path: Path, typed: Typed, hierarchies: Path) -> None:
    """Nobody can say which is meant; `postage.csv` is none for `age`."""
    data = as_csv(tmp_path / "data.csv", people(100))
    (hierarchies / "x_hierarchy_postage.csv").write_text("1;*\n")
    (hierarchies / "postage.csv").write_text("1;*\n")
    assert typed(data, "--hierarchies", hierarchies, *ASKED, "-o", tmp_path / "out.csv")[0] == 0
    (hierarchies / "adult_hierarchy_age.csv").write_text(AGES)
    alone = ("--qi", "age", "--k", 2)
    code, _, err = typed(data, "--hierarchies", hierarchies, *alone, "-o", tmp_path / "other.csv")
    assert code == 2
    assert "2 hierarchies for age" in " ".join(err.split())
    assert "adult_hierarchy_age.csv, age.csv; keep one" in " ".join(err.split())


def test_nothing_is_overwritten_unless_it_is_forced_and_never_the_data(
    tmp_path: Path, typed: Typed, hierarchies: Path
) -> None:
    """The data may be the only copy."""
    data, out = as_csv(tmp_path / "data.csv", people(100)), tmp_path / "out.csv"
    out.write_text("precious")
    always = ("--hierarchies", hierarchies, *ASKED)
    assert typed(data, *always, "-o", out)[0] == Exit.STORAGE
    assert out.read_text() == "precious"
    assert typed(data, *always, "-o", out, "--force")[0] == 0
    assert len(read(out)) == 100
    before = data.read_bytes()
    (tmp_path / "link.csv").symlink_to(data)
    for name in ("data.csv", "link.csv"):
        code, _, err = typed(data, *always, "-o", tmp_path / name, "--force")
        assert code == Exit.POLICY
        assert "never overwritten" in " ".join(err.split())
    assert data.read_bytes() == before
    for name, told in (
        ("data.csv", "never overwritten"),
        ("new.csv", "name two files"),
        ("out.csv", "--force"),
    ):
        forced = ("--force",) if name == "data.csv" else ()
        code, _, err = typed(
            data, *always, "-o", tmp_path / "new.csv", "--solution", tmp_path / name, *forced
        )
        assert code != 0
        assert told in " ".join(err.split())


def test_a_release_that_does_not_hold_is_deleted(
    tmp_path: Path, typed: Typed, hierarchies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is measured, not what the search believes: here the search is made to lie."""
    from anon_platform.kanon import anonymized

    def lying(counts: Any, kinds: Any, request: Any, progress: Any) -> Any:
        from anon_platform.kanon.searching import Found

        return Found(counts.texts.with_columns(kept=pl.lit(value=True)), 0.0, 0.0, {}, {})

    monkeypatch.setattr(anonymized, "search", lying)
    data, out = as_csv(tmp_path / "data.csv", people(100)), tmp_path / "out.csv"
    code, _, err = typed(
        data, "--hierarchies", hierarchies, *ASKED, "--sensitive", "illness", "--l", 2, "-o", out,
        "--solution", tmp_path / "s.json",
    )  # fmt: skip
    assert code == Exit.REFUSED
    assert "a class of 1 people instead of 4; distinct l of illness is 1, not 2" in " ".join(err.split())
    assert {path.name for path in tmp_path.iterdir()} == {"data.csv", "hierarchies", "anon_home"}


def test_a_broken_record_is_named_by_line_and_not_quoted(
    tmp_path: Path, typed: Typed, hierarchies: Path
) -> None:
    """A row that is cut short would shift cells into other columns."""
    data = as_csv(tmp_path / "data.csv", people(100))
    lines = data.read_text().splitlines()
    lines[50] = "49,secret"
    data.write_text("\n".join(lines) + "\n")
    code, _, err = typed(data, "--hierarchies", hierarchies, *ASKED, "-o", tmp_path / "out.csv")
    assert code == Exit.SOURCE
    assert "data.csv:51" in err
    assert "secret" not in err


def test_of_two_families_of_files_that_counts_which_more_columns_share(
    tmp_path: Path, typed: Typed, hierarchies: Path
) -> None:
    """As in ARX's own folder of examples, where two data sets have an age."""
    for name in ("age", "town"):
        (hierarchies / f"{name}.csv").rename(hierarchies / f"adult_hierarchy_{name}.csv")
    (hierarchies / "test_hierarchy_age.csv").write_text("1;*\n", encoding="utf-8")
    data, out = as_csv(tmp_path / "data.csv", people(100)), tmp_path / "out.csv"
    code, _, err = typed(data, "--hierarchies", hierarchies, "--qi", "age,town", "--k", 2, "-o", out)
    assert code == 0, err

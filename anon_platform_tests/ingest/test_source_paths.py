"""Which files a source is, and what is said when it is none."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from anon_platform_tests.ingest.sources import AT_PARQUET, AT_PATH, ONE, TWO, released, tiny

LEFT_OUT = {
    "._a.csv": TWO,
    "_a.csv": TWO,
    "a.csv.tmp": TWO,
    "a.csv.part": TWO,
    "b.csv.crdownload": TWO,
    "a.txt": TWO,
    "below/c.csv": TWO,
}


@pytest.mark.parametrize(
    "path",
    [
        "source",
        "source/",
        "./source",
        "source/a.csv",
        "source/*.csv",
        "sour*/a.csv",
        "source/[a].csv",
        "source/?.csv",
        "source/**/a.csv",
        "missing/../source",
    ],
)
def test_a_source_is_a_file_a_folder_or_a_glob(tmp_path: Path, path: str) -> None:
    """Hidden and half-written files are left out, and so are files in folders below."""
    file = tiny(tmp_path, {"a.csv": ONE, **LEFT_OUT}, source=f'{{format: csv, path: "{path}"}}')
    assert released(file) == [(30, "A")]


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    """A mounted share."""
    file = tiny(tmp_path, {"a.csv": ONE}, source=f'{{format: csv, path: "{tmp_path}/source/*.csv"}}')
    assert released(file) == [(30, "A")]


@pytest.mark.parametrize(
    "name", ["a[1].csv", "a*.csv", "a?.csv", "a'b.csv", "a b.csv", "é.csv", "a.csv.gz", "a{1,2}.csv"]
)
def test_a_file_that_is_named_like_a_pattern_is_that_file(tmp_path: Path, name: str) -> None:
    """DuckDB takes such a name for a glob, and reads the files beside it, too."""
    file = tiny(
        tmp_path, {name: ONE, "a1.csv": TWO, "ab.csv": TWO}, source=f'{{format: csv, path: "source/{name}"}}'
    )
    assert released(file) == [(30, "A")]


def test_a_policy_in_a_folder_named_like_a_pattern_finds_its_source(tmp_path: Path) -> None:
    """Only what the policy writes is a pattern."""
    folder = tmp_path / "v[1]*"
    folder.mkdir()
    assert released(tiny(folder, {"a.csv": ONE}, source="{format: csv, path: sour*/a*.csv}")) == [(30, "A")]


@pytest.mark.parametrize(
    "path", ["nowhere", "nowhere/*.csv", "source/none.csv", "source/_a.csv", "source/below.csv"]
)
def test_a_source_that_is_not_there_is_told_with_its_path(
    tmp_path: Path, message: Callable[[Path], str], path: str
) -> None:
    """A folder that is named like a file is no file, and a hidden file counts only when it is no longer hidden."""
    file = tiny(tmp_path, {"_a.csv": ONE}, source=f"{{format: csv, path: {path}}}")
    (tmp_path / "source" / "below.csv").mkdir()
    said = AT_PATH + f"no csv file at source.path {path}; put one there or correct the path"
    assert message(file) == said


@pytest.mark.parametrize("path", ["loop", '"a\\0b"', '"**a/b*"'])
def test_a_path_that_cannot_be_looked_up_is_told(
    tmp_path: Path, message: Callable[[Path], str], path: str
) -> None:
    """Links in a circle, a NUL in the name, a pattern that is none."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    file = tiny(tmp_path, {}, source=f"{{format: csv, path: {path}}}")
    assert re.fullmatch(
        re.escape(AT_PATH) + r"source\.path .* cannot be looked up; correct the path",
        message(file),
        re.DOTALL,
    )


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that can be opened and not read")
def test_a_file_that_cannot_be_read_is_told_with_the_reason(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """What a failing disk does."""
    for form, at in (("csv", AT_PATH), ("parquet", AT_PARQUET)):
        file = tiny(tmp_path, {}, source=f"{{format: {form}, path: /proc/self/mem}}")
        said = message(file)
        assert said in {at + "cannot read mem: Input/output error", at + "mem is not a readable Parquet file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_told_with_the_reason(
    tmp_path: Path, message: Callable[[Path], str]
) -> None:
    """The operating system's own words."""
    file = tiny(tmp_path, {"a.csv": ONE})
    (tmp_path / "source" / "a.csv").chmod(0)
    assert message(file) == AT_PATH + "cannot read a.csv: Permission denied"

"""`verify` finds whatever was changed in a release folder, from the files alone."""

import json
from pathlib import Path

import polars as pl
import pytest

from anon_platform.errors import IntegrityError
from anon_platform.pipeline import run, verify
from anon_platform_tests.clinic import make_clinic


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A sound release."""
    return Path(run(make_clinic(tmp_path)).validated.path)


def failed(folder: Path) -> set[str]:
    return {finding.name for finding in verify(folder).findings if not finding.passed}


def rewrite(folder: Path, rows: pl.DataFrame) -> None:
    """Puts other data in the release and its hashes in the manifest, as a careful forger would."""
    from anon_platform.publish import file_hashes

    rows.write_parquet(folder / "data" / "part-00000.parquet")
    rows.write_csv(folder / "data" / "part-00000.csv")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = file_hashes(folder)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_an_untouched_release_passes(release: Path) -> None:
    """The baseline of all other tests here, and what it says rests on the manifest."""
    verified = verify(release)
    assert verified.passed
    assert any("people" in text for text in verified.rests_on_manifest)


@pytest.mark.parametrize(
    "name", ["data/part-00000.parquet", "data/part-00000.csv", "report.html", "assessment.json"]
)
def test_one_flipped_byte_in_any_file_is_found(release: Path, name: str) -> None:
    """Every file counts, not only the data."""
    file = release / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    assert "files" in failed(release)


def test_a_missing_and_an_added_file_are_found(release: Path) -> None:
    """An extra file could carry anything."""
    (release / "data" / "part-00000.csv").rename(release / "data" / "extra.csv")
    text = next(finding.text for finding in verify(release).findings if finding.name == "files")
    assert "data/part-00000.csv is missing" in text
    assert "data/extra.csv is not in the manifest" in text


def test_a_forged_row_count_is_found_though_the_hashes_match(release: Path) -> None:
    """Whoever edits the manifest's hashes still cannot add a row."""
    rows = pl.read_parquet(release / "data" / "part-00000.parquet")
    rewrite(release, rows.head(rows.height - 1))
    assert "rows" in failed(release)


def test_a_class_below_k_is_found_though_the_hashes_match(release: Path) -> None:
    """Guarantees are measured again, not read from the manifest."""
    rows = pl.read_parquet(release / "data" / "part-00000.parquet")
    lonely = rows.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("[1, 2)")).otherwise("age").alias("age")
    )
    rewrite(release, lonely)
    assert {"k (rows)"} <= failed(release)


def test_an_added_column_is_found_though_the_hashes_match(release: Path) -> None:
    """A name column slipped in later is not what was validated."""
    rows = pl.read_parquet(release / "data" / "part-00000.parquet")
    rewrite(release, rows.with_columns(name=pl.lit("x")))
    assert failed(release) & {"schema", "data"}


def test_csv_and_parquet_that_differ_are_found(release: Path) -> None:
    """Two formats of one release must be one release."""
    from anon_platform.publish import file_hashes

    file = release / "data" / "part-00000.csv"
    file.write_text(file.read_text().replace("flu", "flu!", 1))
    manifest = json.loads((release / "manifest.json").read_text())
    manifest["files"] = file_hashes(release)
    (release / "manifest.json").write_text(json.dumps(manifest))
    assert failed(release) == {"formats"}


def test_a_folder_that_is_no_release_is_refused(tmp_path: Path) -> None:
    """With the way out."""
    with pytest.raises(
        IntegrityError, match=r"no manifest.json in .*; name a release folder, see: anon releases"
    ):
        verify(tmp_path)


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"files": {}, "policy": 3}'])
def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    """Not with a traceback."""
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"not readable JSON|not a manifest of this format"):
        verify(tmp_path)


def test_a_threshold_that_the_files_miss_is_found_though_the_measures_agree(release: Path) -> None:
    """What was demanded counts, not only that the manifest repeats what was measured."""
    manifest = json.loads((release / "manifest.json").read_text())
    manifest["policy"]["thresholds"] |= {"max_risk": 0.001, "t": 0.01}
    (release / "manifest.json").write_text(json.dumps(manifest))
    assert failed(release) == {"maximum risk (rows)", "t of diagnosis", "t of result"}

"""The choice of the engine, and that no release depends on it."""

import os
import random
import stat
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.pipeline import analyzed, anonymized, plan, raw, run
from anon_platform.pipeline.engine import engine_for, machine_memory, open_table, size_in_memory
from anon_platform.pipeline.staging import Work
from anon_platform.policy import Engine
from anon_platform.publish import MANIFEST, file_hashes, read_json
from anon_platform.table import DuckDBTable, PolarsTable, Table
from anon_platform_tests.clinic import make_clinic

GIGABYTE = 10**9


@given(st.integers(0, 10**15), st.integers(1, 10**15))
def test_auto_takes_duckdb_for_more_than_a_quarter_of_the_memory(size: int, memory: int) -> None:
    """The rule, written the other way round."""
    assert engine_for(size, memory) == ("duckdb" if size > memory / 4 else "polars")


@pytest.mark.parametrize("words", [1, 30])
def test_the_size_in_memory_is_about_what_polars_says(tmp_path: Path, words: int) -> None:
    """Whether texts are short, or notes of thirty words."""
    rng = random.Random(1)
    texts = [
        " ".join(
            rng.choices(["fever", "cough", "pain", "calm", "stable", "urgent", "left", "right"], k=words)
        )
        for _ in range(5000)
    ]
    frame = pl.DataFrame({"id": range(5000), "text": texts, "ok": [True] * 5000})
    frame.write_parquet(tmp_path / "a.parquet")
    estimate = size_in_memory(frame.height, frame.schema, (tmp_path / "a.parquet").stat().st_size)
    assert frame.estimated_size() / 2 < estimate < frame.estimated_size() * 4


def test_the_memory_of_the_machine_is_known() -> None:
    """At least what the machine has free, and no more than it has."""
    page = os.sysconf("SC_PAGE_SIZE")
    assert 0 < machine_memory() <= page * os.sysconf("SC_PHYS_PAGES")


def test_a_container_has_the_memory_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`max` means no limit; version 1 writes an absurd number for it."""
    limits = (tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes")
    monkeypatch.setattr("anon_platform.pipeline.engine._LIMITS", limits)
    machine = machine_memory()
    limits[0].write_text("max\n")
    limits[1].write_text("9223372036854771712\n")
    assert machine_memory() == machine
    limits[0].write_text("500000000\n")
    assert machine_memory() == 500_000_000


@pytest.mark.parametrize(
    ("engine", "memory", "kind", "limit"),
    [
        (Engine(), 8 * GIGABYTE, PolarsTable, None),
        (Engine(), 1000, DuckDBTable, 250),
        (Engine(memory_limit="3GB"), 1000, DuckDBTable, 3 * GIGABYTE),
        (Engine(kind="polars"), 1000, PolarsTable, None),
        (Engine(kind="duckdb"), 8 * GIGABYTE, DuckDBTable, 2 * GIGABYTE),
    ],
)
def test_a_snapshot_is_opened_as_the_policy_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: Engine,
    memory: int,
    kind: type[Table],
    limit: int,
) -> None:
    """A limit that the policy names holds; else a quarter of the memory."""
    monkeypatch.setattr("anon_platform.pipeline.engine.machine_memory", lambda: memory)
    pl.DataFrame({"x": range(100)}).write_parquet(tmp_path / "a.parquet")
    table = open_table(tmp_path, engine, spill=tmp_path / "spill")
    assert isinstance(table, kind)
    if isinstance(table, DuckDBTable):
        assert (table.memory_limit, table.spill) == (limit, tmp_path / "spill")
    assert table.rows == 100


def test_the_plan_shows_the_engine(tmp_path: Path) -> None:
    """For whoever wonders why a run goes to disk."""
    file = make_clinic(tmp_path, engine={"kind": "duckdb", "memory_limit": "2GB"})
    assert plan(file).engine == "DuckDB, within 2GB of memory"
    assert plan(file).as_json()["engine"] == "DuckDB, within 2GB of memory"


def test_releases_of_both_engines_are_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data, levels, suppressed records, name of the release; only the manifest says what counted."""
    outcomes = {}
    for kind in ("polars", "duckdb"):
        monkeypatch.setenv("ANON_HOME", str(tmp_path / kind / "home"))
        file = make_clinic(tmp_path / kind, engine={"kind": kind}, model=None)
        for stage in (raw, analyzed, anonymized):
            report = stage(file)
        staged = Path(report.path)
        positions = {name: pl.read_parquet(staged / f"{name}.parquet") for name in ("kept", "suppressed")}
        outcome = run(file)
        assert outcome.released
        outcomes[kind] = (outcome.validated, positions)
    (first, at_first), (second, at_second) = outcomes.values()
    assert first.release_id == second.release_id
    assert first.assessment == second.assessment
    for name, rows in at_first.items():
        assert rows.height > 0
        assert rows.equals(at_second[name])
    hashes = [file_hashes(Path(report.path) / "data") for report in (first, second)]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 2
    manifests = [read_json(Path(report.path) / MANIFEST) for report in (first, second)]
    for name in ("rows", "people", "levels", "policy_hash", "metrics", "types", "input_fingerprint"):
        assert manifests[0][name] == manifests[1][name]
    assert [manifest["policy"]["engine"]["kind"] for manifest in manifests] == ["polars", "duckdb"]


def test_a_release_is_not_made_again_for_another_engine(tmp_path: Path) -> None:
    """It would be the same data once more."""
    polars = run(make_clinic(tmp_path, engine={"kind": "polars"}, model=None))
    duckdb = run(make_clinic(tmp_path, engine={"kind": "duckdb"}, model=None))
    assert duckdb.validated.reused
    assert duckdb.validated.release_id == polars.validated.release_id


def test_what_a_killed_run_spilled_is_gone_when_a_stage_begins(tmp_path: Path) -> None:
    """Counts of identified data lie there; the folder is open to the current user only, as all of staging."""
    file = make_clinic(tmp_path, engine={"kind": "duckdb"})
    report = raw(file)
    work = Work(report.dataset, report.release_id)
    left = work.part("spill") / "spill-x"
    left.mkdir(parents=True)
    (left / "counts.parquet").write_bytes(b"identified")
    analyzed(file)
    assert list(work.part("spill").iterdir()) == []
    assert stat.S_IMODE(work.part("spill").stat().st_mode) == 0o700

"""From source to release, refusal, and everything that can go wrong on the way."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import polars as pl
import pytest
import yaml

from anon_platform.errors import (
    BusyError,
    IntegrityError,
    PolicyError,
    ReleaseRefusedError,
    SourceError,
    StorageError,
)
from anon_platform.frequency import people_for_risk
from anon_platform.ledger import Ledger
from anon_platform.pipeline import STAGES, analyzed, anonymized, cataloged, raw, run, validated, verify
from anon_platform.pipeline.staging import exclusive
from anon_platform_tests.clinic import COLUMNS, make_clinic, visits, write_csv


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """A sound policy with its source."""
    return make_clinic(tmp_path)


def release_of(file: Path) -> Path:
    outcome = run(file)
    assert outcome.released, outcome.validated.assessment
    return Path(outcome.validated.path)


def test_a_release_keeps_its_promises_when_counted_afresh(clinic: Path) -> None:
    """Plain Python joins released rows to source rows by content of what is kept as it is, and counts patients."""
    release = release_of(clinic)
    rows = pl.read_parquet(release / "data" / "part-00000.parquet")
    manifest = json.loads((release / "manifest.json").read_text())
    assert manifest["rows"]["in"] == len(visits())
    assert manifest["rows"]["in"] == rows.height + manifest["rows"]["suppressed"]
    assert rows.columns == ["age", "sex", "zip", "admitted", "diagnosis", "result", "stay", "again"]
    classes = defaultdict(list)
    for row in rows.iter_rows(named=True):
        classes[row["age"], row["sex"], row["zip"], row["admitted"]].append(row)
    # a class of n rows has at most n patients, so rows must reach k as well
    assert min(len(members) for members in classes.values()) >= 3
    for column in ("diagnosis", "result"):
        assert min(len({row[column] for row in members}) for members in classes.values()) >= 2


def test_k_counts_patients_not_rows(tmp_path: Path) -> None:
    """Twelve visits of two patients are a class of two: with k = 3 every one of them has to go or be joined."""
    rows = [
        (
            f"V{i}",
            f"P{i % 2}",
            "N",
            "50",
            "F",
            "60614",
            "2008-01-01",
            "flu" if i % 3 else "cold",
            "low",
            "3",
            "no",
        )
        for i in range(12)
    ]
    file = make_clinic(tmp_path, model=None)
    write_csv(tmp_path / "source" / "visits.csv", rows)
    with pytest.raises(
        PolicyError, match=r"thresholds\.k: 3 people a class demanded, the source has 2; write k: 2 or less"
    ):
        run(file)


def test_a_second_run_finds_the_first_ones_release(clinic: Path) -> None:
    """A retry must not draw anew: same input, policy and version are the same release, untouched."""
    first = release_of(clinic)
    written = (first / "manifest.json").stat().st_mtime_ns
    outcome = run(clinic)
    assert [report.reused for report in outcome.reports.values()] == [True] * 5
    assert Path(outcome.validated.path) == first
    assert (first / "manifest.json").stat().st_mtime_ns == written


def test_a_release_whose_folder_was_deleted_is_not_made_again_in_silence(clinic: Path) -> None:
    """The catalog promises bytes that are gone; making others under the same id would hide that."""
    shutil.rmtree(release_of(clinic))
    with pytest.raises(
        IntegrityError, match=r"is in the catalog, but its folder .* is gone; put a copy back"
    ):
        run(clinic)


def test_equal_input_gives_equal_data_bytes(clinic: Path, anon_home: Path) -> None:
    """A release can be made again, byte for byte, by whoever holds the source and the key."""
    first = release_of(clinic)
    data = (first / "data" / "part-00000.csv").read_bytes()
    shutil.rmtree(anon_home)
    anon_home.mkdir(mode=0o700)
    assert (release_of(clinic) / "data" / "part-00000.csv").read_bytes() == data


def test_the_released_order_tells_nothing_of_the_source(clinic: Path) -> None:
    """The source is written in patient order; released rows of one patient must not stand together."""
    release = release_of(clinic)
    stays = pl.read_parquet(release / "data" / "part-00000.parquet")["stay"].to_list()
    source = [int(row[9]) for row in visits()]
    assert stays != [stay for stay in source if stay in stays][: len(stays)]


def test_staging_is_empty_after_a_release_and_after_a_refusal(clinic: Path, anon_home: Path) -> None:
    """Identified data must not outlive the run."""
    release_of(clinic)
    assert not list((anon_home / "staging" / "clinic").glob("*/raw"))
    refused = make_clinic(
        clinic.parent / "second", name="strict", thresholds={"fidelity": 0.0, "suppressed_records": 0.2}
    )
    outcome = run(refused)
    assert not outcome.released
    assert not list((anon_home / "staging" / "strict").glob("*/*"))


def test_a_refused_release_leaves_its_report_and_no_data(tmp_path: Path, anon_home: Path) -> None:
    """The privacy officer reads why; nobody can pick up the rows."""
    file = make_clinic(tmp_path, thresholds={"model_loss": 0.0, "fidelity": 0.0})
    outcome = run(file)
    assert not outcome.released
    folder = Path(outcome.validated.path)
    assert sorted(path.name for path in folder.iterdir()) == ["assessment.json", "report.html"]
    assert folder.is_relative_to(anon_home / "refused")
    assert not (anon_home / "releases").exists()
    missed = {metric.name: metric.note for metric in outcome.validated.assessment.missed()}  # type: ignore[union-attr]
    assert "a threshold of" in missed["largest column distance"]
    with Ledger.open() as ledger:
        assert ledger.events()[-1].action == "release.refused"


@pytest.mark.parametrize("stage", ["anonymized", "validated", "cataloged"])
def test_no_launch_order_publishes_what_was_refused(tmp_path: Path, anon_home: Path, stage: str) -> None:
    """Stages can be launched one by one; a refused release stays refused whichever is launched next."""
    file = make_clinic(tmp_path, thresholds={"fidelity": 0.0})
    assert not run(file).released
    with pytest.raises((SourceError, ReleaseRefusedError)):
        STAGES[stage](file, lambda _what, _done, _total: None)
    assert not (anon_home / "releases").exists()


def test_a_stage_launched_before_its_time_says_what_to_launch_first(clinic: Path) -> None:
    """The message names the missing stage."""
    with pytest.raises(SourceError, match="nothing in staging; materialize raw first"):
        analyzed(clinic)
    raw(clinic)
    with pytest.raises(
        SourceError, match="analyzed is not materialized for this input; materialize it first"
    ):
        anonymized(clinic)
    with pytest.raises(SourceError, match="anonymized is not materialized"):
        validated(clinic)
    with pytest.raises(ReleaseRefusedError, match="no validated release to catalog"):
        cataloged(clinic)


def test_a_policy_changed_between_stages_stops_the_run(clinic: Path) -> None:
    """Half a release under one policy and half under another would be nobody's."""
    raw(clinic)
    clinic.write_text(clinic.read_text().replace("k: 3", "k: 4"))
    with pytest.raises(SourceError, match="the policy changed since raw was materialized"):
        analyzed(clinic)


def test_two_runs_of_one_dataset_do_not_mix(clinic: Path) -> None:
    """The second is told to wait; it does not wait in silence, and it changes nothing."""
    code = (
        "import sys, time\nfrom anon_platform.pipeline.staging import exclusive\n"
        "with exclusive('clinic'):\n print('held', flush=True)\n time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="dataset clinic: another run is working on it"):
            run(clinic)
        other.kill()
    release_of(clinic)  # a killed run does not keep the dataset


@pytest.mark.parametrize("stage", ["raw", "anonymized", "validated"])
def test_a_killed_run_leaves_nothing_visible_and_the_next_one_recovers(
    clinic: Path, anon_home: Path, stage: str
) -> None:
    """Kill -9 in the middle of a stage: no release, and the next run makes the same one as an undisturbed run."""
    marker = clinic.parent / "reached"
    code = f"""
import os, pathlib, time, polars as pl
from anon_platform.pipeline import run
original = pl.DataFrame.write_parquet
def slow(frame, file, **options):
    if '{stage}.tmp' in str(file) or ('{stage}' == 'validated' and 'release.tmp' in str(file)):
        pathlib.Path(str(file)).write_bytes(b'half')
        pathlib.Path({str(marker)!r}).write_text('now')
        time.sleep(60)
    return original(frame, file, **options)
pl.DataFrame.write_parquet = slow
import anon_platform.pipeline.releasing as releasing
def stuck(*arguments, **named):
    pathlib.Path({str(marker)!r}).write_text('now')
    time.sleep(60)
if '{stage}' == 'validated':
    releasing.write_report = stuck
run(pathlib.Path({str(clinic)!r}))
"""
    with subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ)) as victim:
        for _ in range(600):
            if marker.exists():
                break
            time.sleep(0.1)
        assert marker.exists(), "the run never reached the stage"
        victim.send_signal(signal.SIGKILL)
    assert not list(anon_home.glob("releases/*/*"))
    release = release_of(clinic)
    assert verify(release).passed
    assert not list((anon_home / "staging" / "clinic").glob("*/*.tmp"))


def test_a_full_disk_gives_one_clear_error_and_no_release(clinic: Path, anon_home: Path) -> None:
    """The operating system refuses to write more (as a full disk does); the message says what to do."""
    code = f"""
import resource, signal, pathlib, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from anon_platform.pipeline import raw
from anon_platform.errors import StorageError
raw  # imported before the limit
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    raw(pathlib.Path({str(clinic)!r}))
except StorageError as error:
    print(error); sys.exit(5)
"""
    write_csv(clinic.parent / "source" / "visits.csv", visits(20_000))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 5, done.stderr
    assert "free" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not (anon_home / "releases").exists()
    write_csv(clinic.parent / "source" / "visits.csv", visits())
    release_of(clinic)


def test_a_file_that_changes_while_it_is_read_stops_the_run(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was fingerprinted must be what was copied."""
    from anon_platform.pipeline import stages

    original = stages.snapshot

    def changing(*arguments, **named):
        found = original(*arguments, **named)
        write_csv(clinic.parent / "source" / "visits.csv", visits(240))
        return found

    monkeypatch.setattr(stages, "snapshot", changing)
    with pytest.raises(SourceError, match="changed while it was read; run again"):
        run(clinic)


def test_new_rows_make_a_new_release_and_the_old_one_stays(clinic: Path) -> None:
    """Releases are immutable and side by side."""
    first = release_of(clinic)
    write_csv(
        clinic.parent / "source" / "more.csv",
        [(f"W{row[0]}", f"Q{row[1]}", *row[2:]) for row in visits(60, seed=2)],
    )
    second = release_of(clinic)
    assert first != second
    assert verify(first).passed
    assert verify(second).passed
    with Ledger.open() as ledger:
        assert [entry.release_id for entry in ledger.releases("clinic")] == [first.name, second.name]
        assert ledger.verify().ok


def test_a_policy_with_neither_quasi_identifiers_nor_model_works(tmp_path: Path) -> None:
    """Sections that a dataset does not need may be left out; accounting and fidelity are still measured."""
    file = make_clinic(tmp_path, model=None, thresholds={"fidelity": 0.1})
    text = file.read_text()
    policy = yaml.safe_load(text)
    for name in COLUMNS:
        if policy["columns"][name]["role"] != "insensitive":
            policy["columns"][name] = {"role": "direct_identifier", "treat": {"technique": "suppress"}}
    policy["thresholds"] = {"fidelity": 0.1}
    file.write_text(yaml.safe_dump(policy))
    release = release_of(file)
    assert pl.read_parquet(release / "data" / "part-00000.parquet").height == len(visits())
    assert verify(release).passed


def test_each_row_may_be_a_person(tmp_path: Path) -> None:
    """Without a person column k counts rows."""
    file = make_clinic(tmp_path, model=None, privacy_unit=None)
    file.write_text(file.read_text() + "privacy_unit: {each_row_is_a_person: true}\n")
    assert verify(release_of(file)).passed


def test_a_storage_error_names_kind_and_place_but_no_value(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen error of a library may quote cells; what comes out does not, and is not chained either."""
    from anon_platform.pipeline import stages

    def broken(*arguments, **named):
        raise ValueError("secret cell CANARY")

    monkeypatch.setattr(stages, "snapshot", broken)
    with pytest.raises(StorageError, match="ValueError at") as caught:
        run(clinic)
    assert "CANARY" not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_names_that_look_like_patterns_are_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`visits[1].parquet` must not be read as `visits1.parquet`, and state may lie in a folder with brackets."""
    home = tmp_path / "state[1]"
    monkeypatch.setenv("ANON_HOME", str(home))
    file = make_clinic(tmp_path, model=None, source={"format": "parquet", "path": "source/visits[1].parquet"})
    rows = pl.DataFrame(visits(), schema=list(COLUMNS), orient="row")
    rows.write_parquet(tmp_path / "source" / "visits[1].parquet")
    rows.head(7).write_parquet(tmp_path / "source" / "visits1.parquet")
    outcome = run(file)
    assert outcome.reports["raw"].numbers["rows"] == len(visits())
    assert outcome.released
    assert verify(Path(outcome.validated.path)).passed


def test_a_promotion_before_a_kill_is_in_the_ledger_after_the_next_run(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that is out has its event, even when the run ended between the rename and the ledger."""
    from anon_platform.pipeline import stages

    original = stages.promote

    def killed(*arguments, **named):
        original(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stages, "promote", killed)
        with pytest.raises(KeyboardInterrupt):
            run(clinic)
    release = release_of(clinic)
    with Ledger.open() as ledger:
        promoted = [event for event in ledger.events("clinic") if event.action == "release.promoted"]
    assert [(event.release_id, event.outcome) for event in promoted] == [(release.name, "recovered")]


def test_a_maximum_risk_that_needs_more_people_than_there_are_is_refused_by_its_name(tmp_path: Path) -> None:
    """The reader wrote max_risk, not k."""
    file = make_clinic(tmp_path, patients=40, model=None, thresholds={"max_risk": 0.01})
    with pytest.raises(
        PolicyError, match=r"thresholds\.max_risk: 0\.01 needs 100 people .* has 40; write max_risk: 0\.025"
    ):
        run(file)


def test_an_original_model_that_knows_nothing_cannot_pass_for_one_that_lost_nothing(tmp_path: Path) -> None:
    """A loss of no lift would be zero, and zero would pass."""
    file = make_clinic(tmp_path, patients=60, thresholds={"k": 2, "max_risk": 0.5})
    rows = [(*row[:9], "7", "yes" if int(row[1][1:]) % 2 else "no") for row in visits(60)]
    write_csv(tmp_path / "source" / "visits.csv", rows)
    policy = yaml.safe_load(file.read_text())
    policy["model"]["features"] = ["stay"]
    file.write_text(yaml.safe_dump(policy))
    outcome = run(file)
    assert not outcome.released
    missed = {metric.name: metric.note for metric in outcome.validated.assessment.missed()}  # type: ignore[union-attr]
    assert "no better than chance" in missed["model loss"]


def test_a_tiny_maximum_risk_is_turned_into_people_at_once() -> None:
    """And the number is the smallest that meets it."""
    assert people_for_risk(1e-6) == 999_001
    for people in range(1, 500):
        assert people_for_risk(1 / people) == people


def test_the_lock_is_reentrant_in_one_process() -> None:
    """`run` holds the dataset while its stages take it again."""
    with exclusive("twice"), exclusive("twice"):
        pass
    with exclusive("twice"):
        assert True

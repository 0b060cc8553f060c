"""`anon` as it is typed: exit codes, one message and no traceback, JSON that is nothing but JSON."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from anon_platform_tests.clinic import make_clinic

ANON = str(Path(sys.executable).parent / "anon")
COMMANDS = [
    ["run"], ["check"], ["verify"], ["releases"], ["show"], ["demo-data"], ["schema"],
    ["keys", "create"], ["keys", "list"], ["audit", "verify"], ["audit", "log"],
]  # fmt: skip


def anon(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Types a command; no traceback ever reaches the user."""
    done = subprocess.run(
        [ANON, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A policy with a release, and the environment it was made in."""
    folder = tmp_path_factory.mktemp("cli")
    environment = {"ANON_HOME": str(folder / "home"), "ANON_KEY_INSTANCE": os.urandom(32).hex()}
    policy = make_clinic(folder)
    done = anon("run", policy, **environment)
    assert done.returncode == 0, done.stderr
    assert "patients share every combination of" in " ".join(done.stdout.split())
    return policy, environment


def folder_of(environment: dict[str, str]) -> Path:
    (release,) = (Path(environment["ANON_HOME"]) / "releases" / "clinic").iterdir()
    return release


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_that_fits_a_terminal_and_lists_the_exit_codes(command: list[str]) -> None:
    """Help is the manual that everybody has."""
    done = anon(*command, "--help", COLUMNS="80")
    assert done.returncode == 0
    assert "Exit codes:" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_check_prints_the_plan_and_reads_no_row(tmp_path: Path) -> None:
    """The source may be huge, or hold nothing but its header."""
    policy = make_clinic(tmp_path)
    source = tmp_path / "source" / "visits.csv"
    source.write_text(source.read_text().splitlines()[0] + "\n")
    done = anon("check", policy, COLUMNS="120")
    assert done.returncode == 0
    assert "The policy is sound. No row was read." in done.stdout
    assert "generalize, level searched: 5 > 10 > 20 > 40 > *" in done.stdout
    planned = json.loads(anon("check", policy, "--json").stdout)
    assert planned["thresholds"]["k"] == 3
    assert [column["name"] for column in planned["columns"]][:3] == ["visit", "patient", "name"]


def test_check_tells_all_faults_and_ends_with_2(tmp_path: Path) -> None:
    """On standard error for people, as JSON for machines."""
    policy = make_clinic(tmp_path)
    policy.write_text(policy.read_text().replace("k: 3", "k: three").replace("kind: flat", "kind: flatt"))
    done = anon("check", policy)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("clinic.yaml:") == 2
    told = anon("check", policy, "--json")
    assert told.returncode == 2
    assert [set(fault) for fault in json.loads(told.stdout)["faults"]] == [
        {"line", "column", "at", "message"}
    ] * 2


def test_run_with_json_prints_one_value_and_finds_the_release(released: tuple[Path, dict[str, str]]) -> None:
    """A scheduler parses it."""
    policy, environment = released
    outcome = json.loads(anon("run", policy, "--json", **environment).stdout)
    assert outcome["released"] is True
    assert [stage["reused"] for stage in outcome["stages"].values()] == [True] * 5


def test_a_refused_release_ends_with_1_and_says_what_would_be_met(tmp_path: Path) -> None:
    """The table names measure, value, threshold and way out."""
    done = anon("run", make_clinic(tmp_path, thresholds={"fidelity": 0.0}), COLUMNS="200")
    assert done.returncode == 1
    assert "release refused, no data left" in done.stdout
    assert "largest column distance" in done.stdout
    assert "would be met" in done.stdout


def test_verify_releases_show_and_audit_agree(released: tuple[Path, dict[str, str]]) -> None:
    """Four views of one release."""
    _, environment = released
    release = folder_of(environment)
    assert anon("verify", release, **environment).returncode == 0
    assert json.loads(anon("verify", release, "--json", **environment).stdout)["passed"] is True
    assert [
        entry["release_id"] for entry in json.loads(anon("releases", "--json", **environment).stdout)
    ] == [release.name]
    assert release.name in anon("show", "clinic", **environment).stdout
    assert anon("audit", "verify", **environment).returncode == 0
    actions = [event["action"] for event in json.loads(anon("audit", "log", "--json", **environment).stdout)]
    assert actions[:5] == [
        "raw.materialized", "analyzed.materialized", "anonymized.materialized", "release.promoted", "release.cataloged",
    ]  # fmt: skip


def test_verify_ends_with_1_when_a_byte_changed(tmp_path: Path) -> None:
    """And names the file."""
    environment = {"ANON_HOME": str(tmp_path / "home")}
    assert anon("run", make_clinic(tmp_path, model=None), **environment).returncode == 0
    release = folder_of(environment)
    (release / "report.html").write_text("forged")
    done = anon("verify", release, **environment)
    assert done.returncode == 1
    assert "report.html changed" in done.stdout


def test_audit_verify_ends_with_1_when_an_event_was_changed(tmp_path: Path) -> None:
    """By somebody who may even drop the triggers."""
    environment = {"ANON_HOME": str(tmp_path / "home")}
    assert anon("run", make_clinic(tmp_path, model=None), **environment).returncode == 0
    with sqlite3.connect(tmp_path / "home" / "ledger.db") as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f"drop trigger {name}")
        database.execute("update anon_events set actor = 'somebody else' where seq = 2")
    database.close()
    done = anon("audit", "verify", **environment)
    assert done.returncode == 1
    assert "event 2" in done.stdout


def test_a_missing_instance_key_ends_with_6_and_the_command_to_type(tmp_path: Path) -> None:
    """The first thing a newcomer meets."""
    done = anon("run", make_clinic(tmp_path), ANON_KEY_INSTANCE="")
    assert done.returncode == 6
    assert "anon keys create instance" in done.stderr


def test_keys_are_made_for_the_owner_only_and_never_shown(tmp_path: Path) -> None:
    """Neither when made nor when listed; an existing key is not overwritten."""
    environment = {"ANON_HOME": str(tmp_path / "home"), "ANON_KEY_INSTANCE": ""}
    made = anon("keys", "create", "patients", **environment)
    assert made.returncode == 0
    file = tmp_path / "home" / "keys" / "patients.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listed = anon("keys", "list", **environment)
    assert "patients" in listed.stdout
    assert file.read_text().strip() not in made.stdout + listed.stdout
    before = file.read_text()
    assert anon("keys", "create", "patients", **environment).returncode == 5
    assert anon("keys", "create", "patients", "--if-missing", **environment).returncode == 0
    assert file.read_text() == before


def test_a_source_error_ends_with_3_and_a_storage_error_with_5(tmp_path: Path) -> None:
    """A scheduler tells a bad delivery from a full disk."""
    policy = make_clinic(tmp_path)
    source = tmp_path / "source" / "visits.csv"
    source.write_text(source.read_text().replace(",F,", ',"F,', 1))
    assert anon("run", policy).returncode == 3
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("x")
    assert anon("demo-data", "-n", 10, "-o", foreign).returncode == 5


def test_demo_data_of_equal_seed_are_equal_and_a_second_call_is_quick(tmp_path: Path) -> None:
    """Any number of rows; the folder says what it was made from."""
    for folder in ("one", "two", "one"):
        assert anon("demo-data", "-n", 500, "-o", tmp_path / folder, "--csv").returncode == 0
    one, two = (
        {
            path.relative_to(tmp_path / folder): path.read_bytes()
            for path in sorted((tmp_path / folder).rglob("*"))
            if path.is_file()
        }
        for folder in ("one", "two")
    )
    assert one == two
    assert any(path.suffix == ".csv" for path in one)


def test_schema_prints_what_is_shipped() -> None:
    """For editors of people who have their policies elsewhere."""
    shipped = Path(__file__).parents[1] / "policies" / "policy.schema.json"
    assert anon("schema").stdout == shipped.read_text()

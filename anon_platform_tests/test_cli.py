"""`anon` as it is typed: exit codes, one message and no traceback, JSON that is nothing but JSON."""

import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from anon_platform.cli import Exit
from anon_platform_tests.clinic import make_clinic
from anon_platform_tests.typed import Typed

ANON = str(Path(sys.executable).parent / "anon")
COMMANDS = [
    [], ["keys"], ["audit"], ["run"], ["check"], ["verify"], ["releases"], ["show"], ["demo-data"], ["schema"], ["kanon"], ["find-text"], ["evaluate-text"], ["withdraw"],
    ["keys", "create"], ["keys", "list"], ["keys", "rotate"], ["keys", "forget"], ["audit", "verify"], ["audit", "log"],
    ["budget"], ["budget", "show"], ["budget", "raise"],
    ["approvers"], ["approvers", "add"], ["approvers", "list"], ["approvers", "remove"],
    ["reidentify"], ["reidentify", "request"], ["reidentify", "approve"], ["reidentify", "run"], ["reidentify", "list"],
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


@pytest.fixture
def release(released: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of that release; commands typed in this process find it."""
    for name, value in released[1].items():
        monkeypatch.setenv(name, value)
    return only(Path(released[1]["ANON_HOME"]))


def only(home: Path) -> Path:
    """The one release of the clinic."""
    (folder,) = (home / "releases" / "clinic").iterdir()
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_that_fits_a_terminal_and_lists_the_exit_codes(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """Help is the manual that everybody has."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = typed(*command, "--help")
    assert (code, err) == (0, "")
    for number in Exit:
        assert f"{int(number)} " in out.split("Exit codes:")[1]
    assert max(len(line) for line in out.splitlines()) <= 80


def test_check_prints_the_plan_and_reads_no_row(tmp_path: Path, typed: Typed) -> None:
    """The source may be huge, or hold nothing but its header."""
    policy = make_clinic(tmp_path)
    source = tmp_path / "source" / "visits.csv"
    source.write_text(source.read_text().splitlines()[0] + "\n")
    code, out, err = typed("check", policy)
    assert (code, err) == (0, "")
    assert "The policy is sound. No row was read." in out
    assert "generalize, level searched: 5 > 10 > 20 > 40 > *" in " ".join(out.split())
    planned = json.loads(typed("check", policy, "--json")[1])
    assert planned["thresholds"]["k"] == 3
    assert [column["name"] for column in planned["columns"]][:3] == ["visit", "patient", "name"]


def test_check_tells_all_faults_and_ends_with_2(tmp_path: Path, typed: Typed) -> None:
    """On standard error for people, as JSON for machines."""
    policy = make_clinic(tmp_path)
    policy.write_text(policy.read_text().replace("k: 3", "k: three").replace("kind: flat", "kind: flatt"))
    done = anon("check", policy)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("clinic.yaml:") == 2
    code, out, err = typed("check", policy, "--json")
    assert (code, err) == (2, "")
    assert [set(fault) for fault in json.loads(out)["faults"]] == [{"line", "column", "at", "message"}] * 2


def test_run_with_json_prints_one_value_and_finds_the_release(
    release: Path, released: tuple[Path, dict[str, str]], typed: Typed
) -> None:
    """A scheduler parses it."""
    code, out, err = typed("run", released[0], "--json")
    outcome = json.loads(out)
    assert (code, err) == (0, "")
    assert outcome["released"] is True
    assert outcome["stages"]["validated"]["path"] == str(release)
    assert [stage["reused"] for stage in outcome["stages"].values()] == [True] * 5


def test_a_refused_release_ends_with_1_and_says_what_would_be_met(tmp_path: Path, typed: Typed) -> None:
    """The table names measure, value, threshold and way out."""
    policy = make_clinic(tmp_path, model=None, thresholds={"fidelity": 0.0})
    done = anon("run", policy, COLUMNS="200")
    assert done.returncode == 1
    assert "release refused, no data left" in done.stdout
    assert "largest column distance" in done.stdout
    assert "would be met" in done.stdout
    code, out, err = typed("run", policy, "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["released"] is False


def test_verify_releases_show_and_audit_agree(release: Path, typed: Typed) -> None:
    """Four views of one release."""
    assert typed("verify", release)[0] == 0
    assert json.loads(typed("verify", release, "--json")[1])["passed"] is True
    for dataset in ([], ["clinic"]):
        (entry,) = json.loads(typed("releases", *dataset, "--json")[1])
        assert entry["release_id"] == release.name
    assert json.loads(typed("releases", "other", "--json")[1]) == []
    assert release.name in typed("show", "clinic")[1]
    assert typed("audit", "verify")[0] == 0
    actions = [event["action"] for event in json.loads(typed("audit", "log", "--json")[1])]
    assert actions[:5] == [
        "raw.materialized", "analyzed.materialized", "anonymized.materialized", "release.promoted", "release.cataloged",
    ]  # fmt: skip
    newest = json.loads(typed("audit", "log", "clinic", "--limit", 2, "--json")[1])
    assert [event["action"] for event in newest] == actions[-2:]


def test_lists_are_never_cut(release: Path, typed: Typed) -> None:
    """An id with an ellipsis cannot be copied, and a path in two lines neither."""
    listed, log = typed("releases")[1], typed("audit", "log")[1]
    assert f" {release} " in listed
    assert f" {release.name} " in listed
    assert "anonymized.materialized" in log
    assert "…" not in listed + log


def test_what_is_asked_for_goes_to_standard_output_and_everything_else_to_standard_error(
    released: tuple[Path, dict[str, str]],
) -> None:
    """`anon run … > summary.txt` holds the summary, and no progress bar."""
    policy, environment = released
    done = anon("run", policy, **environment)
    assert "fingerprint of the source" in done.stderr
    assert "fingerprint" not in done.stdout
    assert done.stdout.startswith("✓ Visits of a clinic")
    quiet = anon("run", policy, "--json", **environment)
    assert quiet.stderr == ""
    assert json.loads(quiet.stdout)["released"] is True


def test_verify_ends_with_1_when_a_byte_changed(tmp_path: Path, anon_home: Path, typed: Typed) -> None:
    """And names the file."""
    assert typed("run", make_clinic(tmp_path, model=None))[0] == 0
    (only(anon_home) / "report.html").write_text("forged")
    code, out, _ = typed("verify", only(anon_home))
    assert code == 1
    assert "report.html changed" in out
    assert json.loads(typed("verify", only(anon_home), "--json")[1])["passed"] is False


def test_verify_finds_whatever_was_done_to_the_bytes_of_the_data(
    tmp_path: Path, anon_home: Path, typed: Typed
) -> None:
    """Damaged Parquet files make the library panic; what comes out is a finding, and the exit code 1."""
    assert typed("run", make_clinic(tmp_path, model=None))[0] == 0
    rng = random.Random(1)
    for file in sorted((only(anon_home) / "data").iterdir()):
        sound = file.read_bytes()
        for _ in range(25):
            damaged = bytearray(sound)
            for place in rng.sample(range(len(sound)), 20):
                damaged[place] ^= 0xFF
            file.write_bytes(damaged[: rng.choice([len(sound), len(sound) // 2])])
            code, out, err = typed("verify", only(anon_home), "--json")
            assert code == 1
            assert (
                err == "" or "panicked at" in err
            )  # Rust speaks for itself, of its own source and not of cells
            assert f"data/{file.name} changed" in json.loads(out)["findings"][0]["text"]
        file.write_bytes(sound)
    assert typed("verify", only(anon_home))[0] == 0


DAMAGES = ["{}", "[]", "7", "null", '{"ledger_head": 7}', '{"ledger_head": {"seq": "x", "hash": ""}}']


@pytest.fixture(scope="module")
def other_release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A release whose files may be damaged, and the environment it was made in."""
    folder = tmp_path_factory.mktemp("damaged")
    environment = {"ANON_HOME": str(folder / "home"), "ANON_KEY_INSTANCE": os.urandom(32).hex()}
    assert anon("run", make_clinic(folder, model=None), **environment).returncode == 0
    return only(folder / "home"), environment


@pytest.mark.parametrize("text", DAMAGES)
def test_a_damaged_manifest_ends_with_1_wherever_it_is_read(
    other_release: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch, typed: Typed, text: str
) -> None:
    """With the command that says what changed."""
    folder, environment = other_release
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (folder / "manifest.json").write_text(text)
    for command in (["audit", "verify"], ["show", "clinic"]):
        code, out, err = typed(*command)
        assert (code, out) == (1, ""), command
        assert err == f"error the files in {folder} are not what was released; run: anon verify {folder}\n"
    code, out, err = typed("verify", folder)
    assert (code, out) == (1, "")
    assert err == f"error {folder}/manifest.json is not a manifest of this format\n"


def test_audit_verify_ends_with_1_when_an_event_was_changed(
    tmp_path: Path, anon_home: Path, typed: Typed
) -> None:
    """By somebody who may even drop the triggers."""
    assert typed("run", make_clinic(tmp_path, model=None))[0] == 0
    with sqlite3.connect(anon_home / "ledger.db") as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f"drop trigger {name}")
        database.execute("update anon_events set actor = 'somebody else' where seq = 2")
    database.close()
    code, out, _ = typed("audit", "verify")
    assert code == 1
    assert "✗ event 2" in out
    found = json.loads(typed("audit", "verify", "--json")[1])
    assert (found["ok"], found["faults"][0]["seq"]) == (False, 2)


def test_a_missing_instance_key_ends_with_6_and_the_command_to_type(tmp_path: Path) -> None:
    """The first thing a newcomer meets."""
    done = anon("run", make_clinic(tmp_path), ANON_KEY_INSTANCE="")
    assert done.returncode == 6
    assert "anon keys create instance" in done.stderr


def test_keys_are_made_for_the_owner_only_and_never_shown(
    anon_home: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when made nor when listed; an existing key is not overwritten."""
    monkeypatch.delenv("ANON_KEY_INSTANCE")
    said = [typed("keys", "create", "patients")]
    file = anon_home / "keys" / "patients.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text()
    said += [typed("keys", "list"), typed("keys", "list", "--json"), typed("keys", "create", "patients")]
    said += [typed("keys", "create", name, "--if-missing") for name in ("patients", "instance")]
    assert [code for code, _, _ in said] == [0, 0, 0, 5, 0, 0]
    assert said[1][1] == f"patients  {file}\n"
    assert json.loads(said[2][1]) == [
        {"key": "patients", "version": 1, "state": "current", "place": str(file)}
    ]
    assert said[4] == (0, "", "")
    assert not [text for _, *texts in said for text in texts if before.strip() in text]
    assert file.read_text() == before


def test_a_source_error_ends_with_3_and_a_storage_error_with_5(tmp_path: Path, typed: Typed) -> None:
    """A scheduler tells a bad delivery from a full disk."""
    policy = make_clinic(tmp_path)
    source = tmp_path / "source" / "visits.csv"
    source.write_text(source.read_text().replace(",F,", ',"F,', 1))
    assert anon("run", policy).returncode == 3
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("x")
    assert typed("demo-data", "-n", 10, "-o", foreign)[0] == 5
    assert [path.name for path in foreign.iterdir()] == ["mine.txt"]


def test_a_dataset_that_another_run_works_on_ends_with_4(tmp_path: Path, typed: Typed) -> None:
    """A scheduler tries again later."""
    policy = make_clinic(tmp_path, model=None)
    hold = (
        "import sys\nfrom anon_platform.pipeline.staging import exclusive\n"
        "with exclusive('clinic'):\n print('held', flush=True)\n sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", hold]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        code, out, err = typed("run", policy)
        other.communicate("")
    assert (code, out) == (4, "")
    assert "error dataset clinic: another run is working on it; wait until it has ended" in err
    assert typed("run", policy)[0] == 0


def test_an_interrupt_ends_with_130_and_one_line(tmp_path: Path) -> None:
    """Ctrl-C is no crash."""
    command = [ANON, "demo-data", "-n", "2000000", "-o", str(tmp_path / "demo")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        while not (tmp_path / "demo").exists():
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in out + err
    assert err.rstrip().endswith("stopped; the next run goes on from here")


CANARY = "Quetzalcoatl"


def test_no_cell_is_in_any_output(tmp_path: Path, anon_home: Path, typed: Typed) -> None:
    """Logs are read by many: neither a release, nor a refusal, nor an error quotes what is in the source."""
    policy = make_clinic(tmp_path, model=None)
    source = tmp_path / "source" / "visits.csv"
    plain = source.read_text().replace("Name", CANARY).replace("flu", f"{CANARY} disease")
    sound = plain.replace("P0", f"P{CANARY}")
    source.write_text(sound)
    said = [
        typed("check", policy),
        typed("run", policy),
        typed("run", policy, "--json"),
        typed("show", "clinic"),
    ]
    said += [typed("releases"), typed("audit", "log", "--json"), typed("verify", only(anon_home))]
    assert [code for code, _, _ in said] == [0] * len(said)
    policy.write_text(policy.read_text().replace("fidelity: 0.4", "fidelity: 0.0"))
    said.append(typed("run", policy))
    header = sound.splitlines()[0] + "\n"
    for old, new in ((",F,", ",F,,"), ("P", '"P'), (",no\n", ",\n"), (header, "")):
        source.write_text(sound.replace(old, new, 1))
        said.append(typed("run", policy))
    source.write_text(sound.replace(",2008-", f",{CANARY}-"))
    said.append(typed("run", policy))
    assert {code for code, _, _ in said} >= {0, 1, 2, 3}
    assert not [text for _, *texts in said for text in texts if CANARY in text]


def test_names_that_look_like_markup_are_shown_as_they_are(tmp_path: Path, typed: Typed) -> None:
    """A column `[/]` is a name, not the end of a style."""
    folder, name = tmp_path / "[bold]", "[red]:ok:[/]"
    policy = make_clinic(folder, model=None, title="[/] Visits")
    text = policy.read_text().replace("  stay:\n", f"  '{name}':\n")
    policy.write_text(text)
    source = folder / "source" / "visits.csv"
    source.write_text(source.read_text().replace("stay", name, 1))
    code, out, _ = typed("check", policy)
    assert code == 0
    assert f"{name} " in out
    assert "[/] Visits" in out
    assert typed("run", policy)[0] == 0
    code, _, err = typed("check", folder / "none.yaml")
    assert code == 2
    assert f"error no policy file {folder}/none.yaml; name one" in err


CALLS = {
    "a dataset without a release": (3, ["show", "nothing"], "error no release of nothing in the catalog; make one with: anon run POLICY"),
    "a folder that is no release": (1, ["verify", "."], "error no manifest.json in .; name a release folder, see: anon releases"),
    "a policy that is not there": (2, ["check", "none.yaml"], "error no policy file none.yaml; name one, such as policies/hospital_encounters.yaml"),
    "an id that no key can have": (6, ["keys", "create", "Not An Id"], "error not a key id: it is a lowercase letter"),
    "a schema where nothing can be written": (5, ["schema", "--write", "/nowhere/x"], "error cannot write /nowhere/x: No such file or directory"),
    "an unknown label": (2, ["demo-data", "--label", "x"], "Invalid value: label: Input should be 'real' or 'resampled'"),
    "a seed below zero": (2, ["demo-data", "--seed", "-1"], "Invalid value: seed: Input should be greater than or equal to 0"),
    "no rows": (2, ["demo-data", "-n", "0"], "0 is not in the range x>=1"),
    "more rows than there are identities": (2, ["demo-data", "-n", "99999999999"], "Invalid value: n: Input should be less than or equal to"),
    "no events": (2, ["audit", "log", "--limit", "0"], "0 is not in the range x>=1"),
    "an unknown command": (2, ["rnu"], "No such command 'rnu'"),
    "an unknown option": (2, ["run", "--fast"], "--fast"),
    "no policy": (2, ["run"], "Missing argument 'POLICY'"),
}  # fmt: skip
"""By name: exit code, call, what standard error says."""


@pytest.mark.parametrize("name", CALLS)
def test_a_faulty_call_is_one_message_and_an_exit_code(typed: Typed, name: str) -> None:
    """On standard error, and nothing on standard output."""
    code, call, said = CALLS[name]
    found, out, err = typed(*call)
    assert (found, out) == (code, "")
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


def test_empty_lists_say_what_to_type(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer asks for releases before there are any. Machines get an empty list."""
    assert typed("releases")[1] == "no releases yet; make one with: anon run POLICY\n"
    assert json.loads(typed("releases", "--json")[1]) == []
    assert json.loads(typed("audit", "log", "--json")[1]) == []
    assert json.loads(typed("audit", "verify", "--json")[1]) == {"ok": True, "events": 0, "faults": []}
    monkeypatch.delenv("ANON_KEY_INSTANCE")
    assert typed("keys", "list")[1] == "no keys; make the platform's own with: anon keys create instance\n"
    assert json.loads(typed("keys", "list", "--json")[1]) == []


def test_demo_data_of_equal_seed_are_equal_and_a_second_call_is_quick(tmp_path: Path, typed: Typed) -> None:
    """Any number of rows; the folder says what it was made from."""
    for folder in ("one", "two", "one"):
        assert typed("demo-data", "-n", 300, "-o", tmp_path / folder, "--csv")[0] == 0
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
    assert typed("demo-data", "-n", 300, "-o", tmp_path / "other", "--csv", "--seed", 8)[0] == 0
    encounters = Path("encounters", "part-000.csv")
    assert (tmp_path / "other" / encounters).read_bytes() != one[encounters]


def test_schema_prints_what_is_shipped(tmp_path: Path, typed: Typed) -> None:
    """For editors of people who have their policies elsewhere."""
    shipped = Path(__file__).parents[1] / "policies" / "policy.schema.json"
    assert typed("schema") == (0, shipped.read_text(), "")
    assert typed("schema", "--write", tmp_path / "schema.json") == (0, "", "")
    assert (tmp_path / "schema.json").read_text() == shipped.read_text()

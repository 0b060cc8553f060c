"""Dagster as users start it: `dg` commands, a real PostgreSQL, the webserver; and a search for leaked cells."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from anon_platform_tests.clinic import COLUMNS, make_clinic, visits, write_csv
from anon_platform_tests.postgres import fresh_database

PROJECT = Path(__file__).parents[2]
DG = str(Path(sys.executable).parent / "dg")
CANARIES = ("Zyxwvutsr", "917-55-0187", "60699-canary", "1957-03-21", "qzdiagnosis", "qzresult", "P-canary-1")


def dg(arguments: list[str], policies: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `dg` in the project with the policies of a test."""
    return subprocess.run(
        [DG, *arguments],
        cwd=PROJECT,
        env={
            **os.environ,
            "ANON_POLICIES": str(policies),
            "DAGSTER_HOME": str(PROJECT),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_dg_check_defs_passes_with_sound_and_broken_policies(tmp_path: Path) -> None:
    """The command a developer types before a commit."""
    make_clinic(tmp_path)
    make_clinic(tmp_path, name="broken").write_text("version: 1\n")
    done = dg(["check", "defs"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All definitions loaded successfully" in done.stdout + done.stderr


def test_dg_launch_runs_the_whole_graph_on_postgresql(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs, events and the audit ledger lie in a real server; nothing falls back to SQLite."""
    url = fresh_database(postgres_url)
    file = make_clinic(tmp_path)
    done = dg(["launch", "--job", "clinic_release"], tmp_path, ANON_POSTGRES_URL=url)
    assert done.returncode == 0, done.stdout + done.stderr
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("select status from runs")).scalars().all() == ["SUCCESS"]
        checks = connection.execute(text("select count(*) from asset_check_executions")).scalar()
        actions = connection.execute(text("select action from anon_events order by seq")).scalars().all()
    engine.dispose()
    assert checks == 7
    assert actions[-1] == "release.cataloged"
    home = Path(os.environ["ANON_HOME"])
    assert not (home / "ledger.db").exists()
    assert not (home / "dagster" / "history").exists()
    monkeypatch.setenv("ANON_POSTGRES_URL", url)
    from anon_platform.pipeline import run

    assert run(file).reports["cataloged"].reused


@pytest.mark.parametrize("refused", [False, True])
def test_no_cell_value_is_found_anywhere_but_in_the_source(tmp_path: Path, refused: bool) -> None:  # noqa: FBT001
    """Canaries are planted in every column; Dagster's storage, logs, ledger, reports and messages are searched.

    One run succeeds and one is refused. The released data may hold sensitive values, which is what is released.
    """
    rows = visits()
    ages = ("917", "F", "60699-canary", "1957-03-21")
    planted = ("V-canary", "P-canary-1", "Zyxwvutsr 917-55-0187", *ages, "qzdiagnosis", "qzresult", "3", "no")
    rows += [planted, (*planted[:1], "P-canary-2", *planted[2:])]
    changes = {"thresholds": {"fidelity": 0.0}} if refused else {}
    make_clinic(tmp_path, **changes)
    write_csv(tmp_path / "source" / "visits.csv", rows)
    done = dg(["launch", "--job", "clinic_release"], tmp_path)
    assert (done.returncode == 0) != refused, done.stdout + done.stderr
    home = Path(os.environ["ANON_HOME"])
    assert_free_of_canaries(done.stdout + done.stderr, home)


def test_no_cell_value_is_found_after_a_failure(tmp_path: Path) -> None:
    """A wrong type is found in a row that holds canaries; the message names the row, not the cell."""
    rows = visits()
    rows += [("V-canary", "P-canary-1", "Zyxwvutsr", "917-55-0187", "F", "60699-canary", "1957-03-21", "qzdiagnosis",
              "qzresult", "3", "no")]  # fmt: skip
    make_clinic(tmp_path)
    write_csv(tmp_path / "source" / "visits.csv", rows)
    done = dg(["launch", "--job", "clinic_release"], tmp_path)
    assert done.returncode != 0
    assert f"column age is not integer in row {len(rows)}" in done.stdout + done.stderr
    assert_free_of_canaries(done.stdout + done.stderr, Path(os.environ["ANON_HOME"]))


def assert_free_of_canaries(printed: str, home: Path) -> None:
    """Searches what was printed and every byte below ANON_HOME but the released data; SQLite pages included."""
    found = [canary for canary in CANARIES if canary in printed]
    for file in home.rglob("*"):
        if not file.is_file() or file.parent.name == "data":
            continue
        content = file.read_bytes()
        found += [
            f"{canary} in {file.relative_to(home)}" for canary in CANARIES if canary.encode() in content
        ]
    assert not found
    databases = [file for file in home.rglob("*.db") if file.stat().st_size]
    assert databases, "Dagster's storage was searched"
    for file in databases:
        with sqlite3.connect(file) as connection:
            dump = "\n".join(connection.iterdump())
        connection.close()
        assert not [canary for canary in CANARIES if canary in dump]


def test_the_webserver_of_dg_dev_answers_with_the_assets(tmp_path: Path) -> None:
    """As `make ui` starts it: on the loopback address only, with lineage ready."""
    make_clinic(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ, "ANON_POLICIES": str(tmp_path), "DAGSTER_HOME": str(PROJECT), "DAGSTER_DISABLE_TELEMETRY": "yes",
    }  # fmt: skip
    server = subprocess.Popen(
        [DG, "dev", "--host", "127.0.0.1", "--port", str(port)],
        cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        answer = ask(port, "{ assetNodes { groupName assetKey { path } } }")
        assert {f'"path":["clinic","{stage}"]' in answer for stage in ("raw", "cataloged")} == {True}
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)  # a child that did not hear the first signal
            server.wait()


def ask(port: int, query: str) -> str:
    """The server's answer to a GraphQL query, as text without spaces; waits up to 90 s for it to start."""
    import json

    body = json.dumps({"query": query}).encode()
    for _ in range(180):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - a fixed address
                answer = reply.read().decode().replace(" ", "")
            if '"path"' in answer:
                return str(answer)
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError("the webserver did not answer within 90 s")


def test_the_columns_of_the_clinic_are_all_planted() -> None:
    """A column added to the test data needs a canary as well."""
    assert len(COLUMNS) == 11

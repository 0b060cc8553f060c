"""Kills, races and starves runs at random moments and checks what is left; writes docs/chaos.md.

Bounded: 40 kills, 12 racing processes, 6 file-size limits, all on a generated clinic below a temporary folder.
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from anon_platform_tests.clinic import make_clinic, visits, write_csv

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "chaos.md"
ANON = str(Path(sys.executable).parent / "anon")
KILLS, RACERS, LIMITS = 40, 12, (50_000, 120_000, 250_000, 400_000, 600_000, 900_000)


class BrokenError(AssertionError):
    """What must never happen did."""


def start(policy: Path, environment: dict[str, str], limit: int | None = None) -> subprocess.Popen[bytes]:
    """A run in the background, perhaps with a limit on the size of any file it writes."""

    def starve() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        [ANON, "run", str(policy), "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=starve,  # noqa: PLW1509 - this process has no threads
    )


def check(home: Path, environment: dict[str, str]) -> int:
    """Every visible release verifies, and so does the ledger; returns the number of releases."""
    releases = (
        [path for path in (home / "releases").glob("*/*") if path.is_dir()]
        if (home / "releases").exists()
        else []
    )
    for release in releases:
        if subprocess.run(
            [ANON, "verify", str(release)], env=environment, capture_output=True, check=False
        ).returncode:
            raise BrokenError(f"{release} does not verify")
    done = subprocess.run([ANON, "audit", "verify"], env=environment, capture_output=True, check=False)
    if done.returncode:
        raise BrokenError("the audit ledger does not verify")
    return len(releases)


def killed(work: Path, environment: dict[str, str]) -> Counter[str]:
    """Kill -9 at random moments; after each the next run of the same input goes on."""
    found: Counter[str] = Counter()
    rng = random.Random(7)  # noqa: S311 - moments, not secrets
    for number in range(KILLS):
        if number % 4 == 0:  # a new input now and then, so that all stages are hit
            write_csv(work / "source" / "visits.csv", visits(8_000, seed=number))
        child = start(work / "clinic.yaml", environment)
        try:
            child.wait(rng.uniform(0.5, 9))
            found["ended before the kill"] += 1
        except subprocess.TimeoutExpired:
            child.kill()
            found["killed"] += 1
        child.communicate()
        found["releases seen, all verified"] = check(work / "home", environment)
    last = start(work / "clinic.yaml", environment)
    last.communicate()
    if last.returncode:
        raise BrokenError("the run after the last kill failed")
    if list((work / "home" / "staging").glob("*/*/*.tmp")):
        raise BrokenError("a draft was left in staging")
    return found


def raced(work: Path, environment: dict[str, str]) -> Counter[str]:
    """Many runs of one dataset at once: one works, the others are told so, none breaks anything."""
    write_csv(work / "source" / "visits.csv", visits(8_000, seed=1_000))
    children = []
    for _ in range(RACERS):
        children.append(start(work / "clinic.yaml", environment))
        time.sleep(0.2)
    found: Counter[str] = Counter()
    for child in children:
        child.communicate()
        found[
            {0: "released or found released", 4: "told that another run works"}.get(child.returncode, "other")
        ] += 1
    if found["other"] or not found["released or found released"]:
        raise BrokenError(str(found))
    check(work / "home", environment)
    return found


def starved(work: Path, environment: dict[str, str]) -> Counter[str]:
    """The operating system refuses to write beyond a size, as a full disk does."""
    found: Counter[str] = Counter()
    for number, limit in enumerate(LIMITS):
        write_csv(work / "source" / "visits.csv", visits(8_000, seed=2_000 + number))
        child = start(work / "clinic.yaml", environment, limit)
        _, said = child.communicate()
        if b"Traceback" in said:
            raise BrokenError(f"a traceback reached the user at {limit} bytes:\n{said.decode()[-2000:]}")
        found["released" if child.returncode == 0 else f"exit {child.returncode}, one message"] += 1
        check(work / "home", environment)
    return found


def main() -> None:
    """Runs all three and writes the page."""
    work = Path(tempfile.mkdtemp(prefix="anon-chaos-"))
    environment = {**os.environ, "ANON_HOME": str(work / "home"), "ANON_KEY_INSTANCE": os.urandom(32).hex()}
    make_clinic(work, patients=8_000, thresholds={"model_loss": 1.0, "fidelity": 1.0})
    start_time = time.monotonic()
    try:
        results = {
            f"kill -9 at a random moment, {KILLS} times": killed(work, environment),
            f"{RACERS} runs of one dataset at once": raced(work, environment),
            f"no file may grow beyond {', '.join(f'{limit // 1000}' for limit in LIMITS)} kB": starved(
                work, environment
            ),
        }
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lines = [
        "# Chaos",
        "",
        f"Written by `make chaos` on {datetime.now(UTC):%Y-%m-%d} ({time.monotonic() - start_time:.0f} s). After every single",
        "event each visible release was verified (`anon verify`) and so was the audit ledger (`anon audit verify`); anything",
        "else would have ended the script.",
        "",
        "| what was done | what came of it |",
        "|---|---|",
        *[
            f"| {what} | {'; '.join(f'{name}: {count}' for name, count in sorted(found.items()))} |"
            for what, found in results.items()
        ],
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write(PAGE.read_text())


if __name__ == "__main__":
    main()

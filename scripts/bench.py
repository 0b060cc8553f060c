"""Measures what docs/benchmarks.md promises, each in a process of its own, and writes the page anew.

Correctness is asserted on the way: a release that is not verified is not a measurement.
"""

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "benchmarks.md"
BIN = Path(sys.executable).parent
DEMO_ROWS, LARGE_ROWS, POLICIES = 100_000, 2_400_000, 20


SHARE = 0.2
"""Of the encounters, those that have a note, as in `make demo`."""

NOTES = int(DEMO_ROWS * SHARE)


@dataclass(frozen=True)
class Cost:
    """wall, cpu: seconds; peak: resident memory of the largest process, GB."""

    wall: float
    cpu: float
    peak: float


def empty_project(folder: Path) -> Path:
    """A Dagster project that defines nothing: what `dg` costs by itself."""
    (folder / "nothing").mkdir(parents=True)
    settings = (PROJECT / "pyproject.toml").read_text()
    tables = settings[settings.index("[tool.dg]") : settings.index("[tool.ruff]")]
    tables = tables.replace("anon_platform.definitions.location", "nothing.definitions").replace(
        "anon_platform", "nothing"
    )
    (folder / "pyproject.toml").write_text(f'[project]\nname = "nothing"\nversion = "0"\n\n{tables}')
    (folder / "nothing" / "__init__.py").touch()
    (folder / "nothing" / "definitions.py").write_text("import dagster as dg\n\ndefs = dg.Definitions()\n")
    return folder


def measured(command: list[str], environment: dict[str, str], cwd: Path = PROJECT) -> Cost:
    """What a command costs; a failure ends the benchmark."""
    start = time.monotonic()
    child = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(cwd), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert child.stdout is not None
    printed = child.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{printed[-3000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


def policy_for(folder: Path, name: str, source: Path, notes: str = "kept back") -> Path:
    """The shipped policy with another source and name. notes: "kept back", "released", or "none" for data without them."""
    policy = yaml.safe_load((PROJECT / "policies" / "hospital_encounters.yaml").read_text())
    policy["dataset"] = name
    policy["source"]["path"] = str(source)
    column = policy["columns"].pop("note_text")
    if notes == "released":
        column["treat"]["gold"]["path"] = str(source.parent / "note_spans")
        policy["columns"]["note_text"] = column
    else:
        del policy["thresholds"]["text_recall"], policy["thresholds"]["others_in_text"]
    if notes == "kept back":
        policy["columns"]["note_text"] = {"role": "free_text", "treat": {"technique": "suppress"}}
    linkage = policy["attacks"]["linkage"][0]
    linkage["external"]["path"] = str(source.parent / "voters.parquet")
    linkage["truth"]["path"] = str(source.parent / "truth" / "links.parquet")
    policy.pop("schedule"), policy.pop("watch")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(PROJECT / "policies" / "hierarchies", folder / "hierarchies", dirs_exist_ok=True)
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False))
    return file


def dp_policy_for(folder: Path, name: str, source: Path) -> Path:
    """A shipped differentially private policy with another source, which has no notes."""
    policy = yaml.safe_load((PROJECT / "policies" / f"{name}.yaml").read_text())
    policy["source"]["path"] = str(source)
    del policy["columns"]["note_text"]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False))
    return file


def main() -> None:
    """Runs all measurements and writes the page."""
    work = Path(tempfile.mkdtemp(prefix="anon-bench-"))
    environment = {
        "ANON_HOME": str(work / "home"), "DAGSTER_HOME": str(PROJECT), "DAGSTER_DISABLE_TELEMETRY": "yes",
        "ANON_POLICIES": str(work / "policies"), "ANON_KEY_INSTANCE": os.urandom(32).hex(),
        "ANON_KEY_NOTES": os.urandom(32).hex(),
    }  # fmt: skip
    anon, dg = str(BIN / "anon"), str(BIN / "dg")
    rows: list[tuple[str, Cost, str]] = []
    try:
        made = measured(
            [anon, "demo-data", "-n", str(DEMO_ROWS), "--notes-share", str(SHARE), "-o", str(work / "demo")],
            environment,
        )
        rows.append((f"demo data, {DEMO_ROWS:,} encounters, {NOTES:,} with a note", made, ""))
        policy_for(work / "policies", "demo", work / "demo" / "encounters")
        run = measured([dg, "launch", "--job", "demo_release"], environment)
        rows.append(
            (
                f"{DEMO_ROWS:,} encounters end to end through Dagster, notes kept back",
                run,
                "≤ 60 s, ≤ 2 GB (with demo data)",
            )
        )
        policy_for(work / "policies", "noted", work / "demo" / "encounters", notes="released")
        noted = measured([dg, "launch", "--job", "noted_release"], environment)
        rows.append((f"the same with {NOTES:,} notes de-identified, as `make demo`", noted, ""))
        seconds = noted.wall - run.wall
        made = measured(
            [
                anon,
                "demo-data",
                "-n",
                str(LARGE_ROWS),
                "--label",
                "resampled",
                "--no-notes",
                "-o",
                str(work / "large"),
            ],
            environment,
        )
        rows.append((f"demo data, {LARGE_ROWS:,} encounters, tabular", made, ""))
        large = policy_for(work / "large_policies", "large", work / "large" / "encounters", notes="none")
        run = measured([anon, "run", str(large)], environment)
        rows.append((f"{LARGE_ROWS:,} encounters, source to report", run, "≤ 300 s, ≤ 6 GB"))
        (release,) = (work / "home" / "releases" / "large").iterdir()
        verified = measured([anon, "verify", str(release)], environment)
        rows.append((f"`anon verify` of that release ({_size(release):.1f} GB)", verified, ""))
        for name in ("readmission_statistics", "encounters_dp_synthetic"):
            noisy = dp_policy_for(work / "dp_policies", name, work / "large" / "encounters")
            run = measured([anon, "run", str(noisy)], environment)
            rows.append((f"{LARGE_ROWS:,} encounters, `{name}`, source to report", run, "≤ 180 s"))
        shutil.rmtree(work / "policies")
        for number in range(POLICIES):
            policy_for(work / "policies", f"dataset_{number}", work / "demo" / "encounters")
        checked = measured([dg, "check", "defs"], environment)
        rows.append((f"`dg check defs` with {POLICIES} policies of 69 columns", checked, "≤ 6 s CPU"))
        empty = measured([dg, "check", "defs"], environment, cwd=empty_project(work / "empty"))
        rows.append(("`dg check defs` of a project without assets, for comparison", empty, ""))
        text = page(rows, json.loads((release / "manifest.json").read_text()))
        text += (
            f"Notes: {NOTES / seconds:,.0f} a second on {os.cpu_count()} cores, finding, replacing, leak check and recall on"
            f" gold notes together (the difference of the two runs above); {LARGE_ROWS:,} notes would take"
            f" {LARGE_ROWS / NOTES * seconds / 60:,.0f} minutes at that rate (projected, not run). A process"
            " holds a few chunks of 500 notes at a time.\n"
        )
        PAGE.write_text(text + others(PAGE), encoding="utf-8")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.stdout.write(PAGE.read_text())


def page(rows: list[tuple[str, Cost, str]], manifest: dict[str, object]) -> str:
    """The page as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {machine()}.",
        "Every line is a process of its own; memory is the peak of the largest process.",
        "",
        "| what | wall s | CPU s | peak GB | to reach |",
        "|---|---|---|---|---|",
        *[
            f"| {what} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak:.2f} | {goal} |"
            for what, cost, goal in rows
        ],
        "",
        f"The release of {LARGE_ROWS:,} encounters, as measured by its validation:",
        "",
        "| measure | value | threshold |",
        "|---|---|---|",
    ]
    for metric in manifest["metrics"]:  # type: ignore[attr-defined]
        limit = "" if metric["threshold"] is None else f"{metric['threshold']:g}"
        lines.append(f"| {metric['name']} | {metric['value']:.4g} | {limit} |")
    levels = ", ".join(f"{name} {level}" for name, level in manifest["levels"].items())  # type: ignore[attr-defined]
    lines += ["", f"Levels: {levels}.", ""]
    return "\n".join(lines)


def put(part: str, begin: str, end: str) -> None:
    """Puts a part, from its line `begin` to its line `end`, in its place on the page, or at the end."""
    page = PAGE.read_text(encoding="utf-8")
    if begin in page:
        before, rest = page.split(begin)
        page = before + part.rstrip("\n") + rest.split(end)[1]
    else:
        page = f"{page.rstrip()}\n\n{part}"
    PAGE.write_text(page, encoding="utf-8")


def others(page: Path) -> str:
    """What another script wrote on the page, with the empty line before it."""
    at = page.read_text(encoding="utf-8").find("\n<!-- ")
    return "" if at < 0 else page.read_text(encoding="utf-8")[at:]


def machine() -> str:
    """Cores, memory and Python, in words."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model or platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}"


def _size(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()

"""Measures `anon kanon` beside ARX and others, each setting in a process of its own; writes its part of docs/benchmarks.md.

    python scripts/bench_kanon.py FOLDER [--scale FOLDER] [--repeat N] [--strict]

FOLDER (or the variable ANON_ADULT) holds adult_arx.parquet (30,162 complete cases of UCI Adult, as ARX ships them) and
arx_hierarchies/adult_hierarchy_*.csv. The project ships neither. Every release is counted again here, and its loss
added up from the hierarchy files in plain Python: a release that does not hold is not a measurement.
"""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bench import machine, put

ANON = str(Path(sys.executable).parent / "anon")
BEGIN, END = "<!-- k-anonymity: written by make bench-kanon -->", "<!-- k-anonymity: end -->"
QI = (
    "sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation", "salary-class",
)  # fmt: skip
EIGHT = tuple(name for name in QI if name != "occupation")
SAME = 1e-4
"""A loss told with four digits."""

HAIR = 1e-9
"""Sums in another order differ in their last digits."""

CHANGED = 0.03
"""Share of a bootstrapped column that is drawn anew."""


@dataclass(frozen=True)
class Setting:
    """One row of the table.

    theirs: loss and CPU or wall seconds of the reference, as text. same: the loss to be equal to; below: to be at most
    (strictly, if `strictly`). cpu: of the search; wall, peak: s and GB of the process.
    """

    name: str
    options: tuple[str, ...]
    theirs: str = ""
    data: str = "adult_arx.parquet"
    qi: tuple[str, ...] = QI
    same: float | None = None
    below: float | None = None
    strictly: bool = False
    cpu: float | None = None
    wall: float | None = None
    peak: float | None = None

    @property
    def k(self) -> int:
        """People in a class, at least."""
        return int(self.options[self.options.index("--k") + 1])

    def goal(self) -> str:
        """What is to be reached, in words."""
        sign = "<" if self.strictly else "≤"
        parts = [
            f"loss = {self.same:.4f}" if self.same is not None else "",
            f"loss {sign} {self.below:.4f}" if self.below is not None else "",
            f"≤ {self.cpu:g} s CPU" if self.cpu is not None else "",
            f"≤ {self.wall:g} s" if self.wall is not None else "",
            f"≤ {self.peak:g} GB" if self.peak is not None else "",
        ]
        return ", ".join(part for part in parts if part) or "completes"


@dataclass(frozen=True)
class Cost:
    """loss: counted here. cpu: s of the search; whole, wall, peak: CPU s, s and GB of the process."""

    loss: float
    cpu: float
    whole: float
    wall: float
    peak: float
    told: dict[str, Any] = field(repr=False)

    def met(self, setting: Setting) -> bool:
        """Whether all that was to be reached is."""
        hair = -1e-12 if setting.strictly else 1e-12
        limits = ((self.cpu, setting.cpu), (self.wall, setting.wall), (self.peak, setting.peak))
        return (
            (setting.same is None or abs(self.loss - setting.same) <= SAME)
            and (setting.below is None or self.loss <= setting.below + hair)
            and all(limit is None or value <= limit for value, limit in limits)
        )


def settings() -> Iterator[Setting]:
    """What fits in memory many times over. ARX 3.9.2 was measured on a machine of the same kind."""
    full = {
        5: ((0, 0.6355, 0.03), (0.02, 0.3575, 0.65), (0.05, 0.2696, 0.75), (1, 0.2277, 2.9)),
        10: ((0.02, 0.3857, 0.6), (0.05, 0.3178, 0.8), (1, 0.2677, 3.6)),
    }
    for k, found in full.items():
        for share, loss, cpu in found:
            options = ("--model", "full", "--k", str(k), "--suppression", str(share))
            name = f"full, k = {k}, {share:.0%} suppressed"
            yield Setting(name, options, f"ARX {loss:.4f}, {cpu:g} s", same=loss, cpu=1)
    local = {5: (("fast", 0.0591, 3.4, 0.059, 1), ("best", 0.0524, 32, 0.05, 10)),
             10: (("fast", 0.0830, 4.8, 0.083, 1), ("best", 0.0767, 36, 0.074, 10))}  # fmt: skip
    for k, efforts in local.items():
        for effort, loss, seconds, below, cpu in efforts:
            options = ("--model", "local", "--k", str(k), "--effort", effort)
            yield Setting(
                f"local, k = {k}, {effort}", options, f"ARX {loss:.4f}, {seconds:g} s", below=below, cpu=cpu
            )
    for k, loss, below in ((5, 0.0159, 0.015), (10, 0.0313, 0.03)):
        told = f"greedy k-member and moves {loss:.4f}, 10–18 s"
        yield Setting(f"intervals, k = {k}", ("--model", "intervals", "--k", str(k)), told, below=below)
    sensitive = (
        ("distinct l = 3", ("--l", "3"), 0.0367, 1.0, None),
        ("entropy l = 3", ("--l", "3", "--l-kind", "entropy"), 0.0627, 3.4, None),
        ("t = 0.2, equal", ("--t", "0.2"), 0.4559, 43, 10),
    )
    for name, asked, loss, seconds, cpu in sensitive:
        options = ("--model", "local", "--k", "5", "--sensitive", "occupation", *asked)
        told = f"ARX {loss:.4f}, {seconds:g} s"
        yield Setting(f"local, k = 5, {name}", options, told, qi=EIGHT, below=loss, strictly=True, cpu=cpu)


def large(folder: Path) -> Iterator[Setting]:
    """Bootstrapped tables, wall time from file to file."""
    local, full = ("--model", "local", "--k", "5"), ("--model", "full", "--k", "5", "--suppression", "0.05")
    yield Setting(
        "2.4 M rows, local, k = 5", local, "ARX 0.0061, 34 s, 2.1 GB", str(folder / "adult2m4.parquet"),
        below=0.0043, wall=15, peak=1.5,
    )  # fmt: skip
    yield Setting(
        "10 M rows, full, 5 % suppressed",
        full,
        "ARX 78 s, 6.9 GB",
        str(folder / "adult10m.parquet"),
        wall=40,
        peak=3,
    )
    within = (*full, "--engine", "duckdb", "--memory", "2GB")
    yield Setting(
        "50 M rows, full, 5 % suppressed, DuckDB with 2 GB",
        within,
        "ARX cannot",
        str(folder / "adult50m" / "*.parquet"),
    )


def bootstrapped(adult: pl.DataFrame, rows: int, path: Path, seed: int) -> None:
    """Rows drawn from Adult; ages moved by up to 3 years, 3 % of five columns drawn anew."""
    rng = np.random.default_rng(seed)
    pick = rng.integers(0, adult.height, rows)
    columns = {}
    for name in adult.columns:
        values = adult[name].cast(pl.String).to_numpy()
        column = values[pick]
        if name == "age":
            column = np.clip(column.astype(int) + rng.integers(-3, 4, rows), 17, 90)
        elif name in {"workclass", "occupation", "education", "native-country", "marital-status"}:
            changed = rng.random(rows) < CHANGED
            column[changed] = values[rng.integers(0, adult.height, changed.sum())]
        columns[name] = column
    pl.DataFrame(columns).write_parquet(path)


def make_large(adult: pl.DataFrame, folder: Path) -> None:
    """The large tables, where they are missing."""
    (folder / "adult50m").mkdir(parents=True, exist_ok=True)
    parts = {folder / "adult50m" / f"part-{i:05d}.parquet": (2_000_000, 100 + i) for i in range(25)}
    whole = {folder / "adult2m4.parquet": (2_400_000, 42), folder / "adult10m.parquet": (10_000_000, 42)}
    for path, (rows, seed) in {**whole, **parts}.items():
        if not path.exists():
            bootstrapped(adult, rows, path, seed)


def run(setting: Setting, data: Path, hierarchies: Path, work: Path) -> Cost:
    """The cost of a setting; a failure, or a release that does not hold, ends the benchmark."""
    out = work / "out.parquet"
    command = [
        ANON, "kanon", str(data / setting.data), "--hierarchies", str(hierarchies), "--qi", ",".join(setting.qi),
        *setting.options, "-o", str(out), "--force", "--json",
    ]  # fmt: skip
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    told = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if status:
        sys.exit(f"{' '.join(command)} failed")
    result = json.loads(told)
    counts = pl.scan_parquet(out).group_by(pl.all()).agg(n=pl.len()).collect(engine="streaming")
    require(setting, counts)
    loss = added_up(counts, setting.qi, hierarchies)
    if abs(loss - result["loss"]) > HAIR:
        sys.exit(f"{setting.name}: the loss is {loss}, not {result['loss']} as told")
    cpu = result["seconds"]["search_cpu"]
    return Cost(loss, cpu, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1e6, result)


def require(setting: Setting, counts: pl.DataFrame) -> None:
    """Counts k and the models again; rows that are suppressed, `*` throughout, are in no class."""
    allowed = 0.0
    if "--suppression" in setting.options:
        allowed = float(setting.options[setting.options.index("--suppression") + 1])
    # where nothing may be suppressed they are a class like any other
    left = counts.remove(pl.all_horizontal(pl.col(setting.qi) == "*")) if allowed else counts
    sizes = left.group_by(setting.qi).agg(pl.col("n").sum())
    total = counts["n"].sum()
    holds = sizes["n"].min() >= setting.k and total - left["n"].sum() <= allowed * total
    if "--sensitive" in setting.options:
        q = left.group_by("occupation").agg(q=pl.col("n").sum() / left["n"].sum())
        cells = (
            sizes.rename({"n": "size"}).select(*setting.qi, "size").join(q, how="cross")
            .join(left, on=[*setting.qi, "occupation"], how="left")
            .with_columns(p=pl.col("n").fill_null(0) / pl.col("size"))
        )  # fmt: skip
        p = pl.col("p")
        measured = cells.group_by(setting.qi).agg(
            distinct=(p > 0).sum(),
            entropy=(-(p.filter(p > 0) * p.filter(p > 0).log()).sum()).exp(),
            distance=(p - pl.col("q")).abs().sum() / 2,
        )
        kind = "entropy" if "entropy" in setting.options else "distinct"
        if "--t" in setting.options:
            holds &= measured["distance"].max() <= 0.2 + HAIR
        else:
            holds &= measured[kind].min() >= 3 - HAIR
    if not holds:
        sys.exit(f"{setting.name}: the release does not hold")


def added_up(counts: pl.DataFrame, names: tuple[str, ...], hierarchies: Path) -> float:
    """ARX's Loss from the hierarchy files: mean of (leaves under the label − 1) / (leaves − 1), in plain Python."""
    total = 0.0
    for name in names:
        with (hierarchies / f"adult_hierarchy_{name}.csv").open(encoding="utf-8", newline="") as stream:
            lines = list(csv.reader(stream, delimiter=";"))
        of = under(lines)
        by_label = counts.group_by(name).agg(pl.col("n").sum())
        total += sum(n * (of(label) - 1) / (len(lines) - 1) for label, n in by_label.iter_rows())
    return total / len(names) / counts["n"].sum()


def under(lines: list[list[str]]) -> Callable[[str], int]:
    """How many leaves of a hierarchy file a label stands for: one of its labels, an interval, or a set of leaves."""
    leaves: dict[str, set[str]] = {"*": {line[0] for line in lines}}
    for line in lines:
        for label in line:
            leaves.setdefault(label, set()).add(line[0])

    def count(label: str) -> int:
        if label in leaves:
            return len(leaves[label])
        if found := re.fullmatch(r"\[(\d+), (\d+)\]", label):
            return sum(int(found[1]) <= int(line[0]) <= int(found[2]) for line in lines)
        members = label.removeprefix("{").removesuffix("}").split(", ")
        assert all(member in leaves["*"] for member in members), "a label that stands for nothing"
        return len(members)

    return count


def section(rows: list[tuple[Setting, Cost]]) -> str:
    """The part of the page, markers included."""
    lines = [
        BEGIN,
        "## k-anonymity against ARX",
        "",
        f"Written by `make bench-kanon` on {datetime.now(UTC):%Y-%m-%d}: {machine()}.",
        "Adult (30,162 records, 9 quasi-identifiers, ARX's hierarchies), `anon kanon` from file to file, each setting in a",
        "process of its own. Loss is ARX's (0: nothing lost, 1: all), counted again from the released file and the",
        "hierarchy files. CPU is that of the search; wall time and memory are those of the whole command. ARX 3.9.2 and",
        "others were measured before on a machine of the same kind.",
        "",
        "| setting | loss | search CPU s | wall s | peak GB | reference | to reach | |",
        "|---|---|---|---|---|---|---|---|",
        *[
            f"| {setting.name} | {cost.loss:.4f} | {cost.cpu:.2f} | {cost.wall:.1f} | {cost.peak:.2f} |"
            f" {setting.theirs} | {setting.goal()} | {'✓' if cost.met(setting) else '✗ missed'} |"
            for setting, cost in rows
        ],
        "",
        "Others on Adult with k = 5: anjana 110 s, loss 0.3963; anonypy 36 s; polarfrost 128 s.",
        END,
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs all settings and writes the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", default=os.environ.get("ANON_ADULT"), help="the data; or ANON_ADULT"
    )
    parser.add_argument(
        "--scale", type=Path, help="folder of the large tables, which are made where they are missing"
    )
    parser.add_argument(
        "--repeat", type=int, default=1, help="runs of each setting; the quickest search counts"
    )
    parser.add_argument(
        "--only", default="", help="settings whose name holds this text; the page stays as it is"
    )
    parser.add_argument("--strict", action="store_true", help="exit code 1 if something was not reached")
    asked = parser.parse_args()
    data = Path(asked.folder or "")
    if not asked.folder or not (data / "adult_arx.parquet").exists():
        sys.exit(
            "no data: name a folder with adult_arx.parquet and arx_hierarchies/, or set ANON_ADULT to it"
        )
    work = Path(tempfile.mkdtemp(prefix="anon-bench-kanon-"))
    rows: list[tuple[Setting, Cost]] = []
    try:
        hierarchies = work / "hierarchies"
        hierarchies.mkdir()
        for file in (data / "arx_hierarchies").glob("adult_hierarchy_*.csv"):
            shutil.copy(file, hierarchies)
        if asked.scale is not None:
            make_large(pl.read_parquet(data / "adult_arx.parquet"), asked.scale.absolute())
        todo = [*settings(), *(large(asked.scale.absolute()) if asked.scale is not None else ())]
        for setting in (one for one in todo if asked.only in one.name):
            costs = [run(setting, data, hierarchies, work) for _ in range(asked.repeat)]
            rows.append((setting, min(costs, key=lambda cost: cost.cpu)))
            done = section(rows[-1:]).splitlines()[-4]
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not asked.only:
        put(section(rows), BEGIN, END)
    if asked.strict and not all(cost.met(setting) for setting, cost in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()

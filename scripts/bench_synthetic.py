"""Measures differentially private synthetic tables; writes its part of docs/benchmarks.md.

    python scripts/bench_synthetic.py FOLDER [--more FOLDER] [--only TEXT] [--strict]

FOLDER (or the variable ANON_ADULT) holds adult_train.parquet and adult_test.parquet, the two files of UCI Adult; --more
(or ANON_DATA) names a folder with encounters/uci_diabetes/diabetic_data.parquet and bench/nist_ma2019.parquet, which are
measured when they are there. The project ships none of them. Names of categories are those that the data's
documentation lists; they are read from the files here. Every setting runs in a process of its own.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from bench import machine, put

from anon_platform.dp import loss_of
from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.synthetic import Synthesis, synthesize
from anon_platform.dp.synthetic.coded import columns_of

BEGIN, END = "<!-- synthetic tables: written by make bench-synthetic -->", "<!-- synthetic tables: end -->"
DELTA = 1e-9
PAIR = 2
TRIPLES = 300
"""Of more triples of columns so many are drawn, always the same."""

Codes = np.ndarray[tuple[int, int], np.dtype[np.int32]]


@dataclass(frozen=True)
class Data:
    """A table split in two: 80 % to learn from, 20 % to test on. person: the column that says whose a row is."""

    train: pl.DataFrame
    test: pl.DataFrame
    domains: dict[str, Domain]
    target: str
    contribution: int = 1


@dataclass(frozen=True)
class Setting:
    """One row of the table. epsilon: None for the two comparisons without privacy. goal: 2-way, 3-way, AUC, CPU s."""

    data: str
    name: str
    epsilon: float | None = None
    effort: str = "fast"
    method: str = "light"
    contribution: int = 1
    goal: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Cost:
    """Mean total variation distance over pairs and triples of columns to the training rows; AUC on held-out rows."""

    two: float
    three: float
    auc: float | None
    cpu: float
    wall: float

    def met(self, setting: Setting) -> bool:
        """Whether all that was to be reached is."""
        if setting.goal is None or self.auc is None:
            return True
        two, three, auc, cpu = setting.goal
        return self.two <= two and self.three <= three and self.auc >= auc and self.cpu <= cpu


def settings(more: Path | None) -> Iterator[Setting]:
    """What is measured; the goals are of Adult at ε = 1."""
    light, best = (0.030, 0.066, 0.89, 15.0), (0.024, 0.052, 0.905, 120.0)
    for data in ("adult", *(("diabetes", "nist") if more else ())):
        yield Setting(data, "real rows drawn with replacement")
        yield Setting(data, "independent columns, no noise")
        for epsilon in (0.5, 1.0, 4.0):
            for effort, goal in (("fast", light), ("best", best)):
                aim = goal if data == "adult" and epsilon == 1 else None
                yield Setting(data, f"light, {effort}, ε = {epsilon:g}", epsilon, effort, goal=aim)
        if data == "diabetes":
            for contribution in (2, 4):
                yield Setting(
                    data, f"light, fast, ε = 1, {contribution} rows a person", 1.0, contribution=contribution
                )


def numbers(low: float, high: float, bins: int | tuple[float, ...] = 8) -> Numbers:
    """A domain of whole numbers."""
    return Numbers(kind="numbers", bounds=(low, high), bins=bins)


def adult(folder: Path) -> Data:
    """All 48,842 rows, shuffled and split anew."""
    frame = pl.concat([pl.read_parquet(folder / f"adult_{part}.parquet") for part in ("train", "test")])
    known: dict[str, Domain] = {
        "age": numbers(17, 90), "fnlwgt": numbers(12_285, 1_490_400), "hours-per-week": numbers(1, 99),
        "education-num": numbers(1, 16, 16), "capital-gain": numbers(0, 99_999, (1, 3000, 5000, 7500, 20_000)),
        "capital-loss": numbers(0, 4356, (1, 1500, 1800, 2000)),
    }  # fmt: skip
    return split(frame, known, "income")


def diabetes(folder: Path, contribution: int) -> Data:
    """Encounters of diabetics, at most `contribution` a patient."""
    frame = pl.read_parquet(folder / "encounters/uci_diabetes/diabetic_data.parquet")
    frame = (
        frame.filter(pl.int_range(pl.len()).over("patient_nbr") < contribution) if contribution > 1 else frame
    )
    dropped = (
        "encounter_id",
        "patient_nbr",
        "weight",
        "diag_1",
        "diag_2",
        "diag_3",
        "examide",
        "citoglipton",
    )
    known: dict[str, Domain] = {
        "num_lab_procedures": numbers(1, 130, 16), "num_medications": numbers(1, 80, 16),
        "number_outpatient": numbers(0, 40, (1, 2, 3, 5, 10)), "number_emergency": numbers(0, 80, (1, 2, 3, 5, 10)),
        "number_inpatient": numbers(0, 20, (1, 2, 3, 4, 6, 10)), "number_diagnoses": numbers(1, 16, tuple(range(2, 11))),
        "time_in_hospital": numbers(1, 14, 14), "num_procedures": numbers(0, 6, 7),
    }  # fmt: skip
    few = [name for name in frame.columns if name not in known and name != "readmitted"]
    kept = [
        name for name in few if name not in dropped
        and frame[name].value_counts()["count"].max() < 0.99 * frame.height  # type: ignore[operator]
    ]  # fmt: skip
    early = (pl.col("readmitted") == "<30").alias("readmitted")
    return split(frame.select(*kept, *known, early), known, "readmitted", contribution)


def nist(folder: Path) -> Data:
    """The excerpt of the American Community Survey of the NIST collaborative research cycle, Massachusetts 2019."""
    frame = pl.read_parquet(folder / "bench/nist_ma2019.parquet").drop("PUMA", "INDP", "PWGTP", "WGTP")
    known: dict[str, Domain] = {
        "AGEP": numbers(0, 99, 16), "POVPIP": numbers(0, 501, (1, 50, 100, 150, 200, 300, 400, 500.5)),
        "PINCP": numbers(-20_000, 1_500_000, (0, 1, 5000, 10_000, 20_000, 30_000, 40_000, 50_000, 75_000, 100_000, 150_000)),
    }  # fmt: skip
    return split(frame, known, "OWN_RENT")


def split(frame: pl.DataFrame, known: dict[str, Domain], target: str, contribution: int = 1) -> Data:
    """The two parts. What is text and has no numbers in it is a missing number."""
    frame = frame.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in known)
    frame = frame.with_columns(pl.col(pl.Boolean).cast(pl.String))
    domains: dict[str, Domain] = {}
    for name in frame.columns:
        values = frame[name].unique().drop_nulls().sort().to_list()
        domains[name] = known.get(name) or Categories(kind="categories", values=tuple(values))
    order = np.random.default_rng(0).permutation(frame.height)
    cut = round(0.8 * frame.height)
    return Data(frame[order[:cut]], frame[order[cut:]], domains, target, contribution)


def coded(frame: pl.DataFrame, data: Data) -> tuple[Codes, list[int]]:
    """Codes, one line a column, and their numbers."""
    columns = columns_of(dict(data.train.schema), data.domains, required_of(data))
    return np.stack([column.encoded(frame[column.name]) for column in columns]), [one.size for one in columns]


def required_of(data: Data) -> set[str]:
    """Columns without a missing value, as their documentation says."""
    return {
        name
        for name in data.domains
        if not data.train[name].null_count() and not data.test[name].null_count()
    }


def distance(real: Codes, made: Codes, sizes: list[int], together: int) -> float:
    """Mean total variation distance over all pairs, or over a sample of the triples, of columns."""
    scopes = list(itertools.combinations(range(len(sizes)), together))
    if together > PAIR and len(scopes) > TRIPLES:
        scopes = [scopes[at] for at in np.random.default_rng(1).choice(len(scopes), TRIPLES, replace=False)]

    def shares(codes: Codes, scope: tuple[int, ...]) -> np.ndarray:
        shape = [sizes[at] for at in scope]
        cells = np.ravel_multi_index([codes[at] for at in scope], shape)
        return np.bincount(cells, minlength=int(np.prod(shape))) / codes.shape[1]

    return float(np.mean([np.abs(shares(real, scope) - shares(made, scope)).sum() / 2 for scope in scopes]))


def auc(made: Codes, test: Codes, target: int) -> float:
    """Of gradient boosting on binned columns; of several classes the mean of one against the rest."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    others = [at for at in range(len(made)) if at != target]
    model = HistGradientBoostingClassifier(random_state=0).fit(made[others].T, made[target])
    shares = model.predict_proba(test[others].T)
    classes = model.classes_[1:] if len(model.classes_) == PAIR else model.classes_
    shares = shares[:, 1:] if len(model.classes_) == PAIR else shares
    areas = [
        roc_auc_score(test[target] == one, shares[:, at])
        for at, one in enumerate(classes) if 0 < (test[target] == one).sum() < test.shape[1]
    ]  # fmt: skip
    return float(np.mean(areas))


def measured(setting: Setting, data: Data, seed: int) -> Cost:
    """The cost of one setting, in this process."""
    real, sizes = coded(data.train, data)
    target = list(data.domains).index(data.target)
    rng = np.random.default_rng(seed)
    cpu, wall = time.process_time(), time.monotonic()
    if setting.epsilon is not None:
        settings_ = Synthesis.model_validate(
            {
                "rows": data.train.height,
                "target": data.target,
                "effort": setting.effort,
                "method": setting.method,
            }
        )
        loss = loss_of(setting.epsilon, DELTA)
        found = synthesize(
            data.train, settings_, data.domains, required_of(data), loss, data.contribution, rng
        )
        table = found.table
    elif setting.name.startswith("real"):
        table = data.train.sample(data.train.height, with_replacement=True, seed=seed)
    else:
        table = data.train.select(pl.all().shuffle(seed))
        table = pl.DataFrame(
            [
                data.train[name].sample(fraction=1, shuffle=True, seed=at)
                for at, name in enumerate(data.train.columns)
            ]
        )
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    made, _ = coded(table, data)
    test, _ = coded(data.test, data)
    area = None if setting.name.startswith("independent") else auc(made, test, target)
    if setting.name.startswith("real"):
        area = auc(real, test, target)
    return Cost(distance(real, made, sizes, 2), distance(real, made, sizes, 3), area, cpu, wall)


def section(rows: list[tuple[Setting, Cost]], runs: int) -> str:
    """The part of the page, markers included."""
    lines = [
        BEGIN,
        "## Differentially private synthetic tables",
        "",
        f"Written by `make bench-synthetic` on {datetime.now(UTC):%Y-%m-%d}: {machine()}.",
        "Mean total variation distance of all pairs of columns (2-way) and of up to 300 triples (3-way) to the training",
        "rows, and AUC of gradient boosting trained on the synthetic rows and tested on the real held-out 20 %; the first",
        f"line of a data set is trained on real rows. δ = {DELTA:g}, the target is the policy's model target, every setting in a",
        "process of its own. Adult: 39,073 training rows, 15 binned columns; UCI diabetes: 81,413, target readmitted within",
        "30 days (its unit of privacy is one row where nothing else is said); NIST: 6,107 rows of the MA 2019 excerpt.",
        f"Runs of each setting, of which the mean is told: {runs}.",
        "",
        "| data | setting | 2-way | 3-way | AUC | CPU s | wall s | to reach | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for setting, cost in rows:
        goal = "{:.3f} / {:.3f} / {:.3f} / {:g} s".format(*setting.goal) if setting.goal else ""
        sign = ("✓" if cost.met(setting) else "✗ missed") if setting.goal else ""
        area = "–" if cost.auc is None else f"{cost.auc:.3f}"
        lines.append(
            f"| {setting.data} | {setting.name} | {cost.two:.4f} | {cost.three:.4f} | {area} | {cost.cpu:.1f} |"
            f" {cost.wall:.1f} | {goal} | {sign} |"
        )
    return "\n".join([*lines, END]) + "\n"


def run(at: int, arguments: list[str]) -> Cost:
    """One setting in a process of its own."""
    command = [sys.executable, __file__, *arguments, "--one", str(at)]
    # threads that wait for each other would count as CPU time
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=alone)
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Runs all settings and writes the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", default=os.environ.get("ANON_ADULT"), help="the data; or ANON_ADULT"
    )
    parser.add_argument(
        "--more", default=os.environ.get("ANON_DATA"), help="folder of the other data; or ANON_DATA"
    )
    parser.add_argument(
        "--only", default="", help="settings whose data and name hold this text; the page stays as it is"
    )
    parser.add_argument(
        "--repeat", type=int, default=3, help="runs of each setting, of which the mean is told"
    )
    parser.add_argument("--strict", action="store_true", help="exit code 1 if something was not reached")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.folder or not (Path(asked.folder) / "adult_train.parquet").exists():
        sys.exit(
            "no data: name a folder with adult_train.parquet and adult_test.parquet, or set ANON_ADULT to it"
        )
    more = Path(asked.more) if asked.more else None
    todo = list(settings(more))
    if asked.one is not None:
        setting = todo[asked.one]
        if setting.data == "adult":
            data = adult(Path(asked.folder))
        else:
            assert more is not None
            data = nist(more) if setting.data == "nist" else diabetes(more, setting.contribution)
        sys.stdout.write(json.dumps(measured(setting, data, asked.seed).__dict__) + "\n")
        return
    arguments = [asked.folder, *(["--more", asked.more] if asked.more else [])]
    rows: list[tuple[Setting, Cost]] = []
    for at, setting in enumerate(todo):
        if asked.only not in f"{setting.data} {setting.name}":
            continue
        costs = [run(at, [*arguments, "--seed", str(seed)]) for seed in range(asked.repeat)]
        rows.append((setting, mean(costs)))
        sys.stdout.write(section(rows[-1:], asked.repeat).splitlines()[-2] + "\n")
        sys.stdout.flush()
    if not asked.only:
        put(section(rows, asked.repeat), BEGIN, END)
    if asked.strict and not all(cost.met(setting) for setting, cost in rows):
        sys.exit(1)


def mean(costs: list[Cost]) -> Cost:
    """The mean of several runs."""
    areas = [cost.auc for cost in costs if cost.auc is not None]
    return Cost(
        float(np.mean([cost.two for cost in costs])), float(np.mean([cost.three for cost in costs])),
        float(np.mean(areas)) if areas else None,
        float(np.mean([cost.cpu for cost in costs])), float(np.mean([cost.wall for cost in costs])),
    )  # fmt: skip


if __name__ == "__main__":
    main()

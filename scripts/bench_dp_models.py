"""Measures differentially private models beside others and attacks them; writes its part of docs/benchmarks.md.

    python scripts/bench_dp_models.py FOLDER

FOLDER (or the variable ANON_ADULT) holds adult_train.parquet and adult_test.parquet, the two files of UCI Adult, which the
project does not ship. Names of categories are those that the data's documentation lists; they are read from the files here.
The demo encounters are made anew; their domains and features are those of policies/readmission_dp_model.yaml.

Everybody is drawn to be trained on or not; the AUC is measured, and members are told from others, on those who were not. The
attack guesses that people of small loss were trained on (Yeom et al. 2018): 0.5 is a coin.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from bench import machine, put
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from anon_platform.dp.bounding import bounded
from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.loss import loss_of
from anon_platform.dp.models import ModelRelease, predict, train
from anon_platform.dp.synthetic.coded import columns_of
from anon_platform.policy import DPPolicy, load_any_policy
from anon_platform.validate.attacks.membership import told_apart

BEGIN, END = "<!-- dp models: written by make bench-dp-models -->", "<!-- dp models: end -->"
ROOT = Path(__file__).parents[1]
DELTA = 1e-6
DRAWS = 5
LEARNERS: tuple[Literal["ebm", "logistic_regression"], ...] = ("ebm", "logistic_regression")
NUMBERS = {
    "age": tuple(range(20, 85, 5)),
    "fnlwgt": tuple(range(50_000, 500_000, 30_000)),
    "education-num": tuple(range(2, 17)),
    "capital-gain": (1, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 10_000, 15_000, 20_000, 50_000),
    "capital-loss": (1, 1000, 1500, 1600, 1700, 1800, 1900, 2000, 2200, 2500),
    "hours-per-week": (10, 20, 25, 30, 35, 36, 40, 41, 45, 50, 55, 60, 70, 80),
}
TOP = {
    "age": 90,
    "fnlwgt": 1_500_000,
    "education-num": 17,
    "capital-gain": 99_999,
    "capital-loss": 4356,
    "hours-per-week": 99,
}

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Model = Callable[[pl.DataFrame], Floats]


@dataclass(frozen=True)
class Data:
    """People to train on and others. person: the column that tells them apart; contribution: rows of a person that count."""

    name: str
    rows: pl.DataFrame
    others: pl.DataFrame
    domains: dict[str, Domain]
    target: str
    positive: str
    person: str
    contribution: int

    @property
    def features(self) -> tuple[str, ...]:
        """All columns with a domain but the target."""
        return tuple(name for name in self.domains if name != self.target)

    def codes(self, frame: pl.DataFrame) -> "np.ndarray[tuple[int, int], np.dtype[np.int32]]":
        """The features in bins: what every learner here is given."""
        wanted = {name: self.domains[name] for name in self.features}
        columns = columns_of(dict(frame.schema), wanted, set())
        return np.stack([each.encoded(frame[each.name]) for each in columns], 1)

    def truth(self, frame: pl.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Whether the target is positive."""
        return (frame[self.target].cast(pl.String) == self.positive).to_numpy()


def adult(folder: Path) -> Data:
    """48,842 people with a row each, four in five to train on."""
    rows = pl.concat([pl.read_parquet(folder / f"adult_{part}.parquet") for part in ("train", "test")])
    rows = rows.with_columns(pl.col(list(NUMBERS)).cast(pl.Int64), person=pl.int_range(pl.len()))
    rows = rows.with_columns(pl.col("income").str.strip_chars("."))
    domains: dict[str, Domain] = {}
    for name in rows.columns[:-1]:
        if name in NUMBERS:
            domains[name] = Numbers(kind="numbers", bounds=(0, TOP[name]), bins=NUMBERS[name])
        else:
            domains[name] = Categories(
                kind="categories", values=tuple(rows[name].drop_nulls().unique().sort())
            )
    inside = np.random.default_rng(0).random(rows.height) < 0.8  # noqa: PLR2004
    return Data("Adult", rows.filter(inside), rows.filter(~inside), domains, "income", ">50K", "person", 1)


def readmission(folder: Path) -> Data:
    """100,000 demo encounters of 70,239 patients, four in five of whom are trained on."""
    policy = load_any_policy(ROOT / "policies" / "readmission_dp_model.yaml")
    assert isinstance(policy, DPPolicy)
    unit = policy.privacy_unit.column
    rows = pl.read_parquet(folder / "encounters" / "*.parquet")
    people = pl.read_parquet(folder / "truth" / "patients.parquet", columns=[unit]).to_series()
    drawn = people.filter(np.random.default_rng(0).random(len(people)) < 0.8)  # noqa: PLR2004
    inside = pl.col(unit).is_in(drawn.implode())
    return Data(
        "readmission", rows.filter(inside), rows.filter(~inside), policy.domains, "readmitted", "<30", unit,
        policy.privacy_loss.contribution,
    )  # fmt: skip


def private(
    data: Data, learner: Literal["ebm", "logistic_regression"], epsilon: float, delta: float, seed: int
) -> Model:
    """A model within the loss, from bounded rows; nobody is held out, since the others are at hand."""
    settings = ModelRelease.model_validate(
        {
            "learner": learner,
            "target": {"column": data.target, "positive": data.positive},
            "features": data.features,
            "held_out": 0.0,
        }
    )
    rng = np.random.default_rng(seed)
    kept = bounded(data.rows, data.person, data.contribution, rng).rows
    made = train(kept, data.person, settings, data.domains, set(), loss_of(epsilon, delta), 1, rng)
    return lambda frame: predict(made.form, frame)


def boosting(data: Data) -> Model:
    """Gradient boosting as it comes, which is not private."""
    model = HistGradientBoostingClassifier(random_state=0).fit(data.codes(data.rows), data.truth(data.rows))
    return lambda frame: np.asarray(model.predict_proba(data.codes(frame))[:, 1])


def deep(data: Data) -> Model:
    """Gradient boosting that learns by heart: 500 large trees."""
    model = HistGradientBoostingClassifier(
        random_state=0, max_iter=500, max_leaf_nodes=255, min_samples_leaf=1, early_stopping=False
    )
    model.fit(data.codes(data.rows), data.truth(data.rows))
    return lambda frame: np.asarray(model.predict_proba(data.codes(frame))[:, 1])


def logistic(data: Data) -> Model:
    """Logistic regression with a coefficient for each bin, which is not private: what `ebm` comes to without noise."""
    sizes = [
        int(line.max()) + 1 for line in np.concatenate([data.codes(data.rows), data.codes(data.others)]).T
    ]

    def hot(frame: pl.DataFrame) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
        codes = data.codes(frame)
        return np.concatenate(
            [np.eye(size, dtype=np.float32)[codes[:, at]] for at, size in enumerate(sizes)], 1
        )

    model = LogisticRegression(max_iter=500).fit(hot(data.rows), data.truth(data.rows))
    return lambda frame: np.asarray(model.predict_proba(hot(frame))[:, 1])


def measured(data: Data, made: Callable[[], Model]) -> tuple[float, float, float, float]:
    """AUC on others, AUC of the attack, half of its 95 % interval, CPU seconds of the training."""
    began = time.process_time()
    model = made()
    seconds = time.process_time() - began
    auc = float(roc_auc_score(data.truth(data.others), model(data.others)))
    told = told_apart(_guesses(data, model, data.rows), _guesses(data, model, data.others), 0.0, 0.95)
    return auc, told.auc[0], (told.auc[2] - told.auc[1]) / 2, seconds


def _guesses(data: Data, model: Model, frame: pl.DataFrame) -> Floats:
    """Per person how small the mean loss of the rows is."""
    found, truth = model(frame), data.truth(frame)
    loss = -np.log(np.clip(np.where(truth, found, 1 - found), 1e-9, 1))
    people = frame.select(data.person, loss=pl.Series(loss)).group_by(data.person).agg(pl.col("loss").mean())
    return -people["loss"].to_numpy()


def line(data: Data, name: str, loss: str, several: list[tuple[float, float, float, float]]) -> str:
    """The mean over the draws."""
    auc, attack, half, seconds = np.mean(several, axis=0)
    spread = f" ± {np.std([each[0] for each in several], ddof=1):.4f}" if len(several) > 1 else ""
    return (
        f"| {data.name} | {name} | {loss} | {auc:.4f}{spread} | {attack:.4f} ± {half:.4f} | {seconds:.2f} |"
    )


def lines(data: Data) -> list[str]:
    """Every model of a table."""
    made = []
    for epsilon, delta in ((1.0, DELTA), (4.0, DELTA), (1.0, 0.0), (4.0, 0.0)):
        for learner in LEARNERS:
            several = [
                measured(data, partial(private, data, learner, epsilon, delta, seed)) for seed in range(DRAWS)
            ]
            made.append(line(data, learner, f"{epsilon:g}, {delta:g}", several))
    for name, other in (
        ("logistic regression on the same bins", logistic),
        ("gradient boosting", boosting),
        ("gradient boosting, 500 large trees", deep),
    ):
        made.append(line(data, name, "not private", [measured(data, partial(other, data))]))
    return made


def main() -> None:
    """Measures both tables and writes the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("ANON_ADULT"))
    folder = parser.parse_args().folder
    if folder is None:
        parser.error("name the folder of Adult, or set ANON_ADULT")
    found = lines(adult(Path(folder)))
    with tempfile.TemporaryDirectory() as made:
        anon = str(Path(sys.executable).parent / "anon")
        subprocess.run([anon, "demo-data", "--rows", "100000", "--no-notes", "--out", made], check=True)
        found += lines(readmission(Path(made)))
    text = [
        BEGIN, "## Differentially private models", "",
        (f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}: UCI Adult (48,842 people, 14 features) and the demo"
        " encounters (100,000 of 70,239 patients, 20 features, readmitted within 30 days), people split 4 to 1; every learner is given the same bins."),
        (f"AUC on the people who were not trained on, mean of {DRAWS} draws of noise ± standard deviation of a draw. Attack: AUC of"
        " telling from a person's loss whether the model was trained on it, ± half of the 95 % interval; a coin has 0.5."), "",
        "| data | model | ε, δ | AUC | attack | CPU s |",
        "|---|---|---|---|---|---|",
        *found, "",
        END, "",
    ]  # fmt: skip
    put("\n".join(text), BEGIN, END)
    sys.stdout.write("\n".join(text))


if __name__ == "__main__":
    main()

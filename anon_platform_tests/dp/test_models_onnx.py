"""A model as ONNX: the runtime of others says what we say."""

import json

import numpy as np
import onnx
import onnxruntime as runtime
import polars as pl
import pytest

from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.dp.loss import loss_of
from anon_platform.dp.models import ModelRelease, onnx_of, predict, train

DOMAINS: dict[str, Domain] = {
    "age": Numbers(kind="numbers", bounds=(0, 100), bins=10),
    "cost": Numbers(kind="numbers", bounds=(-1, 9.5), step=0.05, bins=(0.0, 0.15, 3.0)),
    "one bin": Numbers(kind="numbers", bounds=(0, 1), bins=1),
    "sex": Categories(kind="categories", values=("F", "M")),
    "ward": Categories(kind="categories", values=("a", "b"), other="others"),
    "kind": Categories(kind="categories", values=(1, 2, 30)),
    "smokes": Categories(kind="categories", values=(True, False)),
    "day": Dates(kind="dates", bounds=("2024-01-01", "2024-06-30"), every="week"),  # type: ignore[arg-type]
    "back": Categories(kind="categories", values=("no", "soon")),
}
FEATURES = tuple(name for name in DOMAINS if name != "back")
ROWS = 2000


def odd_table() -> pl.DataFrame:
    """Values within and beyond the domains, on every border, and missing ones."""
    rng = np.random.default_rng(1)
    steps = np.arange(-1.2, 10, 0.025)
    return pl.DataFrame(
        {
            "age": rng.choice([*range(-5, 110), 9.5, 10.49, 10.5, np.nan, np.inf, -np.inf], ROWS),
            "cost": rng.choice([*steps, 0.149999, 0.15, 0.1, 3.0, np.nan], ROWS),
            "one bin": rng.choice([0.0, 0.4, 2.0, np.nan], ROWS),
            "sex": pl.Series(rng.choice(["F", "M", "X", ""], ROWS)),
            "ward": pl.Series(rng.choice(["a", "b", "c", "others", ""], ROWS)),
            "kind": pl.Series(rng.choice([1, 2, 30, 4], ROWS)),
            "smokes": pl.Series(rng.choice([True, False], ROWS)),
            "day": pl.Series(rng.integers(19700, 19930, ROWS).astype(np.int32)).cast(pl.Date),
            "back": rng.choice(["no", "soon"], ROWS),
            "person": np.arange(ROWS),
        }
    ).with_columns(
        *[
            pl.when(pl.int_range(pl.len()) % 11 == at).then(None).otherwise(pl.col(name)).alias(name)
            for at, name in enumerate(["kind", "smokes", "day"])
        ],
        pl.col("sex", "ward").replace("", None),
    )


@pytest.mark.parametrize("learner", ["ebm", "logistic_regression"])
@pytest.mark.parametrize("required", [set(), {"age", "sex", "day", "cost"}])
def test_the_runtime_says_the_same(learner: str, required: set[str]) -> None:
    table = odd_table()
    chosen = {"learner": learner, "target": {"column": "back", "positive": "soon"}, "features": FEATURES}
    made = train(
        table, "person", ModelRelease.model_validate(chosen), DOMAINS, required, loss_of(1.0, 1e-6), 1,
        np.random.default_rng(1),
    )  # fmt: skip
    written = onnx_of(json.loads(json.dumps(made.form)))
    assert written == onnx_of(made.form)
    onnx.checker.check_model(onnx.load_from_string(written), full_check=True)
    session = runtime.InferenceSession(written, providers=["CPUExecutionProvider"])
    given = {}
    for name in FEATURES:
        if DOMAINS[name].kind == "categories":
            given[name] = table[name].cast(pl.String).fill_null("").to_numpy().astype(object)
        elif DOMAINS[name].kind == "dates":
            given[name] = table[name].cast(pl.Int32).cast(pl.Float64).fill_null(float("nan")).to_numpy()
        else:
            given[name] = table[name].to_numpy().astype(np.float64)
    (found,) = session.run(["probability"], {name: each.reshape(-1, 1) for name, each in given.items()})
    assert found.shape == (ROWS, 1)
    expected = predict(made.form, table)
    assert len(np.unique(expected)) > 100
    assert found[:, 0] == pytest.approx(expected, abs=1e-6)

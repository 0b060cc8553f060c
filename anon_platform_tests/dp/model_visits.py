"""Visits that models are trained on in tests, and what is said of them in public."""

from typing import Any

import numpy as np
import polars as pl

from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.dp.loss import Loss
from anon_platform.dp.models import ModelRelease

DOMAINS: dict[str, Domain] = {
    "age": Numbers(kind="numbers", bounds=(0, 100), bins=10),
    "sex": Categories(kind="categories", values=("F", "M")),
    "day": Dates(kind="dates", bounds=("2024-01-01", "2024-06-30"), every="month"),  # type: ignore[arg-type]
    "back": Categories(kind="categories", values=("no", "later", "soon")),
}
FEATURES = ("age", "sex", "day")
MUCH = Loss("zcdp", 10**18)
"""A loss that allows next to no noise."""


def said(**changes: Any) -> ModelRelease:
    plain = {"learner": "ebm", "target": {"column": "back", "positive": "soon"}, "features": FEATURES}
    return ModelRelease.model_validate(plain | changes)


def visits(rows: int, seed: int = 1, per_person: int = 3) -> pl.DataFrame:
    """Old people come back, women of age 40 to 50 too; who has several rows has them anywhere."""
    rng = np.random.default_rng(seed)
    age = rng.integers(0, 101, rows)
    sex = rng.choice(["F", "M"], rows)
    chance = 1 / (1 + np.exp(-(age - 50) / 15 - 1.0 * (sex == "F")))
    soon = rng.random(rows) < chance
    return pl.DataFrame(
        {
            "person": [f"p{each}" for each in rng.integers(0, max(1, rows // per_person), rows)],
            "age": age,
            "sex": sex,
            "day": pl.Series(rng.integers(19723, 19900, rows).astype(np.int32)).cast(pl.Date),
            "back": np.where(soon, "soon", rng.choice(["no", "later"], rows)),
        }
    )

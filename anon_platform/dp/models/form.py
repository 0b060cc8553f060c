"""The released model: a JSON object that anybody can read, and what it predicts."""

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from anon_platform.dp.domain import Domain
from anon_platform.dp.models.settings import ModelRelease
from anon_platform.dp.synthetic.coded import DAY, Column, Named, Stepped
from anon_platform.errors import PolicyError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

FORMAT = "anon_platform additive model"

KEYS = (
    "format",
    "version",
    "learner",
    "target",
    "link",
    "intercept",
    "features",
    "training",
    "privacy",
    "evaluation",
)
"""All that a model's file says."""

EVALUATION = ("auc", "low", "high", "confidence", "noise_deviation", "edges", "negative", "positive")
"""All that it says of its evaluation."""

NOISES = ("Gaussian", "Laplace")

EPOCH = date(1970, 1, 1)


def feature_form(column: Column, scores: "NDArray[np.float64]") -> dict[str, Any]:
    """A feature as the file tells it: its categories or the lower ends of its bins, each with its score.

    missing: the score of a missing value; of a column that has none, null, and what is missing counts as the first.
    """
    values = [float(score) for score in scores]
    missing = None if column.missing is None else values.pop()
    if isinstance(column, Named):
        return {
            "column": column.name,
            "kind": "categories",
            "values": list(column.values),
            "other": column.other,
            "scores": values,
            "missing": missing,
        }
    if column.dtype.is_temporal():
        per_day = DAY // int(column.step)
        return {
            "column": column.name,
            "kind": "dates",
            "from": [(EPOCH + timedelta(days=int(start) // per_day)).isoformat() for start in column.starts],
            "to": (EPOCH + timedelta(days=int(column.end) // per_day)).isoformat(),
            "scores": values,
            "missing": missing,
        }
    return {
        "column": column.name,
        "kind": "numbers",
        "step": column.step,
        "from": [round(int(start) * column.step, 12) for start in column.starts],
        "to": round(column.end * column.step, 12),
        "scores": values,
        "missing": missing,
    }


def predict(model: Mapping[str, Any], frame: "pl.DataFrame") -> "NDArray[np.float64]":
    """The probability of the target for each row, from a model as its file holds it.

    A number between two whole steps counts as the nearest; what is beyond the bounds as the bound; an unknown category as
    `other`, or as missing. A column that is not there raises `PolicyError`.
    """
    import numpy as np

    score = np.full(frame.height, float(model["intercept"]))
    for feature in model["features"]:
        name = feature["column"]
        if name not in frame.columns:
            raise PolicyError(f"model: no column {name}; the model needs all of its features")
        scores = [*feature["scores"], *([] if feature["missing"] is None else [feature["missing"]])]
        codes = _column(feature, frame.schema[name]).encoded(frame[name])
        score += np.asarray(scores)[codes]
    return np.asarray(1 / (1 + np.exp(-score)))


def _column(feature: Mapping[str, Any], dtype: "pl.DataType") -> Column:
    import numpy as np
    import polars as pl

    name, required = feature["column"], feature["missing"] is None
    if feature["kind"] == "categories":
        return Named(name, dtype, tuple(feature["values"]), feature["other"], required)
    if feature["kind"] == "numbers":
        step = feature["step"]
        starts = np.rint(np.asarray(feature["from"]) / step).astype(np.int64)
        return Stepped(name, dtype, step, starts, round(feature["to"] / step), required)
    days = np.asarray([(date.fromisoformat(day) - EPOCH).days for day in feature["from"]], np.int64)
    last = (date.fromisoformat(feature["to"]) - EPOCH).days
    if dtype == pl.Date():
        return Stepped(name, dtype, DAY, days, last, required)
    return Stepped(name, dtype, 1, days * DAY, last * DAY + DAY - 1, required)


def model_faults(
    model: Mapping[str, Any], settings: ModelRelease, domains: Mapping[str, Domain], required: frozenset[str]
) -> list[str]:
    """What a model's file says beside scores, and that is not public: bins or categories that the policy does not name.

    Every other number is finite, and there are as many scores as bins.
    """
    import polars as pl

    from anon_platform.dp.synthetic.coded import columns_of

    if tuple(model) != KEYS or model["format"] != FORMAT:
        return ["it does not say what a model says"]
    told = model["features"]
    if [feature.get("column") for feature in told] != list(settings.features):
        return ["its features are not those of the policy"]
    faults = _of_the_rest(model, settings)
    kinds = {str: pl.String(), bool: pl.Boolean(), int: pl.Int64()}
    for feature in told:
        name = feature["column"]
        domain = domains[name]
        types = {"numbers": pl.Float64(), "dates": pl.Date()}
        dtype = types.get(domain.kind) or kinds[type(domain.values[0])]  # type: ignore[union-attr]
        (column,) = columns_of({name: dtype}, {name: domain}, required & {name})
        blank = feature_form(column, _zeros(column.size))
        if {**feature, "scores": None, "missing": None} != {**blank, "scores": None, "missing": None}:
            faults.append(f"the bins or categories of {name} are not those of the policy")
        elif len(feature["scores"]) != len(blank["scores"]) or (feature["missing"] is None) != (
            blank["missing"] is None
        ):
            faults.append(f"{name} has not one score for each bin or category")
        elif not all(_finite(score) for score in [*feature["scores"], feature["missing"] or 0.0]):
            faults.append(f"a score of {name} is no number")
    return faults


def _of_the_rest(model: Mapping[str, Any], settings: ModelRelease) -> list[str]:
    """What is said beside features, and is neither noisy nor of the policy."""
    target = {"column": settings.target.column, "positive": list(settings.target.positive)}
    training, found = model["training"], model["evaluation"]
    plain = {"rounds": training.get("rounds"), "clip": settings.clip, "held_out": settings.held_out}
    faults = []
    if (model["version"], model["learner"], model["target"], model["link"]) != (
        1,
        settings.learner,
        target,
        "logistic",
    ):
        faults.append("its learner or target is not that of the policy")
    if (
        training != {**plain, "noise": training.get("noise")}
        or training["noise"] not in NOISES
        or not isinstance(training["rounds"], int)
    ):
        faults.append("it says something else of its training than the policy")
    if set(model["privacy"]) != {"measure", "units"} or not isinstance(model["privacy"]["units"], int):
        faults.append("its privacy loss is not told as a measure and units")
    if (found is not None) != bool(settings.held_out):
        faults.append("it is evaluated where the policy holds nobody out, or not where it does")
    elif found is not None and (
        tuple(found) != EVALUATION
        or not all(_finite(value) for name in ("edges", "negative", "positive") for value in found[name])
        or not all(found[name] is None or _finite(found[name]) for name in EVALUATION[:5])
    ):
        faults.append("its evaluation says more than noisy counts")
    return faults if _finite(model["intercept"]) else [*faults, "its intercept is no number"]


def _zeros(size: int) -> "NDArray[np.float64]":
    import numpy as np

    return np.zeros(size)


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

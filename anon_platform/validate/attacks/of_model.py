"""The membership attack on the model of the policy, trained on released rows."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anon_platform.policy import Attacks, Model
from anon_platform.policy.attacks import Membership
from anon_platform.table import PERSON
from anon_platform.validate.attacks.membership import Told, told_apart
from anon_platform.validate.files import read_released
from anon_platform.validate.metric import Metric, most
from anon_platform.validate.prediction.learners import encoded, learnt

if TYPE_CHECKING:  # the evidence holds what the attacks read
    from anon_platform.validate.evidence import Evidence

LEAST = 50
"""People on each side below which an attack says too little."""

SURE = 1e-6
"""No probability is taken for 0 or 1."""

NAME = "membership attack on the model"


def attack_model(
    evidence: "Evidence", attacks: Attacks, asked: Membership
) -> tuple[Metric, dict[str, Any] | str]:
    """The attack by loss on people whose released rows trained the model, and on people whose rows did not.

    Half of the released people (at most as many as the model's `max_people`) train; of both halves one row a person is
    asked, equally many. The attacker says "member" where the loss is no more than the mean of training.
    Source: Yeom et al. 2018, Privacy risk in machine learning, adversary 1 (loss below the mean of training).
    """
    model = evidence.policy.model
    if model is None:
        return _unmeasured(asked, "the policy has no model"), "the policy has no model"
    rows = read_released(evidence.data, list(dict.fromkeys([*model.features, model.target.column])))
    rows = rows.with_columns(evidence.kept[PERSON])
    rng = np.random.default_rng([attacks.seed, 201])
    drawn = rng.permutation(rows[PERSON].unique().sort().to_numpy())[: model.max_people]
    half = len(drawn) // 2
    members, others = _of(rows, drawn[:half]), _of(rows, drawn[half:])
    if half < LEAST or _events(members, model).n_unique() < 2:  # noqa: PLR2004 - a target needs two classes
        note = f"fewer than {LEAST} people on a side, or nothing to learn from them"
        return _unmeasured(asked, note), note
    told = _told(members, others, model, asked, attacks, rng)
    metric = most("membership", NAME, told.auc[2], asked.max_auc, "area under the curve, 0.5 is a coin")
    note = f"upper end of the {attacks.confidence * 100:g} % interval, {told.members:,} people on each side"
    metric = metric.model_copy(update={"note": "; ".join(filter(None, [metric.note, note]))})
    return metric, {**asdict(told), "max_auc": asked.max_auc, "trained_on": half}


def _told(
    members: pl.DataFrame, others: pl.DataFrame, model: Model, asked: Membership, attacks: Attacks,
    rng: np.random.Generator,
) -> Told:  # fmt: skip
    inside, outside = losses(members, others, model)
    scores = [
        _one_each(rows, -loss, rng)[: asked.people] for rows, loss in ((members, inside), (others, outside))
    ]
    equal = min(len(each) for each in scores)
    return told_apart(scores[0][:equal], scores[1][:equal], -float(inside.mean()), attacks.confidence)


def losses(members: pl.DataFrame, others: pl.DataFrame, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """The cross entropy of every row of both, in nats, of the policy's first learner trained on those of the members.

    It is the model whose usefulness is measured, asked as anybody asks it: members' rows go through the encoding of new rows.
    """
    truth = _events(members, model).to_numpy()
    rows = encoded(members, truth, pl.concat([members, others]), model)
    chance = learnt(rows, model.learners[0], model.seed).scores(rows.test)
    events = np.concatenate([truth, _events(others, model).to_numpy()])
    right = np.clip(np.where(events, chance, 1 - chance), SURE, 1 - SURE)
    found = -np.log(right)
    return found[: len(truth)], found[len(truth) :]


def _one_each(rows: pl.DataFrame, scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The score of one row of each person, people and rows in random order."""
    scored = pl.DataFrame({PERSON: rows[PERSON], "score": scores})[rng.permutation(rows.height)]
    return scored.unique(PERSON, keep="first", maintain_order=True)["score"].to_numpy()


def _of(rows: pl.DataFrame, people: np.ndarray) -> pl.DataFrame:
    return rows.filter(pl.col(PERSON).is_in(pl.Series(people).implode()))


def _events(rows: pl.DataFrame, model: Model) -> pl.Series:
    return (rows[model.target.column].cast(pl.String) == model.target.positive).fill_null(value=False)


def _unmeasured(asked: Membership, note: str) -> Metric:
    return Metric(
        check="membership", name=NAME, value=None, threshold=asked.max_auc, at_least=False, passed=False,
        unit="area under the curve, 0.5 is a coin", note=note,
    )  # fmt: skip

"""Models, trained again and again on two tables that differ by one person with many rows; and the same, broken."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl

from anon_platform.dp import Loss, epsilon_of, loss_of
from anon_platform.dp.audit import Seen, epsilon_lower_bound, mu_lower_bound
from anon_platform.dp.domain import Categories, Domain
from anon_platform.dp.loss import UNIT
from anon_platform.dp.models import ModelRelease, Trained, descent, train
from anon_platform.dp.models.descent import Sums, planned_sums
from anon_platform.dp.models.people import People, held_out
from anon_platform_tests.dp.audited_mechanisms import (
    CLAIM,
    CONFIDENCE,
    CONTRIBUTION,
    PERSON_ROWS,
    Mechanism,
    Scores,
)
from anon_platform_tests.dp.audited_synthesis import OneRun

training = import_module("anon_platform.dp.models.train")  # the package has a function of that name

MODEL_DELTA = 0.01
"""δ at which the model's ρ is converted: large, so that few runs suffice to tell two Gaussians apart."""

OTHERS = 1_000
"""People beside the one: so many that noise on their number hardly changes how far a gradient moves a score."""

AGAIN = 0.3
"""Share of them who are positive: few, so that the person, whom the model does not expect, is cut off at the clip."""

HELD_OUT = 0.2
"""Share of them who are evaluated, where anybody is."""

LIMIT = 0.04
"""Scores are cut off here: beyond, they say more of the noise on the counts than of the person."""

EVALUATED = 0.022
"""What a count of the evaluation is worth in scores where a person moves both: what each moves over its variance."""

GRADIENTS = "sensitivity of the gradients too small, × 1.5"
PER_ROW = "every row clipped, not every person"
TWICE = "who is trained on is evaluated, too"
FEATURES = ("one", "two", "three", "four")
"""In each of them the person alone has a category: of the numbers that a gradient moves, all but one show in the scores."""

DOMAINS: dict[str, Domain] = {
    **{name: Categories(kind="categories", values=("all", "mine")) for name in FEATURES},
    "back": Categories(kind="categories", values=("no", "yes")),
}


def settings(outside: float, features: tuple[str, ...] = FEATURES) -> ModelRelease:
    """One noisy gradient; outside: the share that is held out."""
    target = {"column": "back", "positive": "yes"}
    said = {"learner": "ebm", "target": target, "features": features, "held_out": outside, "rounds": 1}
    return ModelRelease.model_validate(said)


@cache
def visits(*, with_person: bool) -> pl.DataFrame:
    """A row for each of the others, and ten for the person, who is number 0."""
    again = round(OTHERS * AGAIN)
    back = ["yes"] * again + ["no"] * (OTHERS - again)
    others = pl.DataFrame({"who": range(1, OTHERS + 1), **dict.fromkeys(FEATURES, "all"), "back": back})
    mine = pl.DataFrame(
        {"who": [0] * PERSON_ROWS, **dict.fromkeys(FEATURES, "mine"), "back": ["yes"] * PERSON_ROWS}
    ).cast({"who": pl.Int64})
    return pl.concat([mine, others]) if with_person else others


@cache
def side_seed(share: float, *, outside: bool) -> int:
    """A seed by which the person is held out, or not."""
    person = pl.Series([0])
    return next(
        seed
        for seed in range(100)
        if bool(held_out(person, share, np.random.default_rng(seed))[0]) == outside
    )


def in_scores(made: Trained) -> float:
    """The scores of the person's categories: each has moved up, or noise has moved it down."""
    scores = [feature["scores"][1] for feature in made.form["features"]]
    return float(np.clip(scores, -LIMIT, LIMIT).sum())


def in_evaluation(made: Trained) -> float:
    """The count of the positive in the range of the person's score, whose place the model tells."""
    told = made.form["evaluation"]
    scores = [feature["scores"] for feature in made.form["features"]]
    mine, others = (made.form["intercept"] + sum(each[at] for each in scores) for at in (1, 0))
    at, beside = np.searchsorted(told["edges"], [mine, others], side="right")
    # how many of the others are there is known to who knows them all; see `evaluated_others`
    return float(told["positive"][at] - evaluated_others() * (at == beside))


@cache
def evaluated_others() -> int:
    """How many of the others are held out and positive."""
    rows = visits(with_person=False)
    aside = held_out(rows["who"], HELD_OUT, np.random.default_rng(side_seed(HELD_OUT, outside=True)))
    return int((rows["back"].to_numpy() == "yes")[aside].sum())


def jointly(made: Trained) -> float:
    """Both together, as if the person moved both."""
    return in_scores(made) + EVALUATED * in_evaluation(made)


def many_runs(
    loss: Loss,
    outside: bool | None,  # noqa: FBT001 - set by `partial`
    score: Callable[[Trained], float],
    broken: str,
    *,
    with_person: bool,
    runs: int,
    seed: int = 0,
) -> Scores:
    """From rows to the released model, run after run. outside: on which side the person is; None where nobody is held out.

    The seed is for nothing: who is held out is known, and noise has none.
    """
    del seed
    share = 0.0 if outside is None else HELD_OUT
    given, side = visits(with_person=with_person), side_seed(share, outside=bool(outside))
    with BROKEN[broken](), rows_read_once():
        made = (
            train(given, "who", settings(share), DOMAINS, set(DOMAINS), loss, 1, np.random.default_rng(side))
            for _ in range(runs)
        )
        return np.asarray([score(one) for one in made])


@contextmanager
def rows_read_once() -> Iterator[None]:
    """The rows of either side are the same in every run, before any noise: most of the time would go to reading them."""
    right = training._sides  # noqa: SLF001 - what comes before the noise
    read: list[tuple[People, People]] = []

    def once(*given: Any) -> tuple[People, People]:
        if not read:
            read.append(right(*given))
        return read[0]

    with patch.object(training, "_sides", once):
        yield


@contextmanager
def gradients_too_quiet(factor: float) -> Iterator[None]:
    """Noise on gradients that is too small by the factor, believed to be right."""

    def wrong(loss: Loss, features: int, rounds: int, clip: float, people: int) -> Sums:
        right = planned_sums(loss, features, rounds, clip, people)
        return replace(right, gradients=replace(right.gradients, scale=right.gradients.scale / factor))

    with patch.object(training, "planned_sums", wrong):
        yield


def _per_row() -> AbstractContextManager[object]:
    return patch.object(
        descent, "averaged", lambda _people, residuals, limit: np.clip(residuals, -limit, limit)
    )


@contextmanager
def _twice() -> Iterator[None]:
    right = training._sides  # noqa: SLF001 - the mistake is made there

    def wrong(*given: Any) -> tuple[People, People]:
        inside, outside = right(*given)
        person = inside.codes[0] == 1
        who = np.append(outside.who, np.full(person.sum(), outside.people))
        codes = np.hstack([outside.codes, inside.codes[:, person]])
        return inside, People(codes, np.append(outside.positive, inside.positive[person]), who)

    with patch.object(training, "_sides", wrong):
        yield


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "": nullcontext,
    GRADIENTS: partial(gradients_too_quiet, 1.5),
    PER_ROW: _per_row,
    TWICE: _twice,
}


def epsilon_of_gaussians(seen: Seen, confidence: float) -> float:
    """The ε at `MODEL_DELTA` of Gaussian noise of the least μ, by the conversion that the claim was made with."""
    mu = mu_lower_bound(seen, confidence)
    return epsilon_of(Loss("zcdp", int(mu**2 / 2 / float(UNIT))), MODEL_DELTA)


def model(what: str, broken: str = "", delta: float = MODEL_DELTA) -> Mechanism:
    """A model at ε = 1, with Laplace noise at δ = 0. what: of `SEEN`."""
    outside, score = SEEN[what]
    counted: Callable[..., float] = epsilon_of_gaussians if delta else epsilon_lower_bound
    return Mechanism(
        what,
        partial(many_runs, loss_of(CLAIM, delta), outside, score, broken),
        partial(counted, confidence=CONFIDENCE),
        broken,
        choose=apart if delta else None,
    )


def apart(seen: Seen) -> float:
    """How far the rates are apart: of two Gaussians the event in the middle, which a few hundred draws find."""
    return seen.hits / seen.runs - seen.other_hits / seen.other_runs


MODEL, MODEL_INSIDE, MODEL_OUTSIDE = (
    "model, its scores",
    "model and evaluation, person trained on",
    "model and evaluation, person held out",
)
SEEN: dict[str, tuple[bool | None, Callable[[Trained], float]]] = {
    MODEL: (None, in_scores),
    MODEL_INSIDE: (False, jointly),
    MODEL_OUTSIDE: (True, in_evaluation),
}
"""On which side the person is, and what is looked at."""

COLUMNS = FEATURES[:2]
"""Of one run."""

CROWD, CROWD_AGAIN = 60, 24
"""People beside each, and how many of them are positive."""

ONE_RUN_PEOPLE = 40_000
"""Each has a category of their own."""

ONE_RUN_MODEL = "scores of one model"


def one_run_of_model(people: int = ONE_RUN_PEOPLE, seed: int = 11) -> OneRun:
    """One training, and guesses of a quarter of the people from the scores of their categories; coins are from the seed.

    The people have a category of their own in each of the features; a crowd of sixty times as many has none:
    noise makes as many of categories that nobody has, which has to leave the positive a share that scores can be seen by.
    """
    rng = np.random.default_rng(seed)
    present = rng.integers(0, 2, people).astype(bool)
    names = np.asarray([f"p{number:05d}" for number in range(people)])
    cells = np.concatenate([np.repeat(names[present], CONTRIBUTION), np.full(CROWD * people, "all")])
    mine = CONTRIBUTION * int(present.sum())
    again = np.repeat([True, False], [mine + CROWD_AGAIN * people, (CROWD - CROWD_AGAIN) * people])
    who = np.where(cells == "all", np.arange(len(cells)).astype(str), cells)
    table = pl.DataFrame({"who": who, **dict.fromkeys(COLUMNS, cells), "back": np.where(again, "yes", "no")})
    own = Categories(kind="categories", values=(*names.tolist(), "all"))
    domains: dict[str, Domain] = {**dict.fromkeys(COLUMNS, own), "back": DOMAINS["back"]}
    given = settings(0, COLUMNS)
    made = train(table, "who", given, domains, set(domains), loss_of(CLAIM, 0.0), 1, rng)
    scores = np.asarray([feature["scores"][:people] for feature in made.form["features"]])
    # all of them lie lower than 0 by the same; half of the people moved theirs by the clip, so that the middle is half of it
    off = scores - np.median(scores, axis=1, keepdims=True)
    clip, scale = given.clip, (len(COLUMNS) + 1) * given.clip / 0.9
    most = clip / scale * np.median(np.abs(off)) / np.log(2)
    # under Laplace noise what is beyond the two places tells nothing more
    told = np.clip(off, -most / 2, most / 2).sum(0) + 1e-6 * most * rng.random(people)
    order, guesses = np.argsort(told), people // 4
    out, in_ = order[: guesses // 2], order[-(guesses // 2) :]
    return OneRun(
        ONE_RUN_MODEL, CLAIM, people, 2 * (guesses // 2), int((~present[out]).sum() + present[in_].sum())
    )

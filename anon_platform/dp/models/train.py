"""The one door: a table in, a model out, within a privacy loss."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.loss import Loss
from anon_platform.dp.models.descent import GRID, Scores, Sums, descended, planned_sums
from anon_platform.dp.models.design import features_of
from anon_platform.dp.models.evaluation import Evaluation, evaluated, planned_counts
from anon_platform.dp.models.form import FORMAT, feature_form
from anon_platform.dp.models.people import People, held_out
from anon_platform.dp.models.settings import ModelRelease
from anon_platform.dp.noise import Noise
from anon_platform.dp.synthetic.coded import Column, columns_of
from anon_platform.errors import PolicyError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

ROUNDS = {"zcdp": 12, "pure": 6}
"""Rounds when the policy names none; Laplace noise grows with their number, Gaussian noise with its root."""


@dataclass(frozen=True)
class Planned:
    """What will be measured, known before any data is read. counts: of people who are held out, if any are."""

    sums: Sums
    counts: Noise | None

    @property
    def spent(self) -> Loss:
        """What the whole loses: nobody is both trained on and held out, so the larger of the two.

        A person moves either the sums or the counts, and on which side somebody is depends on nobody else; given the model,
        the counts of those held out are a mechanism of their own on people of their own (parallel composition, McSherry
        2009). Where one person is changed for another the sides may be one each, and each of them has noise for two.
        """
        return max(
            [self.sums.spent, *([self.counts.loss] if self.counts else [])], key=lambda loss: loss.units
        )


@dataclass(frozen=True)
class Trained:
    """A model and what it cost. form: as its file holds it, noise in every number; spent: what OpenDP proves."""

    form: dict[str, Any]
    spent: Loss
    evaluation: Evaluation | None
    scores: Scores


def train(
    frame: "pl.DataFrame",
    person: str,
    settings: ModelRelease,
    domains: Mapping[str, Domain],
    required: AbstractSet[str],
    loss: Loss,
    people: int,
    rng: "np.random.Generator",
    progress: Callable[[float], None] = lambda _share: None,
) -> Trained:
    """A model of the features, trained and evaluated within the loss. person: the column that tells people apart.

    people: 1 where neighbouring tables have one person more or less, 2 where one person's rows are changed. Rows whose
    target or person is missing have no part. rng: says who is held out, and needs not be secret. Wrong settings raise
    `PolicyError` and a loss that is too small `BudgetError`, both before anything is measured.
    """
    columns = check(settings, domains, required, dict(frame.schema))
    plan = expected(settings, domains, required, loss, people)
    features = features_of(columns[1:], settings.learner)
    inside, outside = _sides(frame, person, columns, settings, rng)
    model = descended(inside, features, plan.sums, progress)
    evaluation = evaluated(outside, model, plan.counts) if plan.counts else None
    return Trained(_form(settings, columns, model, plan, evaluation), plan.spent, evaluation, model)


def expected(
    settings: ModelRelease, domains: Mapping[str, Domain], required: AbstractSet[str], loss: Loss, people: int
) -> Planned:
    """What will be measured, and with what noise. Reads no data."""
    check(settings, domains, required)
    rounds = settings.rounds or ROUNDS[loss.measure]
    sums = planned_sums(loss, len(settings.features), rounds, settings.clip, people)
    return Planned(sums, planned_counts(loss, people) if settings.held_out else None)


def check(
    settings: ModelRelease,
    domains: Mapping[str, Domain],
    required: AbstractSet[str],
    schema: "Mapping[str, pl.DataType] | None" = None,
) -> tuple[Column, ...]:
    """The target, then the features, as they will be coded. Raises `PolicyError` where settings and domains do not fit."""
    target, positive = settings.target.column, settings.target.positive
    for name in (target, *settings.features):
        domain = domains.get(name)
        what = "target" if name == target else "feature"
        if domain is None:
            raise PolicyError(
                f"model: the {what} {name} has no domain; the columns are {', '.join(sorted(domains))}"
            )
        if (isinstance(domain, Categories) and domain.values == "found") or (
            isinstance(domain, Numbers) and domain.bins == "found"
        ):
            raise PolicyError(f"model: the domain of the {what} {name} is to be found; name it in full")
    domain = domains[target]
    if not isinstance(domain, Categories):
        raise PolicyError(
            f"model: the target {target} holds {domain.kind}; write its domain as categories, and those to predict"
        )
    known = [*domain.values, *([] if domain.other is None else [domain.other])]
    if any(value not in known or type(value) is not type(known[known.index(value)]) for value in positive):
        raise PolicyError(
            f"model: target.positive names what is no category of {target}; name one of its domain"
        )
    if len(positive) == len(known):
        raise PolicyError(f"model: all categories of {target} are positive; leave out at least one")
    chosen = {name: domains[name] for name in (target, *settings.features)}
    # who misses the target has no part, whatever the policy says of the column
    needed = set(required) & set(settings.features)
    return columns_of(schema if schema is not None else _types(chosen), chosen, needed)


def _types(domains: Mapping[str, Domain]) -> "dict[str, pl.DataType]":
    import polars as pl

    kinds = {str: pl.String(), bool: pl.Boolean(), int: pl.Int64()}
    types = {"numbers": pl.Float64(), "dates": pl.Date()}
    return {
        name: kinds[type(domain.values[0])] if isinstance(domain, Categories) else types[domain.kind]
        for name, domain in domains.items()
    }


def _sides(
    frame: "pl.DataFrame",
    person: str,
    columns: tuple[Column, ...],
    settings: ModelRelease,
    rng: "np.random.Generator",
) -> tuple[People, People]:
    """Who is trained on, and who is held out."""
    target = columns[0]
    aside = held_out(frame[person], settings.held_out, rng)
    codes = target.encoded(frame[target.name])
    answered = frame[person].is_not_null()
    if frame.schema[person].is_float():
        answered &= frame[person].is_not_nan()
    usable = (codes != target.missing) & answered.to_numpy()
    labels = list(target.labels)  # type: ignore[union-attr]
    wanted = [at for at, label in enumerate(labels) if label in settings.target.positive]
    return tuple(  # type: ignore[return-value]
        _people(frame.filter(side & usable), person, columns, wanted) for side in (~aside, aside)
    )


def _people(frame: "pl.DataFrame", person: str, columns: tuple[Column, ...], wanted: list[int]) -> People:
    import numpy as np
    import polars as pl

    who = frame.select((pl.col(person).rank("dense") - 1).cast(pl.Int64)).to_series().to_numpy()
    codes = np.empty((len(columns) - 1, frame.height), np.int32)
    for at, column in enumerate(columns[1:]):
        codes[at] = column.encoded(frame[column.name])
    positive = np.isin(columns[0].encoded(frame[columns[0].name]), wanted).astype(np.int64)
    return People(codes, positive, who)


def _form(
    settings: ModelRelease,
    columns: tuple[Column, ...],
    model: Scores,
    plan: Planned,
    evaluation: Evaluation | None,
) -> dict[str, Any]:
    sums = plan.sums
    kind = "Gaussian" if sums.counts.measure == "zcdp" else "Laplace"
    return {
        "format": FORMAT,
        "version": 1,
        "learner": settings.learner,
        "target": {"column": settings.target.column, "positive": list(settings.target.positive)},
        "link": "logistic",
        "intercept": model.intercept / GRID,
        "features": [
            feature_form(column, scores / GRID)
            for column, scores in zip(columns[1:], model.scores, strict=True)
        ],
        "training": {
            "rounds": sums.rounds,
            "clip": settings.clip,
            "held_out": settings.held_out,
            "noise": kind,
        },
        "privacy": {"measure": plan.spent.measure, "units": plan.spent.units},
        "evaluation": evaluation.as_json() if evaluation else None,
    }

"""Mechanisms of the platform, run on two tables that differ by one person with many rows; and the same, broken."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
from numpy.typing import NDArray

from anon_platform.dp import Loss, epsilon_of, loss_of, threshold
from anon_platform.dp.audit import (
    Audit,
    Event,
    Seen,
    audited,
    clopper_pearson,
    epsilon_lower_bound,
    mu_lower_bound,
)
from anon_platform.dp.bounding import Bounded, bounded
from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.loss import UNIT
from anon_platform.dp.noise import Noise, noise_for
from anon_platform.dp.statistics import Statistic, plan_statistics
from anon_platform.dp.statistics import plan as planning
from anon_platform.dp.statistics.measure import measure

Scores = NDArray[np.float64]
Score = Callable[[pl.DataFrame], float]

CLAIM = 1.0
"""ε of every mechanism below."""

DELTA = 1e-6
"""δ at which ρ is converted."""

KEYS_DELTA = 0.01
"""δ of keys that the data names: large, so that it can be seen."""

CONTRIBUTION = 3
BOUNDING = "twice as many rows kept"
THRESHOLD = "threshold too low by half"
PLACES = "several keys of a person forgotten"

PERSON_ROWS = 10
"""More than are kept."""

DOMAINS: dict[str, Domain] = {
    "ward": Categories(kind="categories", values=("a", "b", "c")),
    "age": Numbers(kind="numbers", bounds=(0.0, 100.0)),
    "found": Categories(kind="categories", values="found"),
}


@dataclass(frozen=True)
class Mechanism:
    """One number a run from what is released; with the person or without."""

    what: str
    scores: Callable[..., Scores]
    """with_person, runs, seed (of the bounding: noise has none)."""
    bound: Callable[[Seen], float]
    """To be compared with `CLAIM`."""
    broken: str = ""
    """What is wrong with it."""
    event: Event | None = None
    """The event that is counted; where there is none it is chosen on draws of its own."""
    choose: Callable[[Seen], float] | None = None
    """By what it is chosen, where not by the bound, which few draws lead to rare events."""

    def audited(self, with_person: Scores, without: Scores, pilot: int) -> Audit:
        """The bound from these draws, of which the first `pilot` choose the event."""
        if self.event is None:
            return audited(with_person, without, self.bound, pilot=pilot, choose=self.choose)
        seen = self.event.seen(with_person[pilot:], without[pilot:])
        return Audit(self.bound(seen), self.event, seen)


def epsilon_of_gaussian(seen: Seen, confidence: float) -> float:
    """The ε at `DELTA`, by the conversion that the claim was made with, of Gaussian noise of the least μ."""
    mu = mu_lower_bound(seen, confidence)
    return epsilon_of(Loss("zcdp", int(mu**2 / 2 / float(UNIT))), DELTA)


def share_of_delta(seen: Seen, confidence: float) -> float:
    """Chance of what cannot happen without the person, in units of the δ that is claimed for it."""
    return clopper_pearson(seen.hits, seen.runs, confidence)[0] / KEYS_DELTA


def noise_alone(delta: float, factor: float, *, with_person: bool, runs: int, seed: int = 0) -> Scores:
    """A count that the person moves by `CONTRIBUTION`; factor: the noise is too small by it. The seed is for nothing."""
    del seed
    noise = _too_small(noise_for(loss_of(CLAIM, delta), CONTRIBUTION), factor)
    exact = np.full(runs, 1_000 + CONTRIBUTION * with_person, np.int64)
    return noise.added_to(exact).astype(np.float64)


def _too_small(noise: Noise, factor: float) -> Noise:
    return replace(noise, scale=noise.scale / factor)


OTHERS = {
    "person": ["u", "v", "w", "w", "w", "z"],
    "ward": ["a", "b", "c", "a", "b", None],
    "age": [1.0, 50.0, 99.0, 97.0, 96.0, None],
    "found": ["r", "r", "s", "t", "r", None],
}


def table(person: dict[str, Sequence[Any]], *, with_person: bool) -> pl.DataFrame:
    """The rows of five people, and before them, if so, those of the person.

    person: cells of their rows, as many as there are in the longest; ten where they say nothing.
    """
    rows = {"ward": ["a"], "age": [100.0], "found": ["r"], **person}
    many = max(map(len, person.values()), default=PERSON_ROWS)
    mine = pl.DataFrame(
        {"person": ["x"] * many} | {name: (list(cells) * many)[:many] for name, cells in rows.items()}
    )
    others = pl.DataFrame(OTHERS)
    return pl.concat([mine, others]) if with_person else others


def released(
    asked: dict[str, Any],
    loss: Loss,
    person: dict[str, Sequence[Any]],
    score: Score,
    broken: str,
    *,
    with_person: bool,
    runs: int,
    seed: int,
) -> Scores:
    """From rows to the released frame, every time anew: bounding, counting, noise, post-processing."""
    rows, rng = table(person, with_person=with_person), np.random.default_rng(seed)
    with BROKEN[broken]():
        named = Statistic.model_validate({"name": "asked", **asked})
        plan = plan_statistics([named], DOMAINS, loss, CONTRIBUTION)
        frames = (measure(plan, bounding(rows, rng, broken=broken))[0].frame for _ in range(runs))
        return np.asarray([score(frame) for frame in frames])


def bounding(rows: pl.DataFrame, rng: np.random.Generator, *, broken: str) -> Bounded:
    """As a run does it; when broken, twice as many rows are kept as it says."""
    kept = bounded(rows, "person", CONTRIBUTION * (2 if broken == BOUNDING else 1), rng)
    return replace(kept, contribution=CONTRIBUTION)


@contextmanager
def noise_too_small(factor: float, *modules: ModuleType) -> Iterator[None]:
    """The modules draw noise that is too small by the factor, and believe that it is right."""

    def wrong(loss: Loss, move: float) -> Noise:
        return _too_small(noise_for(loss, move), factor)

    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(patch.object(module, "noise_for", wrong))
        yield


@contextmanager
def _places_forgotten() -> Iterator[None]:
    right = threshold.threshold_for
    with patch.object(planning, "threshold_for", lambda loss, _moves: right(loss, threshold.Moves(1, 1, 1))):
        yield


@contextmanager
def _threshold_too_low() -> Iterator[None]:
    right = threshold.threshold_for

    def wrong(loss: Loss, moves: threshold.Moves) -> threshold.Threshold:
        made = right(loss, moves)
        return replace(made, threshold=made.threshold // 2)

    with patch.object(planning, "threshold_for", wrong):
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield


BROKEN: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "": _nothing,
    "sensitivity too small, × 1.5": partial(noise_too_small, 1.5, planning, threshold),
    "sensitivity too small, × 3": partial(noise_too_small, 3.0, planning, threshold),
    BOUNDING: _nothing,
    PLACES: _places_forgotten,
    THRESHOLD: _threshold_too_low,
}


def value(frame: pl.DataFrame) -> float:
    """The one value, or the first."""
    return float(frame["value"][0])


def last_bin(frame: pl.DataFrame) -> float:
    """Rows of the bin of the greatest numbers."""
    return float(frame.filter(pl.col("age") == pl.col("age").max())["value"][0])


def moved_by_one(frame: pl.DataFrame) -> float:
    """How much three counts together look as if somebody were in each: their likelihood ratio under Laplace noise."""
    wards = frame.filter(pl.col("ward").is_not_null()).sort("ward")["value"].to_numpy()
    return float(np.clip(wards - np.asarray([2, 2, 1]), 0, 1).sum())


def some_shown(frame: pl.DataFrame) -> float:
    """Whether a key is shown that only the person has."""
    return float(frame["found"].is_in(["p0", "p1", "p2"]).any())


def statistic(
    asked: dict[str, Any], score: Score = value, broken: str = "", **person: Sequence[Any]
) -> Mechanism:
    """A statistic at ε = 1 under pure differential privacy; person: cells of their rows, over and over."""
    found_keys = asked.get("keys") == "found"
    loss = Loss("pure", loss_of(CLAIM, 0.0).units, int(KEYS_DELTA * 10**18) if found_keys else 0)
    by = f" by {asked['by'][0]}" if "by" in asked else ""
    of = f" of {asked['of']}" if "of" in asked else ""
    what = f"{asked['measure']}{of}{by}" + (", keys found" if found_keys else "")
    what += (", consistent totals" if "totals" in asked else "") + (
        ", keys of one person" if score is some_shown else ""
    )
    counted: Callable[..., float] = share_of_delta if score is some_shown else epsilon_lower_bound
    scores = partial(released, asked, loss, person, score, broken)
    event = Event(0.5, above=True) if score is some_shown else None
    return Mechanism(what, scores, partial(counted, confidence=CONFIDENCE), broken, event)


def noise(delta: float, factor: float = 1.0) -> Mechanism:
    """A count with Laplace noise at δ = 0, with Gaussian noise otherwise."""
    counted: Callable[..., float] = epsilon_of_gaussian if delta else epsilon_lower_bound
    return Mechanism(
        f"{'Gaussian' if delta else 'Laplace'} noise",
        partial(noise_alone, delta, factor),
        partial(counted, confidence=CONFIDENCE),
        f"sensitivity too small, × {factor:g}" if factor > 1 else "",
    )


CONFIDENCE = 0.999
"""Of every bound: a sound mechanism is called broken once in a thousand audits."""

COUNT = {"measure": "count", "by": ["ward"]}
PEOPLE = {"measure": "people", "by": ["ward"]}
SUM = {"measure": "sum", "of": "age"}
FOUND = {"measure": "people", "by": ["found"], "keys": "found"}
WARDS = ("a", "b", "c")
NEW_KEYS = ("p0", "p1", "p2")
"""Keys that nobody else has."""

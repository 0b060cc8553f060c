"""The synthesizer, run once on many people of whom each is in the data by the toss of a coin."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from anon_platform.dp import loss_of
from anon_platform.dp.audit import epsilon_lower_bound, one_run_lower_bound
from anon_platform.dp.domain import Categories, Domain
from anon_platform.dp.synthetic import Synthesis, Synthetic, light, synthesize
from anon_platform_tests.dp.audited_mechanisms import (
    CLAIM,
    CONFIDENCE,
    CONTRIBUTION,
    Mechanism,
    noise_too_small,
)

PEOPLE = 4_000
"""Each has a category of their own."""

GUESSES = PEOPLE // 2
"""About those who look most like in, and most like out, half each."""

CROWD = 60
"""Rows of other people in each category: a category that hardly anybody has is not told apart."""


@dataclass(frozen=True)
class OneRun:
    """What an onlooker got right, and the bound that follows."""

    what: str
    claim: float
    people: int
    guesses: int
    correct: int

    @property
    def bound(self) -> float:
        """ε at least."""
        return one_run_lower_bound(self.people, self.guesses, self.correct, confidence=CONFIDENCE)


def categories() -> tuple[str, ...]:
    """One a person."""
    return tuple(f"p{number:04d}" for number in range(PEOPLE))


def in_the_table(made: Synthetic) -> Counter[str]:
    """Rows of each category in the synthetic table."""
    return Counter(made.table["who"].drop_nulls().to_list())


def in_the_marginals(made: Synthetic) -> Counter[str]:
    """Noisy rows of each category, of all marginals that name it."""
    counts: Counter[str] = Counter()
    for one in made.measured:
        if "who" in one["columns"]:
            cells = np.asarray(one["cells"]).reshape(one["shape"])
            axis = one["columns"].index("who")
            sums = cells.sum(axis=tuple(other for other in range(cells.ndim) if other != axis))
            for name, count in zip(categories(), sums, strict=False):
                counts[name] += int(count)
    return counts


ONE_RUNS: dict[str, tuple[Callable[[Synthetic], Counter[str]], bool]] = {
    "noisy marginals, one column": (in_the_marginals, False),
    "synthetic table, one column": (in_the_table, False),
    "synthetic table, three columns": (in_the_table, True),
}
"""What is looked at, and whether there are other columns."""


def one_run(name: str, epsilon: float = CLAIM, seed: int = 11) -> OneRun:
    """A table with and without, one synthesis of it, and guesses; the coins and the ties are drawn from the seed."""
    look, more = ONE_RUNS[name]
    rng = np.random.default_rng(seed)
    present = rng.integers(0, 2, PEOPLE).astype(bool)
    who = np.repeat(np.asarray(categories()), CROWD + CONTRIBUTION * present)
    made = made_of(who, categories(), rng, epsilon, more=more)
    counts = look(made)
    scores = np.asarray([counts[one] for one in categories()]) + rng.random(PEOPLE) / 2
    order = np.argsort(scores)
    out, in_ = order[: GUESSES // 2], order[-GUESSES // 2 :]
    correct = int((~present[out]).sum() + present[in_].sum())
    return OneRun(name, epsilon, PEOPLE, GUESSES, correct)


def made_of(
    who: NDArray[Any], names: tuple[str, ...], rng: np.random.Generator, epsilon: float = CLAIM, *, more: bool
) -> Synthetic:
    """The synthesis of a table with the column `who`; more: and two others."""
    columns = {"who": who}
    domains: dict[str, Domain] = {"who": Categories(kind="categories", values=names)}
    if more:
        for other in ("ward", "sex"):
            columns[other] = np.tile(["a", "b", "b"], len(who))[: len(who)]
            domains[other] = Categories(kind="categories", values=("a", "b"))
    settings, loss = Synthesis(rows="noisy"), loss_of(epsilon, 0.0)
    return synthesize(pl.DataFrame(columns), settings, domains, set(domains), loss, CONTRIBUTION, rng)


def many_runs(broken: str, *, more: bool, with_person: bool, runs: int, seed: int) -> NDArray[np.float64]:
    """Rows of the person's category in the table, run after run."""
    rng = np.random.default_rng(seed)
    who = np.repeat(["a", "b", "c"], [CROWD + CONTRIBUTION * with_person, CROWD, CROWD])
    with noise_too_small(1.5 if broken else 1.0, light):
        tables = (made_of(who, ("a", "b", "c"), rng, more=more) for _ in range(runs))
        return np.asarray([float(in_the_table(made)["a"]) for made in tables])


def synthesis(broken: str = "", *, more: bool = False) -> Mechanism:
    """A synthetic table of one column, or of three. broken: the noise is too small by half."""
    return Mechanism(
        f"synthetic table, {'three columns' if more else 'one column'}",
        partial(many_runs, broken, more=more),
        partial(epsilon_lower_bound, confidence=CONFIDENCE),
        broken,
    )

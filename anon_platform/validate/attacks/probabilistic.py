"""Probabilistic linkage: how much an agreement speaks for the same person, learnt from all pairs at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.table import PERSON
from anon_platform.validate.attacks.candidates import Candidates, Compared, candidates

Floats = npt.NDArray[np.float64]

ROUNDS = 200
STILL = 1e-7
"""The EM ends when no probability moves further in a round."""

LIKELIER = 0.5
"""From this probability on a single candidate is claimed."""

MOST_COLUMNS = 10
"""Comparisons; every set of them that may agree is looked at."""


@dataclass(frozen=True)
class Weights:
    """m, u: for each comparison the probability that it agrees, of the same person and of different people.

    prior: the share of pairs that are the same person.
    """

    m: Floats
    u: Floats
    prior: float

    def weight(self, agree: Sequence[int]) -> float:
        """log2 of the likelihood ratio of a pair in which exactly these comparisons agree."""
        at = np.zeros(len(self.m), np.bool_)
        at[list(agree)] = True
        return float(np.log2(np.where(at, self.m / self.u, (1 - self.m) / (1 - self.u))).sum())

    def belief(self, agree: Sequence[int]) -> float:
        """The probability that such a pair is the same person, where every comparison could be made."""
        return float(self.beliefs(agree, np.zeros((1, len(self.m)), np.bool_))[0])

    def beliefs(self, agree: Sequence[int], unknown: npt.NDArray[np.bool_]) -> Floats:
        """The same for people of whom some values are not known (one row a person, one column a comparison)."""
        at = np.zeros(len(self.m), np.bool_)
        at[list(agree)] = True
        each = np.log2(np.where(at, self.m / self.u, (1 - self.m) / (1 - self.u)))
        log_odds = np.log2(self.prior / (1 - self.prior)) + np.where(unknown, 0.0, each).sum(axis=1)
        return np.asarray(1 / (1 + 2.0 ** np.clip(-log_odds, -500, 500)))


def learn(patterns: npt.NDArray[np.bool_], pairs: Floats, most: float) -> Weights:
    """The m and u of every comparison, and the prior, by expectation and maximization over a table of patterns.

    patterns: one row a pattern, one column a comparison, whether it agrees; pairs: how many pairs have it. most: the
    share of pairs that can be the same person at most. u begins as it is over all pairs, nearly all of different people; m
    stays above it: an agreement never speaks against.
    Source: Fellegi, Sunter 1969, A theory for record linkage, sections 2 and 3.3; Winkler 1988, Using the EM algorithm
    for weight computation in the Fellegi-Sunter model; u from all pairs as in Linacre et al. 2022, Splink.
    """
    total = pairs.sum()
    u = np.clip(patterns.T @ pairs / total, 1e-9, 1 - 1e-6)
    m = np.maximum(np.full(len(u), 0.9), u + (1 - u) * 0.5)
    prior = most
    for _ in range(ROUNDS):
        same = np.where(patterns, m, 1 - m).prod(axis=1) * prior
        different = np.where(patterns, u, 1 - u).prod(axis=1) * (1 - prior)
        belief = pairs * same / (same + different)
        found = patterns.T @ belief / max(belief.sum(), 1e-300)
        found = np.clip(found, u + (1 - u) * 1e-3, 1 - 1e-6)
        moved = float(np.abs(found - m).max())
        m = found
        rest = pairs - belief
        u = np.clip(patterns.T @ rest / max(rest.sum(), 1e-300), 1e-9, 1 - 1e-6)
        prior = min(max(float(belief.sum() / total), most * 1e-3), most)
        if moved < STILL:
            break
    return Weights(m, u, prior)


@dataclass(frozen=True)
class Best:
    """As `Candidates`: size, only (−1 also where a single candidate is not claimed).

    settled: by the sets of comparisons that settled somebody, whom (places among the known) and their candidates.
    """

    size: npt.NDArray[np.int64]
    only: npt.NDArray[np.int64]
    settled: tuple[tuple[npt.NDArray[np.int64], Candidates], ...]
    weights: Weights

    def hold(self, person: pl.Series) -> npt.NDArray[np.bool_]:
        """As `Candidates.hold`."""
        found = np.zeros(len(person), np.bool_)
        for whom, of_set in self.settled:
            here = of_set.size > 0
            found[whom[here]] = of_set.hold(person.gather(whom))[here]
        return found


def best_candidates(known: pl.DataFrame, compared: Sequence[Compared], rows: pl.DataFrame) -> Best:
    """The candidates of each known person under the likeliest pattern that anybody fits.

    Sets of comparisons in order of weight; a person is settled by the first one that somebody fits, as long as it speaks
    for the same person at all; a single candidate is claimed where he is the same person likelier than not. What is not
    known of a person says nothing. known, rows: as in `candidates`.
    """
    weights = _learnt(known, compared, rows)
    unknown = np.column_stack([known[each.known].is_null().to_numpy() for each in compared])
    size, only = np.zeros(known.height, np.int64), np.full(known.height, -1, np.int64)
    settled = []
    waiting = np.arange(known.height)
    for chosen in sorted(_sets(len(compared)), key=weights.weight, reverse=True):
        if not len(waiting) or weights.weight(chosen) <= 0:
            break
        of_set = _of_set(known[waiting], compared, chosen, rows)
        here = of_set.size > 0
        whom = waiting[here]
        size[whom] = of_set.size[here]
        claimed = weights.beliefs(chosen, unknown[whom]) >= LIKELIER
        only[whom[claimed]] = of_set.only[here][claimed]
        settled.append((waiting, of_set))
        waiting = waiting[~here]
    return Best(size, only, tuple(settled), weights)


def _sets(columns: int) -> list[tuple[int, ...]]:
    """Every set of comparisons but the empty one."""
    sizes = range(1, columns + 1)
    return [chosen for size in sizes for chosen in combinations(range(columns), size)]


def _of_set(
    known: pl.DataFrame, compared: Sequence[Compared], chosen: Sequence[int], rows: pl.DataFrame
) -> Candidates:
    return candidates(known, [compared[i] for i in chosen], rows, missing_fits=False)


def _learnt(known: pl.DataFrame, compared: Sequence[Compared], rows: pl.DataFrame) -> Weights:
    """From the number of pairs that agree at least in each set to those that agree in exactly it, by inclusion and exclusion."""
    columns, people = len(compared), rows[PERSON].n_unique()
    exactly = np.zeros(2**columns)
    exactly[0] = float(known.height) * people
    for chosen in _sets(columns):
        exactly[sum(1 << i for i in chosen)] = float(_of_set(known, compared, chosen, rows).size.sum())
    for i in range(columns):
        with_i = np.flatnonzero(np.arange(2**columns) >> i & 1)
        exactly[with_i ^ (1 << i)] -= exactly[with_i]
    patterns = (np.arange(2**columns)[:, None] >> np.arange(columns) & 1).astype(np.bool_)
    return learn(patterns, np.maximum(exactly, 0.0), 1 / max(people, known.height, 2))

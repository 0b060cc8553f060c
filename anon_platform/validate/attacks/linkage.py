"""Linkage: people of a file that an attacker holds, matched with the raw data and with the release."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anon_platform.table import PERSON
from anon_platform.validate.attacks.candidates import Candidates, Compared, as_codes, candidates
from anon_platform.validate.attacks.intervals import Share, wilson
from anon_platform.validate.attacks.probabilistic import MOST_COLUMNS, Best, best_candidates


@dataclass(frozen=True)
class Held:
    """A file that an attacker holds, as far as he uses it.

    total: people of the file; known: those who are attacked, one row each, texts. person: who each is in the source,
    null where nobody; None where no truth is known. raw, equal, covered: what is compared with the raw data, and with the
    release by equal values and by labels that cover.
    """

    total: int
    known: pl.DataFrame
    person: pl.Series | None
    raw: tuple[Compared, ...]
    equal: tuple[Compared, ...]
    covered: tuple[Compared, ...]


@dataclass(frozen=True)
class Found:
    """What one way of matching found.

    attacked: people; matched: those with a candidate; claims: those with exactly one who is claimed. certain: of the attacked, those
    re-identified (without truth: claimed). precision: of the claims the right ones; recall: of the attacked who are in the
    source those re-identified; None without truth. picked: the share of these that a random pick among the candidates
    would get right on average (without truth: of the attacked, if all of them are in the table); chance: the same of a
    random pick among everybody in the table.
    """

    way: str
    attacked: int
    matched: int
    claims: int
    certain: Share
    precision: Share | None
    recall: Share | None
    picked: float
    chance: float


WAYS = ("exact", "generalization-aware", "probabilistic")
"""By equal values; by labels that cover the value; by the likeliest set of agreements."""


def attack_raw(held: Held, rows: pl.DataFrame, confidence: float) -> list[Found]:
    """Exact and probabilistic matching with the raw data. rows: its compared columns as text, and PERSON."""
    known, compared, table = as_codes(held.known, held.raw, rows)
    found = [scored(WAYS[0], held, candidates(known, compared, table), rows, confidence)]
    if len(compared) <= MOST_COLUMNS:
        found.append(scored(WAYS[2], held, best_candidates(known, compared, table), rows, confidence))
    return found


def attack_release(
    held: Held, rows: pl.DataFrame, confidence: float, *, probabilistic: bool = True
) -> list[Found]:
    """The ways of matching with the release, two or three. rows: its compared columns as text, and PERSON."""
    known, compared, table = as_codes(held.known, held.equal, rows)
    found = [scored(WAYS[0], held, candidates(known, compared, table), rows, confidence)]
    known, compared, table = as_codes(held.known, held.covered, rows)
    found.append(scored(WAYS[1], held, candidates(known, compared, table), rows, confidence))
    if probabilistic and len(compared) <= MOST_COLUMNS:
        found.append(scored(WAYS[2], held, best_candidates(known, compared, table), rows, confidence))
    return found


def scored(way: str, held: Held, found: Candidates | Best, rows: pl.DataFrame, confidence: float) -> Found:
    """The numbers of one way of matching, each person of the file one attempt."""
    attacked, people = held.known.height, rows[PERSON].n_unique()
    claimed = found.only >= 0
    claims = int(claimed.sum())
    chance = 1 / people if people else 0.0
    inverse = np.divide(1.0, found.size, out=np.zeros(attacked), where=found.size > 0)
    matched = int((found.size > 0).sum())
    if held.person is None:
        picked = float(inverse.sum()) / attacked if attacked else 0.0
        return Found(
            way, attacked, matched, claims, wilson(claims, attacked, confidence), None, None, picked, chance
        )
    truth: npt.NDArray[np.int64] = held.person.cast(pl.Int64).fill_null(-1).to_numpy()
    right = int((claimed & (found.only == truth) & (truth >= 0)).sum())
    there = int((truth >= 0).sum())
    picked = float((inverse * found.hold(held.person)).sum()) / there if there else 0.0
    return Found(
        way, attacked, matched, claims,
        wilson(right, attacked, confidence), wilson(right, claims, confidence), wilson(right, there, confidence),
        picked, chance,
    )  # fmt: skip


def worst(found: Sequence[Found], measure: str) -> Share | None:
    """The share (`certain` or `recall`) of the way whose interval reaches highest; None where none has it."""
    shares = [share for each in found if (share := getattr(each, measure)) is not None]
    return max(shares, key=lambda share: share.high, default=None)

"""What becomes of one clause of a regulation: a verdict, what was looked at, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "needs a human"]

LEAST = 11
"""Smallest count of rows or texts that a reason tells."""

_FEW = re.compile(r"(?<![\d,.])(?:[1-9]|10) (row|text)s?\b")


@dataclass(frozen=True)
class Ruling:
    """What became of one clause. looked_at: in words. reasons: why it fails or needs a human, column by column."""

    verdict: Verdict
    looked_at: str
    reasons: tuple[str, ...] = ()


def ruled(looked_at: str, failing: Sequence[str], unsure: Sequence[str] = ()) -> Ruling:
    """The ruling: fail with one reason to fail, a human with one to doubt, else pass."""
    if failing:
        return Ruling("fail", looked_at, tuple(map(without_few, failing)))
    if unsure:
        return Ruling("needs a human", looked_at, tuple(map(without_few, unsure)))
    return Ruling("pass", looked_at)


def without_few(reason: str) -> str:
    """The reason with few rows or texts as fewer than 11: such a count points at people (CMS cell size policy).

    >>> without_few("fax numbers in 3 rows, e-mail addresses in 1,200 rows")
    'fax numbers in fewer than 11 rows, e-mail addresses in 1,200 rows'
    """
    return _FEW.sub(f"fewer than {LEAST} \\1s", reason)


def counted(number: int, noun: str) -> str:
    """The number with its noun.

    >>> counted(1, "released column"), counted(1200, "text")
    ('1 released column', '1,200 texts')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")

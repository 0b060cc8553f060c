"""Seeded randomness: named streams, weighted choice, choice within a group, unique numbers."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """A random generator for one purpose, independent of the generators of all other purposes.

    Because a purpose has its own stream, leaving one out (no notes, say) changes nothing else.

    >>> bool(stream(7, "notes", 0).random() == stream(7, "notes", 0).random())
    True
    >>> bool(stream(7, "notes", 0).random() == stream(7, "notes", 1).random())
    False
    """
    return np.random.default_rng([seed, *(zlib.crc32(str(part).encode()) for part in purpose)])


@dataclass(frozen=True)
class WeightedChoice:
    """Draws positions in a list with probability proportional to their weights."""

    cumulative: Floats
    """Running sum of the weights divided by their total; the last entry is 1."""

    @classmethod
    def of(cls, weights: npt.ArrayLike) -> Self:
        """The choice among `len(weights)` positions; weights are ≥ 0 and not all zero."""
        running = np.cumsum(np.asarray(weights, dtype=np.float64))
        return cls(running / running[-1])

    def draw(self, rng: np.random.Generator, size: int) -> Ints:
        """Positions from 0, `size` of them.

        >>> WeightedChoice.of([0, 1, 0]).draw(np.random.default_rng(1), 3).tolist()
        [1, 1, 1]
        """
        return np.searchsorted(self.cumulative, rng.random(size), side="right").astype(np.int64)


@dataclass(frozen=True)
class GroupedChoice:
    """Draws a member of a given group, each member of the group equally likely."""

    members: Ints
    """The members of group 0, then of group 1, and so on."""
    first: Ints
    """Position in `members` where each group begins."""
    count: Ints
    """Members of each group, ≥ 1."""

    @classmethod
    def of(cls, groups: Sequence[Sequence[int]]) -> Self:
        """The choice within explicit lists of members, one list a group."""
        count = np.array([len(group) for group in groups], dtype=np.int64)
        members = np.array([member for group in groups for member in group], dtype=np.int64)
        return cls(members, np.cumsum(count) - count, count)

    @classmethod
    def by_code(cls, codes: Ints) -> Self:
        """The choice among positions that bear the same code; every code 0..max occurs."""
        count = np.bincount(codes).astype(np.int64)
        return cls(np.argsort(codes, kind="stable"), np.cumsum(count) - count, count)

    def draw(self, rng: np.random.Generator, groups: Ints) -> Ints:
        """One member for each entry of `groups`.

        >>> choice = GroupedChoice.of([[5], [8, 9]])
        >>> choice.draw(np.random.default_rng(1), np.array([0, 0, 0])).tolist()
        [5, 5, 5]
        """
        within = (rng.random(len(groups)) * self.count[groups]).astype(np.int64)
        drawn: Ints = self.members[self.first[groups] + within]
        return drawn


@dataclass(frozen=True)
class Numbering:
    """Unique numbers that look random: an affine map modulo a prime never repeats below the prime."""

    prime: int
    multiplier: int
    offset: int

    @classmethod
    def draw(cls, rng: np.random.Generator, prime: int) -> Self:
        """A random numbering of up to `prime` things; `prime` is at most 10 digits."""
        return cls(prime, int(rng.integers(prime // 4, prime // 2)), int(rng.integers(prime)))

    def of(self, ordinals: Ints) -> Ints:
        """Numbers 0..prime-1, different for different ordinals 0..prime-1.

        int64 holds the product while ordinals stay below 10^8 and the multiplier below 5·10^9.

        >>> sorted(Numbering(7, 3, 5).of(np.arange(7)).tolist())
        [0, 1, 2, 3, 4, 5, 6]
        """
        numbers: Ints = (ordinals * self.multiplier + self.offset) % self.prime
        return numbers

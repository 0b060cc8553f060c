"""The word lists of a language as one table: a folded word, and what it can be."""

import gzip
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from functools import cache
from importlib.resources import files

from anon_platform.text.language import Language

LONGEST_PLACE = 5
"""Words in the name of a place, at most."""

_LETTERS = str.maketrans("øłßđıðæœþ", "olsdidaot")


class Kind(IntFlag):
    """What a word can be."""

    GIVEN = 1
    COMMON_GIVEN = 2
    FAMILY = 4
    COMMON_FAMILY = 8
    PLACE = 16
    MAJOR_PLACE = 32
    WORD = 64
    BLOCKED = 128
    """An eponym, a product, a calendar word: no name unless a title or a label says so."""
    TITLE = 256
    CREDENTIAL = 512


GIVEN, COMMON_GIVEN, FAMILY, COMMON_FAMILY, PLACE, MAJOR, WORD, BLOCKED, TITLE, CREDENTIAL = map(int, Kind)
"""The same as plain numbers, which are several times as fast."""

NAME = GIVEN | FAMILY


def fold(word: str) -> str:
    """The word in small letters, without accents and stops; as long as the word lists have it.

    >>> fold("José"), fold("U.S.")
    ('jose', 'u.s')
    """
    if not word.isascii():
        word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
        return word.lower().translate(_LETTERS).rstrip(".").replace("’", "'")
    return word.lower().rstrip(".")


@dataclass(frozen=True)
class Words:
    """What the lists of a language say.

    kinds: what each word can be, as flags. places, place_heads: places of several words in small letters, and their
    first words. credentials: what stands behind names.
    """

    kinds: dict[str, int]
    places: frozenset[str]
    place_heads: frozenset[str]
    credentials: frozenset[str]


def words(language: Language) -> Words:
    """The word lists of a language; read anew at each call."""
    kinds: dict[str, int] = {}
    lists = language.lexicon
    _mark(kinds, _listed(lists.words)[0], WORD)
    _mark(kinds, [name for name in _listed(lists.given)[1] if len(name) > 2], GIVEN)  # noqa: PLR2004 - "In", "So"
    _mark(kinds, _listed(lists.given)[0], GIVEN | COMMON_GIVEN)
    _mark(kinds, _listed(lists.family)[1], FAMILY)
    _mark(kinds, _listed(lists.family)[0], FAMILY | COMMON_FAMILY)
    major, minor = _listed(lists.places)
    _mark(kinds, [place for place in major if " " not in place], PLACE | MAJOR)
    _mark(kinds, [place for place in minor if " " not in place], PLACE)
    calendar = (*language.months, *language.weekdays)
    for word in language.names_despite_words:
        kinds[word] = (kinds.get(word, 0) & ~WORD) | (0 if kinds.get(word, 0) & FAMILY else GIVEN)
    _mark(kinds, (*language.not_names, *language.wards, *calendar), BLOCKED)
    _mark(kinds, language.titles, TITLE | WORD)
    _mark(kinds, language.credentials, CREDENTIAL)
    for place in language.places:
        kinds[place] = PLACE | MAJOR
    several = frozenset(
        place.replace(".", "") for place in (*major, *minor, *language.places) if " " in place or "-" in place
    )
    return Words(
        kinds, several, frozenset(place.split()[0] for place in several), frozenset(language.credentials)
    )


def _mark(kinds: dict[str, int], listed: Iterable[str], kind: int) -> None:
    for word in map(fold, listed):
        kinds[word] = kinds.get(word, 0) | kind


@cache
def _listed(name: str | None) -> tuple[list[str], list[str]]:
    """The frequent entries of a list, which stand above its empty line, and the others."""
    if name is None:
        return [], []
    packed = files(__package__).joinpath("data", f"{name}.txt.gz").read_bytes()
    frequent, _, others = gzip.decompress(packed).decode().partition("\n\n")
    return frequent.split("\n"), others.split("\n") if others else []

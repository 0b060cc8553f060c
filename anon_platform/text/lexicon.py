"""The word lists of a language as one table: a folded word, and what it can be."""

import gzip
import unicodedata
from dataclasses import dataclass
from enum import IntFlag
from functools import cache
from importlib.resources import files

from anon_platform.text.language import Language

COMMON_GIVEN, COMMON_FAMILY, MAJOR_PLACES = 1_072, 2_223, 7_162
"""How many entries at the head of a list are frequent ones."""

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


GIVEN, COMMON_GIVEN_, FAMILY, COMMON_FAMILY_, PLACE, MAJOR, WORD, BLOCKED, TITLE, CREDENTIAL = map(int, Kind)
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
    """kinds: what each word can be, as flags. places: names of places of several words, in small letters.
    place_heads: their first words."""

    kinds: dict[str, int]
    places: frozenset[str]
    place_heads: frozenset[str]


@cache
def words(language: Language) -> Words:
    """The word lists of a language; read once a process."""
    kinds: dict[str, int] = {}
    lists = language.lexicon
    _mark(kinds, _listed(lists.words), WORD)
    _mark(kinds, _listed(lists.given), GIVEN, COMMON_GIVEN_, COMMON_GIVEN)
    _mark(kinds, _listed(lists.family), FAMILY, COMMON_FAMILY_, COMMON_FAMILY)
    listed = _listed(lists.places)
    _mark(kinds, [place for place in listed[:MAJOR_PLACES] if " " not in place], PLACE | MAJOR)
    _mark(kinds, [place for place in listed[MAJOR_PLACES:] if " " not in place], PLACE)
    calendar = (*language.months, *language.weekdays)
    for word in language.names_despite_words:
        kinds[word] = (kinds.get(word, 0) & ~WORD) | (0 if kinds.get(word, 0) & FAMILY else GIVEN)
    _mark(kinds, (*language.not_names, *language.wards, *calendar), BLOCKED)
    _mark(kinds, language.titles, TITLE | WORD)
    _mark(kinds, language.credentials, CREDENTIAL)
    for place in language.places:
        kinds[place] = (kinds.get(place, 0) | PLACE | MAJOR) & ~(WORD | BLOCKED)
    several = frozenset(
        place.replace(".", "") for place in (*listed, *language.places) if " " in place or "-" in place
    )
    return Words(kinds, several, frozenset(place.split()[0] for place in several))


def _mark(
    kinds: dict[str, int], listed: tuple[str, ...] | list[str], kind: int, frequent: int = 0, head: int = 0
) -> None:
    for number, word in enumerate(listed):
        kinds[word] = kinds.get(word, 0) | kind | (frequent if number < head else 0)


def _listed(name: str | None) -> list[str]:
    if name is None:
        return []
    packed = files(__package__).joinpath("data", f"{name}.txt.gz").read_bytes()
    return gzip.decompress(packed).decode().split("\n")

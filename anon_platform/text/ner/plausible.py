"""Entities of a model as names in their document: without titles, and none where words and terms explain better."""

import re
from bisect import bisect_left
from typing import NamedTuple

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import (
    BLOCKED,
    COMMON_FAMILY,
    COMMON_GIVEN,
    CREDENTIAL,
    NAME,
    PLACE,
    TITLE,
    WORD,
)
from anon_platform.text.rules.eponyms import Eponyms
from anon_platform.text.spans import POSSIBLE, Span, trimmed

_PAUSE = re.compile(r"\s[-–—|/]|[\n,;:(]")
_NUMBERED = re.compile(r"\s?[:<>]?\s?\d")
_DOSED = re.compile(r"\s?(?:[:=<>]\s?\d|\d+(?:[.,]\d+)?\s?(?:mg|mcg|µg|g|ml|mL|units?|IU|%|tabs?|mEq)(?!\w))")
_DRAWN_OUT = re.compile(r"(\w)\1\1", re.IGNORECASE)
_HOUSE_NUMBER = re.compile(r"\d+[A-Za-z]?\s+")

LONG = 4
"""Letters that a name in small letters has at least, if no list has it."""

ACRONYM = 5
"""Letters of a word in capitals that is more likely an abbreviation than a name."""

TELLING = 5
"""Digits that tell a number without a label beside it: fewer are a dose, a count or a year."""

NAMED = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})
"""Labels of what has a name, made of words; the others are numbers and addresses of the net."""


class Entity(NamedTuple):
    """What a model takes the characters `start` to `end` (exclusive) of a sentence for; label: one of ours."""

    start: int
    end: int
    label: str
    numbers: bool = False
    """Whether the model tells house numbers, post codes and the like, so that digits at its ends belong to it."""


class Plausible:
    """The check of entities against the words of their document."""

    def __init__(self, language: Language, eponyms: Eponyms) -> None:
        """The language's cues of places and its titles."""
        self._eponyms = eponyms
        self._where = frozenset({"at", "near", "outside", "inside", "in", "to"}) & {*language.place_cues}
        self._nouns = frozenset(language.place_nouns)
        self._stops = frozenset({*language.titles, "the", "a", "an"})

    def checked(self, document: Document, entity: Entity, offset: int) -> Span | None:
        """The entity of the sentence at `offset` in its document; None for what words and terms explain better."""
        first, last = entity.start + offset, entity.end + offset
        if entity.numbers and (entity.label not in NAMED or not words_within(document, first, last)):
            return _number(document.text, first, last, entity.label)
        numbers = self._narrowed(document, words_within(document, first, last))
        if not numbers or not self._is_plausible(document, numbers, entity.label):
            return None
        start, end = trimmed(document.text, document.starts[numbers[0]], document.ends[numbers[-1]])
        if document.text[end : end + 1] == "." and len(document.forms[numbers[-1]]) == 1:
            end += 1
        label = self._label(document, numbers, entity.label)
        if entity.numbers and label == "LOCATION" and _HOUSE_NUMBER.fullmatch(document.text, first, start):
            start = first
        return Span(start, end, label, POSSIBLE)

    def _label(self, document: Document, numbers: list[int], label: str) -> str:
        """The label; what a model calls an organization is a place by its last word, or a person as one unknown word."""
        if label != "ORGANIZATION":
            return label
        if document.folded[numbers[-1]] in self._nouns and len(numbers) > 1:
            return "LOCATION"
        before = numbers[0] - 1 - (numbers[0] > 0 and document.folded[numbers[0] - 1] == "the")
        if before >= 0 and document.folded[before] in self._where and document.capitalized[numbers[0]]:
            return "LOCATION"
        kind, form = document.kinds[numbers[0]], document.forms[numbers[0]]
        unknown = len(numbers) == 1 and not kind & ~NAME and not form.isupper()
        return "PERSON" if unknown and len(form) > 3 and not _DRAWN_OUT.search(form) else label  # noqa: PLR2004

    def _narrowed(self, document: Document, numbers: list[int]) -> list[int]:
        """The words up to a dash or comma, without titles, articles and, beside capitalized ones, words in small letters."""
        cut = next(
            (at for at, number in enumerate(numbers[:-1]) if _PAUSE.search(document.gap(number))),
            len(numbers),
        )
        numbers = numbers[: cut + 1]
        capitalized = [at for at, number in enumerate(numbers) if document.capitalized[number]]
        if capitalized:
            numbers = numbers[capitalized[0] : capitalized[-1] + 1]
        while numbers and document.folded[numbers[0]] in self._stops:
            numbers = numbers[1:]
        if (
            len(numbers) > 1
            and document.opens_sentence(numbers[0])
            and document.kinds[numbers[1]] & COMMON_GIVEN
        ):
            numbers = numbers if document.kinds[numbers[0]] & (WORD | NAME) != WORD else numbers[1:]
        return numbers

    def _is_plausible(self, document: Document, numbers: list[int], label: str) -> bool:
        kinds = [document.kinds[number] for number in numbers]
        if all(kind & (BLOCKED | TITLE | CREDENTIAL) for kind in kinds) or self._is_term(document, numbers):
            return False
        if label == "ORGANIZATION":
            # WBC 7.8: an abbreviation with a number behind it is measured
            return not (
                _is_abbreviation(document, numbers)
                and _NUMBERED.match(document.text, document.ends[numbers[-1]])
            )
        if _is_abbreviation(document, numbers) or any(
            _DRAWN_OUT.search(document.forms[number]) for number in numbers
        ):
            return False
        if not any(document.capitalized[number] for number in numbers):
            return any(
                not kind & WORD and (kind & (NAME | PLACE) or len(document.forms[number]) >= LONG)
                for number, kind in zip(numbers, kinds, strict=True)
            )
        return not all(kind & WORD for kind in kinds) or _is_name_of_words(document, numbers, label)

    def _is_term(self, document: Document, numbers: list[int]) -> bool:
        if _DOSED.match(document.text, document.ends[numbers[-1]]):
            return True
        drug = len(numbers) == 1 and self._eponyms.is_drug(document, numbers[0])
        return drug or self._eponyms.in_term(document, numbers[-1])


def _number(text: str, start: int, end: int, label: str) -> Span | None:
    """What a model calls a number or an address of the net, if it looks like one."""
    start, end = trimmed(text, start, end)
    found = text[start:end]
    sign = {"EMAIL_ADDRESS": "@", "URL": "."}.get(label)
    looks_like_one = sum(map(str.isdigit, found)) >= TELLING if sign is None else sign in found
    return Span(start, end, label, POSSIBLE) if looks_like_one else None


def _is_abbreviation(document: Document, numbers: list[int]) -> bool:
    """Whether all words are short and in capitals, and no list has them as names or places."""
    return all(
        document.forms[number].isupper()
        and len(document.forms[number]) <= ACRONYM
        and not document.kinds[number] & (PLACE | COMMON_GIVEN)
        for number in numbers
    )


def _is_name_of_words(document: Document, numbers: list[int], label: str) -> bool:
    """Whether words that are all plain words are a name here: `Brown said`, `near River Garden`."""
    kinds = [document.kinds[number] for number in numbers]
    opens = document.opens_sentence(numbers[0])
    if label == "LOCATION":
        stressed = all(
            document.capitalized[number] and not document.forms[number].isupper() for number in numbers
        )
        return len(numbers) > 1 and stressed and not opens
    return any(kind & (COMMON_GIVEN | COMMON_FAMILY) or (kind & NAME and not opens) for kind in kinds)


def words_within(document: Document, start: int, end: int) -> list[int]:
    """Numbers of the words that begin there."""
    first = bisect_left(document.starts, start)
    last = bisect_left(document.starts, end, lo=first)
    return list(range(first, last))

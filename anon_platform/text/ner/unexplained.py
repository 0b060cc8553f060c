"""Models for the sentences that the rules leave unexplained, each sentence once."""

import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Protocol

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
from anon_platform.text.ner.plausible import ACRONYM, LONG, Entity, Plausible, words_within
from anon_platform.text.rules.eponyms import Eponyms
from anon_platform.text.spans import UNSURE, Span

_HALVES = re.compile("[\ud800-\udfff]")

REMEMBERED = 50_000
"""Sentences whose entities are kept; at about 200 bytes each, 10 MB."""

Entities = tuple[Entity, ...]


class Recognizer(Protocol):
    """A model of named entities."""

    def entities(self, sentences: Sequence[str]) -> list[Entities]:
        """The entities of each sentence; those of one do not hang on the others."""
        ...


class NamedEntities:
    """The entities that one model or several find in what the rules leave."""

    def __init__(self, language: Language, recognizers: Sequence[Recognizer]) -> None:
        """Every recognizer is asked about the same sentences."""
        self.recognizers = tuple(recognizers)
        self._eponyms = Eponyms(language)
        self._plausible = Plausible(language, self._eponyms)
        self._known: OrderedDict[str, Entities] = OrderedDict()

    def find(self, documents: Sequence[Document], found: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """Entities of the sentences with a capitalized word that no span, list or rule explains.

        found: what the rules found in each document.
        """
        asked = [
            [
                place
                for place in document.sentences
                if _is_unexplained(document, place, covered, self._eponyms)
            ]
            for document, covered in zip(documents, map(_covered, found), strict=True)
        ]
        self._learn(
            [d.text[start:end] for d, places in zip(documents, asked, strict=True) for start, end in places]
        )
        answers = [
            [span for place in places for span in self._spans(document, place)]
            for document, places in zip(documents, asked, strict=True)
        ]
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return answers

    def _learn(self, sentences: list[str]) -> None:
        new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in self._known]
        if not new:
            return
        # half a pair of UTF-16, as JSON may hold, is no character to a model
        readable = [_HALVES.sub("?", sentence) for sentence in new]
        told = [recognizer.entities(readable) for recognizer in self.recognizers]
        for sentence, *of_each in zip(new, *told, strict=True):
            self._known[sentence] = tuple(entity for entities in of_each for entity in entities)

    def _spans(self, document: Document, place: tuple[int, int]) -> Iterator[Span]:
        sentence = document.text[place[0] : place[1]]
        self._known.move_to_end(sentence)
        for entity in self._known[sentence]:
            if (span := self._plausible.checked(document, entity, place[0])) is not None:
                yield span


def _covered(spans: Sequence[Span]) -> list[tuple[int, int]]:
    return sorted((span.start, span.end) for span in spans if span.score > UNSURE)


def _is_unexplained(
    document: Document, place: tuple[int, int], covered: list[tuple[int, int]], eponyms: Eponyms
) -> bool:
    """Whether a capitalized word of the sentence may be a name, and no span has it."""
    numbers = words_within(document, *place)
    if not any(document.capitalized[number] for number in numbers):  # somebody who writes all names small
        return any(not document.kinds[number] and len(document.forms[number]) >= LONG for number in numbers)
    for number in numbers:
        if not document.capitalized[number] or not _may_be_name(document, number):
            continue
        start = document.starts[number]
        at = _last_before(covered, start)
        if not any(
            first <= start < last for first, last in covered[max(at - 3, 0) : at + 1]
        ) and not eponyms.at(document, number):
            return True
    return False


def _last_before(covered: list[tuple[int, int]], start: int) -> int:
    return bisect_right(covered, (start, 1 << 60)) - 1


def _may_be_name(document: Document, number: int) -> bool:
    kind, form = document.kinds[number], document.forms[number]
    if kind & (BLOCKED | TITLE | CREDENTIAL) or len(form) == 1:
        return False
    if form.isupper() and len(form) <= ACRONYM and not kind & COMMON_GIVEN:
        return False
    if kind & WORD:
        if form.isupper():
            return False
        return bool(kind & (COMMON_GIVEN | COMMON_FAMILY)) or (
            bool(kind & (NAME | PLACE)) and not document.opens_sentence(number)
        )
    return True

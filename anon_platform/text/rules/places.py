"""Places from word lists: cities, states, countries."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import (
    BLOCKED,
    COMMON_FAMILY,
    COMMON_GIVEN,
    FAMILY,
    GIVEN,
    LONGEST_PLACE,
    MAJOR,
    PLACE,
    TITLE,
    WORD,
)
from anon_platform.text.rules.eponyms import Eponyms
from anon_platform.text.rules.wording import any_of
from anon_platform.text.spans import LIKELY, POSSIBLE, Span

SMALL = 5
"""Letters that a place written in small letters has at least."""


def places(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for LOCATION by word lists."""
    return _Places(language).find


class _Places:
    def __init__(self, language: Language) -> None:
        self.cues = frozenset(language.place_cues)
        self.states = frozenset(language.states)
        self.region = re.compile(rf",\s?(?:{'|'.join(language.states) or '(?!)'})(?!\w)")
        codes = "|".join(language.post_codes) or "(?!)"
        self.post_code = re.compile(rf",?\s(?:{codes})(?![\w/]|[-.,]\d)")
        self.eponyms = Eponyms(language)
        dotted = [place for place in language.places if "." in place]
        self.dotted = re.compile(rf"(?<![\w.]){any_of(dotted)}\.?(?!\w)", re.IGNORECASE)

    def find(self, document: Document) -> Iterator[Span]:
        """Spans of places; a name that is a plain word too needs a word such as `in` before it, or a state after it."""
        if "." in document.text:
            for match in self.dotted.finditer(document.text):
                yield Span(match.start(), match.end(), "LOCATION", LIKELY)
        number, count = 0, len(document.kinds)
        heads, capitalized, kinds = document.lists.place_heads, document.capitalized, document.kinds
        while number < count:
            end = number
            if capitalized[number]:
                if document.folded[number] in heads:
                    end = self._several(document, number)
                if end == number and kinds[number] & PLACE and self._is_place(document, number):
                    end = number + 1
            elif document.folded[number] in heads and kinds[number] & (PLACE | WORD):
                end = self._several_small(document, number)
            if (
                end == number
                and not capitalized[number]
                and kinds[number] & MAJOR
                and self._is_place_in_small_letters(document, number)
            ):
                end = number + 1
            if end > number:
                yield from self._spans(document, number, end)
            number = max(end, number + 1)

    def _spans(self, document: Document, number: int, end: int) -> Iterator[Span]:
        start, stop = document.starts[number], document.ends[end - 1]
        region = self.region.match(document.text, stop) or self.post_code.match(document.text, stop)
        score = LIKELY if region or end - number > 1 else POSSIBLE
        yield Span(start, region.end() if region else stop, "LOCATION", score)

    def _several(self, document: Document, number: int) -> int:
        """End of the longest listed place of several words from here, the number itself if there is none."""
        last = min(number + LONGEST_PLACE, len(document.forms))
        joined = document.folded[number]
        best = number + 1 if joined in document.lists.places else number
        for at in range(number + 1, last):
            gap = document.gap(at - 1)
            if gap not in {" ", ". ", "-", ".", " '", "\n"} or gap == "\n":
                break
            joined += ("-" if gap == "-" else " ") + document.folded[at]
            if joined in document.lists.places and document.capitalized[at]:
                best = at + 1
        if best == number + 1 or (best > number and self._is_phrase(document, number, best)):
            return best if self._is_stressed(document, number) else number
        return best

    def _several_small(self, document: Document, number: int) -> int:
        """End of a place of two words in small letters that are not both plain words: `san francisco`."""
        if number + 1 >= len(document.forms) or document.gap(number) != " ":
            return number
        joined = f"{document.folded[number]} {document.folded[number + 1]}"
        known = joined in document.lists.places and not document.kinds[number + 1] & WORD
        return number + 2 if known else number

    @staticmethod
    def _is_phrase(document: Document, number: int, end: int) -> bool:
        """Whether all its words are plain words, as in `Blue Springs`."""
        return all(document.kinds[at] & WORD and not document.kinds[at] & MAJOR for at in range(number, end))

    def _is_stressed(self, document: Document, number: int) -> bool:
        return not document.opens_sentence(number) and not document.forms[number].isupper()

    def _is_place(self, document: Document, number: int) -> bool:
        kind, form = document.kinds[number], document.forms[number]
        if self.region.match(document.text, document.ends[number]):
            return not kind & TITLE and not self._ends_name(document, number)
        if kind & BLOCKED or (len(form) < 4 and not form.isupper()):  # noqa: PLR2004
            return False
        cued = number > 0 and document.folded[number - 1] in self.cues and document.gap(number - 1) == " "
        if kind & WORD or (not kind & MAJOR and (len(form) < SMALL or kind & (GIVEN | FAMILY))):
            return (
                cued
                and not form.isupper()
                and not self.eponyms.in_term(document, number)
                and self._is_odd(document, number)
            )
        if kind & (COMMON_GIVEN | COMMON_FAMILY) and not cued:
            return False
        return not self.eponyms.in_term(document, number)

    @staticmethod
    def _ends_name(document: Document, number: int) -> bool:
        """Whether a family name stands behind a title, an initial or a given name: `Sarah Chen, MD`."""
        if not number or not document.kinds[number] & FAMILY or document.gap(number - 1) not in {" ", ". "}:
            return False
        return bool(document.kinds[number - 1] & (TITLE | GIVEN)) or len(document.forms[number - 1]) == 1

    @staticmethod
    def _is_odd(document: Document, number: int) -> bool:
        """Whether a capital letter is unusual here: the words beside it have none."""
        after = (
            number + 1 < len(document.forms)
            and document.capitalized[number + 1]
            and document.gap(number) == " "
        )
        return not after or not document.kinds[number] & WORD

    @staticmethod
    def _is_place_in_small_letters(document: Document, number: int) -> bool:
        kind = document.kinds[number]
        return len(document.forms[number]) >= SMALL and not kind & (WORD | BLOCKED | COMMON_GIVEN)

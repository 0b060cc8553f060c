"""Found spans replaced, in batches; and a last look for what the record itself names."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from anon_platform.text.finder import Finder, Note
from anon_platform.text.language import language
from anon_platform.text.record import NAME_COLUMNS, PLACE_COLUMNS, Squeezed
from anon_platform.text.settings import TextSettings
from anon_platform.text.shift import shifted
from anon_platform.text.spans import Span, resolved
from anon_platform.text.surrogates import Surrogates

if TYPE_CHECKING:
    from anon_platform.keys import Key

NOTES = 256
"""Notes searched at a time."""

KEPT_AGE = 89
"""Ages up to this one stay (45 CFR 164.514(b)(2)(i)(C))."""

SHORTEST = 2
"""Letters that a name of the record has at least to be looked for: a single one is in every text."""

SHORTEST_CODE = 3
"""Letters and digits that a value with digits has at least: shorter ones occur by chance."""

TELLING = 5
"""Digits that tell a number also without the letters around them."""

LABELS = (
    "PERSON", "LOCATION", "DATE_TIME", "AGE", "PHONE_NUMBER", "EMAIL_ADDRESS", "URL", "IP_ADDRESS", "MAC_ADDRESS",
    "US_SSN", "CREDIT_CARD", "IBAN_CODE", "ID",
)  # fmt: skip
"""Labels of the rules in any language; a language has more, for numbers that a word announces."""

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")


class Replacer:
    """A finder and what takes the place of its finds. shifts: dates are moved by days, not replaced. counts: how many spans of each label were replaced."""

    def __init__(self, finder: Finder, key: "Key | None", *, shifts: bool = False) -> None:
        self.finder, self.shifts = finder, shifts
        self.surrogates = None if key is None else Surrogates(key, finder.language)
        self.counts: Counter[str] = Counter()

    def replaced(
        self,
        texts: Sequence[str | None],
        records: Sequence[Mapping[str, object]],
        days: Sequence[int] | None = None,
    ) -> list[str | None]:
        """The texts without what identifies; null for null.

        records: of each text what its row holds beside it. days: of each text by how much its dates move.
        """
        if self.shifts != (days is not None):
            raise ValueError("dates move by days, which are given for each text, or not at all")
        released: list[str | None] = []
        for first in range(0, len(texts), NOTES):
            part = slice(first, first + NOTES)
            notes = [Note(text, record) for text, record in zip(texts[part], records[part], strict=True)]
            moves = [None] * len(notes) if days is None else days[part]
            for note, spans, move in zip(notes, self.finder.find(notes), moves, strict=True):
                released.append(
                    None if note.text is None else self._without(note.text, note.record, spans, move)
                )
        return released

    def _without(
        self, text: str, record: Mapping[str, object], spans: Sequence[Span], days: int | None
    ) -> str:
        spans = to_replace(text, record, spans)
        parts, at = list[str](), 0
        for span in spans:
            found = text[span.start : span.end]
            parts += [text[at : span.start], self._instead(found, span.label, record, days)]
            at = span.end
            self.counts[span.label] += 1
        return "".join([*parts, text[at:]])

    def _instead(self, text: str, label: str, record: Mapping[str, object], days: int | None) -> str:
        if days is not None and label == "DATE_TIME":
            # what cannot be read for sure is not moved in part
            return shifted(text, days, self.finder.language) or "[DATE_TIME]"
        if self.surrogates is None:
            return f"[{label}]"
        return self.surrogates.instead(text, label, taken=_words_of(record))


def without_types(text: str, settings: TextSettings) -> str:
    """The text with `[______]` for each type that stands in place of a find, as long as the type.

    Types are words of ours: a patient called Person is not named by `[PERSON]`. Other words in brackets stay.

    >>> without_types("Mr. [PERSON], seen [SMITH]", TextSettings())
    'Mr. [______], seen [SMITH]'
    """
    return _types(settings).sub(lambda match: "[" + "_" * (len(match[0]) - 2) + "]", text)


@cache
def _types(settings: TextSettings) -> re.Pattern[str]:
    own = (recognizer.label for recognizer in settings.recognizers)
    labels = sorted({*LABELS, *language(settings.language).ids, *own})
    return re.compile(rf"\[(?:{'|'.join(labels)})\]")


def to_replace(text: str, record: Mapping[str, object], spans: Sequence[Span]) -> list[Span]:
    """Of what the finder found the spans that go, with what the record names; in order, none overlapping."""
    found = [span for span in spans if identifies(text, span)]
    return resolved([*found, *named_in(text, record)], text)


def identifies(text: str, span: Span) -> bool:
    """Whether a find has to go: the age of somebody younger than 90 and organizations may stay."""
    if span.label == "AGE":
        return any(int(number) > KEPT_AGE for number in _NUMBER.findall(text[span.start : span.end]))
    return span.label != "ORGANIZATION"


def named_in(text: str, record: Mapping[str, object]) -> list[Span]:
    """Every whole word of the record's names, and every stretch with the letters and digits of its other values.

    In any case, also where the word may mean something else: of what is known no doubt is left.
    """
    words = _name_words(record)
    found = [
        Span(match.start(), match.end(), "PERSON")
        for match in (_WORD.finditer(text) if words else ())
        if match[0].casefold() in words
    ]
    squeezed = Squeezed.of(text)
    for column, value in _values(record):
        label = (
            "LOCATION" if PLACE_COLUMNS.search(column) else "PERSON" if NAME_COLUMNS.search(column) else "ID"
        )
        for spelling in _spellings(value):
            found += list(squeezed.spans(spelling, label))
    return found


def _spellings(value: str) -> list[str]:
    """The value, and its digits where they alone would tell it."""
    digits = "".join(filter(str.isdigit, value))
    shortest = SHORTEST_CODE if digits else SHORTEST
    found = [value] if sum(map(str.isalnum, value)) >= shortest else []
    return [*found, digits] if len(digits) >= TELLING and digits != value else found


def _values(record: Mapping[str, object]) -> list[tuple[str, str]]:
    """Column and text of everything that the record holds."""
    return [
        (column.lower(), str(one))
        for column, value in record.items()
        for one in (value if isinstance(value, list | tuple) else (value,))
        if one is not None and not isinstance(one, bool)
    ]


def _name_words(record: Mapping[str, object]) -> frozenset[str]:
    return frozenset(
        word.casefold()
        for column, value in _values(record)
        if NAME_COLUMNS.search(column) and not PLACE_COLUMNS.search(column)
        for word in _WORD.findall(value)
        if len(word) >= SHORTEST
    )


def _words_of(record: Mapping[str, object]) -> frozenset[str]:
    """Words that no surrogate may have."""
    return frozenset(word.casefold() for _, value in _values(record) for word in _WORD.findall(value))

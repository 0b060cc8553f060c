"""A model for the sentences that the rules leave unexplained, each sentence once."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from anon_platform.errors import PolicyError
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
    fold,
)
from anon_platform.text.rules.eponyms import Eponyms
from anon_platform.text.spans import POSSIBLE, UNSURE, Span, trimmed

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline

_PAUSE = re.compile(r"\s[-–—|/]|[\n,;:(]")
_HALVES = re.compile("[\ud800-\udfff]")
_NUMBERED = re.compile(r"\s?[:<>]?\s?\d")
_DOSED = re.compile(r"\s?(?:[:=<>]\s?\d|\d+(?:[.,]\d+)?\s?(?:mg|mcg|µg|g|ml|mL|units?|IU|%|tabs?|mEq)(?!\w))")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_DRAWN_OUT = re.compile(r"(\w)\1\1", re.IGNORECASE)

LABELS = {
    "PERSON": "PERSON", "PER": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION", "ORG": "ORGANIZATION",
}  # fmt: skip
"""Labels of spaCy's models that say something of a person, and ours for them."""

REMEMBERED = 50_000
"""Sentences whose entities are kept; at about 200 bytes each, 10 MB."""

BATCH = 64
LONG = 4
"""Letters that a name in small letters has at least, if no list has it."""

ACRONYM = 5
"""Letters of a word in capitals that is more likely an abbreviation than a name."""

Entities = tuple[Span, ...]


class Model(Protocol):
    """What finds names that no list has."""

    def find(self, documents: Sequence[Document], found: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """Further spans of each document; found: what the rules found in it."""
        ...


class SpacyModel:
    """The named entities of a spaCy model, its word vectors and entity parts only."""

    def __init__(self, language: Language) -> None:
        """Raises PolicyError where the model is not installed."""
        self.pipeline = _load(language)
        self._eponyms = Eponyms(language)
        self._states = frozenset(language.states)
        self._where = frozenset({"at", "near", "outside", "inside", "in", "to"}) & {*language.place_cues}
        self._nouns = frozenset(language.place_nouns)
        self._stops = frozenset({*language.titles, "the", "a", "an"})
        self._known: OrderedDict[str, Entities] = OrderedDict()

    def find(self, documents: Sequence[Document], found: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """Entities of the sentences with a capitalized word that no span, list or rule explains."""
        asked = [
            [
                place
                for place in document.sentences
                if _is_unexplained(document, place, covered, self._eponyms)
            ]
            for document, covered in zip(documents, map(_covered, found), strict=True)
        ]
        self._learn(
            documents[0].lists.kinds if documents else {},
            [d.text[start:end] for d, places in zip(documents, asked, strict=True) for start, end in places],
        )
        answers = [
            [span for place in places for span in self._spans(document, place)]
            for document, places in zip(documents, asked, strict=True)
        ]
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return answers

    def _learn(self, kinds: Mapping[str, int], sentences: list[str]) -> None:
        new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in self._known]
        # half a pair of UTF-16, as JSON may hold, is no character to a model
        cased = (_HALVES.sub("?", with_usual_capitals(sentence, kinds)) for sentence in new)
        for sentence, entities in zip(new, self.pipeline.pipe(cased, batch_size=BATCH), strict=True):
            self._known[sentence] = tuple(
                Span(entity.start_char, entity.end_char, LABELS[entity.label_], POSSIBLE)
                for entity in entities.ents
                if entity.label_ in LABELS
            )

    def _spans(self, document: Document, place: tuple[int, int]) -> Iterator[Span]:
        sentence = document.text[place[0] : place[1]]
        self._known.move_to_end(sentence)
        for entity in self._known[sentence]:
            if (span := self._checked(document, entity, place[0])) is not None:
                yield span

    def _checked(self, document: Document, entity: Span, offset: int) -> Span | None:
        """The entity in its document, without titles; None for what words and terms explain better."""
        numbers = self._narrowed(
            document, _words_within(document, entity.start + offset, entity.end + offset)
        )
        if not numbers or not self._is_plausible(document, numbers, entity.label):
            return None
        start, end = trimmed(document.text, document.starts[numbers[0]], document.ends[numbers[-1]])
        if document.text[end : end + 1] == "." and len(document.forms[numbers[-1]]) == 1:
            end += 1
        return Span(start, end, self._label(document, numbers, entity.label), entity.score)

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


def _load(language: Language) -> "Pipeline":
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of libraries about each other
        import spacy

        try:
            return spacy.load(
                str(language.model),
                exclude=["tagger", "parser", "attribute_ruler", "lemmatizer", "senter", "morphologizer"],
            )
        except OSError:
            raise PolicyError(
                f"language {language.language}: its model {language.model} is not installed; install it, or find by"
                " rules alone with --no-model"
            ) from None


def _covered(spans: Sequence[Span]) -> list[tuple[int, int]]:
    return sorted((span.start, span.end) for span in spans if span.score > UNSURE)


def _is_unexplained(
    document: Document, place: tuple[int, int], covered: list[tuple[int, int]], eponyms: Eponyms
) -> bool:
    """Whether a capitalized word of the sentence may be a name, and no span has it."""
    numbers = _words_within(document, *place)
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
    from bisect import bisect_right

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


def _words_within(document: Document, start: int, end: int) -> list[int]:
    from bisect import bisect_left

    first = bisect_left(document.starts, start)
    last = bisect_left(document.starts, end, lo=first)
    return list(range(first, last))


def with_usual_capitals(sentence: str, kinds: Mapping[str, int]) -> str:
    """The sentence as a model has learnt them, as long as it was.

    Of words in capitals the first letter stays one; in a sentence without capitals, words that are no plain words get one.

    >>> with_usual_capitals("SEEN BY JOHN SMITH", {}), with_usual_capitals("Seen by JOHN", {})
    ('Seen By John Smith', 'Seen by JOHN')
    >>> with_usual_capitals("seen by zoltan", {"seen": WORD, "by": WORD})
    'seen by Zoltan'
    """
    letters = [letter for letter in sentence if letter.isalpha()]
    capitals = sum(map(str.isupper, letters))
    if len(letters) >= 8 and capitals >= 0.8 * len(letters):  # noqa: PLR2004
        cased = _WORDS.sub(lambda word: word.group()[0] + word.group()[1:].lower(), sentence)
    elif capitals == 0:
        cased = _WORDS.sub(lambda word: _capitalized(word.group(), kinds), sentence)
    else:
        return sentence
    return cased if len(cased) == len(sentence) else sentence


def _capitalized(word: str, kinds: Mapping[str, int]) -> str:
    plain = len(word) < LONG or kinds.get(fold(word), 0) & (WORD | BLOCKED | TITLE | CREDENTIAL)
    return word if plain else word[0].upper() + word[1:]

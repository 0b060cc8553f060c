"""Names of people, from titles, credentials, labels and word lists."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import (
    BLOCKED,
    COMMON_FAMILY,
    COMMON_GIVEN,
    CREDENTIAL,
    FAMILY,
    GIVEN,
    MAJOR,
    NAME,
    PLACE,
    TITLE,
    WORD,
)
from anon_platform.text.rules.eponyms import Eponyms
from anon_platform.text.spans import LIKELY, POSSIBLE, UNSURE, Span

_MEASURED = re.compile(r"\d|\s?[:=]?\s?[<>]?\d")
_DRAWN_OUT = re.compile(r"(\w)\1\1", re.IGNORECASE)

SHORT = 3
"""Letters of a word that is too short to be a name without more."""

LONGEST = 5
"""Words of a name, at most."""


def names(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for PERSON."""
    return _Names(language).find


class _Names:
    def __init__(self, language: Language) -> None:
        self.titles = frozenset(language.titles)
        self.particles = frozenset(language.particles)
        self.suffixes = frozenset(language.suffixes)
        self.cues = frozenset(language.people_cues)
        self.places = frozenset(language.place_cues) | frozenset(language.stay_joins)
        self.credentials = frozenset(language.credentials)
        self.verbs = frozenset(language.people_verbs)
        self.endings, self.unknown = language.word_endings, language.unknown_names
        self.eponyms = Eponyms(language)

    def find(self, document: Document) -> Iterator[Span]:
        """Spans of names; a word in no list counts only beside a title, a credential, an initial or a given name."""
        kinds, capitalized = document.kinds, document.capitalized
        number, count = 0, len(kinds)
        while number < count:
            kind = kinds[number]
            if not capitalized[number]:
                end = self._small(document, number) if kind & GIVEN else number
            elif kind & TITLE:
                end = self._titled(document, number)
                if end > number:
                    yield _span(document, number + 1, end, LIKELY)
            else:
                end = self._listed(document, number)
            if end > number and not kind & TITLE:
                yield _span(document, number, end, self._score(document, number, end))
            number = max(end, number + 1)

    def _score(self, document: Document, number: int, end: int) -> float:
        if not document.kinds[number] & ~FAMILY and not self._is_cued(document, number):
            return LIKELY if self._is_credentialed(document, end - 1) else UNSURE
        return LIKELY if end - number > 1 and document.capitalized[number] else POSSIBLE

    def _titled(self, document: Document, number: int) -> int:
        """End of the name after a title, the number itself if there is none."""
        form, gap = document.forms[number], document.gap(number)
        if gap.strip(" ") not in {"", "."} or not gap or "\n" in gap:
            return number
        if form.isupper() and len(form) > 3:  # noqa: PLR2004 - a heading such as NURSE NOTES
            return number
        end = number + 1
        while (
            end < len(document.forms)
            and end - number <= LONGEST
            and self._goes_on(document, end, titled=True)
        ):
            end += 1
        return end if end > number + 1 else number

    def _goes_on(self, document: Document, number: int, *, titled: bool) -> bool:
        """Whether a word may be part of the name before it."""
        if not self._touches(document, number - 1):
            return False
        kind, word = document.kinds[number], document.folded[number]
        if not document.capitalized[number]:
            return word in self.particles and self._particle_leads_on(document, number)
        if len(word) == 1:
            return word != "i" or document.gap(number)[:1] == "."
        if word in self.suffixes or (titled and self._is_told(document, number)):
            return True
        after_initial = len(document.forms[number - 1]) == 1
        if kind & WORD and len(word) <= SHORT and not (kind & COMMON_FAMILY or after_initial):  # "Do", "Was"
            return False
        return (
            bool(kind & FAMILY)
            or bool(kind & NAME and not kind & BLOCKED)
            or not kind & (WORD | TITLE | BLOCKED)
        )

    def _is_told(self, document: Document, number: int) -> bool:
        """Whether a word is a name because a title, or a title and a given name, stands before it."""
        kind, before = document.kinds[number], document.kinds[number - 1]
        if kind & CREDENTIAL and document.forms[number].isupper():
            return False
        if before & TITLE:
            return not self._is_profession(document, number)
        return bool(before & GIVEN) and not kind & BLOCKED

    @staticmethod
    def _is_profession(document: Document, number: int) -> bool:
        """Whether a long title and a plain word make a profession, as in `Nurse Practitioner`."""
        return len(document.forms[number - 1]) > 4 and document.kinds[number] & (WORD | NAME) == WORD  # noqa: PLR2004

    def _touches(self, document: Document, number: int) -> bool:
        """Whether only a blank, a hyphen, or the stop of an initial or title stands between a word and the next."""
        gap = document.gap(number)
        if gap in {" ", "-", "  ", "\u00a0"}:
            return True
        short = len(document.forms[number]) == 1 or document.folded[number] in self.titles | self.suffixes
        return (gap in {". ", "."} and short) or (
            gap == ", " and self._is(document, number + 1, self.suffixes)
        )

    def _particle_leads_on(self, document: Document, number: int) -> bool:
        after = number + 1
        while (
            after < len(document.forms) and document.folded[after] in self.particles and after <= number + 2
        ):
            after += 1
        return after < len(document.forms) and document.capitalized[after] and document.gap(number) == " "

    @staticmethod
    def _is(document: Document, number: int, words: frozenset[str]) -> bool:
        return number < len(document.folded) and document.folded[number] in words

    def _listed(self, document: Document, number: int) -> int:
        """End of the name that begins with a capitalized word, the number itself if it begins none."""
        kind = document.kinds[number]
        end = number + 1
        while (
            end < len(document.forms)
            and end - number < LONGEST
            and self._goes_on(document, end, titled=False)
        ):
            end += 1
        if (credentialed := self._before_credential(document, number, end)) > number:
            return credentialed
        if len(document.forms[number]) == 1:
            return self._initialled(document, number, end)
        if kind & (BLOCKED | CREDENTIAL) and not (kind & COMMON_GIVEN and end - number > 1):
            return number
        if self._reversed(document, number):
            return max(self._listed(document, number + 1), number + 1)
        if kind & GIVEN:
            return self._from_given(document, number, end)
        return end if self._is_family(document, number, end) else number

    def _before_credential(self, document: Document, number: int, end: int) -> int:
        """End of a name that a credential follows, the number itself if none does."""
        kind = document.kinds[number]
        if (
            kind & GIVEN
            and end == number + 1
            and document.gap(number) == " "
            and self._is_credentialed(document, end)
        ):
            return end + 1
        lone_word = kind & WORD and not kind & NAME and end == number + 1
        return end if self._is_credentialed(document, end - 1) and not lone_word else number

    def _is_family(self, document: Document, number: int, end: int) -> bool:
        """Whether a word that is no given name begins a name: a family name, or one in no list that looks like one."""
        kind = document.kinds[number]
        if kind & FAMILY and end - number > 1 and len(document.forms[number + 1]) == 1:
            return not kind & WORD and document.gap(number + 1)[:1] == "."
        if kind & FAMILY and self._stands_out(document, number):
            return True
        if kind & (WORD | PLACE):
            return False
        if kind & FAMILY and self._is_alone(document, number, end):
            return True
        if end == number + 1 and self._is_cued(document, number):
            return not self.eponyms.at(document, number)
        return self.unknown and not kind & ~FAMILY and self._looks_like_name(document, number)

    def _looks_like_name(self, document: Document, number: int) -> bool:
        """Whether a word in no list, or among rare family names only, is written as a name: better one too many."""
        form = document.forms[number]
        measured = _MEASURED.match(document.text, document.ends[number])
        written = len(form) > SHORT and form[1:].islower() and not measured and not _DRAWN_OUT.search(form)
        if "-" in form and any(
            document.lists.kinds.get(part, 0) & WORD for part in document.folded[number].split("-")
        ):
            return False
        usual = not document.kinds[number] and document.folded[number].endswith(self.endings)
        return written and not usual and not self.eponyms.at(document, number)

    def _is_alone(self, document: Document, number: int, end: int) -> bool:
        """Whether a family name without a given one stands where a name would: known to all, or after `named`."""
        if self.eponyms.in_term(document, number) or document.forms[number].isupper():
            return False
        cued = number > 0 and document.folded[number - 1] in self.cues and document.gap(number - 1) == " "
        frequent = bool(document.kinds[number] & COMMON_FAMILY) and not document.opens_sentence(number)
        return end == number + 1 and (cued or frequent) and not self.eponyms.is_drug(document, number)

    def _is_credentialed(self, document: Document, last: int) -> bool:
        """Whether a credential in capitals stands after a name: `Carla Nguyen, RN`."""
        after = last + 1
        return (
            after < len(document.forms)
            and document.gap(last) in {", ", ",", " "}
            and document.folded[after].replace("-", "") in self.credentials
            and document.forms[after][0].isupper()
            and (document.forms[after].isupper() or document.folded[after] in {"phd", "pharmd"})
            and not document.forms[last].isupper()
            and (document.gap(last) != " " or bool(document.kinds[last] & NAME))
        )

    def _initialled(self, document: Document, number: int, end: int) -> int:
        """`J. Smith`, `J.R. Smith`: initials with stops before a family name."""
        first = number
        while first < end and len(document.forms[first]) == 1:
            if document.gap(first)[:1] != ".":
                return number
            first += 1
        if first >= end or not document.kinds[first] & FAMILY or self.eponyms.in_term(document, first):
            return number
        return number if document.kinds[first] & WORD and document.opens_sentence(first) else end

    def _reversed(self, document: Document, number: int) -> bool:
        """`Smith, John`: a family name, a comma and a given name; the given name is found by itself."""
        if document.gap(number) not in {", ", ","} or number + 1 >= len(document.forms):
            return False
        kind, after = document.kinds[number], document.kinds[number + 1]
        given = after & GIVEN and not after & WORD and (after & COMMON_GIVEN or not after & MAJOR)
        if not ((kind & FAMILY or not kind) and given and document.capitalized[number + 1]):
            return False
        sure = kind & COMMON_FAMILY or (kind & FAMILY and not kind & (PLACE | WORD))
        return bool(sure) or document.gap(number + 1)[:1] in {".", "\n", '"', "<"}

    def _from_given(self, document: Document, number: int, end: int) -> int:
        kind = document.kinds[number]
        if self.eponyms.in_term(document, end - 1):
            return number
        if end - number > 1:
            return end if self._is_full(document, number, end) else number
        if kind & WORD:
            return end if self._is_cued(document, number) or self._stands_out(document, number) else number
        if kind & MAJOR and number and document.folded[number - 1] in self.places:
            return number
        if kind & COMMON_GIVEN:
            return end if len(document.forms[number]) > 3 or not document.forms[number].isupper() else number  # noqa: PLR2004
        known = len(document.forms[number]) > 3 and not document.forms[number].isupper()  # noqa: PLR2004
        return end if self._is_cued(document, number) or (known and not kind & PLACE) else number

    def _is_full(self, document: Document, number: int, end: int) -> bool:
        """Whether a given name and what follows are a full name: an initial, a family name, or a word in no list."""
        kind, second = document.kinds[number], document.kinds[number + 1]
        if len(document.forms[number + 1]) == 1:
            return bool(kind & COMMON_GIVEN) or not kind & (WORD | PLACE) or end - number > 2  # noqa: PLR2004
        if kind & WORD and second & WORD:
            return (
                bool(kind & COMMON_GIVEN and second & COMMON_FAMILY) and not document.forms[number].isupper()
            )
        if document.forms[number].isupper() and document.forms[number + 1].isupper() and not second & NAME:
            return False
        return bool(second & NAME) or bool(kind & COMMON_GIVEN and not kind & WORD)

    def _is_cued(self, document: Document, number: int) -> bool:
        """Whether a person is spoken of just before: `his wife Grace`, `Dear Hope`."""
        if number == 0 or document.forms[number].isupper():
            return False
        return document.folded[number - 1] in self.cues and document.gap(number - 1) in {" ", ": ", ", "}

    def _stands_out(self, document: Document, number: int) -> bool:
        """Whether a name that is a word too is the subject of `said`, or has a capital letter among words without."""
        after = number + 1 < len(document.forms) and document.gap(number) == " "
        if document.forms[number].isupper() or self.eponyms.at(document, number):
            return False
        if after and document.folded[number + 1] in self.verbs:
            return True
        if document.opens_sentence(number) or not document.kinds[number] & (COMMON_GIVEN | COMMON_FAMILY):
            return False
        return not (document.capitalized[number - 1] or (after and document.capitalized[number + 1]))

    def _small(self, document: Document, number: int) -> int:
        """End of a name in small letters: a frequent given name that is no word, and the family name after it."""
        kind = document.kinds[number]
        if kind & (TITLE | BLOCKED) or len(document.forms[number]) < 3:  # noqa: PLR2004
            return number
        sure = kind & (COMMON_GIVEN | MAJOR) == COMMON_GIVEN or not kind & PLACE
        if (kind & WORD or not sure or len(document.forms[number]) == SHORT) and not self._family_follows(
            document, number
        ):
            return number
        return number + 2 if self._family_follows(document, number) else number + 1

    def _family_follows(self, document: Document, number: int) -> bool:
        if document.gap(number) != " " or number + 1 >= len(document.forms):
            return False
        kind, after = document.kinds[number], document.kinds[number + 1]
        if self._is_cued(document, number) and not kind & WORD:
            return bool(after & FAMILY) and len(document.forms[number + 1]) > 2  # noqa: PLR2004
        if kind & (WORD | PLACE):
            return bool(after & COMMON_FAMILY) and not after & WORD
        return bool(after & COMMON_FAMILY) or (bool(after & FAMILY) and not after & WORD)


def _span(document: Document, number: int, end: int, score: float) -> Span:
    stop = document.ends[end - 1]
    if len(document.forms[end - 1]) == 1 and document.text[stop : stop + 1] == ".":
        stop += 1
    return Span(document.starts[number], stop, "PERSON", score)

"""Hospitals, clinics and other places of care: `St. Mary's Hospital`, `seen at UCLA`."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import BLOCKED, TITLE, WORD
from anon_platform.text.rules.wording import any_of
from anon_platform.text.spans import LIKELY, POSSIBLE, Span

_SHORTENED = frozenset({"st", "mt", "ft", "med", "hosp", "univ", "gen", "mem", "natl", "ctr", "sta"})
"""Words that a stop shortens, so that no sentence ends there."""

LONGEST = 8
"""Words of the name of a facility, at most."""


def facilities(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for LOCATION of care; where it issues guidelines it is an ORGANIZATION and says nothing of a patient."""
    return _Facilities(language).find


class _Facilities:
    def __init__(self, language: Language) -> None:
        self.words, self.weak = frozenset(language.facility_words), frozenset(language.facility_words_weak)
        self.before = frozenset(language.facility_words_before)
        self.joins = frozenset(language.facility_joins)
        self.generic = frozenset(language.facility_generic)
        self.issuers = frozenset(language.issuers)
        self.stay, self.stay_joins = frozenset(language.stay_cues), frozenset(language.stay_joins)
        self.nouns = frozenset(language.place_nouns)
        self.wards = frozenset(language.wards)
        self.alone = language.facility_generic_alone
        self.known = re.compile(rf"(?<![\w-]){any_of(language.facilities)}(?![\w-])", re.IGNORECASE)
        self.heads = {name.split()[0].split("-")[0] for name in language.facilities}

    def find(self, document: Document) -> Iterator[Span]:
        """Spans of facilities."""
        folded = document.folded
        if self.heads & {word.split("-")[0] for word in document.by_word}:
            for match in self.known.finditer(document.text):
                if match.group() != match.group().lower():
                    yield self._span(document, match.start(), match.end(), LIKELY)
        for number, word in enumerate(folded):
            if word in self.words:
                yield from self._named(document, number)
            elif word in self.nouns and document.capitalized[number]:
                yield from self._sight(document, number)
            if word in self.before and document.capitalized[number]:
                yield from self._named_after(document, number)
            if word in self.stay_joins:
                yield from self._stayed(document, number)

    def _named(self, document: Document, number: int) -> Iterator[Span]:
        """A facility whose kind stands last, with the words before it that belong to its name."""
        if (
            number + 1 < len(document.folded)
            and document.folded[number + 1] in self.words
            and document.gap(number) == " "
        ):
            return
        first = number
        while first > 0 and number - first < LONGEST and self._belongs(document, first - 1):
            first -= 1
        while first < number and not document.capitalized[first]:
            first += 1
        own = [at for at in range(first, number) if document.folded[at] not in self.generic | self.words]
        weak = document.folded[number] in self.weak
        plain = any(document.kinds[at] & WORD or len(document.forms[at]) == 1 for at in own)
        if not own or (weak and plain and not document.capitalized[number]):
            return
        if not any(document.capitalized[at] for at in own) or self._is_ward(document, own):
            return
        end = self._place_after(document, number)
        if weak and not any(
            document.folded[at] in self.generic | self.words - {"center", "centre"}
            for at in range(first, number)
        ):
            yield Span(document.starts[first], document.ends[end], "ORGANIZATION", POSSIBLE)
            return
        yield self._span(document, document.starts[first], document.ends[end], LIKELY)

    def _sight(self, document: Document, number: int) -> Iterator[Span]:
        """A place of another kind that ends in what it is: `Sand Hill Park`, `Wilson Bridge`."""
        first = number
        while first > 0 and number - first < LONGEST and self._belongs(document, first - 1):
            first -= 1
        while first < number and (not document.capitalized[first] or document.folded[first] in self.generic):
            first += 1
        if (
            first < number
            and not document.forms[number].isupper()
            and not self._is_ward(document, [*range(first, number)])
        ):
            yield Span(document.starts[first], document.ends[number], "LOCATION", POSSIBLE)

    def _is_ward(self, document: Document, own: list[int]) -> bool:
        return all(document.kinds[at] & (BLOCKED | TITLE) for at in own)

    def _belongs(self, document: Document, number: int) -> bool:
        gap = document.gap(number)
        if gap not in {" ", ". ", " & ", "-", "'", "’", "' ", "’ ", "/"}:
            return False
        word = document.folded[number]
        if word in {"s", "s'"} and document.text[document.starts[number] - 1] in "'’":
            return True
        if gap == ". " and word not in _SHORTENED and len(word) > 1:
            return False
        if document.kinds[number] & TITLE and word not in _SHORTENED:
            return False
        if document.capitalized[number]:
            return not (
                document.opens_sentence(number)
                and document.kinds[number] & WORD
                and word not in self.generic | {"st", "mt", "good", "mercy"}
                and number
                and document.gap(number) == " "
                and not document.capitalized[number + 1]
            )
        return (
            word in self.joins
            and number > 0
            and document.capitalized[number - 1]
            and document.gap(number - 1) == " "
        )

    def _place_after(self, document: Document, number: int) -> int:
        """The last word of `Children's Hospital Los Angeles`, `Clinic in Chicago`, `Hospital of Boston`."""
        at, end = number + 1, number
        while at < len(document.forms) and at - number < 5 and document.gap(at - 1) == " ":  # noqa: PLR2004
            if document.capitalized[at] and not document.kinds[at] & BLOCKED:
                end = at
            elif document.folded[at] not in {"of", "in", "the", "at"} or document.capitalized[at]:
                break
            at += 1
        return end

    def _named_after(self, document: Document, number: int) -> Iterator[Span]:
        """A facility whose kind stands first, as in Spanish: `Hospital Universitario La Paz`."""
        at, end = number + 1, number
        while (
            at < len(document.forms)
            and at - number <= LONGEST
            and document.gap(at - 1) in {" ", ". ", " (", "-"}
        ):
            if document.capitalized[at] and document.folded[at] not in self.wards:
                end = at
            elif document.folded[at] not in self.joins:
                break
            at += 1
        own = [i for i in range(number + 1, end + 1) if document.folded[i] not in self.joins]
        if own and (self.alone or any(document.folded[i] not in self.generic for i in own)):
            yield self._span(document, document.starts[number], document.ends[end], LIKELY)

    def _stayed(self, document: Document, number: int) -> Iterator[Span]:
        """What follows `seen at`, `admitted to`, `living in`, whatever its name."""
        if not self.stay & set(document.folded[max(number - 7, 0) : number]) or document.capitalized[number]:
            return
        before = document.text[document.starts[max(number - 7, 0)] : document.starts[number]]
        if "\n" in before or "? " in before:
            return
        at = number + 1
        if at < len(document.forms) and document.folded[at] == "the" and document.gap(number) == " ":
            at += 1
        first = at
        while (
            at < len(document.forms)
            and at - first < LONGEST
            and document.gap(at - 1) in {" ", "-", ". ", "'", "’", " & "}
        ):
            if document.gap(at - 1) == ". " and document.folded[at - 1] not in _SHORTENED:
                break
            join = document.folded[at] in self.joins and at > first
            if not (document.capitalized[at] or join):
                break
            at += 1
        while at > first and not document.capitalized[at - 1] and document.folded[at - 1] != "s":
            at -= 1
        if at == first or all(self._is_no_name(document, i) for i in range(first, at)):
            return
        yield self._span(document, document.starts[first], document.ends[at - 1], POSSIBLE)

    def _is_no_name(self, document: Document, number: int) -> bool:
        word = document.folded[number]
        return word in self.wards or word in self.joins or bool(document.kinds[number] & (BLOCKED | TITLE))

    def _span(self, document: Document, start: int, end: int, score: float) -> Span:
        """The facility; an organization where it is named as the author of a text."""
        earlier = re.findall(r"\w+", document.text[max(start - 60, 0) : start].lower())[-3:]
        issued = earlier[-1:] in (["from"], ["by"], ["of"], ["the"], ["to"]) and self.issuers & set(earlier)
        return Span(start, end, "ORGANIZATION" if issued else "LOCATION", score)

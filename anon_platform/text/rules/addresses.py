"""Postal addresses: house number and street, post box, state and postcode."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.rules.wording import any_of
from anon_platform.text.spans import LIKELY, Span

_CAPITAL = r"[A-Z\u00c0-\u00de]"
_NAME = r"(?:[A-Z\u00c0-\u00de0-9][\w'’.-]*|de|del|la|las|los|el|of|the|y)"


def addresses(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for LOCATION: streets with house numbers, with unit, town, state and postcode where they follow."""
    patterns = [re.compile(form) for form in _forms(language)]

    def find(document: Document) -> Iterator[Span]:
        if not document.has_digits:
            return
        for pattern in patterns:
            for match in pattern.finditer(document.text):
                # the stop after the letter of a door ends the sentence
                group = "address" if "address" in pattern.groupindex else 0
                end = match.end(group) - (re.search(r"[ ,]\w\.$", match[group]) is not None)
                if not group or any(map(str.isupper, match[group])):
                    yield Span(match.start(group), end, "LOCATION", LIKELY)

    return find


def _forms(language: Language) -> Iterator[str]:
    post_code = f"(?:{'|'.join(language.post_codes)})" if language.post_codes else "(?!)"
    state = f"(?:{'|'.join(language.states)})" if language.states else "(?!)"
    unit = rf"(?:[,\s]{{1,3}}(?i:{any_of(language.units)})\.?\s*#?\s?[\w-]{{1,6}})?"
    town = rf"(?:\s*,?\s+{_NAME}(?: {_NAME}){{0,3}},?\s+{state}(?!\w))?(?:[,\s]+{post_code}(?!\w))?"
    if language.street_words:
        street, alone = any_of(language.street_words), any_of(language.street_words_alone)
        number = r"(?<![\w/.,:-])\d{1,6}(?:-\d{1,5})?[A-Z]?"
        yield rf"{number},?\s+(?:{_NAME} ){{1,4}}(?i:{street})(?!\w)\.?{unit}{town}"
        yield rf"{number} (?:[a-z]+ ){{1,2}}(?i:{alone})(?!\w)\.?{unit}{town}"
        yield rf"(?<!\w)(?:[A-Z][\w'’-]+ ){{1,3}}(?i:{any_of({*language.street_words_alone} | {'street'})})(?!\w)\.?{unit}{town}"
    if language.street_words_before:
        street = any_of(language.street_words_before)
        floor = r"(?:,?\s?s\s?/\s?n|,?\s?(?:n[ºo°]?\.?\s?)?\d{1,4}(?:[-/]\d{1,4})?(?:,\s?[\wºª°-]{1,5}(?:\.(?=,))?(?!\w)){0,4})"
        yield rf"(?<![\w/.,-])(?:\d{{1,4}},?\s+)?(?<!\w)(?i:{street})\.?\s?{_NAME}(?:,? {_NAME}){{0,6}}{floor}?"
    if language.post_boxes:
        yield rf"(?<!\w)(?i:{'|'.join(language.post_boxes)})\s+#?\d+{town}"
    yield rf"(?<!\w){state},?\s+{post_code}(?!\w)"
    if language.post_code_before_town:
        yield rf"(?<![\w.,/-])(?:[A-Z]-)?{post_code}(?=[.,]?\s+{_CAPITAL})"
    if language.address_cues:
        # whatever its form in the country it is in
        ends = rf"(?=\s+(?i:{any_of(language.address_ends)})(?!\w)|[.?!;](?:\s|$)|\n|$)"
        yield rf"(?<=\s)(?<!\w)(?i:{any_of(language.address_cues)}):?\s+(?P<address>\d{{1,5}}[A-Za-z]?,?\s+[^\n;?!]{{3,90}}?){ends}"
    if language.units_alone:
        yield rf"(?<!\w)(?i:{any_of(language.units_alone)})\.?\s?#?\d{{1,5}}[A-Za-z]?(?!\w)"
    yield rf"(?<!\w)(?:US[NSCV]{{1,4}} [^\n]{{2,25}}\n|PSC \d+[^\n]{{0,20}}\n)?(?:FPO|APO|DPO) (?:AE|AP|AA) {post_code}(?!\w)"
    yield rf"(?<!\w)(?i:zip(?:\s?code)?|postcode|postal code|c\.?p\.?|código postal)(?: is)?[:.\s]{{1,3}}(?:{post_code})(?!\w)"

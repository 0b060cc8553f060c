"""E-mail, web and network addresses, telephone and fax numbers."""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.rules.wording import any_of
from anon_platform.text.spans import CERTAIN, LIKELY, Span

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+'-]{1,64}\s?(?:@|\(at\)|\[at\])\s?(?:[\w-]{1,63}(?:\.|\s?\(dot\)\s?|\s?\[dot\]\s?)){1,8}[A-Za-z]{2,24}\b"
)
_TOP = r"(?:com|org|net|edu|gov|mil|info|io|co|us|uk|de|fr|es|it|ca|au|eu|biz|me|health|care|nl|be|ch|at|ru|jp|cn|in|br|mx)"
_URL = re.compile(
    r"\b(?:(?:https?|ftp|sftp)://[^\s<>\"')\]]+|www\.[^\s<>\"')\]]+"
    rf"|(?<![@\w.-])(?:[a-z0-9-]{{2,}}\.){{1,4}}{_TOP}\b(?:/[^\s<>\"')\]]*)?)",
    re.IGNORECASE,
)
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IP6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_MAC = re.compile(r"(?<![\w:-])[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![\w:-])", re.IGNORECASE)


def contacts(_language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for EMAIL_ADDRESS, URL, IP_ADDRESS and MAC_ADDRESS."""

    def find(document: Document) -> Iterator[Span]:
        text = document.text
        if "@" in text or "(at)" in text or "[at]" in text:
            for match in _EMAIL.finditer(text):
                yield Span(match.start(), match.end(), "EMAIL_ADDRESS", CERTAIN)
        if "." in text:
            for match in _URL.finditer(text):
                yield Span(match.start(), len(match.group().rstrip(".,;:")) + match.start(), "URL", CERTAIN)
        if document.has_digits:
            yield from _addresses(text)

    return find


def _addresses(text: str) -> Iterator[Span]:
    for pattern in (_IP4, _IP6) if ":" in text else (_IP4,):
        for match in pattern.finditer(text):
            if _is_address(match.group()):
                yield Span(match.start(), match.end(), "IP_ADDRESS", CERTAIN)
    if ":" in text or "-" in text:
        for match in _MAC.finditer(text):
            yield Span(match.start(), match.end(), "MAC_ADDRESS", CERTAIN)


def _is_address(text: str) -> bool:
    if text.count(":") < 3 and "." not in text:  # noqa: PLR2004 - a time, 10:30:00, has two
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def phones(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for PHONE_NUMBER: numbers of the usual forms, and any digits after a word such as "tel"."""
    extension = rf"(?:[ ,]*{any_of(language.extensions)}\.?:?\s?\d{{1,6}})?" if language.extensions else ""
    formed = re.compile(
        r"(?<![\w.+/#-])(?:"
        r"(?:\+|00)?1?[-. ]?(?:\(\d{3}\)[-. ]?|\d{3}[-.  ‑–])\d{3}[-. ‑–]\d{4}"
        r"|\+\(?\d{1,3}\)?[-. ]?(?:\(?\d{1,4}\)?[-. /]?){1,5}\d{2,4}"
        r"|00\d{2}[-. ](?:\d{1,4}[-. ]?){1,5}\d{2,4}"
        r"|\(0?\d{2,4}\)[-. ]?\d{3,4}[-. ]?\d{3,4}"
        r"|0\d{2,4}[-. ]\d{3,4}[-. ]\d{2,4}(?:[-. ]\d{2,4})?"
        r"|\d{2}(?:[-. ]\d{2}){3,4}|\d{2} \d{3} \d{3,4}|\d{4} \d{3,4} \d{3,4}"
        rf"|[2-9]\d{{2}}[2-9]\d{{6}}){extension}(?![\w/]|[-.]\d)",
        re.IGNORECASE,
    )
    cued = re.compile(
        rf"(?<!\w){any_of(language.phone_cues)}\b(?:\s+(?:on\s+file|me|us|him|her|number|no|is|at|phone))*[.:#\s(-]{{0,4}}"
        rf"(\+?\(?\d[\d()./ -]{{5,18}}\d){extension}(?![\w/])",
        re.IGNORECASE,
    )
    extended = re.compile(rf"(?<!\w){any_of(language.extensions)}\.?:?\s?(\d{{3,6}})\b", re.IGNORECASE)

    def find(document: Document) -> Iterator[Span]:
        if not document.has_digits:
            return
        for match in formed.finditer(document.text):
            yield Span(match.start(), match.end(), "PHONE_NUMBER", LIKELY)
        for match in cued.finditer(document.text):
            if _may_be_called(match.group(1)):
                yield Span(match.start(1), match.end(), "PHONE_NUMBER", LIKELY)
        for match in extended.finditer(document.text):
            yield Span(match.start(), match.end(), "PHONE_NUMBER", LIKELY)

    return find


def _may_be_called(number: str) -> bool:
    """Whether it has as many digits as a telephone number, and is neither a date nor blood pressures in a row."""
    digits = sum(map(str.isdigit, number))
    return 7 <= digits <= 15 and "/" not in number and not re.search(r"\d\.\d\b", number)  # noqa: PLR2004

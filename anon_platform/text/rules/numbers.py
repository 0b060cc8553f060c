"""Numbers that name a person: what a label announces, what a checksum proves, what only an identifier looks like."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.rules.wording import any_of
from anon_platform.text.spans import CERTAIN, LIKELY, POSSIBLE, Span

_SSN = re.compile(r"(?<![\w-])(?!000|666)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_MASKED_SSN = re.compile(r"(?<![\w-])(?:[X*]{3}-?[X*]{2}-?)\d{4}(?!\w)", re.IGNORECASE)
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){11,18}(?![\w-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)", re.IGNORECASE)
_VIN = re.compile(r"(?<!\w)(?=[A-Z0-9]*\d[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}(?!\w)")
_CODE = re.compile(
    r"(?<![\w.,/-])#?(?:"
    r"[A-Z]{1,5}(?:[-_]?[A-Z0-9]{1,4})?[-_]?\d{5,}(?:[-_/][A-Z0-9]+)*"  # QX-789012, A125325867
    r"|[A-Z]{2,5}-\d{4,}(?:-[A-Z0-9]+)*"  # EM-2554
    r"|[A-Z]{2,5}-(?:19|20)\d{2}-\d{3,}"  # RAD-2025-09267
    r"|\d{4,}-?[A-Z]{1,4}\d*"  # 87342GH, 98234-AB
    r"|\d{4,8}/\d{4,8}"
    r"|(?:\d{1,8}[-–]){1,4}(?:\d{2,8}|[A-Z]{1,3})"  # 789-45-123
    r"|\d{7,}"
    r")(?!\w|[-.,/]\d)"
)
_UUID = re.compile(r"(?<!\w)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?!\w)", re.IGNORECASE)
_VALUE = r"#?(?=[\w/.-]*\d)[A-Z0-9](?:[A-Z0-9]|[-/.](?=[A-Z0-9])){2,}"


def numbers(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for numbers with a form or a checksum of their own: US_SSN, CREDIT_CARD, IBAN_CODE, VIN and ID."""
    us = language.region == "US"

    def find(document: Document) -> Iterator[Span]:
        if not document.has_digits:
            return
        text = document.text
        if us:
            yield from _all(_SSN, text, "US_SSN", CERTAIN)
            yield from _all(_MASKED_SSN, text, "US_SSN", CERTAIN)
        for match in _CARD.finditer(text):
            if _passes_luhn(match.group()):
                yield Span(match.start(), match.end(), "CREDIT_CARD", CERTAIN)
        for match in _IBAN.finditer(text):
            if _passes_mod_97(match.group()):
                yield Span(match.start(), match.end(), "IBAN_CODE", CERTAIN)
        yield from _all(_VIN, text, "ID", LIKELY)
        yield from _all(_UUID, text, "ID", LIKELY)
        for match in _CODE.finditer(text):
            if _names_somebody(match.group()):
                yield Span(match.start(), match.end(), "ID", POSSIBLE)

    return find


def _all(pattern: re.Pattern[str], text: str, label: str, score: float) -> Iterator[Span]:
    return (Span(match.start(), match.end(), label, score) for match in pattern.finditer(text))


def _names_somebody(code: str) -> bool:
    """Whether a code is long enough to name one of many, and is no range, year or date."""
    digits = sum(map(str.isdigit, code))
    if code.isdigit():
        return digits >= 7  # noqa: PLR2004 - platelets, costs and the like end before
    if code[0].isdigit() and re.fullmatch(r"[\d–-]+", code):
        parts = re.split("[-–]", code)
        return digits >= 7 and not (len(parts) == 2 and len(parts[0]) == len(parts[1]) <= 4)  # noqa: PLR2004
    return digits >= 4  # noqa: PLR2004


def _passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in number if digit.isdigit()][::-1]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[1::2])  # noqa: PLR2004
    return len(digits) >= 12 and len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0  # noqa: PLR2004


def _passes_mod_97(code: str) -> bool:
    """ISO 13616: the letters as numbers from 10, the first four places at the end, remainder 1."""
    packed = code.replace(" ", "").upper()
    turned = packed[4:] + packed[:4]
    return len(packed) >= 15 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1  # noqa: PLR2004


def labelled_numbers(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for numbers that a label announces, such as "MRN: 12345", under the entity that the language names."""
    link = any_of(language.id_links)
    patterns = [(label, re.compile(rf"(?<![\w-]){any_of(names)}{_rest(link)}", re.IGNORECASE)) for label, names in language.ids.items()]  # fmt: skip

    def find(document: Document) -> Iterator[Span]:
        if not document.has_digits:
            return
        for label, pattern in patterns:
            for match in pattern.finditer(document.text):
                value = match.group("value")
                if _is_labelled_value(value, plain=not match.group("sign").strip()):
                    yield Span(match.start("value"), match.end("value"), label, LIKELY + 0.05)

    return find


def _rest(link: str) -> str:
    groups = r"\d{2,}(?:[ -]\d{2,}){1,4}"
    return rf"(?P<sign>(?:[\s_]{{0,2}}{link}\.?(?!\w))*\s{{0,2}}[:=#(-]{{0,2}}[ \t]*)(?P<value>{groups}|{_VALUE})(?!\w)"


def _is_labelled_value(value: str, *, plain: bool) -> bool:
    """Whether it can be an identifier; after a bare word ("case 2019") it takes more digits than after a sign."""
    digits = sum(map(str.isdigit, value))
    if re.fullmatch(r"\d+[.]\d+|\d{1,3}/\d{1,3}|\d{1,3}(?:\.\d+)?-\d{1,3}(?:\.\d+)?", value) or _is_date(
        value
    ):
        return False
    return digits >= (4 if plain else 3) and not (plain and re.fullmatch(r"(?:19|20)\d{2}", value))


def _is_date(value: str) -> bool:
    """Whether it is a date, which has a rule of its own."""
    parts = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}|\d{4}-\d{2}-\d{2}", value)
    if parts is None or parts[1] is None:
        return parts is not None
    low, high = sorted((int(parts[1]), int(parts[2])))
    return 1 <= low <= 12 and high <= 31  # noqa: PLR2004

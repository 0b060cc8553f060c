"""Dates in all the forms that notes have; a year alone identifies nobody (45 CFR 164.514(b)(2)(i)(C)) and is left."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.rules.wording import any_of
from anon_platform.text.spans import CERTAIN, LIKELY, POSSIBLE, Span

_TIME = r"(?:(?:T|,?\s+(?:at\s+|a\s+las\s+)?)\d{1,2}[:h]\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[ap]\.?m\.?(?!\w)|\s?(?:hrs?|h)\b|Z|\s?[+-]\d{2}:?\d{2})?)?"
_ISO = rf"(?:19|20)\d{{2}}(?P<a>[-/.])(?:0?[1-9]|1[0-2])(?P=a)(?:0?[1-9]|[12]\d|3[01]){_TIME}"
_SLASHED = (
    rf"(?P<x>\d{{1,2}})\s?(?P<b>[/.-])\s?(?P<y>\d{{1,2}})\s?(?P=b)\s?(?P<z>(?:19|20)\d{{2}}|'?\d{{2}}){_TIME}"
)
_COMPACT = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_NUMERIC = re.compile(rf"(?<![\w/.-])(?:(?P<iso>{_ISO})|(?P<slashed>{_SLASHED}))(?!\w|/\d|-\d)")
_MONTH_YEAR = re.compile(r"(?<![\w/.-])(?:0?[1-9]|1[0-2])[/-](?:19|20)\d{2}(?![\w/-])")


def dates(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for DATE_TIME: dates in figures and with months' names, `last Friday`, and after `on` day and month alone."""
    named = _named(language)
    relative = re.compile(
        rf"(?<!\w){any_of(language.relative_days)}\s+{any_of({*language.weekdays, *language.months} - {*language.months_that_are_words})}(?!\w)",
        re.IGNORECASE,
    )
    alone = re.compile(
        rf"(?<!\w){any_of(language.month_cues)}\s+(?P<month>{any_of(language.months)})(?![\w'’-])(?!\.?\s\d)",
        re.IGNORECASE,
    )
    words = set(language.months_that_are_words)
    short = re.compile(
        rf"(?<!\w)(?:{any_of(language.date_cues)}(?:\s+on)?[:\s]\s*)"
        rf"(?P<date>(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})(?:\s?[-–]\s?\d{{1,2}}/\d{{1,2}})?{_TIME})(?![\w/%]|\.\d|-\d)"
        rf"(?!\s*(?:-\s*)?{any_of(language.not_a_date)}(?!\w))",
        re.IGNORECASE,
    )

    def find(document: Document) -> Iterator[Span]:
        text = document.text
        if document.has_digits:
            yield from _numeric(text)
            for match in short.finditer(text):
                if _may_be(int(match["m"]), int(match["d"])):
                    yield Span(match.start("date"), match.end("date"), "DATE_TIME", POSSIBLE)
        if any(word in document.by_word for word in language.months):
            yield from _of_months(named, text, words)
            for match in alone.finditer(text):
                if not (match["month"].islower() and match["month"] in words):
                    yield Span(match.start("month"), match.end("month"), "DATE_TIME", POSSIBLE)
        if any(word in document.by_word for word in (*language.weekdays, *language.months)):
            for match in relative.finditer(text):
                yield Span(match.start(), match.end(), "DATE_TIME", POSSIBLE)

    return find


def _numeric(text: str) -> Iterator[Span]:
    for match in _NUMERIC.finditer(text):
        if match["iso"] or _is_date(match):
            yield Span(match.start(), match.end(), "DATE_TIME", CERTAIN)
    for match in _MONTH_YEAR.finditer(text):
        yield Span(match.start(), match.end(), "DATE_TIME", LIKELY)


def _is_date(match: re.Match[str]) -> bool:
    first, second, year, sign = match["x"], match["y"], match["z"], match["b"]
    if sign == "." and len(year) == 2 and not len(first) == len(second) == 2:  # noqa: PLR2004 - 1.2.10 is a version
        return False
    return _may_be(int(first), int(second))


def _may_be(first: int, second: int) -> bool:
    """Whether a day and a month can be read, in either order."""
    low, high = sorted((first, second))
    return 1 <= low <= 12 and 1 <= high <= 31  # noqa: PLR2004


def _named(language: Language) -> re.Pattern[str]:
    """Month and day, day and month, month and year; with weekday, ordinal, year and time where they stand beside."""
    month = rf"(?P<month_N>{any_of(language.months)})\.?"
    ordinal = rf"(?:\s?{any_of(language.ordinals)}|[º°ª])?" if language.ordinals else "(?:[º°ª])?"
    day = rf"(?:0?[1-9]|[12]\d|3[01]){ordinal}(?![\d/:%]|\.\d)(?!\s?(?:mg|ml|mcg|kg|lbs?|cm|mm)\b)"
    year = r"(?:(?:19|20)\d{2}|['’]\d{2})(?!\d)"
    of = rf"(?:\s+{any_of(language.of)})?" if language.of else ""
    weekday = rf"(?:{any_of(language.weekdays)}\.?,?\s+(?:the\s+)?)?"
    and_another = rf"(?:\s*(?:-|–|to|and|&)\s*{day}(?!\s*{any_of(language.months)}))?"
    month_first = rf"{weekday}{month}[ \t.-]*(?:the\s+)?{day}{and_another}(?:,?{of}[ ,.-]*{year})?"
    day_first = (
        rf"{weekday}(?:the\s+)?{day}{of}[\s.-]*{month}(?:,?{of}[\s,.-]*(?:{year}|(?<=[-.])\d{{2}}\b))?"
    )
    forms = (month_first, day_first, rf"{month},?{of}[\s,/-]*{year}")
    numbered = (form.replace("_N", f"_{number}") for number, form in enumerate(forms))
    return re.compile(rf"(?<![\w])(?:{'|'.join(numbered)}){_TIME}(?!\w)", re.IGNORECASE)


def _of_months(named: re.Pattern[str], text: str, words: set[str]) -> Iterator[Span]:
    for match in named.finditer(text):
        month = match["month_0"] or match["month_1"] or match["month_2"]
        # "may 5" is seldom a day, "May 5" and "may 5th, 2019" are
        if month.lower() in words and month.islower() and not re.search(r"\d{4}", match.group()):
            continue
        yield Span(match.start(), match.end(), "DATE_TIME", LIKELY)

"""Dates and ages of a release: elements of dates but the year, ages over 89, years of birth that tell such an age."""

import re
from collections.abc import Iterator, Sequence

import polars as pl

from anon_platform.anonymize import Generalize, TopBottomCode
from anon_platform.anonymize.hierarchy import Dates
from anon_platform.validate.ruling import counted
from anon_platform.validate.safe_harbor.case import Released

OLDEST = 89
"""The highest age that may be told by itself (45 CFR 164.514(b)(2)(i)(C))."""

DATES = frozenset({"date", "timestamp", "birth_date", "death_date"})
"""Kinds of columns that hold dates."""

MOST = 0.5
"""Share of the distinct values that makes a column one of months or quarters, whatever it is called."""

NUMBERED = 5_000
"""Numbers of months, such as 200403, of which no column has more."""

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december"
_DAYS = "mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_YEAR = r"(?:1[89]|20|21)\d\d"
_DAY = re.compile(
    rf"(?<!\d){_YEAR}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    rf"|(?<![\d/.-])(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.]{_YEAR}(?!\d)",
)
"""A whole date in figures."""
_PART = re.compile(
    rf"(?<!\d){_YEAR}[-/. ]?(?:M?(?:0[1-9]|1[0-2])|[QH][1-4]|W\d\d?|[Qq]uarter [1-4])(?!\d)"
    rf"|(?<![\d/])(?:0?[1-9]|1[0-2])[-/]{_YEAR}(?!\d)"
    rf"|(?<!\w)Q[1-4](?:[-/ ]?{_YEAR})?(?!\w)"
    rf"|(?<!\w)(?:{_MONTHS})\.?(?!\w)|(?<!\w)(?:{_DAYS})(?!\w)",
    re.IGNORECASE,
)
"""A month, quarter, week or weekday, with its year or without."""
_WHOLE_YEAR = re.compile(rf"^\W*{_YEAR}\W*$|^\D*$|^[\[{{(]?{_YEAR}(?:[,–\- ]+(?:to )?{_YEAR})*[\]}})]?$")
"""A year, several of them, or no figure at all."""
_NAMED = {
    "month": range(1, 13), "mon": range(1, 13), "quarter": range(1, 5), "qtr": range(1, 5), "week": range(54),
    "weekday": range(8), "dow": range(8), "doy": range(367),
}  # fmt: skip
"""Words of a column's name, and the numbers that stand for such a part of a date."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_OPEN = re.compile(r"\+|≥|>|\bover\b|\bolder\b|\bup\b|\babove\b|\bor more\b", re.IGNORECASE)


def date_reasons(column: Released) -> Iterator[str]:
    """Why the column tells more of a date than its year, at most one reason."""
    finer = _finer(column, column.read())
    if finer and "shift_dates" in column.techniques:
        yield f"{column.name}: shifted dates are dates all the same ({finer}); generalize them to the year"
    elif finer:
        yield f"{column.name}: {finer}; generalize it to the year"


def _finer(column: Released, released: pl.Series) -> str | None:
    if isinstance(released.dtype, pl.Datetime | pl.Date):
        days = "days" if released.dtype == pl.Date else "days and times"
        return days if released.null_count() < len(released) else None
    if released.dtype.is_numeric() and column.content.distinct > NUMBERED:
        return None
    return _spelled(column, column.values)


def _spelled(column: Released, values: Sequence[str]) -> str | None:
    if days := sum(bool(_DAY.search(text)) for text in values):
        return f"a day in {counted(days, 'distinct value')}"
    parts = sum(bool(_PART.search(text)) for text in values)
    if of_dates(column):
        if parts:
            return f"a month, quarter, week or day in {counted(parts, 'distinct value')}"
        others = sum(not _WHOLE_YEAR.match(text) for text in values)
        if others:
            return f"more than a year in {counted(others, 'distinct value')} made of dates"
    elif column.content.kind in DATES or DATES & set(column.content.by_values):
        return f"the values look like {column.content.words}: {column.content.why}"
    elif values and _months(values, parts):
        return f"months, quarters, weeks or weekdays in {counted(parts, 'distinct value')}"
    return _numbered(column)


def _months(values: Sequence[str], parts: int) -> bool:
    """Whether most values are parts of dates and little else: `May` is one, `Mar 5 mg tablet` is not."""
    short = sum(len(text) <= len("2004-September 30") for text in values)
    return parts / len(values) >= MOST and short == len(values)


def _numbered(column: Released) -> str | None:
    """Months as 1 to 12, by the name of the column."""
    words = re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", column.name)
    for word in words:
        numbers = _NAMED.get(word.lower())
        if numbers is not None and column.values and set(column.values) <= {str(n) for n in numbers}:
            return f"by its name and numbers it is a {word.lower()}"
    return None


def of_dates(column: Released) -> bool:
    """Whether the column was made of dates."""
    by_policy = any(
        isinstance(step, Generalize) and isinstance(step.hierarchy, Dates) for step in column.policy.treat
    )
    return by_policy or column.policy.type in ("date", "datetime") or column.seen.original.kind in DATES


def age_reasons(column: Released, year: int) -> Iterator[str]:
    """Why the column tells an age over 89, at most one reason. year: the present one."""
    if "age" in {column.content.kind, column.seen.original.kind}:
        over = sum(_tells_old_age(text, aggregated=_aggregated(column)) for text in column.values)
        if over:
            yield (
                f"{column.name}: an age over {OLDEST} in {counted(over, 'distinct value')}; put all of them in one group of"
                " 90 or older, such as top: 90"
            )
    elif _of_births(column):
        old = sum(_born_before(text, year - OLDEST) for text in column.values)
        if old:
            yield (
                f"{column.name}: years of birth that tell an age over {OLDEST}, in {counted(old, 'distinct value')}; put them in one group"
            )


def _aggregated(column: Released) -> bool:
    """Whether the number 90 stands for 90 and older."""
    return any(
        isinstance(step, TopBottomCode) and step.top is not None and step.top <= OLDEST + 1
        for step in column.policy.treat
    )


def _tells_old_age(text: str, *, aggregated: bool) -> bool:
    """Whether the text tells an age over 89 other than as 90 or older.

    >>> [_tells_old_age(text, aggregated=False) for text in ("89", "90", "90+", "[85, 90)", "[80, 100)", "[85, 90]")]
    [False, True, False, False, True, True]
    """
    numbers = [float(number) for number in _NUMBER.findall(text)]
    if not numbers or max(numbers) <= OLDEST:
        return False
    if max(numbers) > OLDEST + 1:
        return True
    if len(numbers) == 1 and (_OPEN.search(text) or aggregated):
        return False
    right_open = re.search(r"90(?:\.0+)?\s*\)\s*$", text) is not None
    return not (right_open or text.strip().startswith("<"))


def _of_births(column: Released) -> bool:
    named = re.search(r"(?i)birth|born|(?<![a-z])(dob|yob)(?![a-z])", column.name) is not None
    kinds = {column.content.kind, column.seen.original.kind}
    return "birth_date" in kinds or (named and "year" in kinds)


def _born_before(text: str, first: int) -> bool:
    """Whether the text tells a year of birth before `first`, other than as one open group.

    >>> _born_before("1931", 1937), _born_before("1936 or earlier", 1937), _born_before("1950", 1937)
    (True, False, False)
    """
    years = [int(found) for found in re.findall(_YEAR, text)]
    open_below = re.search(r"(?i)<|≤|earlier|before", text) is not None
    return bool(years) and min(years) < first and not (open_below and max(years) >= first - 1)

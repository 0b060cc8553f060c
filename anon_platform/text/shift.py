"""A date in text moved by days, in the words and figures it was written in."""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from anon_platform.text.language import Language

_TOKEN = re.compile(r"(?<=['’])\d\d(?!\d)|\d+|[^\W\d_]+")
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_TIME = re.compile(
    r"(?<!\d)\d{1,2}[:h]\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*(?:[ap]\.?m\b\.?|hrs?\b|h\b|Z\b|[+-]\d{2}:?\d{2}))?",
    re.IGNORECASE,
)
_CLOCK = frozenset({"t", "at", "a", "las", "the"})
_SHORT = 3
"""Letters of a month's short name."""

COMMON_YEAR = 2001
"""Stands for a year that is not written; it is no leap year."""

MONTHS = 12

MIDDLE = 15
"""The day that stands for a month without one …"""

MIDDLE_MONTH = 7
"""… and the month for a year without one."""

CENTURY = 100
TURN = 50
"""Years of two figures below this one are of this century."""


class _UnreadableError(ValueError):
    """The text is no date that is understood."""


@dataclass
class _Parts:
    """What the tokens of a date are: places in the list of tokens."""

    days: list[int]
    month: int | None = None
    month_name: int | None = None
    year: int | None = None


def shifted(text: str, days: int, spoken: Language) -> str | None:
    """The date `days` later, written alike: figures keep their width, names their form, a time of day stays.

    A missing year is taken for a common one, a missing day for the 15th, a missing month for July. None where the text
    is no date that can be read for sure.

    >>> from anon_platform.text.language import language
    >>> english = language("en")
    >>> shifted("Monday, March 3rd, 2021 at 10:30", 30, english), shifted("12/30/19", 3, english)
    ('Wednesday, April 2nd, 2021 at 10:30', '01/02/20')
    >>> shifted("around Easter", 3, english) is None
    True
    """
    pieces, at = list[str](), 0
    for time in [*_TIME.finditer(text), None]:
        end = time.start() if time else len(text)
        pieces += [text[at:end], time[0] if time else ""]
        at = time.end() if time else end
    try:
        # the date stands in one piece, times in those between
        dated = [i for i in range(0, len(pieces), 2) if _TOKEN.search(pieces[i])]
        moved = {i: _moved(pieces[i], days, spoken) for i in dated if _says_something(pieces[i])}
    except (_UnreadableError, ValueError, OverflowError):
        return None
    return "".join(moved.get(i, piece) for i, piece in enumerate(pieces)) if moved else None


def _says_something(text: str) -> bool:
    return any(token.casefold() not in _CLOCK for token in _TOKEN.findall(text))


def _moved(text: str, days: int, spoken: Language) -> str:
    if compact := _COMPACT.fullmatch(text.strip()):
        later = dt.date(*map(int, compact.groups())) + dt.timedelta(days)
        return text.replace(compact[0], f"{later:%Y%m%d}")
    tokens = list(_TOKEN.finditer(text))
    words = [token[0].casefold() for token in tokens]
    written = {
        i: _later_weekday(tokens[i][0], days, spoken) for i, w in enumerate(words) if w in spoken.weekdays
    }
    fillers = {*spoken.of, *spoken.ordinals, *spoken.relative_days, *_CLOCK, *spoken.month_cues, "to", "and"}
    short = {i for i, token in enumerate(tokens) if text[token.start() - 1 : token.start()] in {"'", "’"}}
    parts = _parts(
        words, short, spoken, [i for i, w in enumerate(words) if w not in fillers and i not in written]
    )
    if parts.days or parts.month is not None or parts.month_name is not None or parts.year is not None:
        written |= _later(words, [token[0] for token in tokens], parts, days, spoken)
    elif not written:
        raise _UnreadableError
    found, at = list[str](), 0
    for i, token in enumerate(tokens):
        found += [text[at : token.start()], written.get(i, token[0])]
        at = token.end()
    return "".join([*found, text[at:]])


def _parts(words: Sequence[str], short: set[int], spoken: Language, places: Sequence[int]) -> _Parts:
    """short: places of years of two figures behind an apostrophe."""
    named = [i for i in places if words[i] in spoken.months]
    numbers = [i for i in places if words[i].isdecimal()]
    if len(named) + len(numbers) != len(places) or len(named) > 1:
        raise _UnreadableError
    years = [i for i in numbers if len(words[i]) == 4 or i in short]  # noqa: PLR2004 - figures of a year
    if len(years) > 1:
        raise _UnreadableError
    year = years[0] if years else None
    others = [i for i in numbers if i != year]
    if named:
        return _with_name(named[0], year, others)
    return _in_figures(words, year, others, spoken)


def _with_name(name: int, year: int | None, others: list[int]) -> _Parts:
    """`March 3 2021`, `3 March 21`, `March 2021`, `March 3-5`."""
    if year is None and len(others) == 2 and others[0] < name < others[1]:  # noqa: PLR2004 - day and short year
        return _Parts([others[0]], month_name=name, year=others[1])
    return _Parts(others, month_name=name, year=year)


def _in_figures(words: Sequence[str], year: int | None, others: list[int], spoken: Language) -> _Parts:
    if not others:
        return _Parts([], year=year)
    if len(others) == 1:
        if year is None:
            raise _UnreadableError
        return _Parts([], month=others[0], year=year)
    if year is not None and year < others[0]:
        return _Parts([others[1]], month=others[0], year=year)
    if len(others) == 3:  # noqa: PLR2004 - three figures, the last a short year
        year = others.pop()
    first, second = (int(words[i]) for i in others)
    # two figures that both may be months stand in the order of the language
    day_first = spoken.day_first if max(first, second) <= MONTHS else first > MONTHS
    day, month = others if day_first else reversed(others)
    return _Parts([day], month=month, year=year)


def _later(
    words: Sequence[str], tokens: Sequence[str], parts: _Parts, days: int, spoken: Language
) -> dict[int, str]:
    """The tokens of the later date."""
    year = COMMON_YEAR if parts.year is None else _year(words[parts.year])
    month = MIDDLE_MONTH
    if parts.month is not None:
        month = int(words[parts.month])
    elif parts.month_name is not None:
        month = _month(words[parts.month_name], spoken)
    later = [
        dt.date(year, month, day) + dt.timedelta(days)
        for day in ([int(words[i]) for i in parts.days] or [MIDDLE])
    ]
    if len({(date.year, date.month) for date in later}) > 1 or later[0].year > dt.MAXYEAR:
        raise _UnreadableError  # `March 30-31` would need a second month
    in_figures = parts.month_name is None
    found = {
        i: _figures(tokens[i], date.day, padded=in_figures)
        for i, date in zip(parts.days, later, strict=False)
    }
    for i in parts.days:
        if i + 1 < len(words) and words[i + 1] in spoken.ordinals and spoken.language == "en":
            found[i + 1] = _ordinal(int(found[i]))
    if parts.month is not None:
        found[parts.month] = _figures(tokens[parts.month], later[0].month, padded=True)
    if parts.month_name is not None:
        found[parts.month_name] = _name(tokens[parts.month_name], later[0].month, spoken)
    if parts.year is not None:
        figures = len(tokens[parts.year])
        found[parts.year] = f"{later[0].year % 10**figures:0{figures}d}"
    return found


def _year(figures: str) -> int:
    year = int(figures)
    if len(figures) == 4:  # noqa: PLR2004 - figures of a year
        return year
    return year + 20 * CENTURY if year < TURN else year + 19 * CENTURY


def _figures(like: str, number: int, *, padded: bool) -> str:
    """The number with a leading zero where the original has one; `padded`: also where it may have had one."""
    zero = like.startswith("0") or (padded and len(like) > 1)
    return f"{number:02d}" if zero else str(number)


def _ordinal(day: int) -> str:
    return "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")  # noqa: PLR2004


def _month(word: str, spoken: Language) -> int:
    """1 to 12; the first twelve names of a language are the months in full, the others begin like them."""
    full = list(spoken.months[:12])
    alike = [i for n in (_SHORT, _SHORT - 1) for i, name in enumerate(full, 1) if name[:n] == word[:n]]
    return alike[0]


def _name(like: str, month: int, spoken: Language) -> str:
    full = spoken.months[month - 1]
    long = len(like) > _SHORT + 1 or (len(like) > _SHORT and like.casefold() in spoken.months[:12])
    name = full if long else full[:_SHORT]
    return name.upper() if like.isupper() else name if like.islower() else name.capitalize()


def _later_weekday(word: str, days: int, spoken: Language) -> str:
    plain = [_without_accents(name) for name in spoken.weekdays]
    week = [name for i, name in enumerate(spoken.weekdays) if plain[i] not in plain[:i]]
    at = list(dict.fromkeys(plain)).index(_without_accents(word.casefold()))
    name = week[(at + days) % 7]
    return name.upper() if word.isupper() else name if word.islower() else name.capitalize()


def _without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))

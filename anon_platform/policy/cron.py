"""When a schedule fires: the five fields of cron, in the part of its language that every cron agrees on."""

import re
from dataclasses import dataclass

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(
    r"(?:\*|(?P<low>[0-9]{1,2}|[a-z]{3})(?:-(?P<high>[0-9]{1,2}|[a-z]{3}))?)(?:/(?P<step>[0-9]{1,2}))?"
)


@dataclass(frozen=True)
class _Field:
    """One field: its name, the numbers it may hold, and words for them."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    def numbers(self, text: str) -> set[int] | None:
        """The numbers that the text stands for; None when it stands for none."""
        found: set[int] = set()
        for part in text.lower().split(","):
            match = _PART.fullmatch(part)
            if match is None or (match["step"] and match["low"] and not match["high"]):
                return None
            low = self._number(match["low"], self.low)
            high = self._number(match["high"], self.high if match["low"] is None else low)
            step = int(match["step"] or 1)
            if low is None or high is None or not self.low <= low <= high <= self.high or step < 1:
                return None
            found |= set(range(low, high + 1, step))
        return found

    def _number(self, text: str | None, without: int | None) -> int | None:
        if text is None:
            return without
        if text in self.words:
            return self.words.index(text) + self.low
        return int(text) if text.isdecimal() else None


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 7, _WEEKDAYS),
)


def cron_fault(cron: str) -> str | None:
    """What is wrong with a cron line and what to write instead; None when nothing is.

    >>> cron_fault("0 3 * * 1"), cron_fault("0 24 * * *")
    (None, 'the hour is *, numbers from 0 to 23, ranges or lists of them, such as "0 3 * * 1" (Mondays at 3:00)')
    """
    example = 'such as "0 3 * * 1" (Mondays at 3:00)'
    texts = cron.split()
    if len(texts) != len(_FIELDS):
        return f"write five fields, minute hour day month weekday, {example}"
    found = []
    for field, text in zip(_FIELDS, texts, strict=True):
        numbers = field.numbers(text)
        if numbers is None:
            return f"the {field.name} is *, numbers from {field.low} to {field.high}, ranges or lists of them, {example}"
        found.append(numbers)
    _, _, days, months, _ = found
    if texts[4] == "*" and min(days) > max(_DAYS_OF_MONTH[month - 1] for month in months):
        return "none of these months has such a day, so that no release would ever be made"
    return None

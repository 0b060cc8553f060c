"""Numbers, dates and lists in the words of the report; counts of a few records are never exact."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SMALL_CELL = 11
"""Cells below it are hidden where the policy has no k: the rule of the US Medicare agency (CMS) for published counts."""

SPACE = "\N{NO-BREAK SPACE}"

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""Their names, whatever language the machine speaks."""

DASH = "\N{EM DASH}"


@dataclass(frozen=True)
class Counts:
    """How counts of records and people are shown: from 1 to k − 1 as `< k`. Zero is shown: it is about nobody."""

    k: int

    def small(self, n: float) -> bool:
        """Whether so few must not be shown exactly."""
        return 0 < n < self.k

    def shown(self, n: int) -> str:
        """A count with thousands separators, or `< k`.

        >>> Counts(5).shown(92579), Counts(5).shown(4).replace(SPACE, " "), Counts(5).shown(0)
        ('92,579', '< 5', '0')
        """
        return f"<{SPACE}{self.k}" if self.small(n) else f"{n:,}"

    def whole(self, total: int, part: int) -> str:
        """`total`, unless subtracting `part` from it would tell a small count.

        >>> Counts(5).whole(100, 90), Counts(5).whole(100, 98).replace(SPACE, " ")
        ('100', '98 + < 5')
        """
        rest = total - part
        return f"{self.shown(part)} + {self.shown(rest)}" if self.small(rest) else self.shown(total)

    def share(self, part: float, total: float) -> str:
        """`part` of `total` as a percentage; of a small count only that it is below what k records would be.

        >>> Counts(5).share(20, 100).replace(SPACE, " "), Counts(5).share(3, 100).replace(SPACE, " ")
        ('20.0 %', '< 5.0 %')
        """
        if not total:
            return percent(0.0)
        if not self.small(part):
            return percent(part / total)
        below = percent(self.k / total)
        return below if below.startswith("<") else f"<{SPACE}{below}"


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage; never rounded to nothing.

    >>> percent(0.0237).replace(SPACE, " "), percent(0.0002).replace(SPACE, " ")
    ('2.4 %', '< 0.1 %')
    """
    least = 10.0**-digits
    if 0 < share * 100 < least / 2:
        return f"<{SPACE}{least:.{digits}f}{SPACE}%"
    return f"{share * 100:.{digits}f}{SPACE}%".replace("-", "\N{MINUS SIGN}")


def decimal(value: float, digits: int = 3) -> str:
    """A distance on the scale from 0 to 1; never rounded to nothing.

    >>> decimal(0.03647), decimal(8e-7).replace(SPACE, " "), decimal(0.0)
    ('0.036', '< 0.001', '0')
    """
    if value == 0:
        return "0"
    least = 10.0**-digits
    return f"<{SPACE}{least:.{digits}f}" if 0 < value < least / 2 else f"{value:.{digits}f}"


def whole(value: float) -> str:
    """A measure that is a number of things: with thousands separators, without decimals where it has none.

    >>> whole(5.0), whole(2.5)
    ('5', '2.5')
    """
    return f"{value:,.0f}" if value == round(value) else f"{value:,g}"


def digits_apart(value: float, threshold: float | None, digits: int) -> int:
    """Decimals at which a value is told from a threshold that it does not equal, `digits` at least.

    >>> digits_apart(0.05004, 0.05, 3), digits_apart(0.03, 0.05, 3)
    (5, 3)
    """
    if threshold is None or math.isclose(value, threshold, rel_tol=0, abs_tol=1e-9):
        return digits
    # nine decimals tell apart whatever the validator tells apart
    return next((n for n in range(digits, 9) if f"{value:.{n}f}" != f"{threshold:.{n}f}"), 9)


def listing(names: Sequence[str], most: int = 8) -> str:
    """Names as a sentence has them.

    >>> listing(["age", "sex", "zip"]), listing(["a", "b", "c", "d"], most=2)
    ('age, sex and zip', 'a, b and 2 more')
    """
    shown, rest = list(names[:most]), len(names) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def plural(word: str) -> str:
    """The plural of a privacy unit.

    >>> plural("patient"), plural("person"), plural("family"), plural("church")
    ('patients', 'people', 'families', 'churches')
    """
    if word == "person":
        return "people"
    if word.endswith("y") and word[-2:-1] not in {"a", "e", "i", "o", "u"}:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"


def counted(n: int, word: str) -> str:
    """A number with its noun.

    >>> counted(1, "patient"), counted(2045, "patient")
    ('1 patient', '2,045 patients')
    """
    return f"{n:,} {word if n == 1 else plural(word)}"


def moment(iso: str) -> str:
    """A time stamp for people, in UTC; as it is when it is no ISO 8601.

    >>> moment("2026-11-04T05:11:16+00:00")
    '4 November 2026, 05:11 UTC'
    """
    try:
        at = datetime.fromisoformat(iso).astimezone(UTC)
    except ValueError:
        return iso
    return f"{day(at)}, {at:%H:%M} UTC"


def retention(days: int | None, created_at: str) -> str:
    """How long the recipient may keep the release.

    >>> retention(365, "2026-11-24T05:11:16+00:00")
    '365 days, until 24 November 2027'
    """
    if days is None:
        return "no limit set in the policy"
    try:
        until = datetime.fromisoformat(created_at).astimezone(UTC) + timedelta(days=days)
    except (ValueError, OverflowError):
        return counted(days, "day")
    return f"{counted(days, 'day')}, until {day(until)}"


def day(at: datetime) -> str:
    """A date without room for doubt about day and month.

    >>> day(datetime(2026, 11, 4, tzinfo=UTC))
    '4 November 2026'
    """
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def short(name: str, most: int = 26) -> str:
    """A name that fits beside a plot; its end stays, since names in a family differ there.

    >>> short("metformin-rosiglitazone", 15)
    'metform…itazone'
    """
    clean = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if len(clean) <= most:
        return clean
    head = most // 2
    return f"{clean[:head]}…{clean[len(clean) - (most - head - 1) :]}"

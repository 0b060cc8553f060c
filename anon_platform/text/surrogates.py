"""Invented names, numbers and places in place of real ones: chosen by a secret key, the same for the same original."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from anon_platform.text.language import Language
from anon_platform.text.names import families, given_names, towns

if TYPE_CHECKING:
    from anon_platform.keys import Key

_WORD = re.compile(r"[^\W\d_]+")
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d{2}(?!\d)")
_MARK = re.compile(r"[0-9A-Za-z]")

_FIGURES = re.compile(r"[0-9]+")
_NEXT = str.maketrans("0123456789", "1234567890")
_NOTHING: frozenset[str] = frozenset()

_LABELS = {
    "name": "PERSON", "place": "LOCATION", "number": "ID", "email": "EMAIL_ADDRESS", "url": "URL",
    "ip_address": "IP_ADDRESS",
}  # fmt: skip
"""What a column holds, and the label that it would have in text."""

INITIALS = "ABCDEFGHJKLMNPRSTW"

TRIES = 20
"""Choices before a word is made up: so many names of a list are hardly all in one record."""


class Surrogates:
    """key: secret; who has not got it cannot tell which original a surrogate stands for."""

    def __init__(self, key: "Key", language: Language) -> None:
        self._key = key
        self._kept = frozenset({*language.titles, *language.credentials, *language.particles})
        self._kinds: dict[str, Callable[[str, frozenset[str]], str]] = {
            "PERSON": self._person,
            "LOCATION": self._place,
            "DATE_TIME": _date,
            "AGE": lambda _text, _taken: "90+",
            "EMAIL_ADDRESS": lambda text, _taken: f"{self._letters(text, 8)}@example.org",
            "URL": lambda text, _taken: f"https://www.example.org/{self._letters(text, 8)}",
            "IP_ADDRESS": lambda text, _taken: f"192.0.2.{self._number(text, 254) + 1}",
        }

    def instead(self, text: str, label: str, *, taken: frozenset[str]) -> str:
        """What stands for the text. taken: folded words that the surrogate may not have, since they are the record's own."""
        return self._kinds.get(label, self._code)(text, taken)

    def of_column(self, text: str, like: str) -> str:
        """What stands for a whole value of a column. like: what is invented, as `anonymize.surrogate` has it.

        Given and family names are those that a full name in text gets. What is left of a value that the kind does not
        expect, such as figures in a name, is invented as well.
        """
        if not text:
            return text
        if like in {"given_name", "family_name"}:
            family = like == "family_name"
            found = _WORD.sub(lambda match: self._name(match[0], _NOTHING, family=family, alone=False), text)
        else:
            found = self.instead(text, _LABELS[like], taken=_NOTHING)
        if like in {"given_name", "family_name", "name"}:
            found = _FIGURES.sub(lambda match: self._code(match[0], _NOTHING), found)
        if found == text:
            found = text.translate(_NEXT)  # short numbers may be drawn as they are
        return found if found != text else self._letters(text, 8).capitalize()

    def _person(self, text: str, taken: frozenset[str]) -> str:
        """Word by word, so that a name has one surrogate alone and within a longer one."""
        kept = self._kept - taken  # a title or a particle may be this patient's name
        words = [match.start() for match in _WORD.finditer(text) if match[0].casefold() not in kept]
        comma = text.find(",")
        # `Smith, John` has the family name first
        family = words[:1] if comma > 0 and any(at > comma for at in words) else words[-1:]
        return _WORD.sub(
            lambda match: self._name(match[0], taken, family=match.start() in family, alone=len(words) == 1),
            text,
        )

    def _name(self, word: str, taken: frozenset[str], *, family: bool, alone: bool) -> str:
        folded = word.casefold()
        if folded in self._kept and folded not in taken:
            return word
        if len(word) == 1:
            return INITIALS[self._number("initial " + folded, len(INITIALS))]
        sex = _sex_of(folded)
        if (family and not alone) or sex is None:
            pool = families() if family else given_names("FM"[self._number("sex " + folded, 2)])
        else:
            pool = given_names(sex)
        return _cased(self._choice(folded, pool, taken), word)

    def _place(self, text: str, taken: frozenset[str]) -> str:
        """Digits become others, a name the name of a town; small words and street suffixes stay."""
        if any(letter.isdigit() for letter in text) and not _WORD.search(text):
            return self._code(text, taken)
        digits = self._code("".join(filter(str.isdigit, text)), taken) if _MARK.search(text) else ""
        town = self._choice(text.casefold(), towns(), taken)
        return f"{digits} {town}".strip() if digits else _cased(town, text)

    def _code(self, text: str, taken: frozenset[str]) -> str:
        """Digits for digits and letters for letters, so that the format stays."""
        del taken
        plain = "".join(_MARK.findall(text)).lower()
        stream = iter(self._key.mac(b"code:" + plain.encode()) + self._key.mac(b"more:" + plain.encode()))

        def other(match: re.Match[str]) -> str:
            draw = next(stream, 7)
            if match[0].isdigit():
                return str(draw % 10)
            letter = chr(ord("a") + draw % 26)
            return letter.upper() if match[0].isupper() else letter

        return _MARK.sub(other, text)

    def _choice(self, folded: str, pool: Sequence[str], taken: frozenset[str]) -> str:
        for attempt in range(TRIES):
            found = pool[self._number(f"{attempt} {folded}", len(pool))]
            if not taken & {word.casefold() for word in _WORD.findall(found)} and found.casefold() != folded:
                return found
        return self._letters(folded, 8).capitalize()

    def _number(self, text: str, below: int) -> int:
        return (
            int.from_bytes(self._key.mac(b"choice:" + text.casefold().encode("utf-8", "surrogatepass"))[:8])
            % below
        )

    def _letters(self, text: str, count: int) -> str:
        return self._key.token("letters " + text.casefold(), 26).translate(str.maketrans("234567", "aeioux"))[
            :count
        ]


def _date(text: str, taken: frozenset[str]) -> str:
    """The year alone, where there is one: the only part of a date that may stay (45 CFR 164.514(b)(2)(i)(C))."""
    del taken
    year = _YEAR.search(text)
    return year[0] if year else "[DATE]"


def _cased(name: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return name.upper()
    return name.lower() if like.islower() else name


@cache
def _sexes() -> dict[str, str]:
    both = {name.casefold(): "F" for name in given_names("F")}
    return both | {name.casefold(): "M" for name in given_names("M")}


def _sex_of(folded: str) -> str | None:
    """F or M for a word that is a given name; None for others."""
    return _sexes().get(folded)

"""What a note's own record tells: its names, numbers, addresses and dates are found in any spelling."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import WORD, fold
from anon_platform.text.propagate import is_one_edit
from anon_platform.text.spans import CERTAIN, LIKELY, Span

NAME_COLUMNS = re.compile(
    r"(?:^|_)(?:name|given|first|last|middle|family|surname|maiden|alias|nickname|provider|physician|doctor|attending"
    r"|contact|kin|relative|guardian|mother|father|spouse|patient|nombre|apellidos?|medico)(?:_|$)"
)
PLACE_COLUMNS = re.compile(
    r"(?:^|_)(?:address|street|city|town|county|hospital|facility|clinic|zip|postcode|postal|domicilio|ciudad|calle)(?:_|$)"
)
_FORMS = (
    ("EMAIL_ADDRESS", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    ("IP_ADDRESS", re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]+:[0-9a-fA-F:]+:[0-9a-fA-F:]*")),
    ("US_SSN", re.compile(r"\d{3}-\d{2}-\d{4}")),
    ("PHONE_NUMBER", re.compile(r"\+?[\d() .-]{9,20}\d")),
)
_DATE = re.compile(r"(?P<y>(?:18|19|20)\d{2})-(?P<m>\d{2})-(?P<d>\d{2})(?:[T ].*)?")
_DAY = re.compile(r"(?<![\w/.-])(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?(?![\w/-]|\.\d)")
_CODE = re.compile(r"(?=(?:\D*\d){5})[\w/ .#-]{5,40}")
MISSPELT = 4
"""Letters that a misspelt name has at least; up to this it counts beside another name only."""

_LETTERS = re.compile(r"[^\W\d_]+")

PHONE_DIGITS = 10
"""Digits of a telephone number without its country code, in the United States and Canada."""

SHORTEST_CODE = 5
"""Characters that a code has at least; what is shorter occurs by chance."""


@dataclass(frozen=True)
class Record:
    """values: by column name, of the same row and of the patient's other rows (a list for several); null is nothing."""

    values: Mapping[str, object]
    language: Language

    def spans(self, document: Document) -> list[Span]:
        """Mentions of the record's values, whatever their case, accents, order, spacing and punctuation."""
        squeezed = Squeezed.of(document.text)
        found = list(_names(document, self._names))
        for label, value in self._codes:
            found.extend(squeezed.spans(value, label))
        for phrase in self._phrases:
            found.extend(squeezed.spans(phrase, "LOCATION"))
        for name in self._compounds:
            found.extend(squeezed.spans(name, "PERSON"))
        found.extend(_days(document.text, self._dates, frozenset(self.language.not_a_date)))
        return found

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        return [
            (column.lower().replace(" ", "_").replace("-", "_"), str(one).strip())
            for column, value in self.values.items()
            for one in (value if isinstance(value, list | tuple) else (value,))
            if one is not None and not isinstance(one, bool) and str(one).strip()
        ]

    @cached_property
    def _names(self) -> frozenset[str]:
        """Words of the names; a hospital's name is a place."""
        left_out = {*self.language.titles, *self.language.credentials, *self.language.particles}
        words: set[str] = set()
        for column, text in self._texts:
            if NAME_COLUMNS.search(column) and not PLACE_COLUMNS.search(column):
                parts = [part for part in text.replace(",", " ").split() if _LETTERS.search(part)]
                words.update(fold(part) for part in parts if len(part.strip(".")) > 1)
                words.update(fold(half) for part in parts for half in part.split("-") if len(half) > 2)  # noqa: PLR2004
        return frozenset(words - left_out)

    @cached_property
    def _compounds(self) -> list[str]:
        """Names with a hyphen, an apostrophe or a blank within, which may be written with others or none."""
        return [
            part
            for column, text in self._texts
            if NAME_COLUMNS.search(column) and not PLACE_COLUMNS.search(column)
            for part in {text, *text.split()}
            if re.search(r"\w[\s'’-]+\w", part) and len(part) >= SHORTEST_CODE
        ]

    @cached_property
    def _phrases(self) -> list[str]:
        return [text for column, text in self._texts if PLACE_COLUMNS.search(column) and len(text) > 2]  # noqa: PLR2004

    @cached_property
    def _codes(self) -> list[tuple[str, str]]:
        codes: list[tuple[str, str]] = []
        for column, text in self._texts:
            if _DATE.fullmatch(text) or PLACE_COLUMNS.search(column):
                continue
            label = next((label for label, form in _FORMS if form.fullmatch(text)), None)
            if label is None and _CODE.fullmatch(text) and not re.fullmatch(r"-?\d+\.\d+", text):
                label = "MEDICAL_RECORD_NUMBER" if re.search(r"mrn|medical_record", column) else "ID"
            if label is not None:
                codes.extend((label, spelling) for spelling in _spellings(label, text))
        return codes

    @cached_property
    def _dates(self) -> list[tuple[int, int, int]]:
        found = (_DATE.fullmatch(text) for _, text in self._texts)
        return [(int(match["y"]), int(match["m"]), int(match["d"])) for match in found if match]


def _spellings(label: str, text: str) -> Iterator[str]:
    """The value, its digits alone where a prefix may be left out, a number with and without country code."""
    yield text
    digits = "".join(filter(str.isdigit, text))
    if label == "PHONE_NUMBER":
        national = digits[-PHONE_DIGITS:]
        yield national
        yield f"1{national}"
    elif label in {"ID", "MEDICAL_RECORD_NUMBER"} and len(digits) >= SHORTEST_CODE:
        runs: list[str] = re.findall(rf"\d{{{SHORTEST_CODE},}}", text)
        yield from runs


@dataclass(frozen=True)
class Squeezed:
    """A text of letters and digits alone, small and without accents; `places` are their places in the text."""

    text: str
    letters: str
    places: list[int]

    @classmethod
    def of(cls, text: str) -> "Squeezed":
        """The text, squeezed."""
        places = [place for place, letter in enumerate(text) if letter.isalnum()]
        letters = "".join([text[place] for place in places])
        if not letters.isascii():
            letters = "".join(_plain(letter) for letter in letters)
        return cls(text, letters.lower(), places)

    def spans(self, value: str, label: str) -> Iterator[Span]:
        """Where the value stands as a whole: no letter or digit goes on before or after it, no line ends within."""
        wanted = "".join(_plain(letter) for letter in value if letter.isalnum()).lower()
        at = self.letters.find(wanted) if wanted else -1
        while at >= 0:
            start, end = self.places[at], self.places[at + len(wanted) - 1] + 1
            before, after = self.text[start - 1 : start], self.text[end : end + 1]
            stretched = end - start > 2 * len(wanted) + 4
            if not (before.isalnum() or after.isalnum() or stretched or "\n\n" in self.text[start:end]):
                yield Span(start, end, label, CERTAIN)
            at = self.letters.find(wanted, at + 1)


def _plain(letter: str) -> str:
    """The letter without accents, one character for one."""
    if letter.isascii():
        return letter
    plain = fold(letter)
    return plain if len(plain) == 1 else unicodedata.normalize("NFC", letter)[:1]


def _names(document: Document, names: frozenset[str]) -> Iterator[Span]:
    """Words of the document that are a name of the record, misspelt by one letter where it is capitalized."""
    if not names:
        return
    near = {
        number for word, numbers in document.by_word.items() if _is_one_of(word, names) for number in numbers
    }
    for word, numbers in document.by_word.items():
        if word in document.lists.kinds and document.lists.kinds[word] & WORD:
            continue
        if len(word) >= MISSPELT and any(
            is_one_edit(word, name) for name in names if abs(len(word) - len(name)) <= 1
        ):
            long = len(word) > MISSPELT
            near.update(n for n in numbers if document.capitalized[n] and (long or {n - 1, n + 1} & near))
    kept = [
        number
        for number in sorted(near)
        if not _is_plain_word(document, number) or {number - 1, number + 1, number + 2, number - 2} & near
    ]
    for first, last in _runs(document, kept):
        yield _with_initials(document, first, last, near)


def _runs(document: Document, numbers: list[int]) -> list[tuple[int, int]]:
    """First and last word of each stretch of names with nothing but a blank, a comma or a hyphen between."""
    runs: list[list[int]] = []
    for number in numbers:
        if (
            runs
            and runs[-1][1] == number - 1
            and document.gap(number - 1) in {" ", ", ", ",", "-", "  ", "\n"}
        ):
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [(first, last) for first, last in runs]


def _is_one_of(word: str, names: frozenset[str]) -> bool:
    return word in names or ("-" in word and any(part in names for part in word.split("-") if len(part) > 2))  # noqa: PLR2004


def _is_plain_word(document: Document, number: int) -> bool:
    """Whether a name that is a word too is written as a word: in small letters, or at the start of a sentence."""
    return bool(document.kinds[number] & WORD) and (
        not document.capitalized[number] or document.opens_sentence(number)
    )


def _with_initials(document: Document, first: int, last: int, near: set[int]) -> Span:
    """The words with the initials before and after it: `J. R. Smith`, `Jane W. Smith`, `Mary W.`."""
    ended = last
    while first > 0 and len(document.forms[first - 1]) == 1 and document.gap(first - 1) in {". ", ".", " "}:
        if not document.capitalized[first - 1] or (document.gap(first - 1) == " " and first - 2 not in near):
            break
        first -= 1
    if document.gap(last) == " " and last + 1 < len(document.forms) and len(document.forms[last + 1]) == 1:
        last += document.capitalized[last + 1] and document.gap(last + 1)[:1] == "."
    end = document.ends[last] + (last > ended)
    return Span(document.starts[first], end, "PERSON", CERTAIN)


def _days(text: str, dates: list[tuple[int, int, int]], refused: frozenset[str]) -> Iterator[Span]:
    """Numeric dates and days without a year that are dates of the record, day or month first."""
    if not dates:
        return
    for match in _DAY.finditer(text):
        first, second, year = int(match[1]), int(match[2]), match[3]
        before = text[max(match.start() - 20, 0) : match.start()].lower().split()[-1:]
        if year is None and ("/" not in match[0] or refused & set(before)):
            continue
        for y, m, d in dates:
            if (first, second) in {(m, d), (d, m)} and (year is None or int(year) in {y, y % 100}):
                yield Span(match.start(), match.end(), "DATE_TIME", LIKELY)
                break

"""What the name of a column says: its words, and the kinds they stand for."""

# ruff: noqa: SIM905 - word lists read best as words

import re
import unicodedata
from functools import cache

from anon_platform.analyze.columns.words import CODED, EVENT, KEY, PERSON, PHRASES, PLACE, SHARED, STAFF

EXACT, OF_SOMEBODY, AT_END, AT_START, INSIDE = 0.93, 0.88, 0.78, 0.62, 0.5
"""How far a phrase is to be believed: the whole name, beside words such as patient, or a part of the name."""

LONGER = 0.04
"""More for every further word of a phrase."""

SHORT = 2
"""So few letters mean something by themselves only."""

_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_A1C = re.compile(r"(?:hb)?a1c", re.IGNORECASE)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_PASSED_OVER = (
    PERSON
    | STAFF
    | frozenset(
        """home work primary secondary current main contact permanent mailing emergency my the of de del la der des value
        raw orig original full code num number no nr text str field col x personal private legal residential s
        line txt first second third""".split()
    )
)
"""Words that change nothing of what the rest says."""

_OF_NAMES = {"place_key": "organization", "foreign_key": "code", "row_key": "code", "code": "code"}
"""What the name of something is, by the kind of its key."""


def tokens(name: str) -> tuple[str, ...]:
    """The words of a column name, in small letters without accents; numbers are left out.

    >>> tokens("PatientDOB"), tokens("PATIENTID"), tokens("straße_2")
    (('patient', 'dob'), ('patient', 'id'), ('strasse',))
    """
    spelled = _A1C.sub(" hba ", name.replace("#", " nr ").translate(_UMLAUTS))
    plain = unicodedata.normalize("NFKD", spelled)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words: list[str] = []
    for piece in _PIECES.findall(plain):
        if not piece.isdigit():
            words += _split(piece.lower())
    return tuple(words)


def name_evidence(name: str) -> dict[str, float]:
    """For every kind that the name may stand for, how far it is to be believed, 0 to 1.

    >>> max(name_evidence("pt_dob").items(), key=lambda found: found[1])
    ('birth_date', 0.88)
    >>> max(name_evidence("admission_type_id").items(), key=lambda found: found[1])[0]
    'code'
    """
    words = tokens(name)
    said = [(*place, kind) for phrase, kind in _phrases().items() if (place := _place(words, phrase))]
    found: dict[str, float] = {}
    for start, end, believed, kind in said:
        # `birth date` is no `date`, and an `ip address` no `address`
        if not any(s <= start and end <= e and (s, e) != (start, end) for s, e, _, _ in said):
            found[kind] = max(found.get(kind, 0.0), believed)
    if len(words) > 1 and words[-1] in {"name", "nm"} and (of := _OF_NAMES.get(_of_entity(words[-2]) or "")):
        found.pop("person_name", None)
        found[of] = max(found.get(of, 0.0), OF_SOMEBODY)
    for kind, believed in _key(words, known=bool(found)).items():
        found[kind] = max(found.get(kind, 0.0), believed)
    return found


def entity(name: str) -> str | None:
    """Whom or what the name speaks of: `person`, `staff`, `event`, `place`, `shared`, by its last word that says so."""
    groups = {"person": PERSON, "staff": STAFF, "event": EVENT, "place": PLACE, "shared": SHARED}
    for word in reversed(tokens(name)):
        for group, members in groups.items():
            if word in members:
                return group
    return None


def _place(words: tuple[str, ...], phrase: tuple[str, ...]) -> tuple[int, int, float] | None:
    """Where the phrase begins and ends among the words, and how far it is to be believed; None where it is not there."""
    many = len(phrase)
    at = next((at for at in range(len(words) - many, -1, -1) if words[at : at + many] == phrase), None)
    if at is None:
        return None
    believed = _believed(
        (*words[:at], *words[at + many :]), phrase, first=at == 0, last=at + many == len(words)
    )
    return (at, at + many, believed) if believed else None


def _believed(rest: tuple[str, ...], phrase: tuple[str, ...], *, first: bool, last: bool) -> float:
    """rest: the other words of the name."""
    if not rest:
        return EXACT
    more = LONGER * (len(phrase) - 1)
    short = len(phrase) == 1 and len(phrase[0]) <= SHORT
    if all(word in _PASSED_OVER or (short and word in KEY) for word in rest):
        return min(OF_SOMEBODY + more, EXACT)
    if short:
        return 0.0
    if last:
        return AT_END + more
    return (AT_START if first else INSIDE) + more


def _key(words: tuple[str, ...], *, known: bool) -> dict[str, float]:
    """What the name says of keys. known: whether a phrase has matched."""
    if not words:
        return {}
    if words[-1] not in KEY:
        kind = _of_entity(words[-1]) if len(words) == 1 or words[-1] in PERSON | STAFF else None
        return {} if kind is None or kind == "code" else {kind: OF_SOMEBODY - 0.3}
    for word in reversed(words[:-1]):
        if kind := _of_entity(word):
            return {kind: OF_SOMEBODY + LONGER}
    strict = words[-1] in {"id", "uid", "uuid", "guid", "pk", "identifier", "key", "sk"}
    if not strict or known:
        return {}
    return {"row_key": AT_END}


def _of_entity(word: str) -> str | None:
    groups = (
        (CODED, "code"), (PERSON, "person_key"), (STAFF, "person_key"), (EVENT, "row_key"),
        (PLACE, "place_key"), (SHARED, "foreign_key"),
    )  # fmt: skip
    return next((kind for members, kind in groups if word in members), None)


@cache
def _phrases() -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for kind, listed in PHRASES.items():
        for phrase in listed.split(";"):
            found.setdefault(tuple(phrase.split()), kind)
    return found


@cache
def _vocabulary() -> frozenset[str]:
    listed = {word for phrase in _phrases() for word in phrase}
    return frozenset(listed | PERSON | STAFF | EVENT | PLACE | SHARED | CODED | KEY | _PASSED_OVER)


@cache
def _split(word: str) -> tuple[str, ...]:
    """The word, or the fewest known words it is written together of; `birthdate` is `birth date`."""
    known = _vocabulary()
    if word in known:
        return (word,)
    if word.removesuffix("s") in known and len(word) > SHORT + 1:
        return (word.removesuffix("s"),)
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 20), end):
            head, part = best[start], word[start:end]
            whole = part in known and (len(part) > SHORT or (part in KEY | {"dt", "ts"} and end == len(word)))
            old = best[end]
            if head is not None and whole and (old is None or len(head) + 1 < len(old)):
                best[end] = (*head, part)
    return best[-1] or (word,)

"""What the values of a column tell against: a name that promises a phone number over a column of yes and no."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

from collections.abc import Callable

from anon_platform.analyze.columns.kinds import NUMBERS_OF_PEOPLE
from anon_platform.analyze.columns.names import tokens
from anon_platform.analyze.columns.share import share
from anon_platform.analyze.columns.support import LARGE, UNIQUE, Look

Test = Callable[[Look], str | None]

BARE_NAMES = frozenset({"name", "nm", "display", "contact"})
"""A column that is called by these only may name firms and things as well."""


def conflict(kind: str, look: Look) -> str | None:
    """Why the values cannot be of this kind; None when nothing tells against it."""
    if not look.facts.distinct:
        return None
    if look.facts.nested:
        return "the values are no single texts or numbers"
    test = _TESTS.get(kind)
    return test(look) if test is not None else None


def _decimals(look: Look) -> bool:
    return look.facts.number_type == "number" and not look.facts.whole


def _flag(look: Look) -> bool:
    return look.facts.distinct <= 2 and look.shares["flag"] == 1 and look.facts.rows > 2


def _name(look: Look) -> str | None:
    if look.facts.numeric > 0.5 or look.facts.dates is not None or _flag(look):
        return "the values are no words"
    if look.facts.words > 6:
        return "the values are too long for names"
    if look.shares["firm"] >= 0.25 and set(tokens(look.facts.name)) <= BARE_NAMES:
        return "the values are names of firms"
    known = look.known.full + look.known.given + look.known.family
    ascii_ = share(look.facts.values.head(1000).str.contains(r"^[\x00-\x7F]*$"))
    if set(tokens(look.facts.name)) <= BARE_NAMES and known < 0.15 and ascii_ > 0.5:
        return "the values are no known names of people"
    return None


def _lettered(look: Look) -> str | None:
    """A name or an initial."""
    return "the values are no words" if look.facts.numeric > 0.5 or _flag(look) else None


def _affix(look: Look) -> str | None:
    long = look.facts.length > 6 and look.shares["affix"] < 0.3
    return "the values are no titles" if long or look.facts.numeric > 0.5 else None


def _number_of_person(look: Look) -> str | None:
    if _decimals(look) or _flag(look) or look.facts.dates is not None:
        return "the values are no numbers of people"
    if look.shares["with_digits"] < 0.5 and look.facts.length < 100:
        return "the values are words, no numbers"
    if look.facts.filled >= LARGE and look.facts.distinct <= 3:
        return "a few values stand in all rows"
    return None


def _phone(look: Look) -> str | None:
    return (
        None
        if max(look.shares["phone"], look.shares["phone_marked"]) >= 0.3
        else "the values are no phone numbers"
    )


def _needs(shape: str, least: float, words: str) -> Test:
    return lambda look: None if look.shares[shape] >= least else f"the values are no {words}"


def _ip(look: Look) -> str | None:
    return None if look.shares["ipv4"] + look.shares["ipv6"] >= 0.3 else "the values are no IP addresses"


def _photo(look: Look) -> str | None:
    seen = max(look.shares[shape] for shape in ("image", "url", "base64"))
    return None if seen >= 0.3 or look.facts.length > 200 else "the values are no images"


def _few(most: int) -> Test:
    def test(look: Look) -> str | None:
        return "too many different values" if look.facts.distinct > most or _decimals(look) else None

    return test


def _place(look: Look) -> str | None:
    return "the values are no names of places" if look.facts.numeric > 0.5 or _flag(look) else None


def _state(look: Look) -> str | None:
    if look.facts.distinct > 150 and look.known.state < 0.2:
        return "too many different values"
    return "the values are no states" if _decimals(look) or _flag(look) or look.shares["uuid"] > 0.5 else None


def _postcode(look: Look) -> str | None:
    fits = max(look.shares["postcode"], look.shares["zip"], look.shares["postcode_marked"])
    return None if fits >= 0.3 or look.facts.length > 200 else "the values have no form of postcodes"


def _date(look: Look) -> str | None:
    if look.facts.dates is not None:
        return None
    spelled = look.facts.text and look.facts.numeric < 0.5 and look.shares["with_digits"] > 0.5
    short = look.facts.length <= 40 and look.shares["uuid"] < 0.5 and look.facts.words <= 6
    return None if spelled and short else "the values are no dates"


def _birth(look: Look) -> str | None:
    if look.facts.text and look.shares["with_digits"] > 0.5 and look.facts.length >= 6:
        return None
    return _date(look)


def _year(look: Look) -> str | None:
    low, high = look.facts.span
    return None if look.facts.numeric > 0.9 and low >= 1850 and high <= 2110 else "the values are no years"


def _age(look: Look) -> str | None:
    low, high = look.facts.span
    if look.facts.numeric > 0.9:
        return None if low >= 0 and high <= 130 else "the numbers are no ages"
    return None if look.facts.distinct <= 40 or look.shares["age_range"] > 0.3 else "the values are no ages"


def _key(look: Look) -> str | None:
    if _decimals(look) or look.facts.words > 3 or look.facts.dates is not None or _flag(look):
        return "the values are no keys"
    coded = look.shares["uuid"] + look.shares["with_digits"]
    return None if coded >= 0.5 or look.shares["hex"] >= 0.5 else "the values are words, no keys"


def _count(look: Look) -> str | None:
    if look.facts.numeric < 0.5:
        return "the values are no numbers"
    lengths = look.facts.values.str.len_chars()
    zeros = look.facts.text and bool(look.facts.values.str.contains(r"^0\d").any())
    keys = (
        look.facts.distinct >= LARGE and bool((lengths == lengths.max()).all()) and bool((lengths >= 5).any())
    )
    return "the values are numbers of one length, as keys are" if zeros or keys else None


def _measure(look: Look) -> str | None:
    """Keys are called values, too: digits of one length, new ones in every row."""
    lengths = look.facts.values.str.len_chars()
    keys = bool(look.facts.values.str.contains(r"^[0-9]{6,}$").all()) and bool(
        (lengths == lengths.max()).all()
    )
    unique = look.facts.filled >= LARGE and look.facts.uniqueness >= UNIQUE
    return "the values are keys" if keys and unique else None


def _numbers(look: Look) -> str | None:
    return None if look.facts.numeric > 0.5 else "the values are no numbers"


def _coordinates(look: Look) -> str | None:
    if max(look.shares["wkt"], look.shares["lat_lon"]) >= 0.3:
        return None
    low, high = look.facts.span
    exact = look.shares["decimals"] >= 0.5 or look.facts.dtype.is_float()
    return (
        None
        if look.facts.numeric > 0.9 and exact and low >= -180 and high <= 180
        else "the values are no coordinates"
    )


def _code(look: Look) -> str | None:
    if (
        look.facts.filled >= LARGE
        and look.facts.uniqueness >= UNIQUE
        and look.facts.dates is None
        and not _decimals(look)
    ):
        return "almost every row has a value of its own"
    return "values are texts" if look.facts.words > 5 and look.facts.uniqueness > 0.5 else None


def _prose(look: Look) -> str | None:
    listed = look.facts.words < 3 and look.facts.uniqueness < 0.5
    return "the values are short and repeat" if look.facts.numeric > 0.5 or listed else None


def _coded_or_digits(look: Look) -> str | None:
    return (
        "the values are no numbers" if look.shares["with_digits"] < 0.5 or look.facts.distinct <= 2 else None
    )


_TESTS: dict[str, Test] = {
    "person_name": _name, "given_name": _lettered, "family_name": _lettered, "middle_name": _lettered,
    "name_affix": _affix, "phone": _phone, "fax": _phone, "email": _needs("email", 0.1, "e-mail addresses"),
    "url": _needs("url", 0.1, "web addresses"), "mac_address": _needs("mac", 0.3, "hardware addresses"),
    "ip_address": _ip, "ssn": _coded_or_digits, "medical_record_number": _coded_or_digits,
    "photo": _photo, "sex": _few(15), "race": _few(200), "marital_status": _few(40), "education": _few(500),
    "language": _few(500), "nationality": _few(400), "city": _place, "birth_place": _place, "state": _state,
    "postcode": _postcode, "country": _few(400), "date": _date, "timestamp": _date, "death_date": _date,
    "birth_date": _birth, "year": _year, "age": _age, "person_key": _key, "row_key": _key, "place_key": _key,
    "foreign_key": _key, "count": _count, "measure": _measure, "amount": _numbers, "weight": _numbers, "coordinates": _coordinates,
    "code": _code, "free_text": _prose, "flag": _few(6), "religion": _few(300), "organization": _place,
    "user_name": lambda look: "two values mean yes and no" if _flag(look) else None,
    "street_address": lambda look: "the values are no addresses" if _decimals(look) or _flag(look) else None,
    "biometric": lambda look: "two values are no measurement of a body" if look.facts.distinct <= 2 else None,
    **dict.fromkeys(NUMBERS_OF_PEOPLE, _number_of_person),
}  # fmt: skip

"""What the values of a column speak for: kinds that their shape, check digits, names and distribution suggest."""

# ruff: noqa: PLR2004 - shares and numbers of values stand in the rule that they belong to

from collections.abc import Iterator
from dataclasses import dataclass

from anon_platform.analyze.columns.facts import Facts
from anon_platform.analyze.columns.gazetteers import Known
from anon_platform.analyze.columns.names import entity, name_evidence
from anon_platform.analyze.columns.patterns import Shares

FEW = 12
"""Distinct values of a column that tells people apart by one property, such as sex or race."""

LARGE = 20
"""Rows from which on uniqueness says something."""

UNIQUE = 0.95
"""Distinct values over rows of a key."""


@dataclass(frozen=True)
class Look:
    """Everything that was looked at in a column."""

    facts: Facts
    shares: Shares
    known: Known


@dataclass(frozen=True)
class Support:
    """How far values speak for a kind, 0 to 1, and why; the words hold no value."""

    likelihood: float
    why: str
    carried: bool = False
    """Whether texts carry identifiers."""


SHAPED: tuple[tuple[str, str, float, float, str], ...] = (
    ("email", "email", 0.5, 0.97, "look like e-mail addresses"),
    ("ssn", "ssn", 0.5, 0.9, "have the form of US social security numbers"),
    ("phone", "phone_marked", 0.5, 0.8, "have the form of telephone numbers"),
    ("url", "url", 0.5, 0.95, "are web addresses"),
    ("ip_address", "ipv4", 0.8, 0.95, "are IPv4 addresses"),
    ("ip_address", "ipv6", 0.8, 0.9, "are IPv6 addresses"),
    ("mac_address", "mac", 0.8, 0.95, "are hardware addresses"),
    ("vehicle_id", "vin", 0.5, 0.97, "pass the check digit of vehicle identification numbers"),
    ("vehicle_id", "plate", 0.8, 0.55, "have the form of number plates"),
    ("account_number", "iban", 0.5, 0.97, "pass the check digits of IBANs"),
    ("account_number", "luhn", 0.7, 0.9, "pass the check digit of card numbers"),
    ("licence_number", "npi", 0.7, 0.9, "pass the check digit of National Provider Identifiers"),
    ("photo", "image", 0.5, 0.96, "are names of image files"),
    ("coordinates", "wkt", 0.5, 0.97, "are geometries (WKT)"),
    ("coordinates", "lat_lon", 0.8, 0.95, "are pairs of coordinates"),
    ("street_address", "street", 0.4, 0.9, "have a house number and a word for street"),
    ("street_address", "street_only", 0.4, 0.85, "end with a word for street"),
    ("postcode", "postcode_marked", 0.6, 0.85, "have the form of postcodes"),
    ("biometric", "base64", 0.8, 0.4, "are long encoded bytes"),
)
"""Kind, shape, least share of the distinct values, likelihood when all have the shape, and what to say."""


def supports(look: Look) -> dict[str, Support]:
    """By kind, the strongest support that the values give it."""
    found: dict[str, Support] = {}
    if look.facts.distinct:
        for kind, support in (*_shaped(look), *_listed(look), *_dated(look), *_distributed(look)):
            if kind not in found or support.likelihood > found[kind].likelihood:
                found[kind] = support
    return found


def _shaped(look: Look) -> Iterator[tuple[str, Support]]:
    for kind, shape, least, most, words in SHAPED:
        share = look.shares[shape]
        if share >= least:
            few = 0.7 if look.facts.distinct <= 2 else 1.0
            yield kind, Support(most * (0.6 + 0.4 * share) * few, f"{share:.0%} of the values {words}")
    icd10, icd9, marked = (look.shares[shape] for shape in ("icd10", "icd9", "icd9_marked"))
    if icd10 >= 0.8 and look.facts.distinct >= FEW:
        yield "diagnosis", Support(0.75 * icd10, f"{icd10:.0%} of the values have the form of ICD-10 codes")
    if icd9 >= 0.9 and marked >= 0.25 and look.facts.distinct >= FEW:
        yield "diagnosis", Support(0.75 * icd9, f"{icd9:.0%} of the values have the form of ICD-9 codes")
    for kind, shape in (("diagnosis", "disorder"), ("treatment", "procedure")):
        if (share := look.shares[shape]) >= 0.3:
            yield kind, Support(0.8, f"{share:.0%} of the values name a {shape}")
    zips = look.shares["zip"]
    if zips >= 0.95 and look.facts.text and look.facts.uniqueness < UNIQUE and not look.facts.whole:
        yield "postcode", Support(0.6, "the values are five digits, some with a leading zero, as ZIP codes")


def _listed(look: Look) -> Iterator[tuple[str, Support]]:
    """What word lists know."""
    known, facts = look.known, look.facts
    many = 0.6 if facts.distinct < LARGE else 1.0
    names = {"given_name": known.given, "family_name": known.family, "city": known.city}
    best = max(names, key=lambda kind: names[kind])
    of = {"given_name": "given names", "family_name": "family names", "city": "places"}
    if names[best] >= 0.5:
        yield (
            best,
            Support(
                (0.3 + 0.45 * names[best]) * many, f"{names[best]:.0%} of the values are known {of[best]}"
            ),
        )
    yield from _places(look, many)
    yield from _words(look)
    if look.shares["titled"] >= 0.5:
        yield (
            "person_name",
            Support(0.85, f"{look.shares['titled']:.0%} of the values begin with a title of a person"),
        )
    of_people = entity(facts.name) in {"person", "staff"} and not set(name_evidence(facts.name)) - {
        "person_key"
    }
    if of_people and look.shares["letters"] >= 0.8 and facts.distinct > 2:
        yield "person_name", Support(0.55, "the name says a person, and the values are words")
    if known.full >= 0.4:
        yield (
            "person_name",
            Support((0.5 + 0.45 * known.full) * many, f"{known.full:.0%} of the values are full names"),
        )


def _places(look: Look, many: float) -> Iterator[tuple[str, Support]]:
    """Organizations, states and countries; many: less where there are few values."""
    known, facts = look.known, look.facts
    if look.shares["initial"] >= 0.9 and facts.distinct >= 15:
        yield "middle_name", Support(0.55, "the values are single letters of the whole alphabet, as initials")
    if (firms := look.shares["firm"]) >= 0.25:
        yield (
            "organization",
            Support(
                min(0.55 + 0.4 * firms, 0.9) * many,
                f"{firms:.0%} of the values have words of firms and wards",
            ),
        )
    if known.state >= 0.9 and facts.distinct >= 3:
        yield "state", Support(0.85, "the values are names or codes of states")
    if known.country >= 0.7 and facts.distinct >= 3 and known.state < 0.9:
        yield "country", Support(0.75, f"{known.country:.0%} of the values are countries")


def _words(look: Look) -> Iterator[tuple[str, Support]]:
    """What short lists of words say."""
    facts = look.facts
    low = set(facts.values.head(FEW).str.to_lowercase()) if facts.distinct <= FEW else set()
    if look.shares["sexes"] == 1 and low & {"m", "male", "man", "mann", "hombre", "männlich", "maennlich"}:
        yield "sex", Support(0.85, "the values are words for sexes")
    if look.shares["races"] >= 0.6 and 2 <= facts.distinct <= FEW:
        yield "race", Support(0.75, "the values are words for races or ethnic groups")
    if look.shares["marital"] >= 0.5 and 2 <= facts.distinct <= FEW:
        yield "marital_status", Support(0.8, "the values are words for marital status")
    if look.shares["age_range"] >= 0.8 and 3 <= facts.distinct <= 25:
        yield "age", Support(0.55, "the values are ranges of numbers, as age groups")


def _dated(look: Look) -> Iterator[tuple[str, Support]]:
    read = look.facts.dates
    if read is None:
        return
    kind = "timestamp" if read.type == "datetime" else "date"
    sure = 0.9 if read.date_format != "%Y%m%d" else 0.7
    yield (
        kind,
        Support(sure, f"{read.share:.0%} of the values are {'times' if kind == 'timestamp' else 'dates'}"),
    )


def _distributed(look: Look) -> Iterator[tuple[str, Support]]:
    facts = look.facts
    decimals = facts.numeric > 0.9 and not facts.whole and facts.number_type == "number"
    if facts.dates is None and not decimals and facts.filled >= LARGE and facts.uniqueness >= UNIQUE:
        if look.shares["code"] >= 0.9 and (look.shares["with_digits"] >= 0.5 or look.shares["hex"] >= 0.5):
            yield "other_code", Support(0.85, f"{facts.uniqueness:.0%} of the rows have a code of their own")
        elif facts.words < 4:
            yield "other_code", Support(0.6, f"{facts.uniqueness:.0%} of the rows have a value of their own")
    yield from _of_keys(look)
    listed = facts.filled >= LARGE and facts.uniqueness < 0.2 and facts.words < 15
    long = facts.words >= 5 or facts.length >= 60
    if facts.text and long and not listed and facts.words >= 2:
        yield "free_text", Support(0.85, f"values have {facts.words:.0f} words on average")
    if carried := look.shares.carried:
        whole = max((look.shares[shape] for shape in ("email", "ssn", "phone", "url", "ipv4")), default=0.0)
        if whole < 0.5:
            kinds = ", ".join(f"{what} in {n:,} row{'s' if n > 1 else ''}" for what, n in carried.items())
            yield "free_text", Support(0.9, f"texts carry {kinds}", carried=True)
    low, high = facts.span
    far = max(abs(low), abs(high)) >= 20 and max(abs(low), abs(high)) <= 180 and high - low < 60
    if look.shares["exact"] >= 0.8 and far:
        yield "coordinates", Support(0.52, "numbers with five decimals and more in the range of degrees")
    if facts.distinct <= 2 and look.shares["flag"] == 1:
        yield "flag", Support(0.6, "two values that mean yes and no")


def _of_keys(look: Look) -> Iterator[tuple[str, Support]]:
    facts = look.facts
    of_place = {"place": "place_key", "shared": "foreign_key"}.get(entity(facts.name) or "")
    if look.shares["uuid"] >= 0.9 and of_place is not None and facts.uniqueness < UNIQUE:
        yield of_place, Support(0.75, "the values are UUIDs, and the name says whose")
    elif look.shares["uuid"] >= 0.9:
        yield "other_code", Support(0.8 if facts.uniqueness >= UNIQUE else 0.5, "the values are UUIDs")

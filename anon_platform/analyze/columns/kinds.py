"""The catalogue of what a column can hold, the role each kind has in a policy, and the rule behind it."""

from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "direct_identifier", "quasi_identifier", "sensitive", "insensitive",
    "free_text", "image", "timestamp", "location",
]  # fmt: skip

HIPAA = "45 CFR 164.514(b)(2)(i)"
"""The list of 18 identifiers; a letter in brackets follows."""


@dataclass(frozen=True)
class Kind:
    """A kind of content. words: what it is, for comments. known: whether a neighbour or a register may know it.

    rule: why it identifies, with its source; empty where it does not.
    """

    name: str
    role: Role
    words: str
    known: bool = False
    rule: str = ""


def _direct(name: str, words: str, letter: str) -> Kind:
    return Kind(name, "direct_identifier", words, known=True, rule=f"{HIPAA}({letter})")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _direct("person_name", "name of a person", "A"),
        _direct("given_name", "given name", "A"),
        _direct("family_name", "family name", "A"),
        _direct("middle_name", "middle name or initial", "A"),
        _direct("name_affix", "title or suffix of a name", "A"),
        _direct("street_address", "street address, or a part of it", "B"),
        _direct("coordinates", "geographic coordinates, as exact as an address", "B"),
        _direct("birth_date", "date of birth", "C"),
        _direct("phone", "telephone number", "D"),
        _direct("fax", "fax number", "E"),
        _direct("email", "e-mail address", "F"),
        _direct("ssn", "social security number", "G"),
        _direct("national_id", "national, tax or passport number", "R"),
        _direct("medical_record_number", "medical record number", "H"),
        _direct("health_plan_number", "health plan or insurance number", "I"),
        _direct("account_number", "account or card number", "J"),
        _direct("licence_number", "certificate or licence number", "K"),
        _direct("vehicle_id", "vehicle identifier or plate", "L"),
        _direct("device_id", "device identifier or serial number", "M"),
        _direct("url", "web address", "N"),
        _direct("ip_address", "IP address", "O"),
        _direct("mac_address", "network hardware address", "M"),
        _direct("biometric", "biometric identifier", "P"),
        Kind("photo", "image", "image, or the path to one", known=True, rule=f"{HIPAA}(Q)"),
        _direct("user_name", "user name, login or secret", "R"),
        _direct("person_key", "key of a person", "R"),
        _direct("row_key", "key of a row or an event", "R"),
        _direct("other_code", "code that is different in almost every row", "R"),
        Kind("place_key", "location", "key of an organization or a place", rule=f"{HIPAA}(B)"),
        Kind("foreign_key", "insensitive", "key of something that many people share"),
        Kind("organization", "location", "name of an organization or a ward", known=True, rule=f"{HIPAA}(B)"),
        Kind("city", "location", "city or quarter", known=True, rule=f"{HIPAA}(B)"),
        Kind("county", "location", "county, district or area code", known=True, rule=f"{HIPAA}(B)"),
        Kind("state", "location", "state or province", known=True),
        Kind("birth_place", "location", "place of birth", known=True, rule=f"{HIPAA}(B)"),
        Kind("postcode", "quasi_identifier", "ZIP code or postcode", known=True, rule=f"{HIPAA}(B)"),
        Kind("country", "quasi_identifier", "country", known=True),
        Kind("death_date", "timestamp", "date of death", known=True, rule=f"{HIPAA}(C)"),
        Kind("date", "timestamp", "date", known=True, rule=f"{HIPAA}(C)"),
        Kind("timestamp", "timestamp", "date and time", known=True, rule=f"{HIPAA}(C)"),
        Kind("year", "quasi_identifier", "year", known=True),
        Kind("age", "quasi_identifier", "age", known=True, rule=f"{HIPAA}(C) for ages over 89"),
        Kind("sex", "quasi_identifier", "sex or gender", known=True),
        Kind("race", "quasi_identifier", "race or ethnicity", known=True),
        Kind("marital_status", "quasi_identifier", "marital status or relationship", known=True),
        Kind("education", "quasi_identifier", "education or school class", known=True),
        Kind("occupation", "quasi_identifier", "occupation, employer or industry", known=True),
        Kind("nationality", "quasi_identifier", "nationality or citizenship", known=True),
        Kind("language", "quasi_identifier", "language", known=True),
        Kind("household", "quasi_identifier", "household, children or housing", known=True),
        Kind("disability", "quasi_identifier", "disability or service that others see", known=True),
        Kind("body", "quasi_identifier", "visible feature of the body", known=True),
        Kind("density", "quasi_identifier", "figure of the place where somebody lives", known=True),
        Kind("religion", "sensitive", "religion, belief or party"),
        Kind("income", "sensitive", "income, wealth or debt"),
        Kind("diagnosis", "sensitive", "diagnosis", known=True),
        Kind("treatment", "sensitive", "drug, procedure or vaccine"),
        Kind("measure", "insensitive", "measurement or result"),
        Kind("grade", "sensitive", "grade, score or rating of a person"),
        Kind("count", "insensitive", "number of things"),
        Kind("amount", "insensitive", "amount of money"),
        Kind("code", "insensitive", "type, status or category"),
        Kind("flag", "insensitive", "yes or no"),
        Kind("weight", "insensitive", "weight of a sample"),
        Kind("constant", "insensitive", "the same value in every row"),
        Kind("empty", "insensitive", "no value in any row"),
        Kind("free_text", "free_text", "free text", rule="may hold any identifier"),
        Kind("nested", "free_text", "lists, records, bytes or durations", rule="may hold any identifier"),
        Kind("none", "insensitive", "nothing that points to a person"),
    )
}  # fmt: skip
"""By name."""

KEYS = frozenset({"person_key", "row_key", "place_key", "foreign_key", "other_code"})
"""Kinds whose values stand for something else."""

NUMBERS_OF_PEOPLE = frozenset(
    {"health_plan_number", "account_number", "licence_number", "vehicle_id", "device_id", "national_id"}
)
"""Kinds of which a value belongs to one person; many people at a value tell against them."""

"""Small worked examples of every rule, and what looks like an identifier and is none."""

from functools import cache

import pytest

from anon_platform.text import Finder, Note, language
from anon_platform.text.spans import WEAK


@cache
def finder(name: str = "en") -> Finder:
    """Rules alone: what they find does not hang on a model."""
    return Finder(language(name))


def found(text: str, name: str = "en") -> list[tuple[str, str]]:
    """Text and label of every span."""
    return [(text[span.start : span.end], span.label) for span in finder(name).find([Note(text)])[0]]


@pytest.mark.parametrize(
    ("text", "what", "label"),
    [
        ("write to a.b-c+d@mail.example.org today", "a.b-c+d@mail.example.org", "EMAIL_ADDRESS"),
        ("see https://clinic.example.org/p?id=7, then", "https://clinic.example.org/p?id=7", "URL"),
        ("login from 192.168.0.17 at night", "192.168.0.17", "IP_ADDRESS"),
        ("host 2001:db8::8a2e:370:7334 answered", "2001:db8::8a2e:370:7334", "IP_ADDRESS"),
        ("adapter 00:1B:44:11:3A:B7 replaced", "00:1B:44:11:3A:B7", "MAC_ADDRESS"),
        ("call (617) 555-0134 ext. 12 before noon", "(617) 555-0134 ext. 12", "PHONE_NUMBER"),
        ("call +44 20 7946 0958 please", "+44 20 7946 0958", "PHONE_NUMBER"),
        ("Home phone 6175550134.", "6175550134", "PHONE_NUMBER"),
        ("SSN on file 219-09-9999.", "219-09-9999", "US_SSN"),
        ("paid with 4111 1111 1111 1111 in May", "4111 1111 1111 1111", "CREDIT_CARD"),
        ("IBAN DE89 3704 0044 0532 0130 00 noted", "DE89 3704 0044 0532 0130 00", "IBAN_CODE"),
        ("MRN: 4839201", "4839201", "MEDICAL_RECORD_NUMBER"),
        ("medical record number is 48-39-20", "48-39-20", "MEDICAL_RECORD_NUMBER"),
        ("(health plan ID #ZX-98765)", "#ZX-98765", "ID"),
        ("Pump serial SN48-2210.", "SN48-2210", "ID"),
        ("the car, VIN 1HGCM82633A004352, was", "1HGCM82633A004352", "ID"),
        ("seen 2024-03-05T10:20:00Z here", "2024-03-05T10:20:00Z", "DATE_TIME"),
        ("on 3/14/98 at 7:30 pm she", "3/14/98 at 7:30 pm", "DATE_TIME"),
        ("am 14.03.2019 gesehen", "14.03.2019", "DATE_TIME"),
        ("on March 3rd, 2019 she", "March 3rd, 2019", "DATE_TIME"),
        ("on 3rd of March '19 she", "3rd of March '19", "DATE_TIME"),
        ("given 05-Mar-2021.", "05-Mar-2021", "DATE_TIME"),
        ("in July 2022 she", "July 2022", "DATE_TIME"),
        ("admitted 3/14 with cough", "3/14", "DATE_TIME"),
        ("a 92-year-old man", "92-year-old", "AGE"),
        ("aged 91, well", "aged 91", "AGE"),
        ("lives at 12 Oak Hill Road, Apt 4B, Dover, DE 19901.", "12 Oak Hill Road, Apt 4B, Dover, DE 19901", "LOCATION"),
        ("write to P.O. Box 123.", "P.O. Box 123", "LOCATION"),
        ("born in Springfield, IL in spring", "Springfield, IL", "LOCATION"),
        ("St. Mary's Hospital called", "St. Mary's Hospital", "LOCATION"),
        ("treated at Lakeside Clinic twice", "Lakeside Clinic", "LOCATION"),
        ("she was admitted to UCLA for days", "UCLA", "LOCATION"),
        ("seen by Dr. Quillfeather again", "Quillfeather", "PERSON"),
        ("Carla Nguyen, RN, was told", "Carla Nguyen", "PERSON"),
        ("a patient, Jane E., who", "Jane E.", "PERSON"),
        ("J. R. Smith agreed", "J. R. Smith", "PERSON"),
        ("Patient: Thornbury, Alice M.\nWell.", "Thornbury, Alice M.", "PERSON"),
        ("his wife Grace drove", "Grace", "PERSON"),
        ("JOHN SMITH WAS SEEN", "JOHN SMITH", "PERSON"),
        ("asked maria garcia about it", "maria garcia", "PERSON"),
        ("Ludwig van Beethoven wrote", "Ludwig van Beethoven", "PERSON"),
        ("Thanks,\nTraci\n", "Traci", "PERSON"),
    ],
)  # fmt: skip
def test_an_identifier_is_found_to_its_last_letter(text: str, what: str, label: str) -> None:
    """A part that stays is enough to find a person by."""
    assert (what, label) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "BP 120/80, HR 84, SpO2 98% on 2 L",
        "Strength 3/5 on the right, pain 3/10, EF 55-60%",
        "walks 2-3 times a day, 1-2 tablets, q4-6h",
        "Symptoms May improve; she will march on",
        "T4 and T3 were 1.2 and 3.4, HbA1c 7.9, CD4 500",
        "metoprolol 500 mg twice, Lisinopril 10 mg",
        "Parkinson's disease and Alzheimer's dementia",
        "Foley catheter placed, Apgar 8 and 9, Babinski negative",
        "Wells score of 8 and Glasgow Coma Scale 15",
        "Barrett's esophagus, Epstein-Barr virus, Crohn's disease",
        "Past Medical History: None. Family History: Diabetes",
        "diagnosed in 2019, again in the summer of 2021",
        "seen in the Emergency Department and the ICU",
        "Ref: 98-106 mEq/L, 13.5-17.5, 4.0-10.5",
        "platelets 250000, WBC 11.2 x10^3/uL",
        "Type 2 diabetes, Stage IV, COVID-19, version 1.2.10",
        "follow up in 2 weeks, last month, every Monday",
        "A1C 6.5, ratio 1:2:3, at 10:30",
    ],
)
def test_what_only_looks_like_an_identifier_stays(text: str) -> None:
    """A note without its findings is of no use to anyone."""
    assert [span for span in found(text) if span[1] not in WEAK] == []


def test_an_age_over_89_says_so() -> None:
    """Only those are identifiers by the law; a policy that keeps the others must tell them apart."""
    spans = finder().find([Note("a 92-year-old and a 47-year-old")])[0]
    assert [(span.label, span.score > 0.9) for span in spans] == [("AGE", True), ("AGE", False)]


def test_a_name_found_once_is_found_everywhere() -> None:
    """The given name alone, in capitals, possessive, misspelt: each tells as much as the first mention."""
    text = "Dr. Alistair Quillfeather came. QUILLFEATHER'S notes: Alistair wrote. Quilfeather left."
    assert [what for what, label in found(text) if label == "PERSON"] == [
        "Alistair Quillfeather", "QUILLFEATHER", "Alistair", "Quilfeather",
    ]  # fmt: skip


def test_a_hospital_that_writes_guidelines_is_no_place_of_care() -> None:
    """It says nothing about a patient."""
    assert found("by the guidelines from Mayo Clinic") == [("Mayo Clinic", "ORGANIZATION")]


@pytest.mark.parametrize(
    ("text", "what", "label"),
    [
        ("Nombre: Rocío.\nApellidos: Duque Herrera.\n", "Duque Herrera", "PERSON"),
        ("NHC: 5647049.\n", "5647049", "MEDICAL_RECORD_NUMBER"),
        ("Domicilio: C/ Altos de Nava, 34, 9, A.\n", "C/ Altos de Nava, 34, 9, A", "LOCATION"),
        ("ingresó el 3 de marzo de 2015 por fiebre", "3 de marzo de 2015", "DATE_TIME"),
        ("El Hospital Universitario La Paz informa", "Hospital Universitario La Paz", "LOCATION"),
        ("Teléfono: 981 221 822", "981 221 822", "PHONE_NUMBER"),
        ("Mujer de 62 años", "62 años", "AGE"),
    ],
)
def test_spanish_is_a_configuration(text: str, what: str, label: str) -> None:
    """A second language is a file, not a fork."""
    assert (what, label) in found(text, "es")

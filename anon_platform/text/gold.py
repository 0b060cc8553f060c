"""Gold data of any corpus: its labels in our words, and titles cut from names."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anon_platform.errors import SourceError
from anon_platform.text.language import language
from anon_platform.text.spans import Span

OURS = {
    "PERSON": ("PERSON", "PER", "NAME", "PATIENT", "PATIENT_NAME", "PROVIDER_NAME", "RELATIVE_NAME", "DOCTOR", "STAFF", "USERNAME",
               "HCW", "NOMBRE_SUJETO_ASISTENCIA", "NOMBRE_PERSONAL_SANITARIO"),
    "LOCATION": ("LOCATION", "LOC", "GPE", "ADDRESS", "CITY", "STATE", "COUNTRY", "ZIP", "STREET", "STREET_ADDRESS", "GEOGRAPHIC_LOCATION",
                 "HOSPITAL", "FACILITY", "CALLE", "TERRITORIO", "PAIS", "CENTRO_SALUD"),
    "DATE_TIME": ("DATE_TIME", "DATE", "BIRTH_DATE", "FECHAS"),
    "PHONE_NUMBER": ("PHONE_NUMBER", "PHONE", "FAX", "NUMERO_TELEFONO", "NUMERO_FAX"),
    "EMAIL_ADDRESS": ("EMAIL_ADDRESS", "EMAIL", "CORREO_ELECTRONICO"),
    "US_SSN": ("US_SSN", "SSN", "SOCIAL_SECURITY_NUMBER"),
    "MEDICAL_RECORD_NUMBER": ("MEDICAL_RECORD_NUMBER", "MEDICALRECORD", "MRN"),
    "ID": ("ID", "IDNUM", "ACCOUNT_NUMBER", "HEALTH_PLAN_BENEFICIARY_NUMBER", "CERTIFICATE_LICENSE_NUMBER", "UNIQUE_IDENTIFIER", "DEVICE",
           "DEVICE_ID", "HEALTHPLAN", "LICENSE", "ACC_NUM", "HAR", "US_DRIVER_LICENSE", "ID_SUJETO_ASISTENCIA", "ID_ASEGURAMIENTO",
           "ID_TITULACION_PERSONAL_SANITARIO", "ID_CONTACTO_ASISTENCIAL", "ID_EMPLEO_PERSONAL_SANITARIO"),
    "URL": ("URL", "DOMAIN_NAME"),
    "IP_ADDRESS": ("IP_ADDRESS", "IP", "IPADDR"),
    "CREDIT_CARD": ("CREDIT_CARD",),
    "IBAN_CODE": ("IBAN_CODE", "IBAN"),
    "ORGANIZATION": ("ORGANIZATION", "ORG", "INSTITUCION"),
    "AGE": ("AGE", "EDAD_SUJETO_ASISTENCIA"),
}  # fmt: skip
"""Labels of other corpora, by ours; case does not matter."""

_OURS_OF = {theirs: ours for ours, listed in OURS.items() for theirs in listed}

NUMBERS = frozenset(
    {"ID", "MEDICAL_RECORD_NUMBER", "US_SSN", "US_DRIVER_LICENSE", "US_PASSPORT", "US_BANK_NUMBER", "CREDIT_CARD", "IBAN_CODE",
     "PHONE_NUMBER"}
)  # fmt: skip
"""Labels of numbers, of which a corpus may call one by another's name."""


@dataclass(frozen=True)
class Gold:
    """A text with its gold spans, their labels as the corpus has them."""

    id: object
    text: str
    spans: tuple[Span, ...]


def ours_of(label: str) -> str | None:
    """Our label for a corpus's; None if there is none, as for a profession."""
    return _OURS_OF.get(label.upper())


def read_gold(path: Path) -> list[Gold]:
    """The notes of a file of `{id, text, spans: [{start, end, label}]}` lines; raises SourceError by line number."""
    return [
        Gold(value["id"], value.get("text") or "", _spans(value, path, number))
        for number, value in _objects(path)
    ]


def read_found(path: Path) -> dict[str, tuple[Span, ...]]:
    """The spans of a file that `anon find-text` wrote, by id as JSON."""
    return {json.dumps(value["id"]): _spans(value, path, number) for number, value in _objects(path)}


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if raw.strip():
                    value = json.loads(raw)
                    if not isinstance(value, dict) or "id" not in value:
                        raise SourceError(f"{path}: line {number} is no object with an id")
                    yield number, value
    except OSError as fault:
        raise SourceError(f"{path}: cannot be read: {fault.strerror}") from None
    except ValueError:
        raise SourceError(f"{path}: line {number} is not JSON") from None


def _spans(value: dict[str, Any], path: Path, number: int) -> tuple[Span, ...]:
    try:
        spans = [
            Span(int(span["start"]), int(span["end"]), str(span["label"]), float(span.get("score", 1)))
            for span in value.get("spans") or ()
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SourceError(f"{path}: line {number} has spans without start, end and label") from None
    text = value.get("text")
    if isinstance(text, str) and any(not 0 <= span.start <= span.end <= len(text) for span in spans):
        raise SourceError(
            f"{path}: line {number} has spans beyond its text; offsets count characters, not bytes"
        )
    return tuple(spans)


def without_titles(text: str, spans: Iterable[Span], titles: re.Pattern[str]) -> Iterator[Span]:
    """The spans, those of people without `Dr.` and the like at their start; a title alone is no name."""
    for span in spans:
        title = titles.match(text, span.start, span.end) if ours_of(span.label) == "PERSON" else None
        start = title.end() if title else span.start
        if start < span.end:
            yield span._replace(start=start)


def titles_of(name: str) -> re.Pattern[str]:
    """The pattern of the titles of a language, with stop and blanks behind."""
    from anon_platform.text.rules.wording import any_of

    return re.compile(rf"(?:{any_of(language(name).titles)}(?!\w)\.?\s*)+", re.IGNORECASE)

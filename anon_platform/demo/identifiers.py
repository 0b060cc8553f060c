"""Numbers and addresses that point at one patient: record numbers, SSN, telephone, e-mail, IP."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from anon_platform.demo.people import People
from anon_platform.demo.sampling import Flags, Ints, Numbering, stream

# Each prime is the largest one below the space of its identifier, so that nearly all of it is used.
_PATIENT_PRIME, _PATIENT_BASE = 899_999_963, 100_000_000
_RECORD_PRIME, _RECORD_BASE = 89_999_999, 10_000_000
_ENCOUNTER_PRIME, _ENCOUNTER_BASE = 8_999_999_993, 10_000_000_000
MOST_PATIENTS = _RECORD_PRIME
"""The 8-digit medical record number is the narrowest identifier."""

# A social security number is area 001-772 without 666, group 01-99, serial 0001-9999 (as issued until 2011).
_SSN_AREAS, _SSN_GROUPS, _SSN_SERIALS = 771, 99, 9_999
_SSN_PRIME = 763_213_667
_NEVER_ISSUED_AREA = 666

_EMAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")
_EMAIL_NUMBERS = 999
_INTERNAL_SHARE = 0.2
_IP_ADDRESSES = 2**24
_DEVICE_SHARE = 0.4


@dataclass(frozen=True)
class Identifiers:
    """The numbers behind the identifiers of every patient, one entry a patient in each array."""

    patient: Ints
    record: Ints
    ssn: Ints
    """Position in the space of valid numbers; `ssn_text` spells it."""
    email_pattern: Ints
    email_number: Ints
    email_domain: Ints
    ip: Ints
    ip_is_internal: Flags

    @classmethod
    def draw(cls, seed: int, patients: int) -> Self:
        """Identifiers for that many patients; patient, record and social security numbers are unique."""
        rng = stream(seed, "identifiers")
        ordinals = np.arange(patients, dtype=np.int64)
        return cls(
            patient=Numbering.draw(rng, _PATIENT_PRIME).of(ordinals) + _PATIENT_BASE,
            record=Numbering.draw(rng, _RECORD_PRIME).of(ordinals) + _RECORD_BASE,
            ssn=Numbering.draw(rng, _SSN_PRIME).of(ordinals),
            email_pattern=rng.integers(3, size=patients),
            email_number=rng.integers(1, _EMAIL_NUMBERS, size=patients),
            email_domain=rng.integers(len(_EMAIL_DOMAINS), size=patients),
            ip=rng.integers(_IP_ADDRESSES, size=patients),
            ip_is_internal=rng.random(patients) < _INTERNAL_SHARE,
        )

    def patient_ids(self, who: Ints | slice = slice(None)) -> pl.Series:
        """P and nine digits, one an entry of `who` (positions of patients; all of them if not given)."""
        return _prefixed("P", self.patient[who])

    def record_numbers(self, who: Ints) -> pl.Series:
        """MRN- and eight digits, one an entry of `who` (positions of patients)."""
        return _prefixed("MRN-", self.record[who])

    def emails(self, who: Ints, names: pl.DataFrame) -> pl.Series:
        """E-mail addresses in reserved domains; `names` has given_name and family_name of `who`."""
        parts = names.select(
            given=pl.col("given_name").str.to_lowercase(),
            family=pl.col("family_name").str.to_lowercase(),
            number=pl.Series(self.email_number[who]),
            pattern=pl.Series(self.email_pattern[who]),
            domain=pl.Series(_EMAIL_DOMAINS).gather(self.email_domain[who]),
        )
        mailbox = (
            pl.when(pl.col("pattern") == 0)
            .then(pl.format("{}.{}", "given", "family"))
            .when(pl.col("pattern") == 1)
            .then(pl.format("{}{}", pl.col("given").str.slice(0, 1), "family"))
            .otherwise(pl.format("{}_{}", "family", "given"))
        )
        return parts.select(pl.concat_str(mailbox, pl.format("{}@{}", "number", "domain"))).to_series()

    def ip_addresses(self, who: Ints) -> pl.Series:
        """Addresses of the private network 10/8 or of the benchmark network 198.18/15, never routed."""
        ip = pl.col("ip")
        low = pl.format("{}.{}", ip // 2**8 % 2**8, ip % 2**8)
        internal = pl.format("10.{}.{}", ip // 2**16, low)
        benchmark = pl.format("198.{}.{}", 18 + ip // 2**16 % 2, low)
        numbers = pl.DataFrame({"ip": self.ip[who], "is_internal": self.ip_is_internal[who]})
        return numbers.select(pl.when("is_internal").then(internal).otherwise(benchmark)).to_series()


def ssn_text(positions: Ints) -> pl.Series:
    """Social security numbers spelled AAA-GG-SSSS, a different one for each position in their space.

    >>> ssn_text(np.array([0, 665 * 99 * 9_999])).to_list()
    ['001-01-0001', '667-01-0001']
    """
    area, rest = np.divmod(positions, _SSN_GROUPS * _SSN_SERIALS)
    group, serial = np.divmod(rest, _SSN_SERIALS)
    area = area + 1 + (area + 1 >= _NEVER_ISSUED_AREA)
    numbers = pl.DataFrame({"area": area, "group": group + 1, "serial": serial + 1})
    return numbers.select(
        pl.format("{}-{}-{}", _padded("area", 3), _padded("group", 2), _padded("serial", 4))
    ).to_series()


def encounter_ids(seed: int, ordinals: Ints) -> pl.Series:
    """E and eleven digits, one an encounter ordinal; unique within a seed."""
    numbering = Numbering.draw(stream(seed, "encounter_id"), _ENCOUNTER_PRIME)
    return _prefixed("E", numbering.of(ordinals) + _ENCOUNTER_BASE)


def phone_parts(people: People) -> pl.DataFrame:
    """`area` (three digits) and `line` (four digits) of each person's number; between them stands 555."""
    numbers = pl.DataFrame({"area": people.area_code, "line": people.phone_line})
    return numbers.select(_padded("area", 3), _padded("line", 4))


def phones(parts: pl.DataFrame, who: Ints) -> pl.Series:
    """Telephone numbers in one of three spellings, always the same one for a patient."""
    spelling = pl.Series(who % 4)
    return parts.select(
        pl.when(spelling == 0)
        .then(pl.format("({}) 555-{}", "area", "line"))
        .when(spelling == 1)
        .then(pl.format("{}.555.{}", "area", "line"))
        .otherwise(pl.format("{}-555-{}", "area", "line"))
    ).to_series()


def device_serials(rng: np.random.Generator, size: int) -> pl.Series:
    """Serial numbers of infusion pumps, one a row; null for the encounters without a pump."""
    numbers = pl.DataFrame(
        {
            "model": rng.integers(1_000, 10_000, size=size),
            "unit": rng.integers(100_000, 1_000_000, size=size),
            "used": rng.random(size) < _DEVICE_SHARE,
        }
    )
    return numbers.select(pl.when("used").then(pl.format("INF{}-{}", "model", "unit"))).to_series()


def _prefixed(prefix: str, numbers: Ints) -> pl.Series:
    return pl.DataFrame({"n": numbers}).select(pl.format(prefix + "{}", "n")).to_series()


def _padded(column: str, digits: int) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.zfill(digits)

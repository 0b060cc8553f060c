"""Regulation packs as data: the clauses of a rule, each with its citation. What checks them is in `validate/regulations`.

The texts stand here, since the policy, its editor and Dagster's definitions name them without loading an engine.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

RegulationName = Literal["hipaa_safe_harbor"]


def _listed_names(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else [value]


def _once(names: tuple[RegulationName, ...]) -> tuple[RegulationName, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a regulation stands twice; keep one")
    return names


Regulations = Annotated[tuple[RegulationName, ...], BeforeValidator(_listed_names), AfterValidator(_once)]
"""Names of packs in a policy, one or a list."""


@dataclass(frozen=True)
class Clause:
    """One clause of a rule. letter: as the rule counts it. name: for checks. title: in the rule's words, shortened."""

    letter: str
    name: str
    title: str
    citation: str


@dataclass(frozen=True)
class Pack:
    """A rule as clauses. version: the edition that the checks follow. source: where the rule is explained."""

    name: RegulationName
    title: str
    version: str
    source: str
    clauses: tuple[Clause, ...]

    def check(self, clause: Clause) -> str:
        """The clause's name among the checks.

        >>> HIPAA_SAFE_HARBOR.check(HIPAA_SAFE_HARBOR.clauses[0])
        'hipaa_safe_harbor_A_names'
        """
        return f"{self.name}_{clause.letter}_{clause.name}"


def _listed(letter: str, name: str, title: str) -> Clause:
    return Clause(letter, name, title, f"45 CFR 164.514(b)(2)(i)({letter})")


HIPAA_SAFE_HARBOR = Pack(
    "hipaa_safe_harbor",
    "HIPAA Safe Harbor, 45 CFR 164.514(b)(2)",
    "rule as amended on 7 June 2013 (78 FR 34266)",
    "US Department of Health and Human Services, Guidance Regarding Methods for De-identification of Protected Health"
    " Information, 26 November 2012",
    (
        _listed("A", "names", "Names"),
        _listed("B", "geography", "Geographic subdivisions smaller than a state, but for three digits of a ZIP code"),
        _listed("C", "dates_and_ages", "Elements of dates but the year, and ages over 89"),
        _listed("D", "telephone", "Telephone numbers"),
        _listed("E", "fax", "Fax numbers"),
        _listed("F", "email", "Electronic mail addresses"),
        _listed("G", "social_security", "Social security numbers"),
        _listed("H", "medical_record", "Medical record numbers"),
        _listed("I", "health_plan", "Health plan beneficiary numbers"),
        _listed("J", "account", "Account numbers"),
        _listed("K", "certificate_or_license", "Certificate and license numbers"),
        _listed("L", "vehicle", "Vehicle identifiers and serial numbers, with license plates"),
        _listed("M", "device", "Device identifiers and serial numbers"),
        _listed("N", "url", "Web addresses (URLs)"),
        _listed("O", "ip_address", "Internet protocol (IP) addresses"),
        _listed("P", "biometric", "Biometric identifiers, with finger and voice prints"),
        _listed("Q", "photographs", "Full-face photographs and comparable images"),
        _listed("R", "other_unique", "Any other unique identifying number, characteristic or code"),
        Clause(
            "ii",
            "actual_knowledge",
            "No actual knowledge that what is left could identify somebody, alone or with other information",
            "45 CFR 164.514(b)(2)(ii)",
        ),
    ),
)  # fmt: skip

PACKS: tuple[Pack, ...] = (HIPAA_SAFE_HARBOR,)
"""Every pack; a policy names them below `regulation`."""


def pack_of(name: RegulationName) -> Pack:
    """The pack of this name."""
    return next(pack for pack in PACKS if pack.name == name)


def described(clause: Clause) -> str:
    """The clause in one line, with its citation."""
    return f"{clause.title} ({clause.citation})."

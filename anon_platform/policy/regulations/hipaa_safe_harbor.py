"""HIPAA Safe Harbor: the 18 classes of identifiers and the knowledge of whoever releases."""

from anon_platform.policy.regulations.pack import Clause, Pack


def _listed(letter: str, name: str, title: str) -> Clause:
    return Clause(letter, name, title, f"45 CFR 164.514(b)(2)(i)({letter})")


HIPAA_SAFE_HARBOR = Pack(
    "hipaa_safe_harbor",
    "HIPAA Safe Harbor, 45 CFR 164.514(b)(2)",
    "rule as amended on 7 June 2013 (78 FR 34266)",
    "US Department of Health and Human Services, Guidance Regarding Methods for De-identification of Protected Health"
    " Information, 26 November 2012",
    clauses=(
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
    columns=True,
)  # fmt: skip

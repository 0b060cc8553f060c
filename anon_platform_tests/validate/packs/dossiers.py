"""Small dossiers: what was measured of a release, what its policy does and what its owner states."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from anon_platform.policy import Policy
from anon_platform.policy.regulations import RegulationName
from anon_platform.validate.metric import Metric
from anon_platform.validate.regulations import Measured
from anon_platform.validate.regulations.dossier import Dossier
from anon_platform.validate.regulations.judging import ON_MEASURES
from anon_platform.validate.ruling import Ruling

TODAY = dt.date(2026, 3, 4)

COLUMNS: dict[str, dict[str, Any]] = {
    "patient": {"role": "direct_identifier", "treat": {"technique": "suppress"}},
    "age": {"role": "quasi_identifier", "type": "integer", "treat": {"technique": "generalize", "hierarchy": {"kind": "intervals", "widths": (5, 10)}}},
    "diagnosis": {"role": "sensitive"},
}  # fmt: skip

CODED: dict[str, dict[str, Any]] = {
    **COLUMNS,
    "patient": {"role": "direct_identifier", "treat": {"technique": "pseudonymize", "key": "clinic"}},
}
"""The same with a pseudonym of the patient."""

MASKED: dict[str, dict[str, Any]] = {
    **COLUMNS,
    "patient": {"role": "direct_identifier", "treat": {"technique": "mask", "keep_last": 4}},
}
"""The same with the end of the patient's number."""

PLAIN: dict[str, dict[str, Any]] = {"patient": COLUMNS["patient"], "stay": {"role": "insensitive"}}
"""Nothing that an attacker is assumed to know, and nothing sensitive."""

NOTES: dict[str, dict[str, Any]] = {
    **COLUMNS,
    "note": {"role": "free_text", "treat": {"technique": "deidentify_text", "replace_by": "type", "known_from": ("patient",)}},
}  # fmt: skip
"""The same with notes."""


def policy_of(
    columns: Mapping[str, Any] | None = None, statements: Mapping[str, Any] | None = None, **sections: Any
) -> Policy:
    """The policy with these columns and statements."""
    return Policy.model_validate(
        {
            "version": 1,
            "dataset": "visits",
            "title": "Visits",
            "owner": "privacy@hospital.example",
            "source": {"format": "parquet", "path": "visits.parquet"},
            "privacy_unit": {"column": "patient", "name": "patient", "one_row": True},
            "columns": columns or COLUMNS,
            "thresholds": {"k": 3, "l": 2, "max_risk": 0.34, "suppressed_records": 0.1, "fidelity": 0.4},
            "publish": {"formats": ("parquet",), "recipient": "research team", "purpose": "a model"},
            "statements": statements,
            **sections,
        }
    )


def metric(
    check: str,
    name: str,
    value: float | None,
    threshold: float | None = None,
    *,
    at_least: bool = False,
    note: str = "",
) -> Metric:
    """A measure; missed where its value does not reach the threshold, or there is none."""
    passed = value is not None and (
        threshold is None or (value >= threshold if at_least else value <= threshold)
    )
    return Metric(
        check=check,
        name=name,
        value=value,
        threshold=threshold,
        at_least=at_least,
        passed=passed,
        unit="x",
        note=note,
    )


def classes(k: int, l: int = 2, t: float = 0.3) -> list[Metric]:
    """Measures of a release whose smallest class has k people and l diagnoses."""
    return [
        metric("k_anonymity", "k", k, 3, at_least=True),
        metric("reidentification_risk", "maximum risk", 1 / k, 0.34),
        metric("reidentification_risk", "mean risk", 0.5 / k),
        metric("reidentification_risk", "sample uniques", 0.0),
        metric("l_diversity", "l of diagnosis", l, 1, at_least=True),
        metric("l_diversity", "t of diagnosis", t),
        metric("row_accounting", "suppressed records", 0.05, 0.1),
        metric("statistical_fidelity", "largest column distance", 0.1, 0.4),
    ]


def attack(check: str, value: float | None = 0.01, threshold: float | None = 0.05) -> Metric:
    """An attack of this check, called as a run calls it."""
    names = {
        "linkage": "certain re-identification by voter list",
        "inference": "inference of diagnosis",
        "membership": "AUC of membership",
    }
    note = "" if value is not None else "the attack could not be run"
    return metric(check, names.get(check, check.replace("_", " ")), value, threshold, note=note)


def dossier(
    metrics: Sequence[Metric] | None = None,
    statements: Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
    suppressed: int = 40,
    **sections: Any,
) -> Dossier:
    """The dossier of a release; sound measures where none are given."""
    detail = {
        "accounting": {
            "rows_in": 1000,
            "rows_out": 1000 - suppressed,
            "suppressed": suppressed,
            "faults": [],
        },
        "privacy": {"people": 700},
    }
    measures = classes(12) if metrics is None else metrics
    return Dossier(policy_of(columns, statements, **sections), Measured(tuple(measures), detail), TODAY)


def ruling(pack: RegulationName, letter: str, case: Dossier) -> Ruling:
    """The ruling on one clause."""
    return ON_MEASURES[pack][letter](case)

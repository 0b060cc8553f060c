"""The small identified dataset with differentially private policies, for tests."""

from pathlib import Path
from typing import Any

import yaml

from anon_platform_tests.clinic import visits, write_csv

COMMON = """\
version: 1
dataset: clinic_numbers
title: Visits of a clinic in noisy numbers
owner: privacy@clinic.example
source: {format: csv, path: source, missing_values: ["", "?"]}
privacy_unit: {column: patient, name: patient}
privacy_loss:
  population: patients_of_the_clinic
  people: 200
  epsilon: 1.0
  delta: 1.0e-5
  contribution: 2
  neighbours: add_or_remove_person
  caps: {overall: {epsilon: 3.0, delta: 1.0e-4}, recipient: {epsilon: 2.0, delta: 1.0e-4}}
columns:
  visit: {role: direct_identifier}
  patient: {role: direct_identifier}
  name: {role: direct_identifier}
  age: {role: quasi_identifier, type: integer, domain: {kind: numbers, bounds: [0, 100], bins: 5}}
  sex: {role: quasi_identifier, domain: {kind: categories, values: [F, M]}}
  zip: {role: quasi_identifier}
  admitted: {role: quasi_identifier, type: date}
  diagnosis: {role: sensitive}
  result: {role: sensitive}
  stay: {role: insensitive, type: integer, domain: {kind: numbers, bounds: [0, 30], bins: 6}}
  again: {role: insensitive, required: true, domain: {kind: categories, values: ["yes", "no"]}}
publish: {formats: [parquet, csv], recipient: tests, purpose: tests}
"""

STATISTICS: list[dict[str, Any]] = [
    {"name": "patients", "measure": "people"},
    {"name": "by_sex", "measure": "count", "by": ["sex"]},
    {"name": "stay", "measure": "mean", "of": "stay", "by": ["again"], "share": 2},
]

SYNTHETIC: dict[str, Any] = {"rows": 300, "target": "again"}


def said(**changes: Any) -> dict[str, Any]:
    """The policy as a mapping. changes: sections; of `privacy_loss` single keys."""
    policy = yaml.safe_load(COMMON)
    loss = changes.pop("privacy_loss", {})
    policy |= {name: value for name, value in changes.items() if value is not None}
    policy["privacy_loss"] |= loss
    if "synthetic" not in policy:
        policy.setdefault("statistics", STATISTICS)
    return policy


def make_private_clinic(
    folder: Path, patients: int = 250, name: str = "numbers.yaml", **changes: Any
) -> Path:
    """The policy file below the folder, beside its source."""
    source = folder / "source" / "visits.csv"
    if not source.exists():
        source.parent.mkdir(exist_ok=True)
        write_csv(source, visits(patients))
    file = folder / name
    file.write_text(yaml.safe_dump(said(**changes), sort_keys=False), encoding="utf-8")
    return file

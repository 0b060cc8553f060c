"""A small identified dataset and its policy, for tests: visits of a clinic, some patients with several."""

import random
from pathlib import Path

import yaml

COLUMNS = (
    "visit",
    "patient",
    "name",
    "age",
    "sex",
    "zip",
    "admitted",
    "diagnosis",
    "result",
    "stay",
    "again",
)

POLICY = """\
version: 1
dataset: clinic
title: Visits of a clinic
owner: privacy@clinic.example
source: {format: csv, path: source, missing_values: ["", "?"]}
privacy_unit: {column: patient, name: patient}
columns:
  visit: {role: direct_identifier, treat: {technique: suppress}}
  patient: {role: direct_identifier, treat: {technique: suppress}}
  name: {role: direct_identifier, treat: {technique: suppress}}
  age:
    role: quasi_identifier
    type: integer
    treat: {technique: generalize, hierarchy: {kind: intervals, widths: [5, 10, 20, 40], top: 90}}
  sex: {role: quasi_identifier, treat: {technique: generalize, hierarchy: {kind: flat}}}
  zip: {role: quasi_identifier, treat: {technique: generalize, hierarchy: {kind: zip, levels: [zip5, zip3, state]}}}
  admitted:
    role: quasi_identifier
    type: date
    treat: {technique: generalize, hierarchy: {kind: dates, levels: [month, quarter, year]}}
  diagnosis: {role: sensitive}
  result: {role: sensitive}
  stay: {role: insensitive, type: integer}
  again: {role: insensitive, required: true}
thresholds: {k: 3, l: 2, max_risk: 0.34, suppressed_records: 0.2, fidelity: 0.4, model_loss: 1.0}
model:
  target: {column: again, positive: "yes"}
  features: [age, sex, diagnosis, result, stay]
  test_share: 0.3
  seed: 1
publish: {formats: [parquet, csv], recipient: tests, purpose: tests}
"""


def visits(patients: int = 250, seed: int = 1) -> list[tuple[str, ...]]:
    """Rows of the clinic; every third patient has two or three visits. A long stay makes a second one likelier."""
    rng = random.Random(seed)
    rows = []
    for number in range(patients):
        age, sex, place = (
            rng.randint(18, 97),
            rng.choice("FM"),
            rng.choice(["60614", "60615", "60201", "53703"]),
        )
        for _ in range(rng.choice([1, 1, 2, 3])):
            stay = rng.randint(1, 14)
            again = "yes" if rng.random() < stay / 16 else "no"
            month, day = rng.randint(1, 12), rng.randint(1, 28)
            rows.append(
                (
                    f"V{len(rows):05d}", f"P{number:04d}", f"Name{number}", str(age), sex, place,
                    f"2008-{month:02d}-{day:02d}", rng.choice(["flu", "burn", "cold", "gout"]),
                    rng.choice(["high", "low", "?"]), str(stay), again,
                )
            )  # fmt: skip
    return rows


def write_csv(file: Path, rows: list[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> None:
    """The rows as a CSV file with a header."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(",".join(row) for row in [columns, *rows]) + "\n", encoding="utf-8")


def make_clinic(folder: Path, *, patients: int = 250, name: str = "clinic", **changes: object) -> Path:
    """Source and policy in `folder`; `changes` replaces whole sections (thresholds=…, model=None removes it)."""
    write_csv(folder / "source" / "visits.csv", visits(patients))
    policy = yaml.safe_load(POLICY)
    policy["dataset"] = name
    for section, value in changes.items():
        if value is None:
            policy.pop(section)
        elif isinstance(value, dict) and isinstance(policy.get(section), dict):
            policy[section] |= value
        else:
            policy[section] = value
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    return file

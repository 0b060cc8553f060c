"""Manifests and assessments of small releases, as JSON values: one that passed, and the ways to be refused."""

import json
from typing import Any

from anon_platform.policy.regulations import HIPAA_SAFE_HARBOR

Values = dict[str, Any]

RATES = [step / 100 for step in range(101)]

COLUMNS = [
    ("age", "quasi_identifier", "integer", "generalize, level searched: 5 > 10 > 20 > *"),
    ("zip", "quasi_identifier", "string", "generalize, level searched: zip5 > zip3 > *"),
    ("diagnosis", "sensitive", "string", "released as it is"),
    ("stay", "insensitive", "integer", "top bottom code (top 30.0)"),
    ("again", "insensitive", "enum(categories=['cell one', 'cell two'])", "released as it is"),
    ("patient", "direct_identifier", "string", "suppress"),
    ("note", "free_text", "string", "suppress"),
]

METRICS = [
    ("row_accounting", "rows and columns unaccounted for", 0.0, 0.0, False, "faults", ""),
    ("k_anonymity", "k", 5.0, 5.0, True, "patients in the smallest class", ""),
    ("reidentification_risk", "maximum risk", 0.2, 0.2, False, "probability", ""),
    ("reidentification_risk", "mean risk", 0.024, None, False, "probability", ""),
    ("reidentification_risk", "sample uniques", 0.0, None, False, "share of records", ""),
    ("l_diversity", "l of diagnosis", 2.0, 2.0, True, "distinct values in a class", ""),
    ("l_diversity", "t of diagnosis", 0.81, None, False, "distance, 0 to 1", ""),
    ("row_accounting", "suppressed records", 0.08, 0.1, False, "share of records", ""),
    ("statistical_fidelity", "largest column distance", 0.03, 0.05, False, "total variation", "column age"),
    ("model_utility", "model loss", 0.1, 0.15, False, "share of lift", "95 % interval 0.050 to 0.140"),
]


def released() -> tuple[Values, Values]:
    """Manifest and assessment of a release that met every threshold."""
    names = ("check", "name", "value", "threshold", "at_least", "unit", "note")
    metrics = [dict(zip(names, metric, strict=True)) | {"passed": True} for metric in METRICS]
    plan_names = ("name", "role", "type", "treatment")
    leaving = [name for name, _, _, treatment in COLUMNS if treatment != "suppress"]
    thresholds = {"k": 5, "l": 2, "max_risk": 0.2, "suppressed_records": 0.1, "fidelity": 0.05}
    manifest: Values = {
        "format": 1,
        "dataset": "visits",
        "release_id": "abc123",
        "created_at": "2026-03-04T05:06:07+00:00",
        "title": "Visits of a clinic",
        "owner": "privacy@clinic.example",
        "recipient": "research team",
        "purpose": "a readmission model",
        "retention_days": 30,
        "policy": {
            "columns": {
                "age": {"treat": [{"technique": "generalize", "hierarchy": {"kind": "intervals"}}]},
                "zip": {"treat": [{"technique": "generalize", "hierarchy": {"kind": "zip"}}]},
            },
            "model": {"target": {"column": "again", "positive": "cell two"}},
        },
        "policy_hash": "1" * 64,
        "plan": {
            "columns": [dict(zip(plan_names, column, strict=True)) for column in COLUMNS],
            "thresholds": {**thresholds, "model_loss": 0.15},
        },
        "input_fingerprint": "2" * 64,
        "versions": {"anon_platform": "0.1.0", "python": "3.11.7"},
        "rows": {"in": 10000, "out": 9200, "suppressed": 800},
        "people": {"in": 7000, "out": 6500, "name": "patient"},
        "columns": leaving,
        "quasi_identifiers": ["age", "zip"],
        "sensitive": ["diagnosis"],
        "levels": {"age": "20", "zip": "*"},
        "metrics": metrics,
        "passed": True,
        "files": {"assessment.json": "3" * 64, "data/part-00000.parquet": "4" * 64},
        "rests_on_manifest": ["the number of rows that came in"],
        "ledger_head": {"seq": 7, "hash": "5" * 64},
    }
    curves = {
        "original": {"auc": 0.7, "true_positive_rate": [rate**0.5 for rate in RATES]},
        "released": {"auc": 0.68, "true_positive_rate": [rate**0.6 for rate in RATES]},
    }
    people = {"people": 7000, "test_people": 2100, "test_rows": 3000, "train_rows": 7000}
    assessment: Values = {
        "passed": True,
        "metrics": metrics,
        "before": {
            "rows": 10000,
            "people": 7000,
            "columns": [{"name": n, "type": "x", "missing": 0, "distinct": 50} for n in leaving],
            "max_risk": 1.0,
            "mean_risk": 0.9,
            "unique_share": 0.85,
            "classes": 8000,
            "class_sizes": [[1, 8500], [2, 1500]],
        },
        "detail": {
            "accounting": {"rows_in": 10000, "rows_out": 9200, "suppressed": 800, "faults": []},
            "privacy": {
                "k": 5,
                "l": {"diagnosis": 2},
                "t": {"diagnosis": 0.81},
                "risk": {"maximum": 0.2, "mean": 0.024, "unique_share": 0.0, "classes": 90},
                "class_sizes": [[4, 1200], [8, 3000], [16, 5000]],
                "people": 6500,
            },
            "fidelity": [
                {"name": name, "distance": 0.03 / place, "distinct_before": 50, "distinct_after": 9}
                for place, name in enumerate(leaving, start=1)
            ],
            "model": {
                **curves,
                **people,
                "loss": 0.1,
                "interval": [0.05, 0.14],
                "train_rows_released": 6400,
            },
        },
    }
    # as they come from disk
    return json.loads(json.dumps(manifest)), json.loads(json.dumps(assessment))


def miss(manifest: Values, name: str, value: float | None, note: str) -> None:
    """Makes a metric miss its threshold."""
    manifest["passed"] = False
    next(m for m in manifest["metrics"] if m["name"] == name).update(value=value, passed=False, note=note)


def refused() -> tuple[Values, Values]:
    """A release whose k is too small."""
    manifest, assessment = released()
    miss(manifest, "k", 3.0, "missed by 2; a threshold of 3 would be met")
    assessment["detail"]["privacy"]["k"] = 3
    return manifest, assessment


def unaccounted() -> tuple[Values, Values]:
    """A release whose rows do not add up, so that nothing else was measured."""
    manifest, assessment = released()
    manifest["metrics"] = manifest["metrics"][:1]
    note = "10000 rows came in, 9200 leave and 3 are suppressed"
    miss(manifest, "rows and columns unaccounted for", 1.0, note)
    assessment["detail"] = {"accounting": {"faults": [note]}}
    return manifest, assessment


def untrained() -> tuple[Values, Values]:
    """A release whose model could not be trained."""
    manifest, assessment = released()
    miss(manifest, "model loss", None, "the original rows hold one class of again only")
    assessment["detail"]["model"] = "the original rows hold one class of again only"
    return manifest, assessment


def modest() -> tuple[Values, Values]:
    """A release without model, quasi-identifiers and sensitive columns."""
    manifest, assessment = released()
    manifest["metrics"] = [
        m for m in manifest["metrics"] if m["check"] in {"row_accounting", "statistical_fidelity"}
    ]
    manifest["metrics"][1]["threshold"] = None
    manifest.update(quasi_identifiers=[], sensitive=[], levels={}, retention_days=None)
    manifest["policy"]["model"] = None
    manifest["plan"]["thresholds"] = {"fidelity": 0.05}
    manifest["plan"]["columns"] = manifest["plan"]["columns"][3:6]
    assessment["detail"].pop("model")
    assessment["detail"]["fidelity"] = assessment["detail"]["fidelity"][3:]
    assessment["detail"]["privacy"].update(l={}, t={}, class_sizes=[[4096, 9200]])
    return manifest, assessment


def emptied() -> tuple[Values, Values]:
    """A refused release of which no record would have been left."""
    manifest, assessment = refused()
    manifest["rows"] = {"in": 10000, "out": 0, "suppressed": 10000}
    manifest["people"]["out"] = 0
    risk = {"maximum": 0.0, "mean": 0.0, "unique_share": 0.0, "classes": 0}
    assessment["detail"]["privacy"].update(k=0, people=0, class_sizes=[], risk=risk)
    return manifest, assessment


CLAUSES = [
    ("A", "names", "needs a human", ["note: ORGANIZATION in 40 texts, which may identify somebody; read some of them"]),
    ("B", "geography", "pass", []),
    ("C", "dates_and_ages", "fail", ["admitted: a month, quarter, week or day in 12 distinct values; generalize it to the year"]),
    ("ii", "actual_knowledge", "needs a human", ["whoever signs knows of nothing by which what is left could identify somebody, alone or with other information"]),
]  # fmt: skip


def harbored() -> tuple[Values, Values]:
    """A release that a clause of a regulation refuses."""
    manifest, assessment = released()
    pack = HIPAA_SAFE_HARBOR
    by_letter = {clause.letter: clause for clause in pack.clauses}
    judged = [
        {
            "check": pack.check(by_letter[letter]),
            "letter": letter,
            "title": by_letter[letter].title,
            "citation": by_letter[letter].citation,
            "verdict": verdict,
            "looked_at": "name and values of 5 released columns",
            "reasons": reasons,
        }
        for letter, _, verdict, reasons in CLAUSES
    ]
    assessment["detail"]["regulations"] = [
        {
            "name": pack.name,
            "title": pack.title,
            "version": pack.version,
            "source": pack.source,
            "clauses": judged,
        }
    ]
    for clause in judged:
        human = clause["verdict"] == "needs a human"
        manifest["metrics"].append(
            {
                "check": clause["check"],
                "name": f"{clause['citation']}: {clause['title']}",
                "value": None if human else float(len(clause["reasons"])),
                "threshold": None if human else 0.0,
                "at_least": False,
                "passed": clause["verdict"] != "fail",
                "unit": "reasons to fail",
                "note": "; ".join(clause["reasons"]),
            }
        )
    manifest["passed"] = False
    return manifest, assessment


EVERY = [released, refused, unaccounted, untrained, modest, emptied, harbored]

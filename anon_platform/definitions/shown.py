"""What the Dagster UI shows of a stage: counts, metrics, schema, roles; never a row."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from anon_platform.anonymize import OfRecords
from anon_platform.policy import ANY_POLICY, Column, DPColumn, DPPolicy, Policy
from anon_platform.policy.regulations import RegulationName, described, pack_of

if TYPE_CHECKING:  # the pipeline is imported when a stage runs, so that definitions load quickly
    from anon_platform.pipeline import StageReport

CHECKS = {
    "k_anonymity": "Every equivalence class of the released bytes has at least k people, for every attacker and population.",
    "l_diversity": "Every class meets l and all other privacy models of each sensitive column.",
    "reidentification_risk": "Prosecutor risk and presence in the data stay within their bounds.",
    "differencing": "Laid beside earlier releases to the same recipient, it singles out no group smaller than k.",
    "text_deidentification": "No released note says what its row or the person's others hold; enough of what is marked is found.",
    "text_review": "People who looked at a sample of the notes found that enough of the identifiers are found.",
    "row_accounting": "Rows in = rows released + rows suppressed, exactly, and no column but the policy's leaves.",
    "referential_integrity": "No row leaves that refers to a row which does not, unless it did so in the source.",
    "statistical_fidelity": "No column's distribution moved further than allowed.",
    "information_loss": "Generalization and suppression take no more detail than allowed.",
    "query_accuracy": "Counts and averages that analysts ask are as near to the truth as demanded.",
    "model_utility": "A model trained on the release keeps enough of the original model's lift.",
    "linkage": "Files that an attacker may hold re-identify no more people than allowed.",
    "singling_out": "Predicates drawn from the release single out no more people than allowed.",
    "linkability": "The release tells of no more people than allowed which parts of their records belong together.",
    "inference": "Secrets are guessed no better than allowed of people in the release than of others.",
    "membership": "A model trained on the release does not tell who was in its training.",
}

DP_CHECKS = {
    "privacy_loss": "What the mechanisms are proved to lose is within the ε and δ of this release.",
    "privacy_budget": "With this release, everything about these people stays within its caps, for the recipient and overall.",
    "public_domains": "Every value that is no noisy number is one that the policy names in public.",
    "file_accounting": "No file and no column leaves but those that were measured, in all formats the same.",
    "constraints": "Every row of the synthetic table keeps the policy's constraints.",
    "expected_error": "Noise, and the fit to it, are within what the policy demands.",
    "model_quality": "On people held out the model is as good as the policy demands, as far as noise lets one tell.",
}

BUDGET = "budget_available"
"""The check of the raw stage of a differentially private policy, made before the source is read."""

ATTACKS = ("linkage", "singling_out", "linkability", "inference", "membership")
"""Checks that are there when the policy names the attack."""


def checks_of(policy: ANY_POLICY) -> dict[str, str]:
    """The asset checks of the validated stage that the policy gives rise to, with what each demands."""
    if isinstance(policy, DPPolicy):
        return _dp_checks_of(policy)
    parts, off = policy.parts.values(), set()
    if not any(part.quasi_identifiers for part in parts):
        off |= {"k_anonymity", "reidentification_risk", "differencing"}
    if not any(part.sensitive for part in parts):
        off.add("l_diversity")
    if not any(part.model is not None for part in parts):
        off.add("model_utility")
    limits = [part.utility for part in parts if part.utility is not None]
    if not any(limit.information_loss is not None for limit in limits):
        off.add("information_loss")
    if not any(limit.query_error is not None for limit in limits):
        off.add("query_accuracy")
    if not any(_has_text(part) for part in parts):
        off.add("text_deidentification")
    if not any(part.thresholds.reviewed_recall is not None for part in parts):
        off.add("text_review")
    attacks = [part.attacks for part in parts if part.attacks is not None]
    off |= {name for name in ATTACKS if not any(getattr(each, name) for each in attacks)}
    if isinstance(policy, Policy) or not any(rules.references for rules in policy.tables.values()):
        off.add("referential_integrity")
    return {name: text for name, text in CHECKS.items() if name not in off} | _clauses_of(
        [name for part in policy.parts.values() for name in part.regulation]
    )


def _dp_checks_of(policy: DPPolicy) -> dict[str, str]:
    off = set() if policy.synthetic is not None and policy.synthetic.constraints else {"constraints"}
    if policy.trained_model is None or not policy.trained_model.held_out:
        off.add("model_quality")
    return {name: text for name, text in DP_CHECKS.items() if name not in off} | _clauses_of(
        policy.regulation
    )


def _clauses_of(names: Sequence[RegulationName]) -> dict[str, str]:
    """One check for each clause of the regulations that the policy names, with its citation."""
    return {
        pack.check(clause): described(clause)
        for pack in map(pack_of, dict.fromkeys(names))
        for clause in pack.clauses
    }


def _has_text(policy: Policy) -> bool:
    """Whether free text leaves."""
    return any(isinstance(step, OfRecords) for name in policy.released for step in policy.columns[name].treat)


def check_result(name: str, report: "StageReport") -> dg.AssetCheckResult:
    """One check of the assessment with every measure beside its threshold."""
    assert report.assessment is not None
    metrics = [metric for metric in report.assessment.metrics if metric.check == name]
    # a measure that was not taken, since an earlier one made it meaningless, did not pass
    passed = bool(metrics) and report.assessment.check_passed(name)
    metadata: dict[str, Any] = {}
    for metric in metrics:
        if metric.value is not None:
            metadata[metric.name] = metric.value
        if metric.threshold is not None:
            metadata[f"{metric.name} threshold"] = metric.threshold
        if metric.note:
            metadata[f"{metric.name} note"] = metric.note
    metadata |= _ruling(name, report.assessment.detail)
    return dg.AssetCheckResult(
        check_name=name,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=metadata or {"note": "not measured: the row accounting failed"},
    )


def _ruling(name: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Verdict, citation and what was looked at, where the check is a clause of a regulation."""
    return {
        f"{pack['table']}: {key}" if "table" in pack else key: clause[key.replace(" ", "_")]
        for pack in detail.get("regulations", ())
        for clause in pack["clauses"]
        if clause["check"] == name
        for key in ("verdict", "citation", "looked at")
    }


def asset_metadata(policy: ANY_POLICY, stage: str) -> dict[str, Any]:
    """Definition metadata: the columns with their roles, and for what and whom the data is."""
    metadata: dict[str, Any] = {
        "policy": str(policy.file.name),
        "policy hash": policy.hash,
    }
    if stage in {"anonymized", "validated", "cataloged"}:
        metadata["column lineage"] = dg.MetadataValue.md(lineage_table(policy))
    if stage == "cataloged":
        metadata["recipient"] = policy.publish.recipient
        metadata["purpose"] = policy.publish.purpose
    return metadata


def _named(policy: ANY_POLICY) -> Mapping[str, Column | DPColumn]:
    """All columns; those of several tables with the table before the column."""
    if isinstance(policy, DPPolicy):
        return policy.columns
    return {
        f"{table}.{name}" if table else name: column
        for table, part in policy.parts.items()
        for name, column in part.columns.items()
    }


def column_schema(policy: ANY_POLICY, types: Mapping[str, str]) -> dg.TableSchema:
    """Columns with type, role and treatment, as the UI lists them."""
    columns = _named(policy)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=kind,
                description=f"{columns[name].role.replace('_', ' ')}: {columns[name].in_words()}"
                if name in columns
                else "noisy number, or group that the policy names in public",
            )
            for name, kind in types.items()
        ]
    )


def lineage_table(policy: ANY_POLICY) -> str:
    """Markdown: each source column, its role, what is done to it, and whether it leaves."""
    lines = ["| source column | role | treatment | leaves as |", "|---|---|---|---|"]
    for name, column in _named(policy).items():
        leaves = "does not leave" if column.suppressed else name
        lines.append(f"| {name} | {column.role.replace('_', ' ')} | {column.in_words()} | {leaves} |")
    return "\n".join(lines)


def stage_metadata(policy: ANY_POLICY, report: "StageReport", stage: str) -> dict[str, Any]:
    """Materialization metadata: the stage's numbers, plotted over time by the UI, and where things are."""
    metadata: dict[str, Any] = {"release id": report.release_id, "already done": report.reused}
    numbers = dict(report.numbers)
    types = numbers.pop("types", None)
    if types:
        metadata["dagster/column_schema"] = column_schema(policy, types)
    for name, value in _flattened(numbers).items():
        # names of measures have spaces and may end in a column's name, which stays as it is
        metadata[name if " " in name else name.replace("_", " ")] = value
    if "rows" in report.numbers:
        metadata["dagster/row_count"] = report.numbers["rows"]
    if stage in {"validated", "cataloged"}:
        metadata["folder"] = dg.MetadataValue.path(report.path)
        metadata["report"] = dg.MetadataValue.path(f"{report.path}/report.html")
    return metadata


def _flattened(numbers: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            found |= {f"{name} of {inner}": text for inner, text in value.items()}
        else:
            found[name] = value
    return found

"""A differentially private release checked from its files alone."""

import json
from pathlib import Path
from typing import Any

from anon_platform.dp import Loss, epsilon_of
from anon_platform.pipeline.dp.measuring import File
from anon_platform.pipeline.dp.releasing import table_of
from anon_platform.policy import DPPolicy
from anon_platform.validate.dp import faults_of, strays
from anon_platform.validate.dp.constraints import broken_rows
from anon_platform.validate.dp.documents import document_faults
from anon_platform.validate.dp.measure import typed

HAIR = 1e-9


def dp_findings(data: Path, manifest: dict[str, Any]) -> list[tuple[str, bool, str]]:
    """(what, whether it is as the manifest says, in words) of files, domains, constraints, and ε by OpenDP's conversion."""
    policy = DPPolicy.model_validate_json(json.dumps(manifest["policy"]), context={"folder": data})
    files = files_of(manifest)
    tables = [table_of(policy, file) for file in files if file.kind == "table"]
    documents = tuple(file.name for file in files if file.kind != "table")
    faults = faults_of(data, tables, documents)
    said = document_faults(data, policy)
    outside = sum(strays(data, table) for table in tables)
    rows = {file.name: file.rows for file in files}
    counted = all(frame.height == rows[table.name] for table in tables for frame in typed(data, table))
    found = [
        (
            "files and columns",
            not faults,
            "; ".join(faults)
            or (f"{len(tables)} tables, in all formats the same" if tables else f"{len(documents)} files"),
        ),
        (
            "rows",
            counted,
            "as many in each table as the manifest says"
            if counted
            else "other numbers of rows than the manifest says",
        ),
        (
            "public domains",
            outside == 0 and not said,
            "; ".join(said) or f"{outside} values outside the domains of the policy",
        ),
    ]
    if policy.synthetic is not None and policy.synthetic.constraints:
        broken = sum(
            broken_rows(frame, policy.synthetic.constraints)
            for table in tables
            for frame in typed(data, table)
        )
        found.append(("constraints", broken == 0, f"{broken} rows break one"))
    told = manifest["privacy_loss"]
    epsilon = epsilon_of(Loss(told["measure"], told["units"], told["delta_units"]), told["delta"])
    same = abs(epsilon - told["epsilon"]) < HAIR and epsilon <= policy.privacy_loss.epsilon
    found.append(
        (
            "privacy loss",
            same,
            f"ε = {epsilon:.6g} at δ = {told['delta']:g}, converted anew from what was spent",
        )
    )
    return found


def files_of(manifest: dict[str, Any]) -> list[File]:
    """The files of a release, as its manifest names them."""
    return [
        File(
            each["name"],
            tuple((name, kind) for name, kind in each["columns"]),
            each["rows"],
            each["what"],
            each.get("kind", "table"),
        )
        for each in manifest["tables_drawn"]
    ]

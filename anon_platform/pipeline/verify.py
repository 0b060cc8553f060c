"""A release checked by anyone who holds the folder: hashes, schema, row-level guarantees, from the files alone."""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.errors import IntegrityError
from anon_platform.pipeline.dp.verifying import dp_findings
from anon_platform.policy.thresholds import models_of_manifest
from anon_platform.publish import MANIFEST, TABLES, file_hashes, read_json
from anon_platform.validate import Measured, file_metrics, measure_files
from anon_platform.validate.files import formats_agree
from anon_platform.validate.references import Reference, released_orphans

HAIR = 1e-9
"""Sums in another order may differ by so much."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True)
class VerifiedRelease:
    """What was found, and what nobody can find from the files alone."""

    dataset: str
    release_id: str
    findings: tuple[Finding, ...]
    rests_on_manifest: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the folder is what the manifest says."""
        return all(finding.passed for finding in self.findings)


def verify(folder: Path, *, today: dt.date | None = None) -> VerifiedRelease:
    """Recomputes every hash and measures every guarantee again that the files alone can show.

    A folder without a readable manifest raises `IntegrityError`. today: by which a determination may be over; the present
    day when left out.
    """
    if not (folder / MANIFEST).exists():
        raise IntegrityError(f"no {MANIFEST} in {folder}; name a release folder, see: anon releases")
    manifest = read_json(folder / MANIFEST)
    try:
        findings = _hashes(folder, manifest["files"])
        day = today or dt.datetime.now(dt.UTC).date()
        if manifest.get("kind") == "dp":
            findings += [Finding(*found) for found in dp_findings(folder / "data", manifest)]
        elif "tables" in manifest:
            findings += _tables(folder, manifest, day)
        else:
            findings += [*_guarantees(folder, manifest), *_determined(manifest, day)]
        return VerifiedRelease(
            manifest["dataset"], manifest["release_id"], tuple(findings), tuple(manifest["rests_on_manifest"])
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        broken = True
    if broken:
        raise IntegrityError(f"{folder / MANIFEST} is not a manifest of this format")
    raise AssertionError


def _tables(folder: Path, manifest: dict[str, Any], today: dt.date) -> list[Finding]:
    """Every finding of every table, and the references between them, counted again."""
    findings = []
    for name in manifest["tables"]:
        verified = verify(folder / TABLES / name, today=today)
        findings += [replace(finding, name=f"{name}: {finding.name}") for finding in verified.findings]
    promised = {metric["name"]: metric["note"] for metric in manifest["metrics"]}
    for each in manifest["references"]:
        reference = Reference(**each)
        orphans = released_orphans(
            folder / TABLES / reference.table / "data", folder / TABLES / reference.to / "data", reference
        )
        name = f"orphans of {reference.table}.{reference.column}"
        told = promised[f"orphans made in {reference.table}.{reference.column}"]
        same = told.endswith(f", {orphans} after")
        findings.append(Finding(name, same, f"{orphans} rows without their row in {reference.to}"))
    return findings


def _determined(manifest: dict[str, Any], today: dt.date) -> list[Finding]:
    """Whether an expert's determination still holds, where the policy says for how many days it does."""
    policy = manifest["policy"]
    expert = (policy.get("statements") or {}).get("expert")
    if (
        "hipaa_expert_determination" not in policy.get("regulation", ())
        or not expert
        or not expert["valid_days"]
    ):
        return []
    made = dt.datetime.fromisoformat(manifest["created_at"]).date()
    try:
        last = made + dt.timedelta(days=expert["valid_days"])
    except OverflowError:
        last = dt.date.max
    text = f"made on {made.isoformat()}, holds until {last.isoformat()}"
    over = "" if today <= last else "; it is over: an expert has to determine the risk anew"
    return [Finding("expert determination", not over, text + over)]


def _hashes(folder: Path, promised: dict[str, str]) -> list[Finding]:
    found = file_hashes(folder)
    wrong = [f"{name} changed" for name in promised if name in found and found[name] != promised[name]]
    wrong += [f"{name} is missing" for name in promised if name not in found]
    wrong += [f"{name} is not in the manifest" for name in found if name not in promised]
    return [
        Finding(
            "files", not wrong, "; ".join(sorted(wrong)) or f"{len(found)} files, every SHA-256 as promised"
        )
    ]


def _guarantees(folder: Path, manifest: dict[str, Any]) -> list[Finding]:
    data = folder / "data"
    wanted = manifest["policy"]["thresholds"]
    try:
        link = _link(manifest)
        measured = measure_files(data, manifest["quasi_identifiers"], manifest["sensitive"], link)
        agree = formats_agree(data)
    except (IntegrityError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return [
            Finding(
                "data", passed=False, text="the data files cannot be read, or not with the promised columns"
            )
        ]
    rows = manifest["rows"]
    schema = list(measured.columns) == manifest["columns"]
    total = rows["in"] == rows["out"] + rows["suppressed"]
    findings = [
        Finding(
            "schema", schema, f"{len(measured.columns)} columns" + ("" if schema else ", not those promised")
        ),
        Finding("rows", measured.rows == rows["out"], f"{measured.rows} rows, {rows['out']} promised"),
        Finding(
            "row accounting", total, f"{rows['in']} in = {rows['out']} out + {rows['suppressed']} suppressed"
        ),
        Finding(
            "formats", agree, "all formats say the same" if agree else "the CSV and the Parquet files differ"
        ),
    ]
    if manifest["quasi_identifiers"] and wanted["k"] is not None:
        text = f"{measured.k} rows in the smallest class, at least {wanted['k']} demanded"
        findings.append(Finding("k (rows)", measured.k >= wanted["k"], text))
    if manifest["quasi_identifiers"] and wanted["max_risk"] is not None:
        risk = 1 / max(measured.k, 1)
        text = f"at most {risk:.3g} by rows, {wanted['max_risk']:g} allowed"
        findings.append(Finding("maximum risk (rows)", risk <= wanted["max_risk"] + HAIR, text))
    linked = manifest["policy"]["privacy_unit"].get("linked")
    if linked and link is None:
        return findings  # by which column rows are linked only staging knows
    return [*findings, *_sensitive(manifest, measured), *_models(folder, manifest, link)]


def _link(manifest: dict[str, Any]) -> str | None:
    """The column of the release that tells people apart, where the person column leaves as a pseudonym."""
    unit = manifest["policy"]["privacy_unit"]
    return unit["column"] if unit.get("linked") and unit["column"] in manifest["columns"] else None


def _sensitive(manifest: dict[str, Any], measured: Measured) -> list[Finding]:
    """The l and t of every sensitive column."""
    wanted, findings = manifest["policy"]["thresholds"], []
    promised = {metric["name"]: metric["value"] for metric in manifest["metrics"]}
    for name in manifest["sensitive"]:
        found, told = measured.l[name], promised[f"l of {name}"]
        same = found == told and (wanted["l"] is None or found >= wanted["l"])
        demanded = "none" if wanted["l"] is None else f"{wanted['l']}"
        findings.append(
            Finding(f"l of {name}", same, f"{found}, {demanded} demanded, {told:g} in the manifest")
        )
        found_t, told_t = measured.t[name], promised[f"t of {name}"]
        allowed = 1.0 if wanted["t"] is None else wanted["t"]
        same = abs(found_t - told_t) < HAIR and found_t <= allowed + HAIR
        demanded = "none" if wanted["t"] is None else f"at most {wanted['t']:g}"
        findings.append(
            Finding(f"t of {name}", same, f"{found_t:.4f}, {demanded} demanded, {told_t:.4f} in the manifest")
        )
    return findings


def _models(folder: Path, manifest: dict[str, Any], link: str | None) -> list[Finding]:
    """The further models of sensitive columns, but for those over a hierarchy that the release does not carry."""
    promised = {metric["name"]: metric["value"] for metric in manifest["metrics"]}
    models = models_of_manifest(manifest["policy"]["thresholds"].get("sensitive", {}))
    metrics = file_metrics(folder / "data", manifest["quasi_identifiers"], models, manifest["types"], link)
    findings = []
    for metric in metrics:
        told = promised[metric.name]
        same = metric.value is not None and metric.passed and abs(metric.value - told) < HAIR
        text = metric.note if metric.value is None else f"{metric.value:.4f}, {told:.4f} in the manifest"
        findings.append(Finding(metric.name, same, text))
    return findings

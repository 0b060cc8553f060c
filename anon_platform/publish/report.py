"""The release report: one page, complete in itself, for the privacy officer who signs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anon_platform.publish.attacks.section import attacks_of
from anon_platform.publish.checks import check_groups
from anon_platform.publish.columns import (
    as_they_are,
    column_groups,
    known_to_attacker,
    notes_callout,
    protected,
)
from anon_platform.publish.figures import figures
from anon_platform.publish.free_text import texts
from anon_platform.publish.headlines import headlines, missed_thresholds
from anon_platform.publish.pdf import PDF, write_pdf
from anon_platform.publish.regulations import regulations_of
from anon_platform.publish.risk import earlier_rows, risk_tables
from anon_platform.publish.utility import utility_section
from anon_platform.publish.wording import SMALL_CELL, Counts, listing, moment, plural, retention

REPORT = "report.html"

FAULTS = "rows and columns unaccounted for"
"""The measure whose note says what does not add up."""


def write_report(file: Path, *, manifest: dict[str, Any], assessment: dict[str, Any]) -> None:
    """Writes the report of a release, or of a refused one: the same bytes for the same input.

    manifest, assessment: the JSON values of `manifest.json` and `assessment.json`. Beside it the same as PDF, where the
    policy asks for one. The page refers to nothing
    outside itself and shows counts and metrics only.
    """
    told = page(manifest, assessment)
    file.write_text(told, encoding="utf-8")
    if manifest.get("pdf"):
        write_pdf(file.with_name(PDF), told, identifier=manifest["release_id"])


def page(manifest: Mapping[str, Any], assessment: Mapping[str, Any]) -> str:
    """The report as HTML text."""
    return rendered("report.html.j2", content(manifest, assessment))


def rendered(template: str, told: Mapping[str, Any], package: str = "anon_platform.publish") -> str:
    """A page as HTML text. told: what the template shows; package: whose templates it is among."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(told)


def stylesheet() -> str:
    """The style of the report's page, for other pages that look like it; without a footer."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("anon_platform.publish", "templates")
    return Environment(loader=loader, autoescape=False).get_template("report.css").render(footer="")  # noqa: S701 - a style sheet, no page


def content(manifest: Mapping[str, Any], assessment: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows, in words."""
    thresholds, detail = manifest["plan"]["thresholds"], assessment["detail"]
    counts = Counts(int(thresholds.get("k", SMALL_CELL)))
    unit = manifest["people"]["name"]
    regulations = regulations_of(detail)
    clauses = {clause.check for regulation in regulations for clause in regulation.clauses}
    measured = [metric for metric in manifest["metrics"] if metric["check"] not in clauses]
    groups = check_groups(measured, manifest["rows"], unit, counts)
    return {
        "title": manifest["title"],
        "passed": manifest["passed"],
        "footer": in_style(f"Release report, {manifest['dataset']}, {manifest['release_id']}"),
        "facts": facts(manifest),
        "created_at": manifest["created_at"],
        "release_id": manifest["release_id"],
        "dataset": manifest["dataset"],
        "recipient": manifest["recipient"],
        "demanded": sum(metric["threshold"] is not None for metric in manifest["metrics"]),
        "missed": missed_thresholds(manifest, counts),
        "headlines": headlines(manifest, assessment, counts),
        "callouts": list(notes_callout(manifest)),
        "groups": groups,
        "regulations": regulations,
        "frontier": assessment.get("frontier"),
        "risks": risk_tables(detail, counts),
        "earlier": earlier_rows(detail, counts),
        "figures": figures(manifest, assessment, counts),
        "useful": utility_section(manifest, assessment, counts),
        "not_measured": not_measured(manifest, assessment),
        "attacks": attacks_of(manifest, assessment, counts),
        "texts": texts(manifest, assessment, counts),
        "unit": unit,
        "units": plural(unit),
        "small": counts.k,
        "several_rows": manifest["people"]["in"] < manifest["rows"]["in"],
        "known": known_to_attacker(manifest),
        "protected": protected(manifest, detail.get("privacy")),
        "as_they_are": as_they_are(manifest),
        "listing": listing,
        "columns": column_groups(manifest, assessment),
        "accounting": accounting(manifest, counts),
        "faults": [row.note for group in groups for row in group.rows if row.name == FAULTS and row.note],
        "provenance": provenance(manifest),
        "files": files(manifest),
        "rests_on_manifest": manifest["rests_on_manifest"],
        "version": manifest["versions"]["anon_platform"],
    }


def facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the release is, for whom and how long."""
    return [
        ("Dataset", manifest["dataset"]),
        ("Release", manifest["release_id"]),
        ("Date", moment(manifest["created_at"])),
        ("Owner", manifest["owner"]),
        ("Recipient", manifest["recipient"]),
        ("Purpose", manifest["purpose"]),
        ("Retention", retention(manifest["retention_days"], manifest["created_at"])),
    ]


def not_measured(manifest: Mapping[str, Any], assessment: Mapping[str, Any]) -> list[str]:
    """Sentences about what a reader may miss, and why it is not there."""
    detail = assessment["detail"]
    if "privacy" not in detail:
        text = (
            "Rows and columns do not add up, so nothing that is counted by position would mean anything:"
            " risk, fidelity and the model were not measured."
        )
        return [text]
    found = []
    if not manifest["quasi_identifiers"]:
        found.append(
            "The policy names no quasi-identifiers, so k and re-identification risk are not measured."
        )
    if not manifest["sensitive"]:
        found.append("The policy names no sensitive columns, so l and t are not measured.")
    if "model" not in detail:
        found.append("The policy names no model, so no model was trained.")
    elif isinstance(detail["model"], str):
        found.append(f"The model could not be compared: {detail['model']}.")
    return found


def accounting(manifest: Mapping[str, Any], counts: Counts) -> list[tuple[str, str, str]]:
    """(what, rows, people): every row that came in, by what became of it."""
    rows, people = manifest["rows"], manifest["people"]
    gone = people["in"] - people["out"]
    left = "Released" if manifest["passed"] else "Treated, not released"
    return [
        ("Came in", counts.whole(rows["in"], rows["out"]), counts.whole(people["in"], people["out"])),
        (left, counts.shown(rows["out"]), counts.shown(people["out"])),
        (
            f"Suppressed ({counts.share(rows['suppressed'], rows['in'])} of the rows)",
            counts.shown(rows["suppressed"]),
            counts.shown(max(gone, 0)),
        ),
    ]


def provenance(manifest: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(what, value, what it is good for)."""
    versions, head = manifest["versions"], manifest["ledger_head"]
    return [
        (
            "Policy (SHA-256)",
            manifest["policy_hash"],
            "of the policy in canonical form: the same rules give the same hash",
        ),
        (
            "Input fingerprint (keyed)",
            manifest["input_fingerprint"],
            "only the holder of the instance key can compute it",
        ),
        (
            f"Ledger head, event {head['seq']:,}",
            head["hash"],
            "newest entry of the audit ledger when this release was made; a ledger without it was changed",
        ),
        ("Versions", ", ".join(f"{name} {version}" for name, version in sorted(versions.items())), ""),
    ]


def files(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and SHA-256 of the files a reader holds; this report cannot name its own, the manifest does."""
    return [
        (name, digest)
        for name, digest in sorted(manifest.get("files", {}).items())
        if name not in {REPORT, PDF} and (manifest["passed"] or not name.startswith("data/"))
    ]


def in_style(text: str) -> str:
    """`text` without any sign that could end a string in a style sheet.

    >>> in_style('a"b;} c')
    'ab c'
    """
    return re.sub(r"[^\w .,:-]", "", text, flags=re.ASCII)
